//! The fold on a small archive in the manner of Kazakhstan 2021-24: 75-day intermediates, used on
//! after they ended, under known and unknown roots.

use kua_mint::{Authority, Key, NOW, Template, name};
use proptest::prelude::*;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::chain::KeyHash;
use crate::detect::testing::{Bench, certificates, measurement};
use crate::measurement::HelperHandshake;
use crate::moment::rfc3339;
use crate::reference::Actor;
use crate::surroundings::Surroundings;
use crate::verdict::judge;

const DAY: i64 = 86_400;

fn at(days: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap() + Duration::days(days)
}

/// A record as stock OONI keeps it: the intermediate alone.
fn stock(intermediate: &Authority, days: i64, asn: u32, target: &str) -> Measurement {
    let mut shaken = certificates(&[&intermediate.certificate]);
    shaken.whole = false;
    shaken.extra.holds_key = None;
    shaken.server_name = Some(target.into());
    record(shaken, days, asn)
}

fn record(shaken: crate::measurement::Handshake, days: i64, asn: u32) -> Measurement {
    let mut record = measurement(&[shaken]);
    record.started = Some(at(days));
    record.vantage =
        crate::measurement::Vantage { country: "QZ".into(), asn, network: format!("Net {asn}") };
    record
}

fn intermediate(root: &Authority, from: i64) -> Authority {
    let template = Template::authority(&name(&[("CN", "Intermediate")]))
        .valid(NOW + from * DAY, NOW + (from + 75) * DAY)
        .with(kua_mint::aki(root_key_id(root).as_slice()));
    root.intermediate_with(Key::ecdsa_p256(), template)
}

fn root_key_id(root: &Authority) -> Vec<u8> {
    KeyHash::of(&root.key.spki()).as_bytes()[..20].to_vec()
}

fn archive(bench: &Bench) -> Vec<Measurement> {
    let first = intermediate(&bench.state, 0);
    let second = intermediate(&bench.state, 200);
    let genuine = || {
        let mut shaken = certificates(&[&bench.public.leaf("a.example").certificate]);
        shaken.server_name = Some("a.example".into());
        shaken
    };
    vec![
        stock(&first, 1, 64500, "a.example"),
        stock(&first, 60, 64500, "b.example"),
        stock(&first, 80, 64501, "a.example"),
        stock(&first, 190, 64500, "a.example"),
        stock(&second, 201, 64500, "a.example"),
        stock(&second, 280, 64502, "a.example"),
        record(genuine(), 5, 64500),
        record(genuine(), 6, 64503),
    ]
}

fn tally(bench: &Bench, records: &[Measurement]) -> Tally {
    let mut tally = Tally::default();
    for record in records {
        let judged = judge(record, &bench.reference, &Surroundings::none(), None);
        tally.observe(record, &judged);
    }
    tally
}

#[test]
fn one_dossier_is_one_campaign() {
    let bench = Bench::new();
    let tally = tally(&bench, &archive(&bench));
    let campaigns = tally.campaigns(&bench.reference);
    assert_eq!(campaigns.len(), 1);
    let campaign = &campaigns[0];
    assert_eq!(campaign.id, "some-state");
    assert_eq!(campaign.first_seen, Some(rfc3339(at(1))));
    assert_eq!(campaign.last_seen, Some(rfc3339(at(280))));
    assert_eq!(campaign.anchors.len(), 1);
    assert!(campaign.anchors[0].known);

    let uses: Vec<_> = campaign
        .intermediates
        .iter()
        .map(|row| (row.handshakes, row.used_outside_validity))
        .collect();
    assert_eq!(uses, [(4, 2), (2, 1)]);
    let windows: Vec<_> = campaign
        .invalid_windows
        .iter()
        .map(|window| (window.from.clone(), window.to.clone(), window.handshakes))
        .collect();
    let expected =
        [(rfc3339(at(80)), rfc3339(at(190)), 2), (rfc3339(at(280)), rfc3339(at(280)), 1)];
    assert_eq!(windows, expected);

    let targets: Vec<_> = campaign
        .targets
        .iter()
        .map(|row| (row.name.as_str(), row.handshakes, row.intercepted))
        .collect();
    assert_eq!(targets, [("a.example", 7, 5), ("b.example", 1, 1)]);
    let networks: Vec<_> =
        campaign.networks.iter().map(|row| (row.asn, row.handshakes, row.intercepted)).collect();
    assert_eq!(networks, [(64500, 5, 4), (64501, 1, 1), (64502, 1, 1)]);
}

