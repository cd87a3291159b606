//! Counts to campaigns: the rows that a report shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::class::Class;
use super::interception::Interception;
use super::intermediate::DayUse;
use super::shape::{Group, Who};
use super::{BrowserRow, Cell, Example, Rate, Tally, moment};
use crate::chain::{Fingerprint, KeyHash};
use crate::detect::Level;
use crate::reference::{Actor, Reference};

/// One interceptor at work, as a report describes it.
#[derive(Clone, Debug, Serialize)]
pub struct Campaign {
    /// Stable for the same interceptor or key.
    pub id: String,
    /// What kind of interceptor.
    pub actor: Actor,
    /// The highest level of its handshakes.
    pub level: Level,
    /// Its dossier, where one of the dossier's keys signed.
    pub interceptor: Option<String>,
    /// First handshake, RFC 3339.
    pub first_seen: Option<String>,
    /// Last handshake, RFC 3339.
    pub last_seen: Option<String>,
    /// Keys, by their hash.
    pub anchors: Vec<AnchorRow>,
    /// Intermediates, by the begin of their validity.
    pub intermediates: Vec<IntermediateRow>,
    /// Times in which it went on with an intermediate outside its validity.
    pub invalid_windows: Vec<Window>,
    /// What clients would have shown, by client, state and time.
    pub browsers: Vec<BrowserRow>,
    /// Names, most intercepted first.
    pub targets: Vec<TargetRow>,
    /// Networks, most intercepted first.
    pub networks: Vec<NetworkRow>,
}

/// A key that the campaign's chains lead up to.
#[derive(Clone, Debug, Serialize)]
pub struct AnchorRow {
    /// `None` for a key of which only the identifier is known.
    pub spki_sha256: Option<KeyHash>,
    /// SHA-1 of its certificate, where a dossier states it.
    pub sha1: Option<String>,
    /// Its subject; for an unknown key the issuer's name.
    pub subject: String,
    /// Whether a dossier lists it.
    pub known: bool,
    /// The dossier.
    pub dossier: Option<String>,
    /// Authority Key Identifier by which its intermediates name it.
    pub authority_key_id: Option<String>,
}

/// An intermediate of the campaign.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of interfaces.md")]
pub struct IntermediateRow {
    pub sha256: Fingerprint,
    pub sha1: String,
    /// Decimal.
    pub serial: String,
    pub not_before: String,
    pub not_after: String,
    pub anchor_spki_sha256: Option<KeyHash>,
    pub authority_key_id: Option<String>,
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
    pub handshakes: u64,
    pub used_outside_validity: u64,
}

/// A time in which interception went on with intermediates outside their validity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// First such handshake.
    pub from: String,
    /// Last such handshake.
    pub to: String,
    /// How many there were.
    pub handshakes: u64,
}

/// A name.
#[derive(Clone, Debug, Serialize)]
pub struct TargetRow {
    /// The host.
    pub name: String,
    /// All handshakes for it, in the countries of the campaign.
    pub handshakes: u64,
    /// Those of the campaign.
    pub intercepted: u64,
    /// Their share.
    pub rate: Option<Rate>,
}

/// A network.
#[derive(Clone, Debug, Serialize)]
pub struct NetworkRow {
    /// AS number; 0 when unknown.
    pub asn: u32,
    /// As the records name it; may be empty.
    pub name: String,
    /// Who runs it, where the table of state-owned networks says so.
    pub operator: Option<String>,
    /// `true` where that table lists it; never `false`, because a list proves no absence.
    pub state_owned: Option<bool>,
    /// All handshakes in it.
    pub handshakes: u64,
    /// Those of the campaign.
    pub intercepted: u64,
    /// Their share.
    pub rate: Option<Rate>,
}

impl Tally {
    /// The campaigns, those of dossiers first, then by key.
    pub fn campaigns(&self, reference: &Reference) -> Vec<Campaign> {
        let campaigns = self.interceptions.iter().filter(|(who, found)| found.is_campaign(who));
        campaigns.map(|(who, found)| self.describe(who, found, reference)).collect()
    }

