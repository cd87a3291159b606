//! A key that one network alone sees, while all others see another on the same days.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::KeyHash;
use crate::surroundings::side::{alike, by_key, most, near, networks, span, split};
use crate::surroundings::{Network, RowKey, Rows, separating};

/// What others must have seen before a trusted key counts as out of line.
const AGAINST_TRUSTED: Minimum = Minimum { networks: 5, countries: 2, measurements: 10 };
/// Before an untrusted one does.
const AGAINST_UNTRUSTED: Minimum = Minimum { networks: 3, countries: 2, measurements: 5 };
/// Networks among them that were asked by the same program over the same IP version: a site may have
/// a key for each kind of client, and for each of its servers.
const ALIKE: usize = 2;
/// How often the one network must have seen a trusted key that nobody else sees.
const OUTLYING: u64 = 3;
/// Most keys that evidence lists.
const LISTED: usize = 8;

struct Minimum {
    networks: usize,
    countries: usize,
    measurements: u64,
}

pub(super) static DETECTOR: Detector = Detector {
    id: "consensus-outlier",
    level: Level::Probable,
    claim: "this key for the name is seen in one place alone, while other networks see another, trusted key on the same days",
    innocent: &[
        Innocent::Rotation,
        Innocent::NearServer,
        Innocent::DnsMoved,
        Innocent::OmittedIntermediate,
        Innocent::LocalProduct,
        Innocent::Portal,
    ],
    source: "vantage point comparison: Perspectives (USENIX 2008), Crossbear (ESORICS 2012); jabber.ru 2023, KLAYswap 2022: trusted keys that one way alone showed",
    example: "a second public leaf in one network, five networks see the first; the evidence lists which networks see which key and the smallest set of facts that tells them apart",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let Some(chain) = case.chain() else { return Outcome::NotApplicable };
    let network = case.network();
    let rows = case.rows();
    if network.asn == 0 || rows.len() < 2 {
        return Outcome::NotApplicable;
    }
    let leaf = case.leaf().map(|leaf| leaf.key_hash);
    if case.vouched().is_some() {
        return leaf.map_or(Outcome::NotApplicable, |leaf| trusted(case, &rows, leaf, &network));
    }
    if case.is_accounted_for() || case.accepted_by_recorder() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    let alone = chain.first().fields().filter(|_| leaf.is_none()).map(|first| first.key_hash);
    let above: Vec<_> = case.signers.iter().copied().chain(alone).collect();
    untrusted(case, &rows, leaf, &above)
}

/// A public authority vouches for it, and only one network sees it.
fn trusted(case: &Case<'_>, rows: &Rows<'_>, leaf: KeyHash, network: &Network) -> Outcome {
    let same = |key: &RowKey| key.leaf == Some(leaf);
    let one = rows.iter().all(|(key, _)| !same(key) || key.network.asn == network.asn);
    let control = case.controls.iter().any(|control| control.leaf_key == Some(leaf));
    if !one || control {
        return Outcome::Clear;
    }
    let (some, rest) = split(rows, |key, _| same(key));
    if some.iter().map(|(_, row)| row.measurements).sum::<u64>() < OUTLYING {
        return Outcome::Clear;
    }
    let near = near(&some, &rest);
    let by_key = by_key(&near);
    let Some((main, of_main)) = most(&by_key) else { return Outcome::Clear };
    let elsewhere: Rows<'_> =
        of_main.iter().filter(|(key, _)| key.network.asn != network.asn).copied().collect();
    // Another key of one network alone: the site has keys for places, or changes them often.
    let scattered = by_key.iter().any(|(key, rows)| *key != main && networks(rows).len() < 2);
    // Seen before and after: otherwise the site may just have changed from one to the other.
    let (first, last) = span(&some);
    let (from, until) = span(&elsewhere);
    let enough = is_enough(&elsewhere, &AGAINST_TRUSTED) && alike(&some, &elsewhere) >= ALIKE;
    if !enough || scattered || from > first || until < last {
        return Outcome::Clear;
    }
    let both = of_main.len() > elsewhere.len();
    let mut evidence = evidence(json!(leaf), &some, &near, &by_key);
    evidence["network_sees_both"] = json!(both);
    Outcome::found(Level::Possible, evidence)
}

