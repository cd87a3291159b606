//! A control is shown a publicly trusted chain for the name, and the probe another that is not.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "control-mismatch",
    level: Level::Probable,
    claim: "a control is shown a publicly trusted chain for this name, and the probe a chain that no root program knows",
    innocent: &[
        Innocent::DnsMoved,
        Innocent::LocalProduct,
        Innocent::Portal,
        Innocent::OmittedIntermediate,
        Innocent::OneCertificate,
    ],
    source: "vantage point comparison: Perspectives (USENIX 2008), Crossbear (ESORICS 2012)",
    example: "unknown root -> leaf, control: public root; the evidence holds the keys of leaf and anchor, here and there",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some(_), false) = (case.chain(), case.controls.is_empty()) else {
        return Outcome::NotApplicable;
    };
    let Some(control) = case.vouched_control() else {
        return Outcome::Clear;
    };
    // Two public chains for one name are two servers of one site.
    if case.vouched().is_some() || case.publicly_rooted() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    // Its own client accepted it: then the reference lacks a root, and nobody accuses anybody.
    if case.accepted_by_recorder() {
        return Outcome::Clear;
    }
    // A chain for other names may come from another server, and so may a leaf that nobody can
    // read. Stock OONI checks the name before it keeps an authority alone.
    let alone = case.handshake.is_some_and(|shaken| !shaken.whole);
    let for_the_name = case.fits_name().unwrap_or(alone);
    // What a public authority once signed for the owner may stand on a forgotten server.
    let forgotten = case.public_authority().is_some();
    let level = if for_the_name && !forgotten { Level::Probable } else { Level::Possible };
    Outcome::found(
        level,
        json!({
            "leaf_spki_sha256": case.leaf().map(|leaf| leaf.key_hash),
            "anchor_spki_sha256": case.anchor().map(|anchor| anchor.key_hash),
            "control_leaf_spki_sha256": control.leaf_key,
            "control_anchor_spki_sha256": control.anchor,
            "leaf_is_for_the_name": case.fits_name(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, certificates, control, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let genuine = control(&[&bench.public.leaf("example.com").certificate]);
        let unknown = Authority::root("Some Root");
        let of_unknown = control(&[&unknown.leaf("example.com").certificate]);
        let omitted = bench.public.intermediate("Public Intermediate");
        for (case, chain, seen, expected) in [
            (
                "unknown root -> leaf, control: public root",
                unknown.leaf("example.com"),
                Some(&genuine),
                Some("probable"),
            ),
            (
                "unknown root -> leaf for another name, control: public root",
                unknown.leaf("example.org"),
                Some(&genuine),
                Some("possible"),
            ),
            (
                "unknown root -> leaf, control: the same root",
                unknown.leaf("example.com"),
                Some(&of_unknown),
                None,
            ),
            ("unknown root -> leaf, no control", unknown.leaf("example.com"), None, None),
            (
                "another public leaf, control: public root",
                bench.public.leaf("example.com"),
                Some(&genuine),
                None,
            ),
            (
                "[public intermediate] -> leaf, control: public root",
                omitted.leaf("example.com"),
                Some(&genuine),
                Some("probable"),
            ),
        ] {
            let controls: Vec<_> = seen.into_iter().cloned().collect();
            let judgement = bench.judge_with(&certificates(&[&chain.certificate]), &controls);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
        }
    }

    #[test]
    fn a_control_that_is_intercepted_itself_says_nothing() {
        let bench = Bench::new();
        let key = Key::ecdsa_p256();
        let forged = bench.state.leaf_with(&key, Template::leaf(&["example.com"])).certificate;
        let judgement = bench.judge_with(&certificates(&[&forged]), &[control(&[&forged])]);
        assert_eq!(judgement.verdict, crate::verdict::Verdict::Intercepted);
    }
}
