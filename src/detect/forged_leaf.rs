//! The presented leaf was made from the genuine one, or for its name, by somebody else.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::Certificate;
use crate::forgery::{Grammar, Origin};

pub(super) static DETECTOR: Detector = Detector {
    id: "forged-leaf",
    level: Level::Probable,
    claim: "a leaf that no root program vouches for was made from the genuine one that others were shown, or for its name",
    innocent: &[
        Innocent::LocalProduct,
        Innocent::Portal,
        Innocent::SiteItself,
        Innocent::DnsMoved,
        Innocent::Replayed,
    ],
    source: "forged leaves of Kazakhstan in 2019: IMC 2020, doi 10.1145/3419394.3423665, section 4",
    example: "everything copied but the key; the evidence names both leaves, what was copied and how the rest was made",
    examine,
};

/// How a leaf was made says that a program made it, and which program; never whose program. A
/// program that knows the genuine leaf sits on the way to it: on the path, or on the machine.
fn examine(case: &Case<'_>) -> Outcome {
    let (Some(shaken), Some(target)) = (case.handshake, &case.target) else {
        return Outcome::NotApplicable;
    };
    let Some(presented) = case.leaf() else {
        return Outcome::NotApplicable;
    };
    let elsewhere = case.surroundings.genuine(target);
    let genuine = case.controls.iter().filter_map(|seen| seen.genuine.as_ref()).chain(elsewhere);
    let readings = genuine.filter_map(|genuine| {
        let fields = genuine.fields()?;
        (fields.key_hash != presented.key_hash)
            .then(|| (genuine, Grammar::read(fields, presented, target)))
    });
    // A site has many leaves; the one of which most was copied is the one that was copied from.
    let best = |(_, grammar): &(&Certificate, Grammar)| grammar.copied().len();
    let Some((genuine, grammar)) = readings.max_by_key(best) else {
        return Outcome::NotApplicable;
    };
    let public = case.vouched().is_some() || case.publicly_rooted();
    if public || case.accepted_by_recorder() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    let copied = grammar.copied();
    if copied.is_empty() && grammar.names == Origin::Other {
        return Outcome::Clear;
    }
    let held = shaken.extra.holds_key != Some(false);
    let probable = held && grammar.is_made_from_genuine();
    let fits = case.reference.box_with(&grammar).map(|dossier| dossier.id.as_str());
    Outcome::found(
        if probable { Level::Probable } else { Level::Possible },
        json!({
            "genuine": genuine.fingerprint(),
            "presented": shaken.leaf().map(Certificate::fingerprint),
            "grammar": grammar.to_string(),
            "copied": copied,
            "details": grammar,
            "fits_dossier": fits,
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template, name, self_signed};

    use super::*;
    use crate::attribution::Basis;
    use crate::detect::testing::{
        Bench, certificates, control, level_of, presented, seen_in, surroundings,
    };
    use crate::forgery::tests::{forged, genuine};
    use crate::reference::{Actor, File, Reference, built_in_files};
    use crate::verdict::{Verdict, judge};

    #[test]
    fn table() {
        let bench = Bench::new();
        let unknown = Authority::root("Some Root");
        let key = Key::ecdsa_p256();
        let site = bench.public.leaf_with(&Key::ecdsa_p256(), genuine());
        let seen = || vec![control(&[&site.certificate])];
        let made = |template: Template| unknown.leaf_with(&key, template).certificate;
        let fresh = || Template::leaf(&["example.com"]).valid(NOW - 9, NOW + 9);
        let by_hand = Template::leaf(&["example.com", "www.example.com"])
            .subject(&genuine().subject)
            .valid(NOW - 9, NOW + 9);
        let router = Template::leaf(&["router.local"]).valid(NOW - 9, NOW + 9);
        for (case, leaf, seen, expected) in [
            ("forged as in Kazakhstan", made(forged(&genuine())), seen(), Some("probable")),
            ("everything copied but the key", made(genuine()), seen(), Some("probable")),
            ("made for the name", made(fresh()), seen(), Some("possible")),
            ("names and subject copied, perhaps by hand", made(by_hand), seen(), Some("possible")),
            ("a router's own leaf", self_signed(&key, router).certificate, seen(), None),
            ("forged, no control", made(forged(&genuine())), vec![], None),
            (
                "forged, control: the same key",
                made(forged(&genuine())),
                vec![control(&[&made(forged(&genuine()))]), control(&[&site.certificate])],
                None,
            ),
            (
                "the genuine key under an unknown root",
                unknown.leaf_with(&site.key, fresh()).certificate,
                seen(),
                None,
            ),
            (
                "public root -> another leaf for the name",
                bench.public.leaf_with(&key, genuine()).certificate,
                seen(),
                None,
            ),
        ] {
            let judgement = bench.judge_with(&certificates(&[&leaf]), &seen);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
            let basis = judgement.basis.contains(&Basis::Forgery);
            assert_eq!(basis, expected == Some("probable"), "{case}");
        }
    }

    /// Without a control, what another vantage point of the archive was shown serves as well.
    #[test]
    fn the_genuine_leaf_may_be_the_archive_s() {
        let bench = Bench::new();
        let site = bench.public.leaf_with(&Key::ecdsa_p256(), genuine()).certificate;
        let unknown = Authority::root("Some Root");
        let leaf = unknown.leaf_with(&Key::ecdsa_p256(), forged(&genuine())).certificate;
        let seen = presented("example.com", "192.0.2.1", &[&leaf]);
        for (case, other, expected) in [
            ("another network: public root -> leaf", Some(&site), Some("probable")),
            ("another network: the same forgery", Some(&leaf), None),
            ("nobody else", None, None),
        ] {
            let others = other.map(|leaf| presented("example.com", "192.0.2.1", &[leaf]));
            let others: Vec<_> =
                others.iter().map(|shaken| seen_in("XA", 64501, 0, shaken)).collect();
            let around = surroundings(&bench, &others);
            let measured = seen_in("QZ", 64500, 0, &seen);
            let judgement = judge(&measured, &bench.reference, &around, None).remove(0);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
            assert_eq!(judgement.verdict, Verdict::Anomaly, "{case}: it accuses nobody");
        }
    }

    #[test]
    fn of_many_genuine_leaves_it_is_compared_with_the_one_that_was_copied() {
        let bench = Bench::new();
        let another = Template::leaf(&["example.com", "cdn.example.com"]);
        let seen = [another.clone(), genuine(), another].map(|template| {
            control(&[&bench.public.leaf_with(&Key::ecdsa_p256(), template).certificate])
        });
        let root = Authority::root("Some Root");
        let leaf = root.leaf_with(&Key::ecdsa_p256(), forged(&genuine())).certificate;
        let judgement = bench.judge_with(&certificates(&[&leaf]), &seen);
        let evidence = &judgement.finding(DETECTOR.id).unwrap().evidence;
        let copied = seen[1].chain.as_ref().unwrap().first().fingerprint();
        assert_eq!(evidence["genuine"], copied.to_string());
    }

    /// The grammar of Kazakhstan's box of 2019 under a root that nobody knows: the finding names
    /// the dossier whose grammar it is, and the judgement accuses nobody by name.
    #[test]
    fn the_box_is_recognised_under_another_root() {
        let bench = Bench::new();
        let site = bench.public.leaf_with(&Key::ecdsa_p256(), genuine());
        let pem = kua_mint::pem(&bench.public.certificate).into_bytes();
        let dossiers = built_in_files().filter(|file| file.path.starts_with("interceptors/"));
        let store = File { path: "stores/public.pem".into(), bytes: pem };
        let reference = Reference::from_files(dossiers.chain([store])).unwrap();
        let bench = Bench { reference, ..bench };
        let unknown = Authority::root_with(
            Key::ecdsa_p256(),
            Template::authority(&name(&[("CN", "Qaznet Trust Network"), ("C", "KZ")])),
        );
        let leaf = unknown.leaf_with(&Key::rsa_with_exponent(2048, 3), forged(&genuine()));
        let judgement =
            bench.judge_with(&certificates(&[&leaf.certificate]), &[control(&[&site.certificate])]);
        let evidence = &judgement.finding(DETECTOR.id).unwrap().evidence;
        assert_eq!(evidence["fits_dossier"], "kz-qaznet");
        assert_eq!(
            evidence["grammar"],
            "names=origin subject=origin validity=-6h serial=last-4 \
             extensions=dropped-all-but-san key=rsa-2048-e3"
        );
        assert_eq!(judgement.verdict, Verdict::Intercepted);
        assert_eq!(
            (judgement.actor, judgement.level),
            (Some(Actor::Unknown), Some(Level::Probable))
        );
        assert_eq!(judgement.interceptor, None, "a grammar names nobody");
        assert_eq!(judgement.basis, [Basis::Control, Basis::Forgery, Basis::NameOnly]);

        let leaf = unknown.leaf_with(&Key::ecdsa_p256(), forged(&genuine())).certificate;
        let judgement = bench.judge_with(&certificates(&[&leaf]), &[control(&[&site.certificate])]);
        let evidence = &judgement.finding(DETECTOR.id).unwrap().evidence;
        assert!(evidence["fits_dossier"].is_null(), "another kind of key is another box");
    }
}
