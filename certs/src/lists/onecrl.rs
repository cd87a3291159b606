//! OneCRL: what Firefox refuses, from the records that it ships.

use std::io;
use std::path::Path;

use data_encoding::BASE64;
use serde::Deserialize;
use time::{Date, OffsetDateTime};

use crate::layout::{BlockList, BlockedKey, Serial, Sha256, Why};
use crate::packages::{broken, day};

#[derive(Deserialize)]
struct Records {
    data: Vec<Record>,
}

/// A record; `enabled` is not asked for, because Firefox does not ask either.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "last_modified")]
    last_modified: i64,
    issuer_name: Option<String>,
    serial_number: Option<String>,
    subject: Option<String>,
    pub_key_hash: Option<String>,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    created: Option<String>,
}

/// The list that `file` holds.
///
/// # Errors
/// When a record is of neither shape: issuer and serial number, or subject and key.
pub fn read(file: &Path) -> io::Result<BlockList> {
    let records = serde_json::from_slice(&std::fs::read(file)?).map_err(io::Error::other)?;
    list(&records).ok_or_else(|| broken(file, "a record of another shape"))
}

fn list(records: &Records) -> Option<BlockList> {
    let mut list = BlockList {
        list: "OneCRL".to_owned(),
        programs: vec!["Mozilla".to_owned()],
        date: Date::MIN,
        issuers: Default::default(),
        keys: Default::default(),
        certificates: Default::default(),
    };
    for record in &records.data {
        let since = since(record)?;
        list.date = list.date.max(since);
        match (&record.issuer_name, &record.serial_number, &record.subject, &record.pub_key_hash) {
            (Some(issuer), Some(serial), None, None) => {
                let serials = list.issuers.entry(decode(issuer)?).or_default();
                let entry = serials.entry(Serial::new(&decode(serial)?)).or_default();
                *entry = Some(entry.map_or(since, |other| other.min(since)));
            }
            (None, None, Some(subject), Some(hash)) => {
                let spki_sha256 = Sha256::try_from(decode(hash)?).ok()?;
                let key = BlockedKey { spki_sha256, subject: Some(decode(subject)?) };
                list.keys.insert(key, Why { since: Some(since), ..Why::default() });
            }
            _ => return None,
        }
    }
    Some(list)
}

/// The day on which a record was made; many do not say, and then it is that of the last change.
fn since(record: &Record) -> Option<Date> {
    let created = record.details.created.as_deref().and_then(|moment| moment.get(..10));
    let changed = OffsetDateTime::from_unix_timestamp(record.last_modified / 1000).ok()?.date();
    Some(created.and_then(|text| day(text).ok()).map_or(changed, |created| created.min(changed)))
}

fn decode(base64: &str) -> Option<Vec<u8>> {
    BASE64.decode(base64.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &str) -> Option<BlockList> {
        list(&serde_json::from_str(records).unwrap())
    }

    #[test]
    fn a_record_that_is_not_enabled_counts_too() {
        let list = read(
            r#"{"data": [
                {"last_modified": 1500000000000, "enabled": false, "issuerName": "MAA=",
                 "serialNumber": "AIE=", "details": {"created": "2016-02-03T00:00:00Z"}},
                {"last_modified": 1600000000000, "subject": "MAA=", "details": {"created": ""},
                 "pubKeyHash": "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM="}
            ]}"#,
        )
        .unwrap();
        assert_eq!(list.date.to_string(), "2020-09-13");
        let (name, serials) = list.issuers.first_key_value().unwrap();
        let (serial, since) = serials.first_key_value().unwrap();
        assert_eq!((name.as_slice(), serial.bytes()), (&[0x30, 0][..], &[0x81][..]));
        assert_eq!(since.unwrap().to_string(), "2016-02-03");
        let (key, why) = list.keys.first_key_value().unwrap();
        assert_eq!((key.spki_sha256, why.since), ([3; 32], Some(list.date)));
    }

    #[test]
    fn a_record_of_another_shape_is_an_error() {
        for fields in [r#""issuerName": "MAA=""#, r#""subject": "MAA=", "pubKeyHash": "AA==""#] {
            assert_eq!(read(&format!(r#"{{"data": [{{"last_modified": 1, {fields}}}]}}"#)), None);
        }
    }
}
