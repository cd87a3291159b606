//! A root program's history with one more state at its end.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use super::{RefreshError, not_older, plausible};
use crate::layout::{Anchor, Purpose, Sha256, Snapshot, Store};
use crate::read;

/// What a program trusts on a day.
pub(super) struct State {
    pub(super) program: &'static str,
    pub(super) date: Date,
    /// The report's name, for readers.
    pub(super) source: String,
    pub(super) anchors: BTreeMap<Sha256, Terms>,
    /// Whether the reports state the terms; otherwise those that were known stay.
    pub(super) states_terms: bool,
}

/// On what terms a program trusts a certificate.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) tls: Purpose,
    pub(super) name_constraints: Option<Vec<u8>>,
    pub(super) issued_after: Option<Date>,
    pub(super) sct_after: Option<OffsetDateTime>,
}

impl Terms {
    /// Trusted for TLS servers without a condition.
    pub(super) const TLS: Self =
        Self { tls: Purpose::Tls, name_constraints: None, issued_after: None, sct_after: None };
}

/// The store as it was known, if it was.
pub(super) fn known(text: Option<&str>) -> Result<Option<Store>, RefreshError> {
    Ok(text.map(read::store).transpose()?)
}

/// The anchor that a store held last, for every certificate that it still held.
pub(super) fn held(store: Option<&Store>) -> BTreeMap<Sha256, &Anchor> {
    let anchors = store.into_iter().flat_map(|store| &store.anchors);
    let open = anchors.filter(|anchor| anchor.until.is_none());
    open.map(|anchor| (anchor.sha256, anchor)).collect()
}

/// Adds a state. A root that is gone is trusted until the state's day, a new one since the day of the
/// last state without it: in doubt it was trusted.
pub(super) fn advance(previous: Option<Store>, state: State) -> Result<Store, RefreshError> {
    let held = held(previous.as_ref());
    let kept = held.keys().filter(|sha256| state.anchors.contains_key(*sha256)).count();
    plausible("roots", held.len(), kept)?;
    not_older(previous.as_ref().map(|store| store.date), state.date)?;

    let mut anchors = Vec::new();
    for (sha256, terms) in &state.anchors {
        let former = held.get(sha256);
        let unless_stated = |stated: bool| former.filter(|_| !stated);
        let said_before = former.filter(|_| terms.tls == Purpose::Unknown);
        let kept = unless_stated(state.states_terms);
        anchors.push(Anchor {
            sha256: *sha256,
            from: match former {
                Some(former) => former.from,
                None => previous.as_ref().map(|store| store.date),
            },
            until: None,
            tls: said_before.map_or(terms.tls, |former| former.tls),
            name_constraints: terms
                .name_constraints
                .clone()
                .or_else(|| kept?.name_constraints.clone()),
            issued_after: terms.issued_after.or_else(|| kept?.issued_after),
            sct_after: terms.sct_after.or_else(|| kept?.sct_after),
        });
    }
    let gone = held.iter().filter(|(sha256, _)| !state.anchors.contains_key(*sha256));
    let gone = gone.map(|(_, anchor)| Anchor { until: Some(state.date), ..(*anchor).clone() });
    // One that came and went between two states of one day was never seen to be trusted.
    anchors.extend(gone.filter(|anchor| anchor.from != anchor.until));

    let mut store = previous.clone().unwrap_or_else(|| Store {
        program: state.program.into(),
        date: state.date,
        known_since: None,
        note: "As the program's own report states it; nothing is known of earlier states.".into(),
        snapshots: Vec::new(),
        anchors: Vec::new(),
    });
    anchors.extend(store.anchors.iter().filter(|anchor| anchor.until.is_some()).cloned());
    anchors.sort();
    store.anchors = anchors;
    store.known_since =
        store.known_since.or(previous.map(|it| it.date).filter(|day| *day < state.date));
    store.date = state.date;
    let snapshot = Snapshot { date: state.date, source: state.source };
    if !store.snapshots.contains(&snapshot) {
        store.snapshots.push(snapshot);
    }
    Ok(store)
}
