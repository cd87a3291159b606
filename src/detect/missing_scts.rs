//! A publicly trusted leaf carries fewer SCTs than any program asks for that trusts its root.

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::moment::rfc3339;

pub(super) static DETECTOR: Detector = Detector {
    id: "missing-scts",
    level: Level::Possible,
    claim: "a publicly trusted certificate carries fewer promises of public logs than programs ask for",
    innocent: &[Innocent::SctsElsewhere, Innocent::NotLogged, Innocent::StaleLogs],
    source: "RFC 6962, section 3.3; the Certificate Transparency policies of Chrome and Apple",
    example: "public root -> leaf, none; the evidence holds what programs ask for and what the certificate carries",
    examine,
};

/// In doubt it is silent: an SCT of an unknown log counts, and one program that is content is enough.
fn examine(case: &Case<'_>) -> Outcome {
    let reference = case.reference;
    let (Some(leaf), Some(shaken)) = (case.leaf(), case.handshake) else {
        return Outcome::NotApplicable;
    };
    if reference.logs.is_empty() {
        return Outcome::NotApplicable;
    }
    let vouching = |store: &String| {
        let mut trust = case.trust.iter();
        trust.any(|(known, accepted)| accepted.is_ok() && known.program == *store)
    };
    let policies = reference.policies.iter();
    let policies = policies.filter(|policy| policy.stores.iter().any(vouching));
    let holding: Vec<_> = policies.filter(|policy| policy.rule(leaf).is_some()).collect();
    if holding.is_empty() {
        return Outcome::NotApplicable;
    }
    let asked = holding.iter().map(|policy| policy.unmet(leaf, &case.scts, &reference.logs));
    let Some(asked) = asked.collect::<Option<Vec<_>>>() else {
        return Outcome::Clear;
    };
    Outcome::found(
        Level::Possible,
        json!({
            "certificate": shaken.leaf().map(crate::chain::Certificate::fingerprint),
            "lifetime_days": (leaf.not_after - leaf.not_before).whole_days(),
            "asked": asked,
            "scts": scts(case),
        }),
    )
}

/// Every SCT of the leaf as evidence; what is not known of one is left out.
pub(super) fn scts(case: &Case<'_>) -> Vec<Value> {
    let told = case.scts.iter().map(|sct| {
        let mut told = json!({
            "outcome": sct.outcome.as_str(),
            "log": sct.log.map(|log| log.description.as_str()),
            "operator": sct.log.map(|log| log.operator.as_str()),
            "log_id": sct.log_id,
            "timestamp": sct.timestamp.map(rfc3339),
            "state_of_log": sct.log.zip(sct.timestamp).and_then(|(log, at)| log.state_at(at)),
        });
        if let Some(fields) = told.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        told
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template};
    use time::OffsetDateTime;

    use super::*;
    use crate::ct::testing::{TestLog, extension, list};
    use crate::ct::{Policy, Rule};
    use crate::detect::testing::{Bench, certificates, control, level_of};
    use crate::verdict::Verdict;

    const DAY: i64 = 86_400;

    /// A bench whose public root is bound by a policy from 60 days ago.
    fn bench(logs: &[&TestLog]) -> Bench {
        let mut bench = Bench::new();
        bench.reference.logs = vec![list(logs)];
        bench.reference.policies = vec![Policy {
            program: "Test".into(),
            stores: vec!["public".into()],
            from: OffsetDateTime::from_unix_timestamp(NOW - 60 * DAY).unwrap(),
            until: None,
            rules: vec![Rule { days: None, scts: 2, operators: 2 }],
        }];
        bench
    }

    fn leaf(authority: &Authority, template: &Template, logs: &[&TestLog]) -> Vec<u8> {
        let key = Key::ecdsa_p256();
        let scts: Vec<_> = logs.iter().map(|log| log.sct(authority, &key, template)).collect();
        let signed = if scts.is_empty() {
            template.clone()
        } else {
            template.clone().with(extension(&scts))
        };
        authority.leaf_with(&key, signed).certificate
    }

    #[test]
    fn table() {
        let [a, b, unknown] = ["A", "B", "C"].map(|operator| TestLog::new("Log", operator));
        let bench = bench(&[&a, &b]);
        let plain = Template::leaf(&["example.com"]);
        let old = plain.clone().valid(NOW - 61 * DAY, NOW + DAY);
        let expired = plain.clone().valid(NOW - 9 * DAY, NOW - DAY);
        let unlisted = Authority::root("Unlisted Root");
        for (case, chain, found) in [
            ("public root -> leaf, two SCTs", leaf(&bench.public, &plain, &[&a, &b]), false),
            ("public root -> leaf, one", leaf(&bench.public, &plain, &[&a]), true),
            ("public root -> leaf, none", leaf(&bench.public, &plain, &[]), true),
            (
                "public root -> leaf, one, and one of an unknown log",
                leaf(&bench.public, &plain, &[&a, &unknown]),
                false,
            ),
            ("public root -> leaf of before the policy", leaf(&bench.public, &old, &[]), false),
            ("public root -> expired leaf", leaf(&bench.public, &expired, &[]), false),
            ("unlisted root -> leaf", leaf(&unlisted, &plain, &[]), false),
            ("state root -> leaf", leaf(&bench.state, &plain, &[]), false),
        ] {
            let judgement = bench.judge(&certificates(&[&chain]));
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
        }
    }

    #[test]
    fn without_logs_or_a_policy_for_the_root_nothing_is_said() {
        let log = TestLog::new("Log", "A");
        let mut bench = bench(&[&log]);
        let chain = leaf(&bench.public, &Template::leaf(&["example.com"]), &[]);
        bench.reference.policies[0].stores = vec!["another".into()];
        assert!(!bench.judge(&certificates(&[&chain])).has(DETECTOR.id));
        bench.reference.policies[0].stores = vec!["public".into()];
        bench.reference.logs.clear();
        assert!(!bench.judge(&certificates(&[&chain])).has(DETECTOR.id));
    }

    /// A site may keep its certificate out of the logs; somebody who holds a certificate that only
    /// one network sees is noticed where elsewhere another key is logged.
    #[test]
    fn the_verdict_changes_only_against_a_logged_key() {
        let [a, b] = ["A", "B"].map(|operator| TestLog::new("Log", operator));
        let bench = bench(&[&a, &b]);
        let plain = Template::leaf(&["example.com"]);
        let logged = leaf(&bench.public, &plain, &[&a, &b]);
        let (unlogged, other) =
            (leaf(&bench.public, &plain, &[]), leaf(&bench.public, &plain, &[]));
        for (case, seen, verdict) in [
            ("no control", vec![], Verdict::Normal),
            ("the same key", vec![&unlogged], Verdict::Normal),
            ("another key, not logged", vec![&other], Verdict::Normal),
            ("another key, logged", vec![&logged], Verdict::Anomaly),
            ("both", vec![&logged, &unlogged], Verdict::Normal),
        ] {
            let controls: Vec<_> = seen.into_iter().map(|leaf| control(&[leaf])).collect();
            let judgement = bench.judge_with(&certificates(&[&unlogged]), &controls);
            assert_eq!(judgement.verdict, verdict, "control: {case}");
            assert_eq!((judgement.actor, judgement.interceptor.clone()), (None, None), "{case}");
            assert!(judgement.has(DETECTOR.id), "{case}");
            let logged = bench.judge_with(&certificates(&[&logged]), &controls);
            assert_eq!(logged.verdict, Verdict::Normal, "logged, control: {case}");
        }
    }
}
