//! The certificates that refreshed stores name and nobody knew before, and whose they are.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Made, RefreshError};
use crate::layout::{Owner, Owners, RootCertificate, Roots, Sha256};
use crate::reports::ccadb;

/// Word in `roots.csv` for an owner that CCADB names.
const SOURCE: &str = "ccadb";

/// What `made` names beyond the `known` roots.
///
/// # Errors
/// [`RefreshError::NoCertificate`] where neither `made` nor `found` holds one of them.
pub fn additional(
    made: &Made,
    known: &Roots,
    found: &BTreeMap<Sha256, Vec<u8>>,
) -> Result<(Roots, Owners), RefreshError> {
    let (mut roots, mut owners) = (Roots::new(), Owners::new());
    let mut missing = BTreeSet::new();
    for sha256 in made.wanted.iter().filter(|sha256| !known.contains_key(*sha256)) {
        let der = made.certificates.get(sha256).or_else(|| found.get(sha256));
        let Some((der, root)) =
            der.and_then(|der| Some((der, X509Certificate::from_der(der).ok()?.1)))
        else {
            missing.insert(*sha256);
            continue;
        };
        if let Some(owner) = made.owners.get(sha256) {
            let country = root.subject().iter_country().next();
            let country = country.and_then(|country| country.as_str().ok()).unwrap_or_default();
            let owner = Owner {
                owner: owner.clone(),
                country: Some(country).filter(|it| is_code(it)).unwrap_or_default().to_owned(),
                state: None,
                source: SOURCE.into(),
            };
            owners.insert(*sha256, owner);
        }
        let subject = root.subject().to_string();
        roots.insert(*sha256, RootCertificate { subject, der: der.clone() });
    }
    match missing.first() {
        Some(first) => {
            let first = HEXLOWER.encode(first);
            Err(RefreshError::NoCertificate { count: missing.len(), first })
        }
        None => Ok((roots, owners)),
    }
}

fn is_code(country: &str) -> bool {
    country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The years whose certificates must be asked for, because `made` names some that neither it nor
/// `known` holds; CCADB's list says when their validity begins.
pub fn years_of(made: &Made, known: &Roots, ccadb: &[u8]) -> BTreeSet<i32> {
    let missing = |sha256: &Sha256| {
        made.wanted.contains(sha256)
            && !known.contains_key(sha256)
            && !made.certificates.contains_key(sha256)
    };
    if !made.wanted.iter().any(missing) {
        return BTreeSet::new();
    }
    let records = ccadb::from_bytes(ccadb).unwrap_or_default();
    let wanted = records.iter().filter(|record| missing(&record.sha256));
    wanted.filter_map(|record| Some(record.valid_from?.year())).collect()
}
