//! Where an address is, by databases in MaxMind's format, in memory.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kua::intake::Meta;
use kua_archive::Sender;
use maxminddb::Reader;
use serde_json::Value;

use super::IntakeError;

/// Databases that are asked one after the other; the first that knows counts, for each question.
#[derive(Debug, Default)]
pub struct Geo {
    databases: Vec<Reader<Vec<u8>>>,
}

/// What the databases know of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) country: Option<String>,
    pub(super) asn: Option<u32>,
    pub(super) network: Option<String>,
}

impl Geo {
    /// # Errors
    /// [`IntakeError::Geo`] with the first file that is no database.
    pub fn open(files: &[PathBuf]) -> Result<Self, IntakeError> {
        let read = |file: &PathBuf| {
            Reader::open_readfile(Path::new(file))
                .map_err(|source| IntakeError::Geo { file: file.clone(), source })
        };
        Ok(Self { databases: files.iter().map(read).collect::<Result<_, _>>()? })
    }

    pub(super) fn locate(&self, address: IpAddr) -> Location {
        let mut location = Location::default();
        for database in &self.databases {
            let found = database.lookup(address.to_canonical());
            let Some(row) = found.ok().and_then(|found| found.decode::<Value>().ok().flatten())
            else {
                continue;
            };
            location.country = location.country.or_else(|| country(&row));
            location.asn = location.asn.or_else(|| asn(&row));
            location.network = location.network.or_else(|| network(&row));
        }
        location
    }
}

/// MaxMind's and DB-IP's files nest it, others do not.
fn country(row: &Value) -> Option<String> {
    let nested = [&row["country"]["iso_code"], &row["country_code"], &row["country"]];
    let mut texts = nested.into_iter().filter_map(Value::as_str);
    texts.find(|text| text.len() == 2).map(str::to_ascii_uppercase)
}

fn asn(row: &Value) -> Option<u32> {
    let number = row["autonomous_system_number"].as_u64().or_else(|| row["asn"].as_u64());
    let text = row["asn"].as_str().map(|text| text.trim_start_matches("AS"));
    number
        .and_then(|number| u32::try_from(number).ok())
        .or_else(|| text?.parse().ok())
        .filter(|asn| *asn != 0)
}

fn network(row: &Value) -> Option<String> {
    ["autonomous_system_organization", "as_name"]
        .into_iter()
        .find_map(|key| row[key].as_str())
        .map(str::to_owned)
}

/// How a sender's address compares with what its record claims.
pub(super) fn compare(location: &Location, meta: &Meta) -> Sender {
    let claimed = meta.asn.strip_prefix("AS").and_then(|asn| asn.parse::<u32>().ok());
    let other_country = location.country.as_ref().is_some_and(|found| *found != meta.country);
    match (location.asn, claimed) {
        _ if !meta.has_origin() => Sender::Unknown,
        _ if other_country => Sender::OtherCountry,
        (Some(found), Some(claimed)) if found == claimed => Sender::Same,
        (Some(_), Some(_)) => Sender::OtherNetwork,
        _ => Sender::Unknown,
    }
}
