//! Go's x509roots: Mozilla's roots for TLS servers with the days after which it refuses their new
//! certificates. Roots with name constraints are left out of it, so a lack says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use time::Date;

use crate::history::{Lack, State};
use crate::layout::{Roots, Sha256, Snapshot};
use crate::packages::{Certificates, add, broken, day, sha256, versions};

/// Since which day Mozilla refuses the new certificates of a root.
pub type Distrusts = BTreeMap<Sha256, Date>;

/// Every version that is there.
///
/// # Errors
/// When a version is not as expected.
pub fn states(packages: &Path, roots: &mut Roots) -> io::Result<(Vec<State>, Distrusts)> {
    let (mut states, mut distrusts) = (Vec::new(), Distrusts::new());
    for (version, folder) in versions(&packages.join("x509roots"))? {
        let index = fs::read_to_string(folder.join("bundle.go"))?;
        let bundle = fs::read(folder.join("bundle.der"))?;
        let mut certificates = Certificates::new();
        for entry in index.split("sha256Hash:").skip(1) {
            let (hash, der) =
                certificate(entry, &bundle).ok_or_else(|| broken(&folder, "an unread entry"))?;
            if let Some(moment) = value(entry, "distrustAfter:") {
                distrusts.insert(hash, day(moment.get(..10).unwrap_or_default())?);
            }
            certificates.insert(hash, der);
        }
        let date = made(&version).ok_or_else(|| broken(&folder, "a version without a day"))?;
        states.push(State {
            snapshot: Snapshot { date, source: format!("x509roots/fallback {version}") },
            lack: Lack::Nothing,
            held: certificates.keys().copied().collect(),
            refused: BTreeSet::new(),
        });
        add(roots, certificates)?;
    }
    Ok((states, distrusts))
}

/// An entry names a piece of the bundle by offset and length; the hash it states must fit.
fn certificate(entry: &str, bundle: &[u8]) -> Option<(Sha256, Vec<u8>)> {
    let number = |name| value(entry, name)?.parse::<usize>().ok();
    let (offset, length) = (number("certStartOff:")?, number("certLength:")?);
    let der = bundle.get(offset..offset.checked_add(length)?)?;
    let stated = entry.split('"').nth(1)?;
    let hash = sha256(der);
    (HEXLOWER.encode(&hash) == stated).then(|| (hash, der.to_vec()))
}

fn value<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let entry = entry.split_once("},").map_or(entry, |(entry, _)| entry);
    let (_, rest) = entry.split_once(name)?;
    Some(rest.split_once(',')?.0.trim().trim_matches('"'))
}

/// `v0.0.0-20260213171211-a408498e5541`: the second part begins with a day.
fn made(version: &str) -> Option<Date> {
    let moment = version.split('-').nth(1)?;
    let (year, month, number) = (moment.get(..4)?, moment.get(4..6)?, moment.get(6..8)?);
    day(&format!("{year}-{month}-{number}")).ok()
}
