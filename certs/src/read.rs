//! The files of root programs and block lists read back into the layout, so that what is known of the
//! past stays when the present changes.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::layout::{Anchor, BlockList, BlockedKey, Purpose, Serial, Sha256, Snapshot, Store, Why};
use crate::reports;

/// Why a file could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A value that is not what its field holds.
    #[error("{field} = {value:?} is not understood")]
    BadValue {
        /// The field's name.
        field: &'static str,
        /// What stands there.
        value: String,
    },
    /// Not TOML, or not the TOML that is expected there.
    #[error("it is not understood")]
    NotToml(#[from] toml::de::Error),
}

/// Reads `stores/<program>.toml`.
///
/// # Errors
/// A file that is not one.
pub fn store(text: &str) -> Result<Store, ReadError> {
    let written: WrittenStore = toml::from_str(text)?;
    let snapshots: Result<_, ReadError> = written
        .snapshot
        .into_iter()
        .map(|it| Ok(Snapshot { date: day("date", &it.date)?, source: it.source }))
        .collect();
    let anchors: Result<_, ReadError> = written.anchor.iter().map(anchor).collect();
    Ok(Store {
        program: written.program,
        date: day("date", &written.date)?,
        known_since: optional("known_since", written.known_since.as_deref())?,
        note: written.note,
        snapshots: snapshots?,
        anchors: anchors?,
    })
}

fn anchor(written: &WrittenAnchor) -> Result<Anchor, ReadError> {
    let tls = match written.tls.as_deref() {
        None => Purpose::Tls,
        Some("unknown") => Purpose::Unknown,
        Some(other) => return Err(bad("tls", other)),
    };
    let moment =
        |text: &String| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| bad("sct_after", text));
    Ok(Anchor {
        sha256: hash("sha256", &written.sha256)?,
        from: optional("from", written.from.as_deref())?,
        until: optional("until", written.until.as_deref())?,
        tls,
        name_constraints: base64("name_constraints", written.name_constraints.as_deref())?,
        issued_after: optional("issued_after", written.issued_after.as_deref())?,
        sct_after: written.sct_after.as_ref().map(moment).transpose()?,
    })
}

/// Reads `blocklists/<list>.toml`.
///
/// # Errors
/// A file that is not one.
pub fn block_list(text: &str) -> Result<BlockList, ReadError> {
    let written: WrittenList = toml::from_str(text)?;
    let mut issuers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for issuer in &written.issuer {
        let name = base64("name", Some(&issuer.name))?.unwrap_or_default();
        let serials = issuers.entry(name).or_default();
        for listed in &issuer.serials {
            let content = HEXLOWER_PERMISSIVE.decode(listed.serial.as_bytes());
            let content = content.map_err(|_| bad("serial", &listed.serial))?;
            serials.insert(Serial::new(&content), optional("since", listed.since.as_deref())?);
        }
    }
    let mut keys = BTreeMap::new();
    for listed in &written.key {
        let key = BlockedKey {
            spki_sha256: hash("spki_sha256", &listed.spki_sha256)?,
            subject: base64("subject", listed.subject.as_deref())?,
        };
        keys.insert(key, why(&listed.why)?);
    }
    let mut certificates = BTreeMap::new();
    for listed in &written.certificate {
        certificates.insert(hash("sha256", &listed.sha256)?, why(&listed.why)?);
    }
    Ok(BlockList {
        list: written.list,
        programs: written.programs,
        date: day("date", &written.date)?,
        issuers,
        keys,
        certificates,
    })
}

fn why(written: &WrittenWhy) -> Result<Why, ReadError> {
    Ok(Why {
        since: optional("since", written.since.as_deref())?,
        words: written.why.clone(),
        interception: written.interception,
    })
}

fn bad(field: &'static str, value: &str) -> ReadError {
    ReadError::BadValue { field, value: value.to_owned() }
}

fn day(field: &'static str, text: &str) -> Result<Date, ReadError> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| bad(field, text))
}

fn optional(field: &'static str, text: Option<&str>) -> Result<Option<Date>, ReadError> {
    text.map(|text| day(field, text)).transpose()
}

fn hash(field: &'static str, text: &str) -> Result<Sha256, ReadError> {
    reports::hash(text).ok_or_else(|| bad(field, text))
}

