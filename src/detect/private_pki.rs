//! A name whose owner runs an authority of their own, on purpose.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "private-pki",
    level: Level::Possible,
    claim: "the authority that the owner of the name runs for it signed the chain; no root program is meant to know it",
    innocent: &[Innocent::SiteChose, Innocent::Replayed],
    source: "the owner's own programs, which carry the root; ooni/probe 2627, where a stale copy of it looked like an interception",
    example: "owner's root -> leaf of chat.owner.example; the evidence names the owner and the suffixes of the owner's names",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    if case.chain().is_none() {
        return Outcome::NotApplicable;
    }
    let Some(owner) = case.private_pki() else {
        return Outcome::Clear;
    };
    Outcome::found(
        Level::Possible,
        json!({
            "owner": owner.owner,
            "suffixes": owner.suffixes,
            "key_spki_sha256": case.anchor().map(|anchor| anchor.key_hash),
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
        let public = control(&[&bench.public.leaf("chat.owner.example").certificate]);
        for (case, host, seen, found, verdict) in [
            (
                "owner's root -> leaf of chat.owner.example",
                "chat.owner.example",
                None,
                true,
                Verdict::Inconclusive,
            ),
            (
                "owner's root -> leaf of chat.owner.example, control: public root",
                "chat.owner.example",
                Some(public),
                true,
                Verdict::Intercepted,
            ),
            ("owner's root -> leaf of example.com", "example.com", None, false, Verdict::Anomaly),
            (
                "owner's root -> leaf of notowner.example",
                "notowner.example",
                None,
                false,
                Verdict::Anomaly,
            ),
        ] {
            let mut shaken = certificates(&[&bench.owner.leaf(host).certificate]);
            shaken.server_name = Some(host.into());
            let controls: Vec<_> = seen.into_iter().collect();
            let judgement = bench.judge_with(&shaken, &controls);
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
            assert_eq!(judgement.verdict, verdict, "{case}");
        }
    }
}
