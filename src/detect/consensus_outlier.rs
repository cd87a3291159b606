//! A key that one network alone sees, while all others see another on the same days.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::KeyHash;
use crate::surroundings::{Network, Row, RowKey, separating};

/// What others must have seen before a trusted key counts as out of line.
const AGAINST_TRUSTED: Minimum = Minimum { networks: 5, countries: 2, measurements: 10 };
/// Before an untrusted one does.
const AGAINST_UNTRUSTED: Minimum = Minimum { networks: 3, countries: 2, measurements: 5 };
/// How often the one network must have seen a trusted key that nobody else sees.
const OUTLYING: u64 = 3;
/// Most keys that evidence lists.
const LISTED: usize = 8;

struct Minimum {
    networks: usize,
    countries: usize,
    measurements: u64,
}

type Rows<'a> = Vec<(&'a RowKey, &'a Row)>;

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
    if !is_enough(&elsewhere, &AGAINST_TRUSTED) || scattered || from > first || until < last {
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
    let level = if case.fits_name().unwrap_or(alone) { Level::Probable } else { Level::Possible };
    Outcome::found(level, evidence(json!(leaf), &some, &near, &by_key))
}

fn split<'a>(rows: &Rows<'a>, of: impl Fn(&RowKey, &Row) -> bool) -> (Rows<'a>, Rows<'a>) {
    rows.iter().copied().partition(|(key, row)| of(key, row))
}

/// Those of the rest that were seen on the days of `some`.
fn near<'a>(some: &Rows<'a>, rest: &Rows<'a>) -> Rows<'a> {
    let days = some.iter().flat_map(|(_, row)| row.days.keys().copied()).collect();
    rest.iter().filter(|(key, row)| key.leaf.is_some() && row.is_near(&days)).copied().collect()
}

fn by_key<'a>(rows: &Rows<'a>) -> BTreeMap<KeyHash, Rows<'a>> {
    let mut by_key: BTreeMap<KeyHash, Rows<'a>> = BTreeMap::new();
    for (key, row) in rows.iter().filter(|(_, row)| row.trusted > 0) {
        if let Some(leaf) = key.leaf {
            by_key.entry(leaf).or_default().push((key, row));
        }
    }
    by_key
}

/// The key that most networks see.
fn most<'m, 'a>(by_key: &'m BTreeMap<KeyHash, Rows<'a>>) -> Option<(KeyHash, &'m Rows<'a>)> {
    let most = by_key.iter().max_by_key(|(_, rows)| networks(rows).len());
    most.map(|(key, rows)| (*key, rows))
}

fn networks<'a>(rows: &Rows<'a>) -> BTreeSet<&'a Network> {
    let known = rows.iter().filter(|(key, _)| key.network.asn != 0);
    known.map(|(key, _)| &key.network).collect()
}

fn is_enough(rows: &Rows<'_>, minimum: &Minimum) -> bool {
    let networks = networks(rows);
    let countries: BTreeSet<_> = networks.iter().map(|network| &network.country).collect();
    let measurements: u64 = rows.iter().map(|(_, row)| row.measurements).sum();
    networks.len() >= minimum.networks
        && countries.len() >= minimum.countries
        && measurements >= minimum.measurements
}

fn span(rows: &Rows<'_>) -> (Option<i64>, Option<i64>) {
    let spans = rows.iter().filter_map(|(_, row)| row.span);
    (spans.clone().map(|(first, _)| first).min(), spans.map(|(_, last)| last).max())
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
        let days = [0, 1];
        let around = || seen(&genuine, &OTHERS, &days);
        let unknown = Some(Actor::Unknown);
        for (case, all, level, expected) in [
            (
                "unknown root -> leaf in one network, others see a public one",
                [seen(&bad, &[HERE], &days), around()].concat(),
                Some("probable"),
                (Intercepted, unknown),
            ),
            (
                "unknown root -> leaf in two networks of a country",
                [seen(&bad, &[HERE, ("QZ", 64509)], &days), around()].concat(),
                Some("probable"),
                (Intercepted, unknown),
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
