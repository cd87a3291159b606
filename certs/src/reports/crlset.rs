//! The CRLSet, by which Chrome refuses certificates: a signed package with one file.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use serde::Deserialize;

use super::{ReportError, crx, limited};
use crate::layout::{Serial, Sha256};

/// The name of Chrome's component, which is half of its key's hash.
pub const COMPONENT: &str = "hfnkpimlhhgieaddgfemjhofmfblmnib";

/// What a CRLSet refuses and knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlSet {
    /// Its number; it grows with every set.
    pub sequence: u64,
    /// Keys (SHA-256 of the SPKI) that are refused.
    pub blocked: BTreeSet<Sha256>,
    /// Keys that may be used only under a subject: SHA-256 of its DER name, and the keys that it may have.
    pub limited: BTreeMap<Sha256, BTreeSet<Sha256>>,
    /// Keys by which known interceptions are recognised; not refused for that alone.
    pub known_interception: BTreeSet<Sha256>,
    /// Keys that are refused because they intercept.
    pub blocked_interception: BTreeSet<Sha256>,
    /// Refused serial numbers by the key of their issuer.
    pub revoked: BTreeMap<Sha256, BTreeSet<Serial>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    version: u64,
    content_type: String,
    sequence: u64,
    #[serde(default)]
    delta_from: u64,
    num_parents: u64,
    #[serde(rename = "BlockedSPKIs", default)]
    blocked: Vec<String>,
    #[serde(default)]
    limited_subjects: BTreeMap<String, Vec<String>>,
    #[serde(rename = "KnownInterceptionSPKIs", default)]
    known_interception: Vec<String>,
    #[serde(rename = "BlockedInterceptionSPKIs", default)]
    blocked_interception: Vec<String>,
}

/// Reads a package of the component `id`, which is [`COMPONENT`].
///
/// # Errors
/// [`ReportError::BadSignature`] where the component's key did not sign it; a package, archive or file
/// that is cut or not understood.
pub fn from_bytes(bytes: &[u8], id: &str) -> Result<CrlSet, ReportError> {
    from_file(&crx::member(crx::archive(bytes, id)?, "crl-set")?)
}

/// Reads the file in the package.
///
/// # Errors
/// [`ReportError::Damaged`] or [`ReportError::NotJson`].
pub fn from_file(bytes: &[u8]) -> Result<CrlSet, ReportError> {
    let cut = || damaged("the set has no end");
    let (length, rest) = limited(bytes)?.split_first_chunk().ok_or_else(cut)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (header, mut rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header: Header = serde_json::from_slice(header)?;
    if header.content_type != "CRLSet" || header.version != 0 || header.delta_from != 0 {
        return Err(damaged("it is no whole set of the known version"));
    }
    let mut revoked: BTreeMap<Sha256, BTreeSet<Serial>> = BTreeMap::new();
    for _ in 0..header.num_parents {
        let (parent, more) = rest.split_first_chunk::<32>().ok_or_else(cut)?;
        let (count, more) = more.split_first_chunk().ok_or_else(cut)?;
        rest = more;
        let serials = revoked.entry(*parent).or_default();
        for _ in 0..u32::from_le_bytes(*count) {
            let (length, more) = rest.split_first().ok_or_else(cut)?;
            let (serial, more) = more.split_at_checked(usize::from(*length)).ok_or_else(cut)?;
            serials.insert(Serial::new(serial));
            rest = more;
        }
    }
    if !rest.is_empty() {
        return Err(damaged("something stands behind the set"));
    }
    let limited = header.limited_subjects.iter();
    let limited: Option<_> =
        limited.map(|(subject, keys)| Some((hash(subject)?, hashes(keys)?))).collect();
    let bad = || damaged("a key's hash is not understood");
    Ok(CrlSet {
        sequence: header.sequence,
        blocked: hashes(&header.blocked).ok_or_else(bad)?,
        limited: limited.ok_or_else(bad)?,
        known_interception: hashes(&header.known_interception).ok_or_else(bad)?,
        blocked_interception: hashes(&header.blocked_interception).ok_or_else(bad)?,
        revoked,
    })
}

fn hashes(written: &[String]) -> Option<BTreeSet<Sha256>> {
    written.iter().map(|text| hash(text)).collect()
}

fn hash(base64: &str) -> Option<Sha256> {
    BASE64.decode(base64.as_bytes()).ok()?.try_into().ok()
}

fn damaged(reason: &str) -> ReportError {
    ReportError::Damaged { reason: reason.into() }
}

#[cfg(test)]
mod tests;
