//! What else was seen: by controls, in the same run, and by everybody for the same name.

mod partition;
mod row;
mod session;
pub(crate) mod side;
pub(crate) mod site;
mod smallest;
mod stored;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use partition::{Fact, separating};
pub use row::{Client, Network, Row, RowKey, address};
pub use session::{Answers, Corrections, Session, SessionKey};
pub use side::Rows;
pub use smallest::{Smallest, SmallestOf};
pub use stored::StoredError;
pub use view::{Asked, Views};

use crate::chain::{Certificate, Fingerprint, KeyHash};
use crate::control::Controls;
use crate::measurement::{Failure, Measurement};
use crate::memory::Memory;
use crate::reference::Reference;
use crate::sighting::Sighting;

/// Longest name that DNS can hold, in bytes (RFC 1035, section 3.1).
const MAX_NAME: usize = 255;

/// Most rows that are kept, of one name, key, network and program each: about a kilobyte a row.
pub const MAX_ROWS: usize = 1 << 18;

/// Most runs that are kept: mostly below a thousand bytes a run.
pub const MAX_SESSIONS: usize = 1 << 17;

/// Most leaves that root programs vouched for of which the bytes are kept: below a hundred megabytes.
pub const MAX_GENUINE: usize = 1 << 15;

/// What a measurement is compared with. A pure fold over measurements: two surroundings of two
/// halves, merged in either order, equal those of the whole. Bounded: above [`MAX_ROWS`],
/// [`MAX_SESSIONS`] and [`MAX_GENUINE`] the names and runs that sort last are left out, and nothing is
/// concluded of them.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What clean vantage points saw.
    pub controls: Controls,
    /// Authorities that the machine which measured trusts by itself, by their keys; empty where nobody
    /// looked.
    pub local_anchors: BTreeMap<KeyHash, Certificate>,
    rows: Smallest<RowKey, Row, MAX_ROWS>,
    sessions: Smallest<SessionKey, Session, MAX_SESSIONS>,
    /// Leaves that a root program vouched for, by the name that was meant.
    genuine: Smallest<(String, Fingerprint), Option<Certificate>, MAX_GENUINE>,
}

impl Surroundings {
    /// Nothing else was seen.
    pub fn none() -> Self {
        Self::default()
    }

    /// What clean vantage points saw, as controls and as vantage points like any others.
    pub fn of_controls(measurements: &[Measurement], reference: &Reference) -> Self {
        let controls = Controls::new(measurements, reference);
        let mut surroundings = Self { controls, ..Self::default() };
        let memory = &mut Memory::new(reference);
        for measurement in measurements {
            surroundings.fold(memory, measurement, false);
        }
        surroundings
    }

    /// Takes in a measurement.
    pub fn add(&mut self, measurement: &Measurement, reference: &Reference) {
        self.add_with(&mut Memory::with_room(reference, 0), measurement);
    }

    /// The same, with what is remembered of chains.
    pub fn add_with(&mut self, memory: &mut Memory<'_>, measurement: &Measurement) {
        self.fold(memory, measurement, true);
    }

    fn fold(&mut self, memory: &mut Memory<'_>, measurement: &Measurement, in_session: bool) {
        let mut counted = BTreeSet::new();
        for shaken in &measurement.handshakes {
            let certificate = shaken.failure.as_ref().is_none_or(Failure::is_about_certificate);
            if shaken.chain.is_none() && !certificate {
                continue;
            }
            let Some(sighting) = Sighting::with(memory, measurement, shaken) else { continue };
            if sighting.name.len() > MAX_NAME {
                continue;
            }
            let key = RowKey {
                name: sighting.name.clone(),
                leaf: sighting.leaf.map(|leaf| leaf.key_hash),
                network: Network::of(measurement),
                client: Client::of(measurement),
            };
            let first = counted.insert(key.clone());
            self.rows.with(key, |row| {
                row.measurements += u64::from(first);
                row.add(measurement, shaken, &sighting);
            });
            if let (true, Some(leaf)) = (sighting.vouched, shaken.leaf()) {
                // A copy, because what was parsed of the record's own takes more room than its bytes.
                let bytes = || Certificate::from_bytes(leaf.der()).ok();
                self.genuine.with((sighting.name.clone(), leaf.fingerprint()), |kept| {
                    *kept = kept.take().or_else(bytes);
                });
            }
            if in_session {
                let key = SessionKey::of(measurement);
                self.sessions.with(key, |session| session.add(measurement, shaken, &sighting));
            }
        }
    }

    /// Adds what others saw. Controls and local keys are the caller's to set: they stay.
    pub fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, Row::merge);
        self.sessions.merge(other.sessions, Session::merge);
        self.genuine.merge(other.genuine, |kept, more| *kept = kept.take().or(more));
    }

    /// The run that a measurement belongs to, where anything of it was kept.
    pub fn session(&self, measurement: &Measurement) -> Option<&Session> {
        self.sessions.kept().get(&SessionKey::of(measurement))
    }

    /// Leaves that anybody was shown for a name and that a root program vouched for, in the order of
    /// their fingerprints; not always all.
    pub fn genuine(&self, name: &str) -> impl Iterator<Item = &Certificate> {
        let start = (name.to_owned(), Fingerprint::from([0; 32]));
        let kept = self.genuine.kept().range(start..);
        kept.take_while(move |((of, _), _)| of == name).filter_map(|(_, leaf)| leaf.as_ref())
    }

    /// All that was seen for a name; empty also where something of it was left out.
    pub fn rows(&self, name: &str) -> Rows<'_> {
        let last = self.rows.kept().last_key_value();
        let cut = !self.rows.is_whole() && last.is_some_and(|(last, _)| *last.name <= *name);
        if cut {
            return Vec::new();
        }
        let start = RowKey { name: name.to_owned(), ..RowKey::default() };
        let rows = self.rows.kept().range(start..);
        rows.take_while(|(key, _)| key.name == name).collect()
    }
}

impl From<Controls> for Surroundings {
    fn from(controls: Controls) -> Self {
        Self { controls, ..Self::default() }
    }
}
