//! What the key of a dossier shows by its role, each beside its innocent neighbour.

use kua_mint::{Authority, Key, NOW, Template};

use super::super::Verdict::{Anomaly, Intercepted, Misconfigured, Normal};
use super::super::*;
use crate::detect::testing::{DAY, World, certificates, control, leaf_of_days, level_of};

type Told = (Verdict, Option<Actor>, Option<Level>);

const NOTHING: Told = (Normal, None, None);
const ODD: Told = (Anomaly, None, Some(Level::Possible));
const MISUSE: Told = (Intercepted, Some(Actor::PublicCa), Some(Level::Probable));
const FORGERY: Told = (Intercepted, Some(Actor::PublicCa), Some(Level::Confirmed));

fn in_short(judgement: &Judgement) -> Told {
    (judgement.verdict, judgement.actor, judgement.level)
}

#[test]
fn a_public_authority_while_it_is_trusted() {
    let world = World::new(true);
    let old = |name: &str| leaf_of_days(&world.misused, name, 60).certificate;
    let new = |name: &str| leaf_of_days(&world.misused, name, 5).certificate;
    for (case, name, chain, seen, expected) in [
        ("misused root -> leaf of before", "shop.example", old("shop.example"), false, NOTHING),
        (
            "misused root -> leaf of before, control: another public root",
            "shop.example",
            old("shop.example"),
            true,
            NOTHING,
        ),
        ("misused root -> leaf of the time", "shop.example", new("shop.example"), false, NOTHING),
        (
            "misused root -> leaf of the time, control: another public root",
            "shop.example",
            new("shop.example"),
            true,
            ODD,
        ),
        (
            "misused root -> leaf of the time for a victim",
            "mail.victim.example",
            new("mail.victim.example"),
            false,
            MISUSE,
        ),
        (
            "misused root -> leaf of before for a victim",
            "mail.victim.example",
            old("mail.victim.example"),
            false,
            NOTHING,
        ),
    ] {
        let controls: Vec<_> = seen.then(|| world.genuine(name)).into_iter().collect();
        let judgement = world.told(name, &[&chain], &controls);
        assert_eq!(in_short(&judgement), expected, "{case}");
        let accused = expected == MISUSE;
        assert_eq!(judgement.interceptor.as_deref(), accused.then_some("misused"), "{case}");
        let level = if accused { "probable" } else { "possible" };
        assert_eq!(level_of(&judgement, "noted-authority").as_deref(), Some(level), "{case}");
    }
    let honest =
        world.told("shop.example", &[&world.bench.public.leaf("shop.example").certificate], &[]);
    assert!(!honest.has("noted-authority"), "public root -> leaf");
}

/// Dates clear a public authority's leaf, because no interceptor has its key; of this one somebody had.
#[test]
fn an_expired_leaf_of_a_misused_authority() {
    let world = World::new(true);
    let name = "shop.example";
    let expired = || Template::leaf(&[name]).valid(NOW - 5 * DAY, NOW - DAY);
    for (case, authority, expected) in [
        ("misused root -> expired leaf of the time", &world.misused, ODD),
        ("public root -> expired leaf", &world.bench.public, (Misconfigured, None, None)),
    ] {
        let leaf = authority.leaf_with(&Key::ecdsa_p256(), expired()).certificate;
        assert_eq!(in_short(&world.told(name, &[&leaf], &[])), expected, "{case}");
    }
}

#[test]
fn a_public_authority_that_no_program_trusts_any_more() {
    let world = World::new(false);
    let name = "shop.example";
    let old = leaf_of_days(&world.misused, name, 60).certificate;
    let new = leaf_of_days(&world.misused, name, 5).certificate;
    let distrusted = leaf_of_days(&world.distrusted, name, 5).certificate;
    for (case, chain, seen, expected) in [
        ("misused root -> leaf of before", &old, None, ODD),
        (
            "misused root -> leaf of before, forgotten on one server, control: public root",
            &old,
            Some(world.genuine(name)),
            ODD,
        ),
        ("misused root -> leaf of the time", &new, None, ODD),
        (
            "misused root -> leaf of the time, control: public root",
            &new,
            Some(world.genuine(name)),
            MISUSE,
        ),
        (
            "misused root -> leaf of the time, control: the same",
            &new,
            Some(control(&[&new])),
            (Misconfigured, None, None),
        ),
        (
            "distrusted root -> leaf, control: public root",
            &distrusted,
            Some(world.genuine(name)),
            ODD,
        ),
        ("distrusted root -> leaf", &distrusted, None, ODD),
    ] {
        let controls: Vec<_> = seen.into_iter().collect();
        let judgement = world.told(name, &[chain], &controls);
        assert_eq!(in_short(&judgement), expected, "{case}");
        let accused = (expected == MISUSE).then_some("misused");
        assert_eq!(judgement.interceptor.as_deref(), accused, "{case}");
        assert!(judgement.has("noted-authority"), "{case}");
    }
    let elsewhere = leaf_of_days(&world.misused, "other.example", 5).certificate;
    let judgement = world.told("mail.victim.example", &[&elsewhere], &[]);
    assert_eq!(in_short(&judgement), ODD, "misused root -> leaf of another name, for a victim");
}