/// An intermediate whose root nobody has seen; two with one key identifier have one unknown root.
#[test]
fn two_intermediates_of_one_key_identifier_are_one_unknown_anchor() {
    let bench = Bench::new();
    let unknown = Authority::root("Unknown Root");
    let mut seen = Vec::new();
    for (middle, target) in
        [(intermediate(&unknown, 0), "a.example"), (intermediate(&unknown, 9), "b.example")]
    {
        let mut record = stock(&middle, 10, 64500, target);
        let failure = crate::measurement::codes::SSL_UNKNOWN_AUTHORITY;
        record.handshakes[0].failure = Some(crate::measurement::Failure::new(failure));
        record.seen_by_helper =
            vec![crate::measurement::HelperHandshake { server_name: target.into(), failure: None }];
        seen.push(record);
    }
    let campaigns = tally(&bench, &seen).campaigns(&bench.reference);
    assert_eq!(campaigns.len(), 1);
    assert_eq!(campaigns[0].interceptor, None);
    assert_eq!(campaigns[0].actor, Actor::Unknown);
    assert_eq!(campaigns[0].anchors[0].spki_sha256, None);
    assert!(campaigns[0].anchors[0].authority_key_id.is_some());
    assert_eq!(campaigns[0].intermediates.len(), 2);
    assert!(campaigns[0].intermediates.iter().all(|row| row.anchor_spki_sha256.is_none()));
}

