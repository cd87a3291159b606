//! Chains as odd as a peer can send them: no oddity hides an interceptor, and none makes one.

use std::sync::LazyLock;

use kua_mint::{Authority, Key, NOW, Template, name};
use proptest::prelude::*;

use super::{certificates, control, told};
use crate::chain::KeyHash;
use crate::detect::Level;
use crate::detect::testing::Bench;
use crate::reference::Actor;
use crate::verdict::{Judgement, Verdict};

/// What was done to a chain before it was sent.
#[derive(Clone, Copy, Debug, Default)]
struct Variant {
    leaf: Leaf,
    root_omitted: bool,
    /// The order of all that follows the leaf; as it should be without one.
    shuffled: Option<u64>,
    twice: bool,
    decoys: bool,
    gost: bool,
    garbage: bool,
}

/// How the leaf is written.
#[derive(Clone, Copy, Debug, Default)]
enum Leaf {
    #[default]
    Plain,
    Ber,
    NegativeSerial,
    From2050,
    Until2060,
    Version1,
}

/// 2050-01-01, from which on RFC 5280 wants GeneralizedTime, and ten years later.
const YEAR_2050: i64 = 2_524_608_000;
const YEAR_2060: i64 = 2_840_140_800;

/// One at a time.
const VARIANTS: &[(&str, Variant)] = &{
    let plain = Variant {
        leaf: Leaf::Plain,
        root_omitted: false,
        shuffled: None,
        twice: false,
        decoys: false,
        gost: false,
        garbage: false,
    };
    [
        ("as it should be", plain),
        ("root omitted", Variant { root_omitted: true, ..plain }),
        ("the rest shuffled", Variant { shuffled: Some(1), ..plain }),
        ("every certificate twice", Variant { twice: true, ..plain }),
        ("fifty decoys between", Variant { decoys: true, ..plain }),
        ("leaf in BER", Variant { leaf: Leaf::Ber, ..plain }),
        ("leaf with a negative serial", Variant { leaf: Leaf::NegativeSerial, ..plain }),
        ("leaf from 2050 on", Variant { leaf: Leaf::From2050, ..plain }),
        ("leaf until 2060", Variant { leaf: Leaf::Until2060, ..plain }),
        ("leaf of version 1", Variant { leaf: Leaf::Version1, ..plain }),
        ("a namesake signed with GOST sent along", Variant { gost: true, ..plain }),
        ("garbage between", Variant { garbage: true, ..plain }),
    ]
};

