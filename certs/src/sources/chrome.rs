//! chromium-roots: Chrome's root store, read from the crate's generated source, because the crate
//! itself needs a newer compiler than Kua.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use time::macros::date;
use time::{Date, OffsetDateTime};

use crate::history::{Lack, State};
use crate::layout::{Roots, Sha256, Snapshot};
use crate::packages::{Certificates, add, broken, sha256};

/// The crate gives no day: it is the one on which it was published.
const DATE: Date = date!(2026 - 10 - 13);
const SOURCE: &str = "chromium-roots 0.1.2 (Chrome Root Store 40)";

/// After which moment Chrome takes a root's certificates no more, if no SCT is older.
pub type Distrusts = BTreeMap<Sha256, OffsetDateTime>;

/// The one state that the crate knows.
///
/// # Errors
/// When the source is not as expected.
pub fn state(packages: &Path, roots: &mut Roots) -> io::Result<(State, Distrusts)> {
    let path = packages.join("chromium-roots/generated.rs");
    let text = fs::read_to_string(&path)?;
    let (certificates, distrusts) = read(&text).ok_or_else(|| broken(&path, "unread source"))?;
    let state = State {
        snapshot: Snapshot { date: DATE, source: SOURCE.to_owned() },
        lack: Lack::Untrusted,
        held: certificates.keys().copied().collect(),
        refused: BTreeSet::new(),
    };
    add(roots, certificates)?;
    Ok((state, distrusts))
}

fn read(text: &str) -> Option<(Certificates, Distrusts)> {
    let ders: BTreeMap<&str, Vec<u8>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("const CERTIFICATE_")?.split_once(": &[u8] = "))
        .map(|(number, literal)| Some((number, bytes(literal)?)))
        .collect::<Option<_>>()?;
    let (_, browser) = text.split_once("SOURCE_BROWSER_VERSION: &str = \"")?;
    let browser = version(browser.split_once('"')?.0)?;
    let (mut certificates, mut distrusts) = (Certificates::new(), Distrusts::new());
    for anchor in text.split("TrustAnchor {").skip(1) {
        let (_, number) = anchor.split_once("der: CERTIFICATE_")?;
        let der = ders.get(number.split_once(',')?.0)?;
        let hash = sha256(der);
        (bytes(anchor.split_once("sha256: *")?.1)? == hash).then_some(())?;
        let mut sets = anchor.split("RootConstraint {").skip(1).peekable();
        if sets.peek().is_some() {
            // Each set alone is enough; those of other versions are for older browsers.
            let moments: Vec<Option<OffsetDateTime>> =
                sets.filter(|set| applies(set, &browser)).map(moment).collect::<Option<_>>()?;
            if moments.is_empty() {
                continue;
            }
            if let Some(moment) = moments.into_iter().collect::<Option<Vec<_>>>()?.iter().max() {
                distrusts.insert(hash, *moment);
            }
        }
        certificates.insert(hash, der.clone());
    }
    Some((certificates, distrusts))
}

/// Whether a set of constraints is for this version of the browser.
fn applies(set: &str, browser: &[u32]) -> bool {
    let bound = |name| field(set, name).and_then(|bound| version(bound.trim_matches('"')));
    bound("min_version").is_none_or(|bound| browser >= bound.as_slice())
        && bound("max_version_exclusive").is_none_or(|bound| browser < bound.as_slice())
}

/// The SCT bound of a set; `None` where a set has bounds that Kua has no field for.
fn moment(set: &str) -> Option<Option<OffsetDateTime>> {
    let unknown = [
        "sct_all_after_sec",
        "index_not_after",
        "index_after",
        "validity_starts_not_after_sec",
        "validity_starts_after_sec",
    ];
    if unknown.iter().any(|name| field(set, name).is_some()) {
        return None;
    }
    set.contains("permitted_dns_names: &[]").then_some(())?;
    let Some(seconds) = field(set, "sct_not_after_sec") else { return Some(None) };
    let seconds = seconds.trim_end_matches("_i64").replace('_', "").parse().ok()?;
    Some(Some(OffsetDateTime::from_unix_timestamp(seconds).ok()?))
}

/// What is in a field's `Some(...)`.
fn field<'a>(set: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = set.split_once(&format!(" {name}: "))?;
    rest.strip_prefix("Some(")?.split_once(')').map(|(value, _)| value)
}

fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// A byte string literal of Rust, up to its closing quote.
fn bytes(literal: &str) -> Option<Vec<u8>> {
    let mut letters = literal.strip_prefix("b\"")?.chars();
    let mut bytes = Vec::new();
    loop {
        bytes.push(match letters.next()? {
            '"' => return Some(bytes),
            '\\' => match letters.next()? {
                'x' => {
                    let (high, low) =
                        (letters.next()?.to_digit(16)?, letters.next()?.to_digit(16)?);
                    u8::try_from(high << 4 | low).ok()?
                }
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                '0' => 0,
                same @ ('\\' | '"' | '\'') => u8::try_from(same).ok()?,
                _ => return None,
            },
            plain => u8::try_from(plain).ok().filter(u8::is_ascii)?,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_string_is_read_as_rust_reads_it() {
        assert_eq!(bytes(r#"b"0\x82\0\r\n\t\"\\\'a";"#).unwrap(), b"0\x82\0\r\n\t\"\\'a");
        for broken in [r#""a""#, r#"b"a"#, r#"b"\q""#, r#"b"\x8"#, "b\"\u{e9}\""] {
            assert_eq!(bytes(broken), None, "{broken}");
        }
    }

    #[test]
    fn only_the_constraints_of_the_browser_at_hand_count() {
        let set = |minimum: &str, sct: &str| {
            format!(
                "\n sct_not_after_sec: {sct},\n sct_all_after_sec: None,\n min_version: {minimum},\n \
                 max_version_exclusive: None,\n permitted_dns_names: &[],\n"
            )
        };
        let moment = OffsetDateTime::from_unix_timestamp(1_731_369_599).ok();
        let bound = set("Some(\"153.0.8010.0\")", "Some(1_731_369_599_i64)");
        assert!(applies(&bound, &[154, 0, 8037, 97]) && !applies(&bound, &[153, 0, 8009, 1]));
        assert_eq!(super::moment(&bound), Some(moment));
        assert_eq!(super::moment(&set("None", "None")), Some(None));
        assert_eq!(
            super::moment(&bound.replace("all_after_sec: None", "all_after_sec: Some(1)")),
            None
        );
    }
}
