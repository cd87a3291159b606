//! Chains as odd as a peer can send them: no oddity hides an interceptor, and none makes one.

use std::sync::LazyLock;

use kua_mint::{Authority, Key, NOW, OddLeaf, Oddity, Presented, Template, name};
use proptest::prelude::*;

use super::{certificates, control, told};
use crate::detect::Level;
use crate::detect::testing::Bench;
use crate::reference::Actor;
use crate::verdict::{Judgement, Verdict};

/// A chain for `example.com`.
struct Kind {
    case: &'static str,
    presented: Presented,
    with_control: bool,
    /// The interceptor where it is one.
    expected: Option<(Actor, Level, Option<&'static str>)>,
}

struct World {
    bench: Bench,
    genuine: Vec<u8>,
    decoys: Vec<Vec<u8>>,
    kinds: Vec<Kind>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let bench = Bench::new();
    let unlisted = Authority::root("Unlisted Root");
    let expired = Template::authority(&name(&[("CN", "Old")])).valid(NOW - 200, NOW - 100);
    let expired = bench.state.intermediate_with(Key::ecdsa_p256(), expired);
    let [public, state, other] =
        [&bench.public, &bench.state, &unlisted].map(|root| root.intermediate("Intermediate"));
    let direct = |root: &Authority| (root.clone(), vec![root.certificate.clone()]);
    let through = |middle: &Authority, root: &Authority| {
        (middle.clone(), vec![middle.certificate.clone(), root.certificate.clone()])
    };
    let by_state = Some((Actor::State, Level::Confirmed, Some("some-state")));
    let by_somebody = Some((Actor::Unknown, Level::Probable, None));
    let kinds = [
        ("state root -> leaf", direct(&bench.state), false, by_state),
        ("state root -> intermediate -> leaf", through(&state, &bench.state), false, by_state),
        (
            "state root -> expired intermediate -> leaf",
            through(&expired, &bench.state),
            false,
            by_state,
        ),
        (
            "state root -> intermediate -> leaf, control: public root",
            through(&state, &bench.state),
            true,
            by_state,
        ),
        ("unlisted root -> leaf, control: public root", direct(&unlisted), true, by_somebody),
        (
            "unlisted root -> intermediate -> leaf, control: public root",
            through(&other, &unlisted),
            true,
            by_somebody,
        ),
        ("public root -> leaf", direct(&bench.public), false, None),
        ("public root -> intermediate -> leaf", through(&public, &bench.public), false, None),
        ("public root -> leaf, control: public root", direct(&bench.public), true, None),
        (
            "public root -> intermediate -> leaf, control: public root",
            through(&public, &bench.public),
            true,
            None,
        ),
    ];
    let kinds = kinds.map(|(case, (signer, above), with_control, expected)| {
        let (key, template) = (Key::ecdsa_p256(), Template::leaf(&["example.com"]));
        let presented = Presented { signer, key, template, above, root_sent: true };
        Kind { case, presented, with_control, expected }
    });
    // What would frame somebody, or clear him, if what is merely sent along counted.
    let genuine = bench.public.leaf("example.com").certificate;
    let shield = name(&[("O", "Vendor"), ("CN", "Shield Root")]);
    let mut decoys = vec![
        bench.state.certificate.clone(),
        bench.chosen.certificate.clone(),
        bench.public.certificate.clone(),
        public.certificate.clone(),
        state.certificate.clone(),
        genuine.clone(),
        Authority::root_with(Key::ecdsa_p256(), Template::authority(&shield)).certificate,
    ];
    decoys.extend((decoys.len()..50).map(|_| Authority::root("Decoy").certificate));
    World { genuine, decoys, kinds: kinds.into(), bench }
});

fn judged(kind: &Kind, oddity: Oddity) -> Judgement {
    judged_as(kind, &oddity.send(&kind.presented, &WORLD.decoys))
}