#[test]
fn a_product_at_home_is_no_campaign_until_its_key_is_everywhere() {
    let bench = Bench::new();
    let shield = Authority::root_with(
        Key::ecdsa_p256(),
        Template::authority(&name(&[("O", "Vendor"), ("CN", "Shield Root")])),
    );
    let leaf = shield.leaf("example.com").certificate;
    let seen: Vec<_> = [64500, 64501, 64502]
        .into_iter()
        .map(|asn| record(certificates(&[&leaf, &shield.certificate]), 1, asn))
        .collect();
    let two = tally(&bench, &seen[..2]);
    assert!(two.campaigns(&bench.reference).is_empty());
    assert_eq!(two.not_campaigns()["local"], 2);
    let three = tally(&bench, &seen);
    assert_eq!(three.campaigns(&bench.reference)[0].actor, Actor::Unknown);
    assert_eq!(three.not_campaigns()["local"], 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn parts_add_up_in_any_order(
        order in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
        cut in 0..9usize,
    ) {
        let bench = Bench::new();
        let records = archive(&bench);
        let whole = tally(&bench, &records);
        let shuffled: Vec<_> = order.iter().map(|position| records[*position].clone()).collect();
        let (left, right) = shuffled.split_at(cut);
        let mut merged = tally(&bench, right);
        merged.merge(tally(&bench, left));
        let told = |tally: &Tally| serde_json::to_string(&tally.campaigns(&bench.reference)).unwrap();
        prop_assert_eq!(told(&merged), told(&whole));
        prop_assert_eq!(merged, whole);
    }
}

/// Judgements of every kind, of several days, networks and records, some of no handshake.
fn various(bench: &Bench) -> Vec<(Fingerprint, Measurement, Vec<Judgement>)> {
    let unknown = Authority::root("Unknown Root");
    let cross = Authority::root("Other Name");
    let mut records = archive(bench);
    for (root, target, helped) in [(&unknown, "a.example", true), (&cross, "", false)] {
        let mut refused = stock(&intermediate(root, 0), 10, 64500, target);
        let failure = crate::measurement::codes::SSL_UNKNOWN_AUTHORITY;
        refused.handshakes[0].failure = Some(crate::measurement::Failure::new(failure));
        let seen = HelperHandshake { server_name: target.into(), failure: None };
        refused.seen_by_helper = if helped { vec![seen] } else { Vec::new() };
        records.push(refused);
    }
    let mut cut = certificates(&[&bench.public.leaf("b.example").certificate]);
    cut.chain = None;
    cut.failure = Some(crate::measurement::Failure::new("connection_reset"));
    records.push(record(cut.clone(), 5, 64501));
    let mut both = record(cut, 5, 64500);
    both.handshakes.extend(records[0].handshakes.clone());
    both.vantage.network = "A name that sorts first".into();
    records.push(both);
    let mut none = measurement(&[]);
    none.started = None;
    none.vantage.network = "Net".into();
    records.push(none);
    let mut timeless = records[1].clone();
    timeless.started = None;
    records.push(timeless);
    let judged = records.into_iter().enumerate().map(|(number, record)| {
        let line = Some(number as u64 + 1);
        let judged = judge(&record, &bench.reference, &Surroundings::none(), line);
        (Fingerprint::of(&[number as u8]), record, judged)
    });
    judged.collect()
}

/// Rows that count alike are joined, as a query would; `parts` says which part a record goes into.
fn by_rows(judged: &[(Fingerprint, Measurement, Vec<Judgement>)], parts: &[usize]) -> Tally {
    let mut shapes = BTreeMap::new();
    let mut rows: BTreeMap<_, Row> = BTreeMap::new();
    let mut days: BTreeMap<_, Day> = BTreeMap::new();
    for ((record, measurement, judgements), part) in judged.iter().zip(parts) {
        for (position, judgement) in (0..).zip(judgements) {
            let shape = Shape::of(measurement, judgement);
            let row = Row::of(Some(*record), measurement, judgement, position, &shape);
            let place = (row.country.clone(), row.asn, row.target.clone());
            let key = (*part, place, shape.id());
            if let Some(day) = Day::of(judgement) {
                let key = (*part, day.day, day.asn, shape.id());
                days.entry(key).and_modify(|kept| kept.join(day)).or_insert(day);
            }
            shapes.insert(shape.id(), shape);
            match rows.get_mut(&key) {
                Some(kept) => kept.join(row),
                None => _ = rows.insert(key, row),
            }
        }
    }
    let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
    for ((part, .., id), mut row) in rows {
        // Shapes are stored between a judgement and the report.
        let stored = postcard::to_stdvec(&shapes[&id]).unwrap();
        let shape: Shape = postcard::from_bytes(&stored).unwrap();
        assert_eq!(shape.id(), id);
        row.example = row.example.map(|example| Position::from_bytes(&example.to_bytes()).unwrap());
        tallies.entry(part).or_default().count(&row, &shape);
    }
    for ((part, .., id), day) in days {
        tallies.entry(part).or_default().count_day(&day, &shapes[&id]);
    }
    let mut whole = Tally::default();
    for (_, tally) in tallies.into_iter().rev() {
        whole.merge(tally);
    }
    let untold: Vec<_> = whole.untold().collect();
    for position in untold {
        let (_, _, judgements) = &judged[position.number as usize - 1];
        whole.tell(position, &judgements[position.judgement as usize]);
    }
    whole
}

/// Whoever groups the judgements, and however: there is one count.
#[test]
fn rows_add_up_to_what_judgements_do() {
    let bench = Bench::new();
    let judged = various(&bench);
    let mut whole = Tally::default();
    for (record, measurement, judgements) in &judged {
        whole.observe_record(Some(*record), measurement, judgements);
    }
    assert_eq!(Tally::from_bytes(&whole.to_bytes().unwrap()).as_ref(), Some(&whole));
    let classes: Vec<_> =
        whole.not_campaigns().into_iter().filter(|(_, count)| *count > 0).collect();
    assert!(whole.campaigns(&bench.reference).len() > 1 && classes.len() > 1, "{classes:?}");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let parts = proptest::collection::vec(0..3_usize, judged.len());
    runner
        .run(&parts, |parts| {
            prop_assert_eq!(&by_rows(&judged, &parts), &whole);
            Ok(())
        })
        .unwrap();
}

/// One key, judged to be a product here and somebody on the path there, under two names.
#[test]
fn the_order_of_counting_tells_nothing_of_who_it_is() {
    let bench = Bench::new();
    let (record, measurement, judged) = various(&bench).swap_remove(0);
    let seen = |actor, level, subject: &str| {
        let mut judged = judged.clone();
        judged[0].actor = Some(actor);
        judged[0].level = Some(level);
        judged[0].interceptor = None;
        judged[0].signing_key.as_mut().unwrap().subject = subject.into();
        judged
    };
    let both = [
        seen(Actor::Local, Level::Confirmed, "CN=B"),
        seen(Actor::Network, Level::Probable, "CN=A"),
    ];
    let tally = |both: &[&Vec<Judgement>]| {
        let mut tally = Tally::default();
        for judged in both {
            tally.observe_record(Some(record), &measurement, judged);
        }
        tally
    };
    let told = |tally: &Tally| serde_json::to_value(tally.campaigns(&bench.reference)).unwrap();
    let (one, other) = (tally(&[&both[0], &both[1]]), tally(&[&both[1], &both[0]]));
    assert_eq!(told(&one), told(&other));
    assert_eq!(told(&one)[0]["actor"], "network", "what it did beyond a machine is not hidden");
    assert_eq!(told(&one)[0]["anchors"][0]["subject"], "CN=A");
}

proptest! {
    #[test]
    fn positions_sort_as_their_bytes(
        one in (any::<i64>(), any::<[u8; 32]>(), any::<u32>(), any::<u64>()),
        other in (any::<i64>(), any::<[u8; 32]>(), any::<u32>(), any::<u64>()),
        alike in 0..4_usize,
    ) {
        let of = |(started, record, judgement, number): (i64, [u8; 32], u32, u64)| Position {
            started, record: Fingerprint::from(record), judgement, number,
        };
        let (one, mut other) = (of(one), of(other));
        if alike > 0 { other.started = one.started; }
        if alike > 1 { other.record = one.record; }
        if alike > 2 { other.judgement = one.judgement; }
        prop_assert_eq!(one.cmp(&other), one.to_bytes().cmp(&other.to_bytes()));
        prop_assert_eq!(Position::from_bytes(&one.to_bytes()), Some(one));
        prop_assert_eq!(Position::from_bytes(&one.to_bytes()[1..]), None);
    }
}
