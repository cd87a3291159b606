//! The chains in records that a root of this machine signed: by its key, never by its name.

use std::collections::{BTreeMap, BTreeSet};

use kua::chain::KeyHash;
use kua::chain::fields::Fields;
use kua::measurement::Measurement;
use kua::moment::rfc3339;
use kua::path::{SigningKey, path};
use kua::signature::{Signed as Verified, signed_by};
use serde::Serialize;

use super::read::Found;
use super::report::{Group, Records, Report};

/// Most names that are kept for one root.
const MAX_NAMES: usize = 1000;

/// What one root signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signed {
    /// Presented chains.
    pub chains: u64,
    /// The names that they were presented for.
    pub names: BTreeSet<String>,
    /// When the first of them was seen.
    pub first: Option<String>,
    /// When the last was.
    pub last: Option<String>,
    /// Networks in which they were seen, as the records state them.
    pub networks: BTreeSet<String>,
}

/// Looks for what the roots of a report signed that no root program vouches for.
pub struct Signatures {
    keys: Vec<(Fields, Signed)>,
    records: Records,
}

impl Signatures {
    /// Takes the roots of the groups that a reader wants to know of, with the keys that `found` has.
    pub fn of(report: &Report, found: &Found) -> Self {
        let wanted: BTreeSet<_> = report
            .roots
            .iter()
            .filter(|root| !matches!(root.group, Group::Public | Group::Single | Group::Unreadable))
            .map(|root| root.sha256)
            .collect();
        let held = found.stores.iter().flat_map(|store| &store.content.held);
        let mut keys = BTreeMap::new();
        for held in held.filter(|held| wanted.contains(&held.certificate.fingerprint())) {
            if let Some(fields) = held.certificate.fields() {
                keys.entry(fields.key_hash).or_insert_with(|| (fields.clone(), Signed::default()));
            }
        }
        Self { keys: keys.into_values().collect(), records: Records::default() }
    }

    /// Looks at one record.
    pub fn note(&mut self, measurement: &Measurement) {
        self.records.measurements += 1;
        let vantage = &measurement.vantage;
        let network = (vantage.asn != 0).then(|| format!("{} AS{}", vantage.country, vantage.asn));
        for shaken in &measurement.handshakes {
            let Some(chain) = &shaken.chain else { continue };
            self.records.chains += 1;
            let path = path(chain, |fields| self.above(fields));
            let signers = path.signers(chain);
            let mut here = false;
            for (fields, signed) in &mut self.keys {
                if !signers.contains(&fields.key_hash) {
                    continue;
                }
                here = true;
                signed.chains += 1;
                if let Some(name) =
                    shaken.server_name.as_ref().filter(|_| signed.names.len() < MAX_NAMES)
                {
                    signed.names.insert(name.clone());
                }
                signed.networks.extend(network.clone());
                if let Some(at) = measurement.started.map(rfc3339) {
                    let earlier = signed.first.as_ref().is_none_or(|first| at < *first);
                    let later = signed.last.as_ref().is_none_or(|last| at > *last);
                    signed.first = if earlier { Some(at.clone()) } else { signed.first.take() };
                    signed.last = if later { Some(at) } else { signed.last.take() };
                }
            }
            self.records.signed_here += u64::from(here);
        }
    }

    /// Puts what was seen into the report.
    pub fn into(self, report: &mut Report) {
        report.records = Some(self.records);
        let seen: BTreeMap<KeyHash, Signed> =
            self.keys.into_iter().map(|(fields, signed)| (fields.key_hash, signed)).collect();
        for root in &mut report.roots {
            let signed = root.spki_sha256.and_then(|key| seen.get(&key));
            root.signed = signed.filter(|signed| signed.chains > 0).cloned();
        }
    }

    fn above(&self, fields: &Fields) -> Option<SigningKey> {
        let (root, _) =
            self.keys.iter().find(|(root, _)| signed_by(fields, &root.spki) == Verified::Yes)?;
        Some(SigningKey { key_hash: root.key_hash, subject: root.subject.to_string() })
    }
}
