//! What one run of a probe saw beside the handshake that is judged.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::row::{Network, address, is_accepted, short};
use super::site::{is_private, site};
use super::smallest::{Smallest, SmallestOf};
use crate::chain::{Fingerprint, KeyHash};
use crate::measurement::{Handshake, Measurement};
use crate::sighting::Sighting;

/// Which run: what its program calls it, else all of a day in one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey {
    /// What the program calls the run; empty where it gives no name.
    pub run: String,
    /// Where.
    pub network: Network,
    /// The day, counted from the Julian epoch; 0 when unknown.
    pub day: i32,
}

/// Everything that a run saw, as far as detectors ask for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Names with a chain that is trusted, and where it was met.
    pub genuine: SmallestOf<(String, Option<IpAddr>), 64>,
    /// Keys of leaves that are not trusted for their names, and are not merely out of date.
    pub answers: Smallest<KeyHash, Answers, 16>,
    /// Chains without a leaf that can be read.
    pub unread: u64,
    /// Sites whose chain is wrong in its dates only.
    pub out_of_date: SmallestOf<String, 16>,
    /// Corrections of the clock that would make all of those right.
    pub corrections: Corrections,
    /// Corrections that would leave all that is trusted right.
    pub tolerances: Corrections,
}

/// What was answered with one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// The names that were meant, and whether the certificate was for them.
    pub names: SmallestOf<(String, bool), 32>,
    /// The certificates.
    pub certificates: SmallestOf<Fingerprint, 8>,
    /// Private addresses at which it answered for public names.
    pub private: SmallestOf<IpAddr, 8>,
    /// It answered at a public address, or nobody knows where.
    pub elsewhere: bool,
    /// A root program's key signed it.
    pub rooted: bool,
}

/// Seconds that would have to be added to a clock: all from `least` to `most`. By default any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrections {
    /// The least.
    pub least: i64,
    /// The most.
    pub most: i64,
}

impl Default for Corrections {
    fn default() -> Self {
        Self { least: i64::MIN, most: i64::MAX }
    }
}

impl Corrections {
    /// Those that are in both.
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    /// There is none.
    pub fn is_empty(self) -> bool {
        self.least > self.most
    }
}

impl SessionKey {
    pub(super) fn of(measurement: &Measurement) -> Self {
        Self {
            run: measurement.run.as_deref().map(short).unwrap_or_default(),
            network: Network::of(measurement),
            day: measurement.started.map_or(0, time::OffsetDateTime::to_julian_day),
        }
    }
}

impl Session {
    pub(super) fn add(
        &mut self,
        measurement: &Measurement,
        shaken: &Handshake,
        sighting: &Sighting<'_>,
    ) {
        let Some(chain) = &shaken.chain else { return };
        let address = address(measurement, shaken);
        if sighting.vouched || is_accepted(shaken) {
            self.genuine.insert((sighting.name.clone(), address));
            if sighting.vouched {
                let tolerance = corrections(measurement, shaken, sighting);
                self.tolerances = self.tolerances.and(tolerance);
            }
            return;
        }
        if sighting.is_wrong_in_dates_only() {
            self.out_of_date.insert(site(&sighting.name).to_owned());
            let correction = corrections(measurement, shaken, sighting);
            self.corrections = self.corrections.and(correction);
            return;
        }
        let Some(leaf) = sighting.leaf else {
            self.unread += 1;
            return;
        };
        self.answers.with(leaf.key_hash, |answers| {
            answers.names.insert((sighting.name.clone(), sighting.fits != Some(false)));
            answers.certificates.insert(chain.first().fingerprint());
            answers.rooted |= sighting.rooted;
            match address.filter(|address| is_private(*address)) {
                Some(private) if super::site::is_public(&sighting.name) => {
                    answers.private.insert(private);
                }
                _ => answers.elsewhere = true,
            }
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.genuine.union(other.genuine);
        self.answers.merge(other.answers, Answers::merge);
        self.unread += other.unread;
        self.out_of_date.union(other.out_of_date);
        self.corrections = self.corrections.and(other.corrections);
        self.tolerances = self.tolerances.and(other.tolerances);
    }

    /// Corrections of the clock that explain at once all that is out of date and all that is not.
    pub fn clock(&self) -> Corrections {
        self.corrections.and(self.tolerances)
    }

    /// Names that were answered with a trusted chain, without those of the site of `name`.
    pub fn genuine_beside(&self, name: &str) -> usize {
        let mut others: Vec<_> = self.genuine.keys().map(|(other, _)| site(other)).collect();
        others.sort_unstable();
        others.dedup();
        others.retain(|other| *other != site(name));
        others.len()
    }

    /// Whether `name` was answered with a trusted chain at `address`.
    pub fn is_genuine_at(&self, name: &str, address: IpAddr) -> bool {
        self.genuine.kept().contains_key(&(name.to_owned(), Some(address)))
    }
}

impl Answers {
    fn merge(&mut self, other: Self) {
        self.names.union(other.names);
        self.certificates.union(other.certificates);
        self.private.union(other.private);
        self.elsewhere |= other.elsewhere;
        self.rooted |= other.rooted;
    }

    /// Sites for which it answered; with `fitting`, those that the certificate was for, else those
    /// that it was not for.
    pub fn sites(&self, fitting: bool) -> Vec<&str> {
        let names = self.names.keys().filter(|(_, fits)| *fits == fitting);
        let mut sites: Vec<_> = names.map(|(name, _)| site(name)).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }
}

/// What would have to be added to the probe's clock for the certificates of the path to be valid. A
/// root's own dates are asked of nobody.
fn corrections(
    measurement: &Measurement,
    shaken: &Handshake,
    sighting: &Sighting<'_>,
) -> Corrections {
    let (Some(at), Some(chain), Some(path)) = (measurement.started, &shaken.chain, &sighting.path)
    else {
        return Corrections::default();
    };
    let at = at.unix_timestamp();
    let fields = path.links.iter().filter_map(|link| chain.certificates()[*link].fields());
    let each = fields.filter(|fields| !fields.self_issued()).map(|fields| Corrections {
        least: fields.not_before.unix_timestamp() - at,
        most: fields.not_after.unix_timestamp() - at,
    });
    each.fold(Corrections::default(), Corrections::and)
}
