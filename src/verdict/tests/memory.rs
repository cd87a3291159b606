//! A judgement is the same whatever was remembered before it.

use std::sync::LazyLock;

use kua_mint::{Authority, Key, NOW, OddLeaf, Oddity, Presented, Template};
use proptest::prelude::*;
use time::OffsetDateTime;

use super::{certificates, control, measurement};
use crate::ct::testing::{TestLog, extension, list};
use crate::detect::testing::Bench;
use crate::measurement::Measurement;
use crate::memory::Memory;
use crate::surroundings::Surroundings;
use crate::verdict::{Judgement, judge, judge_with};

const DAY: i64 = 86_400;

struct World {
    bench: Bench,
    chains: Vec<Vec<Vec<u8>>>,
    surroundings: [Surroundings; 2],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut bench = Bench::new();
    let log = TestLog::new("log", "operator");
    let unlisted = Authority::root("Unlisted Root");
    let middles =
        [&bench.public, &bench.state, &unlisted].map(|root| root.intermediate("Intermediate"));
    let key = Key::ecdsa_p256();
    let plain = || Template::leaf(&["example.com"]).valid(NOW, NOW + DAY);
    let promised = extension(&[log.sct(&middles[0], &key, &plain())]);
    let mut chains = Vec::new();
    for (middle, template) in [
        (&middles[0], plain().with(promised)),
        (&middles[0], plain()),
        (&middles[1], plain()),
        (&middles[2], plain()),
    ] {
        let presented = Presented {
            signer: middle.clone(),
            key: key.clone(),
            template,
            above: vec![middle.certificate.clone()],
            root_sent: true,
        };
        for leaf in [OddLeaf::Plain, OddLeaf::Version1, OddLeaf::GostSignature] {
            chains.push(Oddity { leaf, ..Oddity::NONE }.send(&presented, &[]));
        }
        let root = Some(false);
        chains.push(Oddity { root, ..Oddity::NONE }.send(&presented, &[]));
    }
    chains.push(vec![b"\x30\x03\x02\x01\x01".to_vec()]);
    bench.reference.logs = vec![list(&[&log])];
    let seen = [middles[0].leaf("example.com").certificate, middles[0].certificate.clone()];
    let seen = measurement(&[control(&seen.each_ref())]);
    let surroundings = [Surroundings::none(), Surroundings::of_controls(&[seen], &bench.reference)];
    World { bench, chains, surroundings }
});

/// Which chain, for which name, how long after the leaf became valid, and whether with a control.
type Asked = (usize, bool, i64, i64, bool);

fn record((chain, other_name, seconds, nanoseconds, _): &Asked) -> Measurement {
    let chain = &WORLD.chains[chain % WORLD.chains.len()];
    let mut shaken = certificates(&chain.iter().collect::<Vec<_>>());
    if *other_name {
        shaken.server_name = Some("example.org".into());
    }
    let mut seen = measurement(&[shaken]);
    let at = OffsetDateTime::from_unix_timestamp(NOW + seconds).unwrap();
    seen.started = Some(at + time::Duration::nanoseconds(*nanoseconds));
    seen
}

fn told(judgements: &[Judgement]) -> String {
    let written = serde_json::to_string(judgements).unwrap();
    let paths: Vec<_> = judgements.iter().map(|judgement| &judgement.path).collect();
    format!("{written} {paths:?}")
}

/// The ends of the leaf's validity and of a day, a moment to each side.
fn asked() -> impl Strategy<Value = Asked> {
    let ends = [0, -1, 1, DAY, DAY - 1, DAY + 1, 40_000, 60_000, -DAY, 9 * DAY];
    let seconds = proptest::sample::select(ends.to_vec());
    let nanoseconds = proptest::sample::select(vec![0, 1, 999_999_999]);
    (any::<usize>(), any::<bool>(), seconds, nanoseconds, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn with_and_without_a_memory(
        asked in proptest::collection::vec(asked(), 1..60),
        room in proptest::sample::select(vec![0, 1, 2, 7, 1000]),
    ) {
        let reference = &WORLD.bench.reference;
        let mut memory = Memory::with_room(reference, room);
        for asked in asked.iter().chain(&asked) {
            let seen = record(asked);
            let surroundings = &WORLD.surroundings[usize::from(asked.4)];
            let remembered = judge_with(&mut memory, &seen, surroundings, Some(1));
            let afresh = judge(&seen, reference, surroundings, Some(1));
            prop_assert_eq!(told(&remembered), told(&afresh), "{:?}", asked);
        }
    }
}