/// No public authority vouches for it, and others see a chain that one does vouch for.
fn untrusted(
    case: &Case<'_>,
    rows: &Rows<'_>,
    leaf: Option<KeyHash>,
    above: &[KeyHash],
) -> Outcome {
    let (some, rest) = split(rows, |key, row| {
        (leaf.is_some() && key.leaf == leaf)
            || above.iter().any(|key| row.authorities.kept().contains_key(key))
    });
    let countries: BTreeSet<_> = some.iter().map(|(key, _)| &key.network.country).collect();
    let vouched = some.iter().any(|(_, row)| row.trusted > 0);
    // The same in two countries is the site's own, or a product's that is sold in both.
    if some.is_empty() || countries.len() > 1 || vouched {
        return Outcome::Clear;
    }
    let near = near(&some, &rest);
    let by_key = by_key(&near);
    let here = networks(&some);
    let elsewhere: Rows<'_> = near
        .iter()
        .filter(|(key, row)| row.trusted > 0 && !here.contains(&key.network))
        .copied()
        .collect();
    if !is_enough(&elsewhere, &AGAINST_UNTRUSTED) {
        return Outcome::Clear;
    }
    // Stock OONI checks the name before it keeps an authority alone.
    let alone = case.handshake.is_some_and(|shaken| !shaken.whole);
    let for_the_name = case.fits_name().unwrap_or(alone);
    // One server of several that forgot the intermediate looks so.
    let leaf_only = leaf.is_some() && case.signers.is_empty();
    let level = if for_the_name && !leaf_only { Level::Probable } else { Level::Possible };
    Outcome::found(level, evidence(json!(leaf), &some, &near, &by_key))
}

fn is_enough(rows: &Rows<'_>, minimum: &Minimum) -> bool {
    let networks = networks(rows);
    let countries: BTreeSet<_> = networks.iter().map(|network| &network.country).collect();
    let measurements: u64 = rows.iter().map(|(_, row)| row.measurements).sum();
    networks.len() >= minimum.networks
        && countries.len() >= minimum.countries
        && measurements >= minimum.measurements
}

