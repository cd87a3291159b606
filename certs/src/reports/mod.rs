//! The root programs' own public reports: pure readers of bytes that somebody downloaded.

pub mod ccadb;
pub mod certificates;
pub mod chrome;
pub mod crlset;
mod crx;
mod error;
pub mod logs;
pub mod microsoft;
pub mod mozilla;
pub mod onecrl;
mod status;
mod table;
mod textproto;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER_PERMISSIVE;
use time::Date;
use time::macros::format_description;

pub use error::ReportError;
pub use status::Status;

use crate::layout::Sha256;

/// Longest report, in bytes; the largest known, CCADB's list of all certificates, has 9 MB.
pub const MAX_REPORT: usize = 64 * 1024 * 1024;

/// The bytes where they are no more than a report may have.
fn limited(bytes: &[u8]) -> Result<&[u8], ReportError> {
    match bytes.len() {
        length if length > MAX_REPORT => Err(ReportError::TooLong { length, limit: MAX_REPORT }),
        _ => Ok(bytes),
    }
}

fn text(bytes: &[u8]) -> Result<&str, ReportError> {
    let text = std::str::from_utf8(limited(bytes)?).map_err(ReportError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// SHA-256 of `bytes`, by which certificates and keys are called.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// A hash in hexadecimal digits; colons between the bytes do not matter.
pub(crate) fn hash(text: &str) -> Option<Sha256> {
    let digits = text.replace(':', "");
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

/// A day as reports write it: `2026-10-23` or `2026.10.23`.
fn day(text: &str) -> Option<Date> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(&text.replace('.', "-"), format).ok()
}
