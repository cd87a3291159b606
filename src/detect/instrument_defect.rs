//! A refusal that follows the version of the program and not the network.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::KeyHash;
use crate::measurement::Failure;
use crate::surroundings::{Client, Network, Row, RowKey};

/// Networks in which the version must fail, and others must not.
const NETWORKS: usize = 3;
/// Countries in which the version must fail.
const COUNTRIES: usize = 2;
/// Handshakes on either side.
const HANDSHAKES: u64 = 5;

pub(super) static DETECTOR: Detector = Detector {
    id: "instrument-defect",
    level: Level::Probable,
    claim: "the refusal comes with one version of the measuring program, in every network, and with no other version",
    innocent: &[Innocent::SiteItself, Innocent::OneCertificate],
    source: "ooni/probe 2627: a root that the program carried was out of date, and every network looked intercepted",
    example: "one version refuses the site's own chain in three networks, another accepts it; the evidence counts handshakes and refusals by version and by network",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let failure = case.handshake.and_then(|shaken| shaken.failure.as_ref());
    let Some(code) = failure.filter(|code| code.is_about_certificate()).map(Failure::code) else {
        return Outcome::NotApplicable;
    };
    let client = Client::of(case.measurement);
    let rows = case.rows();
    let same_test = rows.iter().filter(|(key, _)| key.client.test == client.test);
    let (mine, others): (Vec<_>, Vec<_>) =
        same_test.copied().partition(|(key, _)| key.client == client);
    let days = mine.iter().flat_map(|(_, row)| row.days.keys().copied()).collect();
    let others: Vec<_> = others.into_iter().filter(|(_, row)| row.is_near(&days)).collect();
    let refused = |row: &Row| row.refusals.get(code).copied().unwrap_or(0);
    let (failing, failures) = networks(mine.iter().filter(|(_, row)| refused(row) > 0), refused);
    let well = |row: &Row| row.trusted;
    let (working, accepted) = networks(others.iter().filter(|(_, row)| row.trusted > 0), well);
    let countries: BTreeSet<_> = failing.iter().map(|network| &network.country).collect();
    let follows = failing.len() >= NETWORKS
        && countries.len() >= COUNTRIES
        && failures >= HANDSHAKES
        && mine.iter().all(|(_, row)| row.trusted == 0)
        && working.len() >= NETWORKS
        && accepted >= HANDSHAKES
        && others.iter().all(|(_, row)| refused(row) == 0);
    if !follows {
        return Outcome::Clear;
    }
    // The version may still be the one that somebody picks out: then another chain is shown to it.
    let level = match shows_the_same(case, &others) {
        Some(true) => Level::Probable,
        None => Level::Possible,
        Some(false) => return Outcome::Clear,
    };
    Outcome::found(
        level,
        json!({
            "failure": code,
            "version": client.to_string(),
            "test": client.test,
            "by_version": by_version(mine.iter().chain(&others), code),
            "refusals_by_network": by_network(&mine, code),
            "chain_is_what_others_see": shows_the_same(case, &others),
        }),
    )
}

/// Known networks of the rows, and the sum of what is counted in them.
fn networks<'a>(
    rows: impl Iterator<Item = &'a (&'a RowKey, &'a Row)>,
    count: impl Fn(&Row) -> u64,
) -> (BTreeSet<&'a Network>, u64) {
    let known = rows.filter(|(key, _)| key.network.asn != 0);
    known.fold((BTreeSet::new(), 0), |(mut networks, sum), (key, row)| {
        networks.insert(&key.network);
        (networks, sum + count(row))
    })
}

/// Whether the recorded chain is the one that other versions accept, or the owner's own; `None`
/// where no chain was recorded.
fn shows_the_same(case: &Case<'_>, others: &[(&RowKey, &Row)]) -> Option<bool> {
    let chain = case.chain()?;
    if case.private_pki().is_some() || case.vouched().is_some() {
        return Some(true);
    }
    let leaf = case.leaf().map(|leaf| leaf.key_hash);
    let alone = chain.first().fields().filter(|_| leaf.is_none()).map(|first| first.key_hash);
    let top: Vec<KeyHash> = case.signers.iter().copied().chain(alone).collect();
    Some(others.iter().filter(|(_, row)| row.trusted > 0).any(|(key, row)| {
        (leaf.is_some() && key.leaf == leaf)
            || top.iter().any(|key| row.authorities.kept().contains_key(key))
    }))
}

