//! One page for people, on a screen, a phone or paper: no script is needed, nothing is fetched.

mod evidence;
#[expect(unreachable_pub, reason = "askama makes a filter's inner functions pub")]
mod filters;
mod table;
mod view;

use askama::Template;
use data_encoding::BASE64;
use kua::chain::Fingerprint;

use super::{Format, FormatError, Report};
use view::Page;

pub(super) static FORMAT: Format = Format {
    name: "html",
    purpose: "one page for people, with charts and evidence",
    document,
    tables: &[],
};

const STYLE: &str = include_str!("../../../templates/style.css");

/// Adds buttons that copy; the page works without it.
const SCRIPT: &str = include_str!("../../../templates/copy.js");

fn document(report: &Report) -> Result<String, FormatError> {
    Ok(Page::of(report)?.render()?)
}

/// Lets this style and this script run and nothing else, and forbids every request: should
/// foreign text ever escape its quotes, a browser still ignores it.
fn content_policy() -> String {
    let hash = |text: &str| BASE64.encode(Fingerprint::of(text.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT),
    )
}
