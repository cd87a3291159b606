//! An authority that nobody listed is made as those of a known interceptor are.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "interceptor-family",
    level: Level::Probable,
    claim: "an unlisted authority on the path is made as the authorities of a known interceptor are",
    innocent: &[
        Innocent::SameProgram,
        Innocent::SiteItself,
        Innocent::LocalProduct,
        Innocent::Replayed,
        Innocent::OneCertificate,
    ],
    source: "template learnt from the certificates that the dossier names; Kazakhstan's eight roots of \
             2020-02-28 in Chromium's blocklist",
    example: "unlisted sibling -> intermediate -> leaf, root sent; the evidence names whose sibling it is, what fits and what does not",
    examine,
};

/// Which program made a certificate, and on which day, is not who made it: the finding says
/// "sibling of" and never names the interceptor, because only its key does.
fn examine(case: &Case<'_>) -> Outcome {
    let (Some(chain), Some(shaken)) = (case.chain(), case.handshake) else {
        return Outcome::NotApplicable;
    };
    let Some((position, sibling)) = case.sibling() else {
        return Outcome::Clear;
    };
    let signed = case.links().next().is_some_and(|(first, _)| first != position);
    let held = shaken.extra.holds_key;
    // Its dates are those of another batch; whoever sends it may have copied it; it signed nothing.
    let probable = sibling.fit.is_whole() && held != Some(false) && (signed || held == Some(true));
    let certificate = &chain.certificates()[position];
    Outcome::found(
        if probable { Level::Probable } else { Level::Possible },
        json!({
            "sibling_of": sibling.dossier.id,
            "family": sibling.family.id,
            "certificate": certificate.fingerprint(),
            "spki_sha256": certificate.fields().map(|fields| fields.key_hash),
            "subject": certificate.fields().map(|fields| fields.subject.to_string()),
            "fits": sibling.fit.fits,
            "misfits": sibling.fit.misfits,
            "learnt_from": sibling.family.learnt_from,
        }),
    )
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use kua_mint::{Authority, Key, NOW, name};

    use super::*;
    use crate::attribution::Basis;
    use crate::detect::testing::{Bench, certificates, control, level_of, measurement};
    use crate::family::tests::{sibling, subject};
    use crate::measurement::{Failure, Handshake, codes};
    use crate::reference::{Actor, File, Reference, built_in_files};
    use crate::verdict::{Judgement, Verdict};

    const YEARS: i64 = 3652 * 86_400;

    /// A state of whose roots one key is listed, and the public root of a bench.
    fn bench() -> (Bench, Authority) {
        let mut bench = Bench::new();
        let listed = root("Listed", NOW);
        let dossier = format!(
            "id = \"family-state\"\ncountry = \"QZ\"\nactor = \"state\"\n\
             [[key]]\nsubject = \"CN=Listed,O=QA,C=QZ\"\npublic_key = \"{}\"\n\
             [family]\nid = \"qz-batch\"\nlearnt_from = []\n\
             [family.template]\nserial = \"ski-top-bit-cleared\"\nauthority_key_id = \"full\"\n\
             authority_name = [\"CN\", \"O\", \"C\"]\nkey = \"ec-p256\"\n\
             signature = \"1.2.840.10045.4.3.2\"\nsubject = [\"CN\", \"O\", \"C\"]\n\
             extensions = [\"2.5.29.19 critical\", \"2.5.29.15 critical\", \"2.5.29.14\", \"2.5.29.35\"]\n\
             years = [10]\nmade = [\"2025-10-09\", \"2025-10-09\"]\n",
            BASE64.encode(&listed.key.spki())
        );
        bench.reference = Reference::from_files([
            File {
                path: "stores/public.pem".into(),
                bytes: kua_mint::pem(&bench.public.certificate).into_bytes(),
            },
            File { path: "interceptors/family-state.toml".into(), bytes: dossier.into_bytes() },
        ])
        .unwrap();
        (bench, listed)
    }

    fn root(common_name: &str, made: i64) -> Authority {
        let key = Key::ecdsa_p256();
        let template = sibling(&key, &subject(common_name)).valid(made, made + YEARS);
        Authority::root_with(key, template)
    }

    fn told(judgement: &Judgement) -> (Verdict, Option<Actor>, Option<Level>, Option<&str>) {
        let found = judgement.finding(DETECTOR.id);
        let of = found.and_then(|found| found.evidence["sibling_of"].as_str());
        (judgement.verdict, judgement.actor, judgement.level, of)
    }

    #[test]
    fn table() {
        let (bench, listed) = bench();
        let unlisted = root("Unlisted", NOW);
        let other_day = root("Unlisted", NOW - 2 * 86_400);
        let leaf = |authority: &Authority| authority.leaf("example.com").certificate;
        let plain = Authority::root("Unlisted");
        let middle = unlisted.intermediate("Middle");
        let genuine = leaf(&bench.public);
        let (state, none) = (Some(Actor::State), None);
        let (possible, probable) = (Some(Level::Possible), Some(Level::Probable));
        let of = Some("family-state");
        for (case, chain, expected) in [
            (
                "unlisted sibling -> leaf, root sent",
                vec![leaf(&unlisted), unlisted.certificate.clone()],
                (Verdict::Intercepted, state, probable, of),
            ),
            (
                "unlisted sibling -> intermediate -> leaf, root sent",
                vec![leaf(&middle), middle.certificate.clone(), unlisted.certificate.clone()],
                (Verdict::Intercepted, state, probable, of),
            ),
            (
                "[unlisted sibling] -> leaf, root not sent",
                vec![leaf(&unlisted)],
                (Verdict::Anomaly, none, possible, None),
            ),
            (
                "the same program on another day -> leaf, root sent",
                vec![leaf(&other_day), other_day.certificate.clone()],
                (Verdict::Anomaly, none, possible, of),
            ),
            (
                "unknown root -> leaf, root sent",
                vec![leaf(&plain), plain.certificate.clone()],
                (Verdict::Anomaly, none, possible, None),
            ),
            (
                "unknown root -> leaf, sibling sent along",
                vec![leaf(&plain), plain.certificate.clone(), unlisted.certificate.clone()],
                (Verdict::Anomaly, none, possible, None),
            ),
            (
                "public root -> leaf, sibling sent along",
                vec![genuine.clone(), unlisted.certificate.clone()],
                (Verdict::Normal, none, None, None),
            ),
            (
                "listed root -> leaf, root sent",
                vec![leaf(&listed), listed.certificate.clone()],
                (Verdict::Intercepted, state, Some(Level::Confirmed), None),
            ),
        ] {
            let chain: Vec<_> = chain.iter().collect();
            let judgement = bench.judge(&certificates(&chain));
            assert_eq!(told(&judgement), expected, "{case}");
            let named = judgement.interceptor.is_some();
            assert_eq!(named, judgement.level == Some(Level::Confirmed), "{case}: only keys name");
        }
    }

    #[test]
    fn what_was_only_sent_or_copied_is_possible() {
        let (bench, _) = bench();
        let unlisted = root("Unlisted", NOW);
        let leaf = unlisted.leaf("example.com").certificate;
        let mut copied = certificates(&[&leaf, &unlisted.certificate]);
        copied.extra.holds_key = Some(false);
        let mut alone = certificates(&[&unlisted.certificate]);
        (alone.whole, alone.extra.holds_key) = (false, None);
        alone.failure = Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY));
        for (case, shaken) in [("without its key", copied), ("one certificate kept", alone)] {
            let judgement = bench.judge(&shaken);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), Some("possible"), "{case}");
            assert_eq!(judgement.verdict, Verdict::Anomaly, "{case}");
            assert_eq!(judgement.basis, [Basis::Family], "{case}");
        }
    }

    #[test]
    fn a_sibling_that_a_root_program_trusts_is_no_interceptor() {
        let (bench, _) = bench();
        let unlisted = root("Unlisted", NOW);
        let pem = kua_mint::pem(&unlisted.certificate).into_bytes();
        let trusted = File { path: "stores/public.pem".into(), bytes: pem };
        let dossiers = built_in_files().filter(|file| file.path.starts_with("interceptors/"));
        let bench =
            Bench { reference: Reference::from_files(dossiers.chain([trusted])).unwrap(), ..bench };
        let leaf = unlisted.leaf("example.com").certificate;
        let judgement = bench.judge(&certificates(&[&leaf, &unlisted.certificate]));
        assert_eq!(told(&judgement), (Verdict::Normal, None, None, None));
    }

    /// A control behind the same box does not clear it; a control that is shown the same chain by
    /// a root that only resembles in its program does.
    #[test]
    fn controls() {
        let (bench, _) = bench();
        let unlisted = root("Unlisted", NOW);
        let other_day = root("Unlisted", NOW - 2 * 86_400);
        let genuine = control(&[&bench.public.leaf("example.com").certificate]);
        let sent = |authority: &Authority| -> Handshake {
            let leaf = authority.leaf("example.com").certificate;
            control(&[&leaf, &authority.certificate])
        };
        let probable = (Verdict::Intercepted, Some(Actor::State), Some(Level::Probable));
        for (case, root, seen, expected) in [
            ("sibling, control: the same", &unlisted, sent(&unlisted), probable),
            ("sibling, control: public root", &unlisted, genuine, probable),
            (
                "the same program, control: the same",
                &other_day,
                sent(&other_day),
                (Verdict::Misconfigured, None, None),
            ),
        ] {
            let leaf = root.leaf("example.com").certificate;
            let judgement = bench.judge_with(&certificates(&[&leaf, &root.certificate]), &[seen]);
            let (verdict, actor, level, _) = told(&judgement);
            assert_eq!((verdict, actor, level), expected, "{case}");
        }
        let controls =
            crate::control::Controls::new(&[measurement(&[sent(&unlisted)])], &bench.reference);
        assert_eq!(controls.of("example.com"), [], "a sibling's chain is no control");
    }

    #[test]
    fn kazakh_names_on_another_program_are_nobody_s() {
        let (bench, _) = bench();
        let reference = Reference::built_in().unwrap();
        let bench = Bench { reference, ..bench };
        let isca = name(&[
            ("CN", "Information Security Certification Authority"),
            ("O", "ISCA"),
            ("C", "KZ"),
        ]);
        let key = Key::ecdsa_p256();
        let template = sibling(&key, &isca);
        let root = Authority::root_with(key, template);
        let leaf = root.leaf("example.com").certificate;
        let judgement = bench.judge(&certificates(&[&leaf, &root.certificate]));
        assert_eq!(told(&judgement).0, Verdict::Anomaly);
        assert!(!judgement.has(DETECTOR.id));
    }
}
