//! The leaf carries SCTs that their logs did not make for it.

use serde_json::json;

use super::missing_scts::scts;
use super::{Case, Detector, Innocent, Level, Outcome};
use crate::ct::Outcome as Sct;

pub(super) static DETECTOR: Detector = Detector {
    id: "invalid-scts",
    level: Level::Probable,
    claim: "the certificate carries promises of known logs that were not made for it",
    innocent: &[Innocent::AuthorityErred, Innocent::LocalProduct, Innocent::SiteItself],
    source: "RFC 6962, section 3.2 (an SCT signs the issuer's key and the certificate without SCTs)",
    example: "unlisted root -> leaf, SCTs copied; the evidence names the certificate, its issuer's key and each promise",
    examine,
};

/// Only a known log's signature under a known issuer can be wrong. Some good and some bad is an
/// authority's mistake sooner than a copy.
fn examine(case: &Case<'_>) -> Outcome {
    let Some(shaken) = case.handshake.filter(|_| case.leaf().is_some()) else {
        return Outcome::NotApplicable;
    };
    if case.reference.logs.is_empty() {
        return Outcome::NotApplicable;
    }
    let any = |outcome: Sct| case.scts.iter().any(|sct| sct.outcome == outcome);
    if !any(Sct::BadSignature) {
        return Outcome::Clear;
    }
    let level = if any(Sct::Valid) { Level::Possible } else { Level::Probable };
    Outcome::found(
        level,
        json!({
            "certificate": shaken.leaf().map(crate::chain::Certificate::fingerprint),
            "issuer_spki_sha256": case.signer(),
            "scts": scts(case),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Extension, Key, Template};

    use super::*;
    use crate::ct::testing::{TestLog, extension, list};
    use crate::detect::testing::{Bench, certificates, control, level_of};
    use crate::verdict::Verdict;

    /// A genuine leaf with its SCTs, and the extension that holds them.
    fn genuine(authority: &Authority, logs: &[&TestLog]) -> (Vec<u8>, Extension) {
        let (key, template) = (Key::ecdsa_p256(), Template::leaf(&["example.com"]));
        let scts: Vec<_> = logs.iter().map(|log| log.sct(authority, &key, &template)).collect();
        let list = extension(&scts);
        (authority.leaf_with(&key, template.with(list.clone())).certificate, list)
    }

    fn bench(logs: &[&TestLog]) -> Bench {
        let mut bench = Bench::new();
        bench.reference.logs = vec![list(logs)];
        bench
    }

    /// A leaf of another key with the extension of the genuine one.
    fn copy(authority: &Authority, name: &str, scts: &Extension) -> Vec<u8> {
        authority
            .leaf_with(&Key::ecdsa_p256(), Template::leaf(&[name]).with(scts.clone()))
            .certificate
    }

    #[test]
    fn table() {
        let [a, b, unknown] = ["A", "B", "C"].map(|operator| TestLog::new("Log", operator));
        let bench = bench(&[&a, &b]);
        let (leaf, scts) = genuine(&bench.public, &[&a, &b]);
        let (_, of_unknown) = genuine(&bench.public, &[&unknown]);
        let unlisted = Authority::root("Unlisted Root");
        let copied = copy(&unlisted, "example.com", &scts);
        let mixed = {
            let (key, template) = (Key::ecdsa_p256(), Template::leaf(&["example.com"]));
            let good = a.sct(&bench.public, &key, &template);
            let bad = b.sct(&unlisted, &key, &template);
            let mixed = template.with(extension(&[good, bad]));
            bench.public.leaf_with(&key, mixed).certificate
        };
        for (case, chain, expected) in [
            ("public root -> leaf", vec![&leaf], None),
            (
                "unlisted root -> leaf, SCTs copied",
                vec![&copied, &unlisted.certificate],
                Some("probable"),
            ),
            ("[unlisted root] -> leaf, SCTs copied", vec![&copied], None),
            (
                "state root -> leaf, SCTs copied",
                vec![&copy(&bench.state, "example.com", &scts)],
                Some("probable"),
            ),
            (
                "state root -> leaf, SCTs of an unknown log copied",
                vec![&copy(&bench.state, "example.com", &of_unknown)],
                None,
            ),
            ("public root -> leaf, one good and one bad", vec![&mixed], Some("possible")),
            (
                "public root -> leaf without SCTs",
                vec![&bench.public.leaf("example.com").certificate],
                None,
            ),
        ] {
            let judgement = bench.judge(&certificates(&chain));
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
        }
    }

    /// It never names anybody and never accuses by itself.
    #[test]
    fn verdicts() {
        let [a, b] = ["A", "B"].map(|operator| TestLog::new("Log", operator));
        let bench = bench(&[&a, &b]);
        let (leaf, scts) = genuine(&bench.public, &[&a, &b]);
        let unlisted = Authority::root("Unlisted Root");
        let forged = copy(&unlisted, "example.com", &scts);
        let trusted = copy(&bench.public, "example.com", &scts);
        let (forged, trusted) = (vec![&forged, &unlisted.certificate], vec![&trusted]);
        for (case, chain, seen, verdict) in [
            ("unlisted root -> copy", &forged, None, Verdict::Anomaly),
            (
                "unlisted root -> copy, control: genuine",
                &forged,
                Some(vec![&leaf]),
                Verdict::Intercepted,
            ),
            (
                "unlisted root -> copy, control: the same",
                &forged,
                Some(forged.clone()),
                Verdict::Misconfigured,
            ),
            ("public root -> copy", &trusted, None, Verdict::Inconclusive),
            (
                "public root -> copy, control: genuine",
                &trusted,
                Some(vec![&leaf]),
                Verdict::Anomaly,
            ),
            (
                "public root -> copy, control: the same",
                &trusted,
                Some(trusted.clone()),
                Verdict::Normal,
            ),
            (
                "public root -> leaf, control: genuine",
                &vec![&leaf],
                Some(vec![&leaf]),
                Verdict::Normal,
            ),
        ] {
            let controls: Vec<_> = seen.into_iter().map(|chain| control(&chain)).collect();
            let judgement = bench.judge_with(&certificates(chain), &controls);
            assert_eq!(judgement.verdict, verdict, "{case}");
            assert_eq!(judgement.interceptor, None, "{case}");
            assert_ne!(judgement.level, Some(Level::Confirmed), "{case}");
        }
    }
}