/// Who signs the leaf for `example.com`, and what is sent above it, the root last.
struct Kind {
    case: &'static str,
    signer: Authority,
    above: Vec<Vec<u8>>,
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
    let kinds = kinds.map(|(case, (signer, above), with_control, expected)| Kind {
        case,
        signer,
        above,
        with_control,
        expected,
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

/// The certificate as if it were signed with GOST R 34.10-2012, whose OID is as long as that of
/// ECDSA with SHA-256.
fn with_gost(certificate: &[u8]) -> Vec<u8> {
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    const GOST: &[u8] = &[0x2a, 0x85, 0x03, 0x07, 0x01, 0x01, 0x03, 0x02];
    let mut certificate = certificate.to_vec();
    let mut changed = 0;
    for at in 0..certificate.len() - ECDSA.len() {
        if certificate[at..].starts_with(ECDSA) {
            certificate[at..at + GOST.len()].copy_from_slice(GOST);
            changed += 1;
        }
    }
    assert_eq!(changed, 2, "the algorithm is named inside and outside");
    certificate
}

/// The kind's chain as the variant has it.
fn sent(kind: &Kind, variant: Variant) -> Vec<Vec<u8>> {
    let template = Template::leaf(&["example.com"]);
    let template = match variant.leaf {
        Leaf::Plain => template,
        Leaf::Ber => template.explicit_false(),
        Leaf::NegativeSerial => template.serial(&[0xff, 0x01]),
        Leaf::From2050 => template.valid(YEAR_2050, YEAR_2060),
        Leaf::Until2060 => template.valid(NOW - 100, YEAR_2060),
        Leaf::Version1 => template.version_1(),
    };
    let leaf = kind.signer.leaf_with(&Key::ecdsa_p256(), template).certificate;
    let mut rest = Vec::new();
    if variant.garbage {
        rest.push(b"\x30\x82\xff\xff garbage".to_vec());
    }
    if variant.gost {
        let namesake = Template::authority(&kind.signer.name);
        let namesake = Authority::root_with(Key::ecdsa_p256(), namesake);
        rest.push(with_gost(&namesake.certificate));
    }
    if variant.decoys {
        rest.extend(WORLD.decoys.iter().cloned());
    }
    let above = kind.above.len() - usize::from(variant.root_omitted);
    rest.extend(kind.above[..above].iter().cloned());
    if let Some(order) = variant.shuffled {
        let place = |certificate: &Vec<u8>| {
            KeyHash::of(&[&order.to_be_bytes(), certificate.as_slice()].concat())
        };
        rest.sort_by_key(place);
    }
    let copies = if variant.twice { 2 } else { 1 };
    let all = std::iter::once(leaf).chain(rest);
    all.flat_map(|certificate| std::iter::repeat_n(certificate, copies)).collect()
}

fn judged(kind: &Kind, variant: Variant) -> Judgement {
    judged_as(kind, &sent(kind, variant))
}

fn judged_as(kind: &Kind, sent: &[Vec<u8>]) -> Judgement {
    let seen: Vec<_> = kind.with_control.then(|| control(&[&WORLD.genuine])).into_iter().collect();
    WORLD.bench.judge_with(&certificates(&sent.iter().collect::<Vec<_>>()), &seen)
}

fn check(kind: &Kind, oddity: &str, variant: Variant) {
    let judgement = judged(kind, variant);
    let case = format!("{}: {oddity}", kind.case);
    match kind.expected {
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
        for (oddity, variant) in VARIANTS {
            check(kind, oddity, *variant);
            // What is sent along does not make a genuine chain suspicious either.
            if kind.expected.is_none() && matches!(variant.leaf, Leaf::Plain) {
                let verdict = judged(kind, *variant).verdict;
                assert_eq!(verdict, Verdict::Normal, "{}: {oddity}", kind.case);
            }
        }
    }
}

fn variants() -> impl Strategy<Value = Variant> {
    let leaf = prop_oneof![
        Just(Leaf::Plain),
        Just(Leaf::Ber),
        Just(Leaf::NegativeSerial),
        Just(Leaf::From2050),
        Just(Leaf::Until2060),
        Just(Leaf::Version1),
    ];
    (leaf, any::<Option<u64>>(), any::<[bool; 5]>()).prop_map(|(leaf, shuffled, flags)| {
        let [root_omitted, twice, decoys, gost, garbage] = flags;
        Variant { leaf, root_omitted, shuffled, twice, decoys, gost, garbage }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn oddities_together(variant in variants()) {
        for kind in &WORLD.kinds {
            check(kind, &format!("{variant:?}"), variant);
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

/// More than clients look at, and as many as they take: behind them stands who signed.
#[test]
fn thousands_of_decoys_neither_hide_nor_accuse() {
    for kind in &WORLD.kinds {
        let mut sent = sent(kind, Variant::default());
        let decoys = WORLD.decoys[7..].iter().cycle().take(1000).cloned();
        sent.splice(1..1, decoys);
        sent.splice(1..1, std::iter::repeat_n(vec![0], 2000));
        let judgement = judged_as(kind, &sent);
        if let Some((actor, _, interceptor)) = kind.expected {
            assert_eq!(judgement.actor, Some(actor), "{}", kind.case);
            assert_eq!(judgement.interceptor.as_deref(), interceptor, "{}", kind.case);
        } else {
            assert_ne!(judgement.verdict, Verdict::Intercepted, "{}", kind.case);
        }
    }
}
