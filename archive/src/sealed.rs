//! A JSON object whose last member is the hash of all text before it, so that no flipped bit goes
//! unnoticed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::FileHash;

/// What stands before the hash.
const CHECK: &str = ",\"check\":\"";

/// Writes an object that has members and ends with a brace.
pub(crate) fn seal(value: &impl Serialize) -> String {
    // Values of numbers, text and hashes always serialise.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.pop();
    let hash = FileHash::of(text.as_bytes());
    text.push_str(&format!("{CHECK}{hash}\"}}\n"));
    text
}

/// Reads it; `None` where a byte of it is another than was written.
pub(crate) fn unseal<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    let text = str::from_utf8(text).ok()?;
    let (before, check) = text.rsplit_once(CHECK)?;
    let hash = FileHash::from_hex(check.strip_suffix("\"}\n")?.as_bytes())?;
    let same = FileHash::of(before.as_bytes()) == hash;
    same.then(|| serde_json::from_str(text).ok()).flatten()
}