fn evidence(
    leaf: Value,
    some: &Rows<'_>,
    near: &Rows<'_>,
    by_key: &BTreeMap<KeyHash, Rows<'_>>,
) -> Value {
    let side = |leaf: Value, rows: &Rows<'_>| {
        let networks = networks(rows);
        let names = networks.iter().take(LISTED).map(ToString::to_string);
        json!({
            "leaf_spki_sha256": leaf,
            "networks": networks.len(),
            "among_them": names.collect::<Vec<_>>(),
            "measurements": rows.iter().map(|(_, row)| row.measurements).sum::<u64>(),
        })
    };
    let others = by_key.iter().take(LISTED).map(|(key, rows)| side(json!(key), rows));
    json!({
        "here": side(leaf, some),
        "others": others.collect::<Vec<_>>(),
        "told_apart_by": separating(some, near),
    })
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, level_of, presented, seen_in, surroundings};
    use crate::measurement::Measurement;
    use crate::reference::Actor;
    use crate::verdict::Verdict::{Anomaly, Intercepted, Normal};
    use crate::verdict::{Judgement, judge};

    const HERE: (&str, u32) = ("QZ", 64500);
    const OTHERS: [(&str, u32); 5] =
        [("QZ", 64501), ("QZ", 64502), ("XA", 64503), ("XA", 64504), ("XB", 64505)];

    /// In each place on each day, once.
    fn seen(leaf: &Vec<u8>, places: &[(&str, u32)], days: &[i64]) -> Vec<Measurement> {
        let shaken = presented("example.com", "192.0.2.1", &[leaf]);
        let in_place =
            |(country, asn): &(&str, u32), day: i64| seen_in(country, *asn, day, &shaken);
        places.iter().flat_map(|place| days.iter().map(|day| in_place(place, *day))).collect()
    }

    /// The judgement of the first.
    fn judged(bench: &Bench, all: &[Measurement]) -> Judgement {
        judge(&all[0], &bench.reference, &surroundings(bench, all), None).remove(0)
    }

    #[test]
    fn trusted_keys() {
        let bench = Bench::new();
        // Valid for all of the days.
        let leaf = || {
            let template = Template::leaf(&["example.com"]);
            bench.public.leaf_with(&Key::ecdsa_p256(), template).certificate
        };
        let (odd, main, third) = (leaf(), leaf(), leaf());
        let days = [0, 1, 2];
        let outlier = || seen(&odd, &[HERE], &days);
        let around = || seen(&main, &OTHERS, &days);
        for (case, all, found, verdict) in [
            (
                "a second public leaf in one network, five networks see the first",
                [outlier(), around()].concat(),
                true,
                Anomaly,
            ),
            (
                "the same, and the network sees the first as well",
                [outlier(), around(), seen(&main, &[HERE], &days)].concat(),
                true,
                Normal,
            ),
            (
                "a second public leaf that two networks see",
                [outlier(), around(), seen(&odd, &[("XB", 64509)], &[90])].concat(),
                false,
                Normal,
            ),
            (
                "a second public leaf that a network nobody named sees too",
                [outlier(), around(), seen(&odd, &[("ZZ", 0)], &[1])].concat(),
                false,
                Normal,
            ),
            (
                "a second public leaf, seen once",
                [seen(&odd, &[HERE], &[1]), around()].concat(),
                false,
                Normal,
            ),
            (
                "four networks see the first",
                [outlier(), seen(&main, &OTHERS[..4], &days)].concat(),
                false,
                Normal,
            ),
            (
                "five networks of the same country see the first",
                [outlier(), seen(&main, &[1, 2, 3, 4, 5].map(|asn| ("QZ", 64600 + asn)), &days)]
                    .concat(),
                false,
                Normal,
            ),
            (
                "others see the first only before",
                [outlier(), seen(&main, &OTHERS, &[-1, 0])].concat(),
                false,
                Normal,
            ),
            (
                "others see the first on other days",
                [outlier(), seen(&main, &OTHERS, &[-20, 20])].concat(),
                false,
                Normal,
            ),
            (
                "another network has a key of its own too",
                [outlier(), around(), seen(&third, &[("XC", 64510)], &days)].concat(),
                false,
                Normal,
            ),
            (
                "a second public leaf that only an old program is shown",
                [of_version("old", outlier()), around()].concat(),
                false,
                Normal,
            ),
            (
                "a second public leaf over IPv6",
                [at("2001:db8::1", outlier()), around()].concat(),
                false,
                Normal,
            ),
            (
                "everybody sees one key",
                [around(), seen(&main, &[HERE], &days)].concat(),
                false,
                Normal,
            ),
        ] {
            let judgement = judged(&bench, &all);
            assert_eq!(judgement.has(DETECTOR.id), found, "{case}");
            assert_eq!(judgement.verdict, verdict, "{case}");
            assert_eq!(judgement.actor, None, "{case}");
            let main = judge(&around()[0], &bench.reference, &surroundings(&bench, &all), None);
            assert_eq!(main[0].verdict, Normal, "{case}: what the others see");
        }
    }

    fn of_version(version: &str, mut seen: Vec<Measurement>) -> Vec<Measurement> {
        for measurement in &mut seen {
            measurement.software.version = version.into();
        }
        seen
    }

    fn at(address: &str, mut seen: Vec<Measurement>) -> Vec<Measurement> {
        let address: std::net::IpAddr = address.parse().unwrap();
        for shaken in seen.iter_mut().flat_map(|seen| &mut seen.handshakes) {
            shaken.endpoint = Some((address, 443).into());
        }
        seen
    }

    #[test]
    fn the_partition_is_explained() {
        let bench = Bench::new();
        let leaf = || bench.public.leaf("example.com").certificate;
        let all = [seen(&leaf(), &[HERE], &[0, 1, 2]), seen(&leaf(), &OTHERS, &[0, 1, 2])].concat();
        let judgement = judged(&bench, &all);
        let evidence = &judgement.finding(DETECTOR.id).unwrap().evidence;
        assert_eq!(evidence["here"]["among_them"], json!(["QZ AS64500"]));
        assert_eq!(evidence["others"][0]["networks"], 5);
        let facts = json!([[{ "what": "network", "value": "QZ AS64500" }]]);
        assert_eq!(evidence["told_apart_by"], facts);
    }

    #[test]
    fn untrusted_keys() {
        let bench = Bench::new();
        let stranger = Authority::root("Stranger");
        let forged = |name: &str| stranger.leaf(name).certificate;
        let genuine = bench.public.leaf("example.com").certificate;
        let bad = forged("example.com");
        let with_root = |mut seen: Vec<Measurement>| {
            for shaken in seen.iter_mut().flat_map(|seen| &mut seen.handshakes) {
                let sent = [&bad, &stranger.certificate];
                shaken.chain = crate::chain::Chain::from_der(sent).ok();
            }
            seen
        };
        let days = [0, 1];
        let around = || seen(&genuine, &OTHERS, &days);
        let unknown = Some(Actor::Unknown);
        for (case, all, level, expected) in [
            (
                "unknown root -> leaf in one network, others see a public one",
                [with_root(seen(&bad, &[HERE], &days)), around()].concat(),
                Some("probable"),
                (Intercepted, unknown),
            ),
            (
                "unknown root -> leaf in two networks of a country",
                [with_root(seen(&bad, &[HERE, ("QZ", 64509)], &days)), around()].concat(),
                Some("probable"),
                (Intercepted, unknown),
            ),
            (
                "[unknown issuer] -> leaf in one network, others see a public one",
                [seen(&bad, &[HERE], &days), around()].concat(),
                Some("possible"),
                (Anomaly, None),
            ),
            (
                "unknown root -> leaf in two countries",
                [seen(&bad, &[HERE, ("XC", 64509)], &days), around()].concat(),
                None,
                (Anomaly, None),
            ),
            (
                "unknown root -> leaf for another name",
                [seen(&forged("example.org"), &[HERE], &days), around()].concat(),
                Some("possible"),
                (Anomaly, None),
            ),
            (
                "unknown root -> leaf, two networks see a public one",
                [seen(&bad, &[HERE], &days), seen(&genuine, &OTHERS[..2], &days)].concat(),
                None,
                (Anomaly, None),
            ),
            (
                "unknown root -> leaf everywhere",
                [seen(&bad, &[HERE], &days), seen(&bad, &OTHERS, &days)].concat(),
                None,
                (Anomaly, None),
            ),
        ] {
            let judgement = judged(&bench, &all);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), level, "{case}");
            assert_eq!((judgement.verdict, judgement.actor), expected, "{case}");
        }
    }
}
