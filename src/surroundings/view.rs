//! What judgements of some records are told of their surroundings, as one hash: while it stays the
//! same, so do they.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::session::SessionKey;
use super::{MAX_NAME, Surroundings};
use crate::chain::{Certificate, Fingerprint};
use crate::measurement::Measurement;
use crate::sighting::name_of;

/// The names and runs for which judgements of some measurements ask their surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    names: BTreeSet<String>,
    runs: BTreeSet<SessionKey>,
}

impl Asked {
    /// Takes in a measurement.
    pub fn add(&mut self, measurement: &Measurement) {
        let shaken = measurement.handshakes.iter().map(Some);
        let none = measurement.handshakes.is_empty().then_some(None);
        for handshake in shaken.chain(none) {
            let name = name_of(measurement, handshake);
            if let Some(name) = name.filter(|name| name.len() <= MAX_NAME) {
                self.names.insert(name);
            }
        }
        self.runs.insert(SessionKey::of(measurement));
    }

    /// Adds what others ask for.
    pub fn merge(&mut self, other: Self) {
        self.names.extend(other.names);
        self.runs.extend(other.runs);
    }
}

/// What is told of some surroundings; what is told of a name is worked out once.
#[derive(Debug)]
pub struct Views<'a> {
    of: &'a Surroundings,
    names: HashMap<String, Option<Fingerprint>>,
}

impl<'a> Views<'a> {
    /// Views of `surroundings`.
    pub fn of(surroundings: &'a Surroundings) -> Self {
        Self { of: surroundings, names: HashMap::new() }
    }

    /// One hash of all that those who ask for this are told, controls and local keys aside: judgements
    /// of the same records with the same reference data are the same wherever it is the same.
    pub fn digest(&mut self, asked: &Asked) -> Fingerprint {
        let mut all = Context::new(&SHA256);
        for name in &asked.names {
            if let Some(told) = self.name(name) {
                all.update(&hash_of(name));
                all.update(told.as_bytes());
            }
        }
        for run in &asked.runs {
            if let Some(session) = self.of.sessions.kept().get(run) {
                all.update(&hash_of(&(run, session)));
            }
        }
        finished(all)
    }

    /// `None` where nothing is told of the name.
    fn name(&mut self, name: &str) -> Option<Fingerprint> {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let rows = self.of.rows(name);
        let genuine: Vec<_> = self.of.genuine(name).map(Certificate::fingerprint).collect();
        let told = (!rows.is_empty() || !genuine.is_empty())
            .then(|| Fingerprint::from(hash_of(&(rows, genuine))));
        self.names.insert(name.to_owned(), told);
        told
    }
}

fn hash_of(value: &impl Serialize) -> [u8; 32] {
    // Plain maps, texts and numbers: nothing of it can fail to be written.
    let bytes = postcard::to_stdvec(value).unwrap_or_default();
    *Fingerprint::of(&bytes).as_bytes()
}

fn finished(all: Context) -> Fingerprint {
    let mut hash = [0; 32];
    hash.copy_from_slice(all.finish().as_ref());
    Fingerprint::from(hash)
}