fn judged_as(kind: &Kind, sent: &[Vec<u8>]) -> Judgement {
    let seen: Vec<_> = kind.with_control.then(|| control(&[&WORLD.genuine])).into_iter().collect();
    WORLD.bench.judge_with(&certificates(&sent.iter().collect::<Vec<_>>()), &seen)
}

/// What cannot be read or checked hides who signed, and still accuses nobody else.
fn hides_the_signer(oddity: Oddity) -> bool {
    oddity.leaf == OddLeaf::GostSignature
}

fn check(kind: &Kind, what: &str, oddity: Oddity) {
    let judgement = judged(kind, oddity);
    let case = format!("{}: {what}", kind.case);
    match kind.expected {
        _ if hides_the_signer(oddity) => {
            assert_ne!(judgement.verdict, Verdict::Normal, "{case}");
            assert_eq!(judgement.interceptor, None, "{case}");
        }
        Some((actor, level, interceptor)) => {
            let expected = (Verdict::Intercepted, Some(actor), Some(level));
            assert_eq!(told(&judgement), expected, "{case}");
            assert_eq!(judgement.interceptor.as_deref(), interceptor, "{case}");
        }
        None => {
            assert_ne!(judgement.verdict, Verdict::Intercepted, "{case}");
            assert_eq!((judgement.actor, judgement.interceptor), (None, None), "{case}");
        }
    }
}

#[test]
fn one_oddity_at_a_time() {
    for kind in &WORLD.kinds {
        for (what, oddity) in Oddity::EACH {
            check(kind, what, *oddity);
            // What is sent along does not make a genuine chain suspicious either.
            if kind.expected.is_none() && oddity.leaf == OddLeaf::Plain && !oddity.huge {
                let verdict = judged(kind, *oddity).verdict;
                assert_eq!(verdict, Verdict::Normal, "{}: {what}", kind.case);
            }
        }
    }
}

fn oddities() -> impl Strategy<Value = Oddity> {
    let leaf = proptest::sample::select(&[
        OddLeaf::Plain,
        OddLeaf::Ber,
        OddLeaf::LongLength,
        OddLeaf::NegativeSerial,
        OddLeaf::Until2050,
        OddLeaf::From2050,
        OddLeaf::Version1,
        OddLeaf::TruncatedExtension,
        OddLeaf::GostKey,
        OddLeaf::GostSignature,
    ]);
    let order = (any::<Option<bool>>(), any::<Option<u64>>());
    (leaf, order, any::<[bool; 5]>()).prop_map(|(leaf, (root, shuffled), flags)| {
        let [twice, decoys_before, decoys_behind, gost_namesake, garbage] = flags;
        let huge = false;
        Oddity {
            leaf,
            root,
            shuffled,
            twice,
            decoys_before,
            decoys_behind,
            huge,
            gost_namesake,
            garbage,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn oddities_together(oddity in oddities()) {
        for kind in &WORLD.kinds {
            check(kind, &format!("{oddity:?}"), oddity);
        }
    }
}

/// A router's or a stranger's certificate, to which DNS or a portal led: nobody is in the site's
/// place.
#[test]
fn a_leaf_for_another_name_accuses_nobody_however_it_is_written() {
    let unlisted = Authority::root("Unlisted Root");
    let other = || Template::leaf(&["example.org"]);
    for (case, template) in [
        ("unlisted root -> leaf for another name", other()),
        ("unlisted root -> version 1 leaf for another name", other().version_1()),
        ("unlisted root -> leaf in BER for another name", other().explicit_false()),
        ("unlisted root -> leaf with a negative serial for another name", other().serial(&[0xff])),
    ] {
        let leaf = unlisted.leaf_with(&Key::ecdsa_p256(), template).certificate;
        let seen = [control(&[&WORLD.genuine])];
        let judgement = WORLD.bench.judge_with(&certificates(&[&leaf]), &seen);
        let expected = (Verdict::Anomaly, None, Some(Level::Possible));
        assert_eq!(told(&judgement), expected, "{case}");
    }
}
