//! In whatever order and parts measurements come, they make the same surroundings.

use kua_mint::{Authority, Key, NOW, Template};
use proptest::prelude::*;

use super::*;
use crate::chain::Fingerprint;
use crate::detect::testing::{Bench, presented, seen_in, surroundings};
use crate::measurement::codes;

/// Measurements that differ in everything that is counted.
fn measurements(bench: &Bench) -> Vec<Measurement> {
    let stranger = Authority::root("Stranger");
    let key = Key::ecdsa_p256();
    let expired = Template::leaf(&["example.org"]).valid(NOW - 200, NOW - 100);
    let leaves = [
        bench.public.leaf("example.com").certificate,
        bench.public.leaf_with(&key, expired).certificate,
        stranger.leaf("example.com").certificate,
        stranger.leaf_with(&key, Template::leaf(&["x.example"])).certificate,
        b"\x30\x03\x02\x01\x01".to_vec(),
    ];
    let mut all = Vec::new();
    for (position, leaf) in leaves.iter().enumerate() {
        for (name, address) in [("example.com", "192.0.2.1"), ("example.org", "10.0.0.1")] {
            for (country, asn) in [("QZ", 64500), ("XA", 64501)] {
                let mut shaken = presented(name, address, &[leaf]);
                if position == 2 {
                    shaken.failure = Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY));
                }
                let mut seen = seen_in(country, asn, position as i64, &shaken);
                seen.run = (asn == 64500).then(|| "one run".into());
                seen.software.version = position.to_string();
                all.push(seen);
            }
        }
    }
    all
}

fn same(left: &Surroundings, right: &Surroundings) -> bool {
    left.rows == right.rows && left.sessions == right.sessions && left.genuine == right.genuine
}

#[test]
fn order_and_parts_do_not_matter() {
    let bench = Bench::new();
    let all = measurements(&bench);
    let whole = surroundings(&bench, &all);
    assert!(whole.rows("example.com").len() > 4);
    assert_eq!(whole.genuine("example.com").count(), 1, "of one leaf a root program vouches");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        ..ProptestConfig::default()
    });
    let shuffled = Just(all).prop_shuffle().prop_flat_map(|all| {
        let cuts = 0..=all.len();
        (Just(all), cuts)
    });
    runner
        .run(&shuffled, |(all, cut)| {
            prop_assert!(same(&surroundings(&bench, &all), &whole));
            let (left, right) = all.split_at(cut);
            let mut parts = surroundings(&bench, right);
            parts.merge(surroundings(&bench, left));
            prop_assert!(same(&parts, &whole));
            Ok(())
        })
        .unwrap();
}

#[test]
fn of_a_name_that_was_left_out_nothing_is_concluded() {
    let mut around = Surroundings::none();
    for number in 0..=MAX_ROWS {
        let key = RowKey { name: format!("{number:08}"), ..RowKey::default() };
        around.rows.with(key, |row| row.handshakes += 1);
    }
    assert_eq!(around.rows("00000007").len(), 1);
    let last = MAX_ROWS - 1;
    assert_eq!(around.rows(&format!("{last:08}")).len(), 0, "rows of it may have been left out");
    assert_eq!(around.rows(&format!("{MAX_ROWS:08}")).len(), 0);
}

#[test]
fn no_record_decides_how_much_is_kept_of_it() {
    let bench = Bench::new();
    let mut seen = measurements(&bench).remove(0);
    let long = "x".repeat(1 << 20);
    seen.run = Some(long.clone());
    seen.software.version = long.clone();
    let around = surroundings(&bench, std::slice::from_ref(&seen));
    assert!(around.session(&seen).is_some());
    let (key, _) = around.rows("example.com")[0];
    assert!(key.client.version.len() < 1000);
    seen.handshakes[0].server_name = Some(long.clone());
    assert_eq!(surroundings(&bench, &[seen]).rows(&long).len(), 0);
}

#[test]
fn controls_are_vantage_points_and_no_part_of_a_run() {
    let bench = Bench::new();
    let all = measurements(&bench);
    let around = Surroundings::of_controls(&all, &bench.reference);
    assert!(!around.rows("example.com").is_empty());
    assert_eq!(around.session(&all[0]), None);
    assert!(!around.controls.of("example.com").is_empty());
}

/// Judgements of a record, as everybody reads them.
fn judged(bench: &Bench, record: &Measurement, around: &Surroundings) -> String {
    serde_json::to_string(&crate::verdict::judge(record, &bench.reference, around, None)).unwrap()
}

fn view(record: &Measurement, around: &Surroundings) -> Fingerprint {
    let mut asked = Asked::default();
    asked.add(record);
    Views::of(around).digest(&asked)
}

/// Which of all measurements lie around a record may change what is told of it; only then may the
/// judgement change.
#[test]
fn the_same_view_gives_the_same_judgements() {
    let bench = Bench::new();
    let all = measurements(&bench);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(96));
    let some = || proptest::collection::vec(any::<bool>(), all.len());
    let of = |taken: &[bool]| -> Surroundings {
        let taken = all.iter().zip(taken).filter(|(_, taken)| **taken);
        surroundings(&bench, &taken.map(|(seen, _)| seen.clone()).collect::<Vec<_>>())
    };
    let same = std::cell::Cell::new(0);
    let other = std::cell::Cell::new(0);
    runner
        .run(&(some(), some(), any::<bool>()), |(one, mut two, alike)| {
            if alike {
                // The same around one name, and anything around the other.
                for (number, seen) in all.iter().enumerate() {
                    if seen.handshakes[0].server_name.as_deref() == Some("example.com") {
                        two[number] = one[number];
                    }
                }
            }
            let (one, two) = (of(&one), of(&two));
            for record in &all {
                if view(record, &one) == view(record, &two) {
                    same.set(same.get() + 1);
                    prop_assert_eq!(judged(&bench, record, &one), judged(&bench, record, &two));
                } else {
                    other.set(
                        other.get()
                            + u32::from(
                                judged(&bench, record, &one) != judged(&bench, record, &two),
                            ),
                    );
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(same.get() > 0 && other.get() > 0, "{same:?} {other:?}");
}

#[test]
fn what_is_stored_comes_back_and_garbage_does_not() {
    let bench = Bench::new();
    let whole = surroundings(&bench, &measurements(&bench));
    let bytes = whole.to_bytes().unwrap();
    assert!(same(&Surroundings::from_bytes(&bytes).unwrap(), &whole));
    for cut in 0..bytes.len() {
        assert!(Surroundings::from_bytes(&bytes[..cut]).is_err(), "{cut} bytes");
    }
    assert!(Surroundings::from_bytes(&[&bytes[..], b"x"].concat()).is_err());
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&(0..bytes.len(), any::<u8>()), |(at, byte)| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            drop(Surroundings::from_bytes(&bytes));
            Ok(())
        })
        .unwrap();
}
