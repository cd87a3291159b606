//! A site under a suffix whose owners are known to choose a state's authority themselves.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "site-chose-state-ca",
    level: Level::Possible,
    claim: "a state's authority signed the chain of a site whose owner is likely to have chosen it",
    innocent: &[Innocent::SiteChose, Innocent::Replayed],
    source: "the dossier's sources: sites that moved to a state's authority by themselves",
    example: "chosen root -> leaf of bank.qz; the evidence names the dossier, its key and the suffix whose sites chose it",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some((dossier, key)), Some(target)) = (case.dossier(), case.target.as_deref()) else {
        return Outcome::NotApplicable;
    };
    // A name with a public history under this key is the opposite of a choice.
    let contradicted = case.vouched_control().is_some() && case.agreeing_control().is_none();
    if !dossier.chosen_for(target) || contradicted {
        return Outcome::Clear;
    }
    Outcome::found(
        Level::Possible,
        json!({
            "dossier": dossier.id,
            "key_spki_sha256": key.key_hash,
            "target": target,
            "suffixes": dossier.chosen_by,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{Bench, certificates, control, level_of};
    use crate::verdict::Verdict;

    #[test]
    fn table() {
        let bench = Bench::new();
        let public = |name: &str| control(&[&bench.public.leaf(name).certificate]);
        for (case, name, seen, verdict) in [
            ("chosen root -> leaf of bank.qz", "bank.qz", None, Verdict::Misconfigured),
            (
                "chosen root -> leaf of bank.qz, control: public root",
                "bank.qz",
                Some(public("bank.qz")),
                Verdict::Intercepted,
            ),
            ("chosen root -> leaf of example.com", "example.com", None, Verdict::Anomaly),
            (
                "chosen root -> leaf of example.com, control: public root",
                "example.com",
                Some(public("example.com")),
                Verdict::Intercepted,
            ),
        ] {
            let mut shaken = certificates(&[&bench.chosen.leaf(name).certificate]);
            shaken.server_name = Some(name.into());
            let controls: Vec<_> = seen.into_iter().collect();
            let judgement = bench.judge_with(&shaken, &controls);
            assert_eq!(judgement.verdict, verdict, "{case}");
            let chosen = level_of(&judgement, DETECTOR.id).is_some();
            assert_eq!(chosen, verdict == Verdict::Misconfigured, "{case}");
        }
    }
}