    /// What is wrong and no campaign, by class. Handshakes.
    pub fn not_campaigns(&self) -> BTreeMap<&'static str, u64> {
        let mut counts: BTreeMap<_, _> =
            self.not_campaigns.iter().map(|(class, count)| (class.as_str(), *count)).collect();
        let local = self.interceptions.iter().filter(|(who, found)| !found.is_campaign(who));
        let local: u64 = local.flat_map(|(_, found)| found.cells.values()).sum();
        for class in Class::always() {
            counts.entry(class.as_str()).or_default();
        }
        *counts.entry(Class::LOCAL.as_str()).or_default() += local;
        counts
    }

    /// The earliest handshake of a campaign for each of its targets.
    pub fn examples_of<'a>(&'a self, campaign: &'a Campaign) -> impl Iterator<Item = &'a Example> {
        self.examples.iter().filter_map(move |((group, _), kept)| match group {
            Group::Campaign(who) if who.id() == campaign.id => kept.told.as_ref(),
            _ => None,
        })
    }

    /// The earliest handshake of each target that is wrong and in no campaign, by class.
    pub fn other_examples(&self) -> impl Iterator<Item = (&'static str, &Example)> {
        self.examples.iter().filter_map(|((group, _), kept)| {
            let class = match group {
                Group::Other(class) => *class,
                Group::Campaign(who) => {
                    self.interceptions.get(who).filter(|found| !found.is_campaign(who))?;
                    Class::LOCAL
                }
            };
            Some((class.as_str(), kept.told.as_ref()?))
        })
    }

    fn describe(&self, who: &Who, found: &Interception, reference: &Reference) -> Campaign {
        let countries: BTreeSet<_> = found.cells.keys().map(|cell| &cell.country).collect();
        let of_countries = |cell: &Cell| countries.contains(&cell.country);
        let all = |wanted: &dyn Fn(&Cell) -> bool| -> u64 {
            let cells = self.cells.iter().filter(|(cell, _)| of_countries(cell) && wanted(cell));
            cells.map(|(_, count)| count).sum()
        };
        let mut targets: BTreeMap<&str, u64> = BTreeMap::new();
        let mut networks: BTreeMap<u32, u64> = BTreeMap::new();
        for (cell, count) in &found.cells {
            *targets.entry(&cell.target).or_default() += count;
            *networks.entry(cell.asn).or_default() += count;
        }
        let mut targets: Vec<_> = targets
            .into_iter()
            .map(|(name, intercepted)| {
                let handshakes = all(&|cell| cell.target == name);
                let rate = Rate::of(intercepted, handshakes);
                TargetRow { name: name.to_owned(), handshakes, intercepted, rate }
            })
            .collect();
        targets.sort_by(|left, right| {
            right.intercepted.cmp(&left.intercepted).then_with(|| left.name.cmp(&right.name))
        });
        let mut networks: Vec<_> = networks
            .into_iter()
            .map(|(asn, intercepted)| {
                let handshakes = all(&|cell| cell.asn == asn);
                self.network(asn, intercepted, handshakes, reference)
            })
            .collect();
        networks.sort_by_key(|row| (std::cmp::Reverse(row.intercepted), row.asn));
        let local = found.actor == Actor::Local;
        Campaign {
            id: who.id(),
            actor: if local { Actor::Unknown } else { found.actor },
            level: if local { Level::Possible } else { found.level },
            interceptor: match who {
                Who::Dossier(id) => Some(id.clone()),
                _ => None,
            },
            first_seen: found.first_seen.map(moment),
            last_seen: found.last_seen.map(moment),
            anchors: anchors(who, found, reference),
            intermediates: intermediates(found),
            invalid_windows: windows(&found.days),
            browsers: found.browsers.rows(reference),
            targets,
            networks,
        }
    }

    fn network(
        &self,
        asn: u32,
        intercepted: u64,
        handshakes: u64,
        reference: &Reference,
    ) -> NetworkRow {
        let owner = reference.owners.get(&asn);
        NetworkRow {
            asn,
            name: self.network_names.get(&asn).cloned().unwrap_or_default(),
            operator: owner.map(|owner| owner.operator.clone()),
            state_owned: owner.map(|_| true),
            handshakes,
            intercepted,
            rate: Rate::of(intercepted, handshakes),
        }
    }
}

impl Who {
    fn id(&self) -> String {
        match self {
            Self::Dossier(id) => id.clone(),
            Self::Key(key) => format!("key-{}", &key.to_string()[..16]),
            Self::KeyId(id) => format!("key-id-{id}"),
            Self::Issuer(name) => {
                format!("issuer-{}", &Fingerprint::of(name.as_bytes()).to_string()[..16])
            }
        }
    }
}

fn anchors(who: &Who, found: &Interception, reference: &Reference) -> Vec<AnchorRow> {
    let known = found.anchors.iter().map(|(key_hash, subject)| {
        let dossier = reference.dossier_with(*key_hash);
        AnchorRow {
            spki_sha256: Some(*key_hash),
            sha1: dossier.and_then(|(_, key)| key.sha1.clone()),
            subject: subject.clone(),
            known: dossier.is_some(),
            dossier: dossier.map(|(dossier, _)| dossier.id.clone()),
            authority_key_id: None,
        }
    });
    let names = || found.issuers.iter().cloned().collect::<Vec<_>>().join(" or ");
    let unknown = match who {
        Who::KeyId(id) => Some((names(), Some(id.clone()))),
        Who::Issuer(_) => Some((names(), None)),
        Who::Dossier(_) | Who::Key(_) => None,
    };
    let unknown = unknown.map(|(subject, authority_key_id)| AnchorRow {
        spki_sha256: None,
        sha1: None,
        subject,
        known: false,
        dossier: None,
        authority_key_id,
    });
    known.chain(unknown).collect()
}

fn intermediates(found: &Interception) -> Vec<IntermediateRow> {
    let mut rows: Vec<_> = found.intermediates.iter().collect();
    rows.sort_by_key(|(name, seen)| (seen.not_before, **name));
    rows.into_iter()
        .map(|(name, seen)| IntermediateRow {
            sha256: *name,
            sha1: seen.sha1.clone(),
            serial: seen.serial.clone(),
            not_before: moment(seen.not_before),
            not_after: moment(seen.not_after),
            anchor_spki_sha256: seen.anchor,
            authority_key_id: seen.authority_key_id.clone(),
            first_seen: seen.first_seen.map(moment),
            last_seen: seen.last_seen.map(moment),
            handshakes: seen.handshakes,
            used_outside_validity: seen.used_outside_validity,
        })
        .collect()
}

/// Runs of days with use outside validity; a day with use inside it ends a run.
fn windows(days: &BTreeMap<i64, DayUse>) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut open: Option<(i64, i64, u64)> = None;
    let mut close = |open: &mut Option<(i64, i64, u64)>| {
        if let Some((from, to, handshakes)) = open.take() {
            windows.push(Window { from: moment(from), to: moment(to), handshakes });
        }
    };
    for used in days.values() {
        if let (Some(first), Some(last)) = (used.first_outside, used.last_outside) {
            let (from, _, count) = open.unwrap_or((first, last, 0));
            open = Some((from, last, count + used.outside));
        }
        if used.inside > 0 {
            close(&mut open);
        }
    }
    close(&mut open);
    windows
}
