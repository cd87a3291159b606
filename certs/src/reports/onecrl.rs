//! OneCRL, the list of certificates that Mozilla's clients refuse, as its records are published.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;
use time::{Date, OffsetDateTime};

use super::{ReportError, day, limited};
use crate::layout::{BlockList, BlockedKey, Serial, Why};

#[derive(Deserialize)]
struct Written {
    /// `records` calls them so, `changeset` otherwise.
    #[serde(alias = "changes")]
    data: Vec<Record>,
}

/// By issuer and serial, or by subject and key. `enabled` is left unread: clients refuse a record
/// all the same where it is false.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    issuer_name: Option<String>,
    serial_number: Option<String>,
    subject: Option<String>,
    pub_key_hash: Option<String>,
    #[serde(default)]
    details: Details,
    #[serde(default)]
    deleted: bool,
    /// Milliseconds since 1970 UTC.
    #[serde(rename = "last_modified")]
    last_modified: i64,
}

#[derive(Default, Deserialize)]
struct Details {
    created: Option<String>,
}

/// Reads all records. An entry is dated by the day on which its record was made; many do not say, and
/// then it is that of the last change.
///
/// # Errors
/// Bytes that are not JSON; a record of neither shape; [`ReportError::Empty`] without a record.
pub fn from_bytes(bytes: &[u8]) -> Result<BlockList, ReportError> {
    let written: Written = serde_json::from_slice(limited(bytes)?)?;
    let mut list = BlockList {
        list: "OneCRL".into(),
        programs: vec!["Mozilla".into()],
        date: Date::MIN,
        issuers: BTreeMap::new(),
        keys: BTreeMap::new(),
        certificates: BTreeMap::new(),
    };
    for (row, record) in (1..).zip(written.data.iter().filter(|record| !record.deleted)) {
        let reason = "it is neither an issuer with a serial number nor a subject with a key";
        let bad = || ReportError::BadRow { row, reason: reason.into() };
        let since = since(record).ok_or_else(bad)?;
        enter(&mut list, record, since).ok_or_else(bad)?;
        list.date = list.date.max(since);
    }
    match list.date {
        Date::MIN => Err(ReportError::Empty { what: "record" }),
        _ => Ok(list),
    }
}

fn since(record: &Record) -> Option<Date> {
    let created = record.details.created.as_deref().and_then(|moment| day(moment.get(..10)?));
    let changed = OffsetDateTime::from_unix_timestamp(record.last_modified / 1000).ok()?.date();
    Some(created.map_or(changed, |created| created.min(changed)))
}

fn enter(list: &mut BlockList, record: &Record, since: Date) -> Option<()> {
    let decoded = |text: &Option<String>| {
        let bytes = BASE64.decode(text.as_ref()?.as_bytes()).ok()?;
        (!bytes.is_empty()).then_some(bytes)
    };
    match (decoded(&record.issuer_name), decoded(&record.subject)) {
        (Some(issuer), None) => {
            let serial = Serial::new(&decoded(&record.serial_number)?);
            let known = list.issuers.entry(issuer).or_default().entry(serial).or_default();
            *known = Some(known.map_or(since, |earlier| earlier.min(since)));
        }
        (None, Some(subject)) => {
            let spki_sha256 = decoded(&record.pub_key_hash)?.try_into().ok()?;
            let key = BlockedKey { spki_sha256, subject: Some(subject) };
            let why = Why { since: Some(since), ..Why::default() };
            list.keys.insert(key, why);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = r#"{"enabled": false, "issuerName": "MAA=", "serialNumber": "AIE=",
        "last_modified": 1793208925525, "details": {"created": ""}, "schema": 1, "id": "a"}"#;

    fn key() -> String {
        let hash = BASE64.encode(&[7; 32]);
        format!(
            r#"{{"subject": "MAA=", "pubKeyHash": "{hash}", "last_modified": 1600000000000,
               "details": {{"created": "2016-02-03T00:00:00Z"}}}}"#
        )
    }

    #[test]
    fn both_shapes_and_a_record_that_says_it_is_not_enabled() {
        let text = format!("{{\"data\": [{ISSUER}, {}], \"timestamp\": 1}}", key());
        for text in [text.replace("data", "changes"), text] {
            let list = from_bytes(text.as_bytes()).unwrap();
            assert_eq!(list.date.to_string(), "2026-10-28");
            let serials = &list.issuers[&vec![0x30, 0]];
            assert_eq!(serials[&Serial::new(&[0x81])].unwrap(), list.date);
            let key = BlockedKey { spki_sha256: [7; 32], subject: Some(vec![0x30, 0]) };
            assert_eq!(list.keys[&key].since.unwrap().to_string(), "2016-02-03");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let deleted = r#"{"id": "a", "deleted": true, "last_modified": 1}"#;
        for records in [
            String::new(),
            deleted.to_owned(),
            ISSUER.replace("serialNumber", "number"),
            ISSUER.replace("AIE=", "?"),
            ISSUER.replace("AIE=", ""),
            ISSUER.replace("1793208925525", "\"yesterday\""),
            ISSUER.replace("issuerName\": \"MAA=", "subject\": \"MAA="),
            key().replace("Bwc", ""),
            "1".into(),
        ] {
            let text = format!("{{\"data\": [{records}]}}");
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
        let good = format!("{{\"data\": [{ISSUER}, {deleted}]}}");
        assert!(from_bytes(good.as_bytes()).is_ok());
        assert!(from_bytes(&good.as_bytes()[..good.len() - 1]).is_err());
    }
}