#[test]
fn forged_leaves_win_over_every_root_program() {
    for trusted in [true, false] {
        let world = World::new(trusted);
        let fresh = || Template::leaf(&["example.com"]).valid(NOW - DAY, NOW + DAY);
        let public = &world.bench.public;
        let with_key = public.leaf_with(&world.forged, fresh()).certificate;
        let numbered = fresh().serial(&[0x5e; 16]);
        let by_serial = world.misused.leaf_with(&Key::ecdsa_p256(), numbered.clone()).certificate;
        let stranger = public.leaf_with(&Key::ecdsa_p256(), numbered).certificate;
        let rogue = world.rogue.leaf("example.com").certificate;
        let leaked = public.leaf_with(&world.leaked, fresh()).certificate;
        let own = world.rogue.certificate.clone();
        for (case, chain, expected, basis) in [
            ("public root -> leaf of a forged key", vec![&with_key], FORGERY, Basis::KeyInChain),
            (
                "misused root -> leaf of a forged serial number",
                vec![&by_serial],
                FORGERY,
                Basis::SignedByKey,
            ),
            (
                "misused root -> rogue intermediate -> leaf",
                vec![&rogue, &own],
                FORGERY,
                Basis::SignedByKey,
            ),
            (
                "public root -> leaf of the same serial number",
                vec![&stranger],
                NOTHING,
                Basis::PublicAnchor,
            ),
            ("public root -> leaf of a leaked key", vec![&leaked], NOTHING, Basis::PublicAnchor),
        ] {
            let judgement = world.told("example.com", &chain, &[]);
            assert_eq!(in_short(&judgement), expected, "{case}, trusted: {trusted}");
            assert!(judgement.basis.contains(&basis), "{case}: {:?}", judgement.basis);
            let named = (expected == FORGERY).then_some("misused");
            assert_eq!(judgement.interceptor.as_deref(), named, "{case}");
        }
        let both = world.rogue.leaf_with(&world.forged, fresh()).certificate;
        let judgement = world.told("example.com", &[&both, &own], &[]);
        assert_eq!(judgement.basis, [Basis::SignedByKey, Basis::KeyInChain]);
        assert_eq!(judgement.signing_key.unwrap().subject, "CN=*.rogue.example");
        let judgement = world.told("example.com", &[&own], &[]);
        assert_eq!(judgement.interceptor, None, "the rogue certificate on its owner's server");
        let judgement = world.told("example.com", &[&leaked], &[]);
        assert!(judgement.has("noted-authority"), "a leaked key is worth telling");
    }
}

#[test]
fn a_forgery_that_was_copied_or_shown_for_no_site() {
    let world = World::new(true);
    let template = Template::leaf(&["example.com"]).valid(NOW - DAY, NOW + DAY);
    let leaf = world.bench.public.leaf_with(&world.forged, template).certificate;
    let mut copied = certificates(&[&leaf]);
    copied.extra.holds_key = Some(false);
    let mut file = certificates(&[&leaf]);
    file.server_name = None;
    file.extra.holds_key = None;
    for (case, shaken) in [("copied", copied), ("in a file", file)] {
        let judgement = world.bench.judge(&shaken);
        assert_eq!(in_short(&judgement), ODD, "{case}");
        assert!(judgement.has("known-forgery"), "{case}");
        assert_eq!(judgement.interceptor, None, "{case}");
    }
    // A control that was shown a forgery is no control.
    let seen = control(&[&leaf]);
    let stranger = Authority::root("Some Root").leaf("example.com").certificate;
    let judgement = world.told("example.com", &[&stranger], &[seen]);
    assert_eq!(judgement.basis, [], "no control is left");
}

#[test]
fn a_planted_root_names_the_product_and_never_a_state() {
    let world = World::new(true);
    let leaf = world.planted.leaf("example.com").certificate;
    let judgement = world.told("example.com", &[&leaf], &[]);
    let expected = (Intercepted, Some(Actor::Local), Some(Level::Probable));
    assert_eq!(in_short(&judgement), expected, "planted root -> leaf");
    assert_eq!(judgement.interceptor.as_deref(), Some("planted"));
    let namesake = Authority::root("Planted Root").leaf("example.com").certificate;
    let judgement = world.told("example.com", &[&namesake], &[]);
    assert_eq!(in_short(&judgement), ODD, "namesake of the planted root -> leaf");
}