fn by_version<'a>(
    rows: impl Iterator<Item = &'a (&'a RowKey, &'a Row)>,
    code: &str,
) -> BTreeMap<String, serde_json::Value> {
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (key, row) in rows {
        let count = counts.entry(key.client.to_string()).or_default();
        count.0 += row.handshakes;
        count.1 += row.refusals.get(code).copied().unwrap_or(0);
    }
    let object = |(all, refused)| json!({ "handshakes": all, "refusals": refused });
    counts.into_iter().take(16).map(|(version, counts)| (version, object(counts))).collect()
}

fn by_network(rows: &[(&RowKey, &Row)], code: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (key, row) in rows {
        let refused = row.refusals.get(code).copied().unwrap_or(0);
        *counts.entry(key.network.to_string()).or_default() += refused;
    }
    counts.into_iter().take(32).collect()
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;
    use crate::detect::testing::{Bench, level_of, presented, seen_in, surroundings};
    use crate::measurement::{Handshake, Measurement, codes};
    use crate::verdict::judge;

    const PLACES: [(&str, u32); 3] = [("QZ", 64500), ("QZ", 64501), ("XA", 64502)];

    /// Every place twice, on one day.
    fn seen(version: &str, shaken: &Handshake, places: &[(&str, u32)]) -> Vec<Measurement> {
        let twice = places.iter().chain(places);
        let each = twice.map(|(country, asn)| {
            let mut seen = seen_in(country, *asn, 0, shaken);
            seen.software.test = "messenger".into();
            seen.software.name = "probe".into();
            seen.software.version = version.into();
            seen
        });
        each.collect()
    }

    #[test]
    fn table() {
        let bench = Bench::new();
        let own = Authority::root("Messenger's Own Root");
        let stranger = Authority::root("Stranger");
        let shown = |authority: &Authority, failure: Option<&str>| {
            let leaf = authority.leaf("example.com").certificate;
            let mut shaken =
                presented("example.com", "192.0.2.1", &[&leaf, &authority.certificate]);
            shaken.extra.holds_key = None;
            shaken.failure = failure.map(Failure::new);
            shaken
        };
        let refusal = Some(codes::SSL_UNKNOWN_AUTHORITY);
        let (refused, accepted) = (shown(&own, refusal), shown(&own, None));
        let mut alone = refused.clone();
        alone.whole = false;
        alone.chain = crate::chain::Chain::from_der([&own.certificate]).ok();
        let mut nothing = refused.clone();
        nothing.chain = None;
        let forged = shown(&stranger, refusal);
        for (case, first, places, second, expected) in [
            (
                "one version refuses the site's own chain in three networks, another accepts it",
                &refused,
                &PLACES[..],
                Some(&accepted),
                Some("probable"),
            ),
            (
                "the same where records keep the root alone",
                &alone,
                &PLACES[..],
                Some(&accepted),
                Some("probable"),
            ),
            (
                "the same where records keep no chain",
                &nothing,
                &PLACES[..],
                Some(&accepted),
                Some("possible"),
            ),
            (
                "the refused chain is another than others accept",
                &forged,
                &PLACES[..],
                Some(&accepted),
                None,
            ),
            ("in one country only", &refused, &PLACES[..2], Some(&accepted), None),
            ("the other version refuses it too", &refused, &PLACES[..], Some(&refused), None),
            ("no other version", &refused, &PLACES[..], None, None),
        ] {
            let mut all = seen("1", first, places);
            all.extend(second.into_iter().flat_map(|shaken| seen("2", shaken, &PLACES)));
            let around = surroundings(&bench, &all);
            let judgement = judge(&all[0], &bench.reference, &around, None).remove(0);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
            if expected.is_some() {
                assert_eq!(judgement.verdict, crate::verdict::Verdict::Inconclusive, "{case}");
            }
        }
    }

    /// On other days, or where the version is well in one network, it is not the version.
    #[test]
    fn innocent_neighbours() {
        let bench = Bench::new();
        let own = Authority::root("Messenger's Own Root");
        let leaf = own.leaf("example.com").certificate;
        let mut accepted = presented("example.com", "192.0.2.1", &[&leaf, &own.certificate]);
        accepted.extra.holds_key = None;
        let mut refused = accepted.clone();
        refused.failure = Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY));
        let defect = seen("1", &refused, &PLACES);
        let mut later = seen("2", &accepted, &PLACES);
        for seen in &mut later {
            seen.started = seen.started.map(|at| at + time::Duration::days(9));
        }
        let well = [seen("2", &accepted, &PLACES), seen("1", &accepted, &[("XB", 64503)])].concat();
        for (case, others) in [("others on other days", later), ("well elsewhere", well)] {
            let around = surroundings(&bench, &[defect.clone(), others].concat());
            let judgement = judge(&defect[0], &bench.reference, &around, None).remove(0);
            assert!(!judgement.has(DETECTOR.id), "{case}");
        }
    }
}