fn base64(field: &'static str, text: Option<&str>) -> Result<Option<Vec<u8>>, ReadError> {
    let decode = |text: &str| BASE64.decode(text.as_bytes()).map_err(|_| bad(field, text));
    text.map(decode).transpose()
}

#[derive(Deserialize)]
struct WrittenStore {
    program: String,
    date: String,
    known_since: Option<String>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    snapshot: Vec<WrittenSnapshot>,
    #[serde(default)]
    anchor: Vec<WrittenAnchor>,
}

#[derive(Deserialize)]
struct WrittenSnapshot {
    date: String,
    source: String,
}

#[derive(Deserialize)]
struct WrittenAnchor {
    sha256: String,
    from: Option<String>,
    until: Option<String>,
    tls: Option<String>,
    name_constraints: Option<String>,
    issued_after: Option<String>,
    sct_after: Option<String>,
}

#[derive(Deserialize)]
struct WrittenList {
    list: String,
    programs: Vec<String>,
    date: String,
    #[serde(default)]
    issuer: Vec<WrittenIssuer>,
    #[serde(default)]
    key: Vec<WrittenKey>,
    #[serde(default)]
    certificate: Vec<WrittenCertificate>,
}

#[derive(Deserialize)]
struct WrittenIssuer {
    name: String,
    serials: Vec<WrittenSerial>,
}

#[derive(Deserialize)]
struct WrittenSerial {
    serial: String,
    since: Option<String>,
}

#[derive(Deserialize)]
struct WrittenKey {
    spki_sha256: String,
    subject: Option<String>,
    #[serde(flatten)]
    why: WrittenWhy,
}

#[derive(Deserialize)]
struct WrittenCertificate {
    sha256: String,
    #[serde(flatten)]
    why: WrittenWhy,
}

#[derive(Deserialize)]
struct WrittenWhy {
    since: Option<String>,
    why: Option<String>,
    #[serde(default)]
    interception: bool,
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::text::{blocklist_toml, store_toml};

    #[test]
    fn what_was_written_is_read_back() {
        let anchor = Anchor {
            sha256: [2; 32],
            from: Some(date!(2020 - 01 - 01)),
            until: None,
            tls: Purpose::Unknown,
            name_constraints: Some(vec![0xa0]),
            issued_after: Some(date!(2024 - 11 - 30)),
            sct_after: Some(datetime!(2024-11-11 23:59:59 UTC)),
        };
        let plain = Anchor {
            sha256: [3; 32],
            from: None,
            until: Some(date!(2020 - 01 - 02)),
            tls: Purpose::Tls,
            name_constraints: None,
            issued_after: None,
            sct_after: None,
        };
        let store = Store {
            program: "Some \"program\"".into(),
            date: date!(2026 - 10 - 23),
            known_since: Some(date!(2015 - 02 - 05)),
            note: "Two\nlines.".into(),
            snapshots: vec![Snapshot { date: date!(2026 - 10 - 23), source: "new".into() }],
            anchors: vec![anchor, plain],
        };
        assert_eq!(super::store(&store_toml(&store)).unwrap(), store);

        let since = Some(date!(2015 - 04 - 01));
        let key = BlockedKey { spki_sha256: [3; 32], subject: Some(vec![0x30, 0]) };
        let why = Why { since, words: Some("a \\".into()), interception: true };
        let list = BlockList {
            list: "List".into(),
            programs: vec!["Mozilla".into()],
            date: date!(2026 - 10 - 28),
            issuers: [(vec![0x30, 0], [(Serial::new(&[0, 0x82]), since)].into())].into(),
            keys: [(key, why)].into(),
            certificates: [([4; 32], Why::default())].into(),
        };
        assert_eq!(block_list(&blocklist_toml(&list)).unwrap(), list);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let head = "program = \"P\"\ndate = \"2026-01-01\"\n";
        for more in ["known_since = \"soon\"", "[[anchor]]\nsha256 = \"12\"", "[[snapshot]]"] {
            assert!(store(&format!("{head}{more}\n")).is_err(), "{more}");
        }
        assert!(block_list("list = \"L\"\nprograms = []\ndate = \"\"\n").is_err());
    }
}
