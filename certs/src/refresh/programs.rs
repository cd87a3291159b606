//! What Mozilla, Chrome, Microsoft and Apple trust, as their reports state it.

use std::collections::BTreeMap;

use super::store::{State, Terms, advance, held, known};
use super::{
    CCADB, CHROME, CHROME_CERTIFICATES, Inputs, MICROSOFT, MICROSOFT_CERTIFICATES, MOZILLA, Made,
    RefreshError,
};
use crate::layout::{Purpose, Sha256, Store};
use crate::reports::{Status, ccadb, certificates, chrome, microsoft, mozilla};
use crate::text::store_toml;

pub(super) fn mozilla(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let roots = inputs.report(&MOZILLA, mozilla::from_bytes)?;
    let trusted = roots.iter().filter(|root| root.websites);
    let terms = trusted.map(|root| {
        let terms = Terms {
            name_constraints: root.name_constraints.clone(),
            issued_after: root.distrust_after,
            ..Terms::TLS
        };
        (root.sha256, terms)
    });
    let state = State {
        program: "Mozilla",
        date: inputs.day,
        source: "Mozilla's report of included certificates".into(),
        anchors: terms.collect(),
        states_terms: true,
    };
    let owners = roots.iter().map(|root| (root.sha256, root.owner.clone())).collect();
    let certificates = roots.into_iter().map(|root| (root.sha256, root.der)).collect();
    Ok(made(&advance(known(inputs.previous)?, state)?, certificates, owners))
}

/// Before its number in a snapshot's source.
const CHROME_ROOT_STORE: &str = "Chrome Root Store ";

pub(super) fn chrome(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let store = inputs.report(&CHROME, chrome::from_bytes)?;
    let certificates = inputs
        .report(&CHROME_CERTIFICATES, |bytes| certificates::from_bytes(&chrome::plain(bytes)))?;
    let previous = known(inputs.previous)?;
    let snapshots = previous.iter().flat_map(|store| &store.snapshots);
    let versions = snapshots.filter_map(|snapshot| version(&snapshot.source));
    if let Some(newest) = versions.max().filter(|newest| store.version < *newest) {
        let (known, found) = (format!("version {newest}"), format!("version {}", store.version));
        return Err(RefreshError::Older { known, found });
    }
    let trusted = store.anchors.iter().filter(|anchor| anchor.is_trusted());
    let terms = trusted
        .map(|anchor| (anchor.sha256, Terms { sct_after: anchor.sct_after(), ..Terms::TLS }));
    let state = State {
        program: "Chrome",
        date: inputs.day,
        source: format!("{CHROME_ROOT_STORE}{}", store.version),
        anchors: terms.collect(),
        states_terms: true,
    };
    Ok(made(&advance(previous, state)?, certificates, BTreeMap::new()))
}

/// The number of Chrome's root store in the words of a snapshot.
fn version(source: &str) -> Option<u64> {
    let (_, number) = source.split_once(CHROME_ROOT_STORE)?;
    number.trim_end_matches(')').parse().ok()
}

/// Of a root that is trusted for older leaves only, the report does not say how old: those issued
/// until the day on which it was first seen to be so count as accepted. One that was not held is not
/// taken up for that.
pub(super) fn microsoft(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let roots = inputs.report(&MICROSOFT, microsoft::from_bytes)?;
    let certificates = inputs.report(&MICROSOFT_CERTIFICATES, certificates::from_bytes)?;
    let previous = known(inputs.previous)?;
    let held = held(previous.as_ref());
    let mut anchors = BTreeMap::new();
    for root in roots.iter().filter(|root| root.server_authentication) {
        let former = held.get(&root.sha256);
        let terms = match (root.status, former) {
            (Status::Included, _) => Terms::TLS,
            (Status::NotBefore, Some(former)) => {
                Terms { issued_after: former.issued_after.or(Some(inputs.day)), ..Terms::TLS }
            }
            _ => continue,
        };
        anchors.insert(root.sha256, terms);
    }
    let state = State {
        program: "Microsoft",
        date: inputs.day,
        source: "Microsoft's report of included certificates".into(),
        anchors,
        states_terms: false,
    };
    let owners = roots.into_iter().map(|root| (root.sha256, root.owner)).collect();
    Ok(made(&advance(previous, state)?, certificates, owners))
}

/// CCADB says of a root that Apple includes it, and of its purposes what holds for all programs: a
/// root that was known to be for TLS servers stays so, and of a new one nothing is guessed.
pub(super) fn apple(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let records = inputs.report(&CCADB, ccadb::from_bytes)?;
    let previous = known(inputs.previous)?;
    let held = held(previous.as_ref());
    let included = records.iter().filter(|it| it.is_root && it.apple == Status::Included);
    let anchors = included.filter_map(|root| {
        let tls = match (root.is_for_tls(), held.contains_key(&root.sha256)) {
            (Some(true), _) => Purpose::Tls,
            (None, _) | (Some(false), true) => Purpose::Unknown,
            (Some(false), false) => return None,
        };
        Some((root.sha256, Terms { tls, ..Terms::TLS }))
    });
    let state = State {
        program: "Apple",
        date: inputs.day,
        source: "CCADB, AllCertificateRecordsCSVFormatV5".into(),
        anchors: anchors.collect(),
        states_terms: false,
    };
    let owners = records.iter().filter(|record| record.is_root);
    let owners = owners.map(|record| (record.sha256, record.owner.clone())).collect();
    Ok(made(&advance(previous, state)?, BTreeMap::new(), owners))
}

fn made(
    store: &Store,
    certificates: BTreeMap<Sha256, Vec<u8>>,
    owners: BTreeMap<Sha256, String>,
) -> Made {
    Made {
        text: store_toml(store),
        wanted: store.anchors.iter().map(|anchor| anchor.sha256).collect(),
        certificates,
        owners,
    }
}
