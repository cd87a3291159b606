//! Clients of a root program refuse a certificate or a key of the path, whoever signed it.

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::blocklist::{BlockList, Entry};
use crate::path::Top;
use crate::trust::Refusal;

pub(super) static DETECTOR: Detector = Detector {
    id: "blocklisted",
    level: Level::Probable,
    claim: "clients of a root program block a certificate or a key of the chain, or no longer trust its root for such a leaf",
    innocent: &[Innocent::BlockedOtherwise, Innocent::SiteItself, Innocent::Replayed],
    source: "Mozilla's OneCRL, Chromium's block lists and CRLSet, Microsoft's disallowed certificates, the root programs' announcements",
    example: "public root -> blocked intermediate -> leaf; the evidence names list, certificate, since when and why",
    examine,
};

/// Only what signed on the path counts; what a server merely sends along says nothing.
fn examine(case: &Case<'_>) -> Outcome {
    let Some(chain) = case.chain() else {
        return Outcome::NotApplicable;
    };
    let at = case.at();
    let mut entries = Vec::new();
    let mut interception = false;
    let mut add = |list: &BlockList, entry: &Entry, what: Value| {
        interception |= entry.interception;
        entries.push(json!({
            "list": list.list,
            "programs": list.programs,
            "what": what,
            "since": entry.since.map(|since| since.to_string()),
            "why": entry.why,
            "interception": entry.interception,
        }));
    };
    for list in &case.reference.blocklists {
        for (position, fields) in case.links() {
            let sent = &chain.certificates()[position];
            if let Some(entry) = list.blocks(sent, at) {
                let what = json!({
                    "certificate": sent.fingerprint(),
                    "position": position,
                    "subject": fields.subject.to_string(),
                });
                add(list, entry, what);
            }
        }
        if let Some(Top::Signed(key)) = case.path.as_ref().map(|path| &path.top) {
            let issuer = case.links().last().map(|(_, fields)| fields.issuer.der());
            let mut anchors = case.reference.anchors_with(key.key_hash);
            let certificate = anchors.find_map(|(_, anchor)| anchor.fingerprint);
            let issuer = issuer.unwrap_or_default();
            if let Some(entry) = list.blocks_anchor(key.key_hash, issuer, certificate, at) {
                add(list, entry, json!({ "key": key.key_hash, "subject": key.subject }));
            }
        }
    }
    let distrust = case.trust.iter().filter_map(|(store, answer)| match answer {
        Err(refusal @ Refusal::Distrusted { .. }) => {
            Some(json!({ "program": store.program, "refusal": refusal.to_string() }))
        }
        _ => None,
    });
    let distrust: Vec<_> = distrust.collect();
    if entries.is_empty() && distrust.is_empty() {
        return Outcome::Clear;
    }
    let level = if interception { Level::Probable } else { Level::Possible };
    Outcome::found(level, json!({ "blocked": entries, "distrusted": distrust }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kua_mint::NOW;
    use time::{Date, Duration, OffsetDateTime};

    use super::*;
    use crate::chain::KeyHash;
    use crate::detect::testing::{Bench, certificates, control, level_of};
    use crate::verdict::Verdict;

    fn today() -> Date {
        OffsetDateTime::from_unix_timestamp(NOW).unwrap().date()
    }

    #[test]
    fn table() {
        let middle_of = |bench: &Bench| bench.public.intermediate("Public Intermediate");
        let listed = Entry::default();
        let named = Entry { interception: true, ..Entry::default() };
        let tomorrow = Entry { since: today().next_day(), ..Entry::default() };
        let yesterday = Entry { since: today().previous_day(), ..Entry::default() };
        for (case, what, entry, expected, verdict) in [
            ("public root -> intermediate -> leaf", None, &listed, None, Verdict::Normal),
            (
                "public root -> blocked intermediate -> leaf",
                Some("intermediate"),
                &listed,
                Some("possible"),
                Verdict::Anomaly,
            ),
            (
                "public root -> intermediate blocked yesterday -> leaf",
                Some("intermediate"),
                &yesterday,
                Some("possible"),
                Verdict::Anomaly,
            ),
            (
                "public root -> intermediate blocked tomorrow -> leaf",
                Some("intermediate"),
                &tomorrow,
                None,
                Verdict::Normal,
            ),
            (
                "blocked public root -> intermediate -> leaf",
                Some("root"),
                &listed,
                Some("possible"),
                Verdict::Anomaly,
            ),
            (
                "public root -> intermediate of an interception -> leaf",
                Some("intermediate"),
                &named,
                Some("probable"),
                Verdict::Anomaly,
            ),
            ("a blocked certificate sent along", Some("along"), &named, None, Verdict::Normal),
        ] {
            let mut bench = Bench::new();
            let middle = middle_of(&bench);
            let leaf = middle.leaf("example.com").certificate;
            let key = match what {
                Some("root") => &bench.public.key,
                Some("along") => &bench.state.key,
                _ => &middle.key,
            };
            let mut list = BlockList::new("List", vec!["public".into()], None);
            if what.is_some() {
                list.add_key(KeyHash::of(&key.spki()), None, entry.clone());
            }
            bench.reference.blocklists = vec![Arc::new(list)];
            bench.reference.stores[0].blocked = bench.reference.blocklists.clone();
            let sent = [&leaf, &middle.certificate, &bench.state.certificate];
            let sent = if what == Some("along") { &sent[..] } else { &sent[..2] };
            let judgement = bench.judge(&certificates(sent));
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
            assert_eq!(judgement.verdict, verdict, "{case}");
            assert_eq!((judgement.actor, judgement.interceptor), (None, None), "{case}");
        }
    }

    /// A program that does not know the list accepts the chain: that alone is not `normal`.
    #[test]
    fn another_program_does_not_outvote_the_list() {
        let mut bench = Bench::new();
        let leaf = bench.public.leaf("example.com").certificate;
        let mut list = BlockList::new("List", vec!["other".into()], None);
        list.add_key(KeyHash::of(&bench.public.key.spki()), None, Entry::default());
        bench.reference.blocklists = vec![Arc::new(list)];
        let judgement = bench.judge(&certificates(&[&leaf]));
        assert_eq!(judgement.verdict, Verdict::Anomaly);
        let seen = [control(&[&leaf])];
        let judgement = bench.judge_with(&certificates(&[&leaf]), &seen);
        assert_eq!(judgement.verdict, Verdict::Misconfigured, "a control is shown the same key");
    }

    #[test]
    fn a_root_that_is_trusted_for_older_leaves_only() {
        let mut bench = Bench::new();
        let leaf = bench.public.leaf("example.com").certificate;
        let long_ago = today() - Duration::days(4000);
        bench.reference.stores[0].anchors[0].distrust.issued_after = Some(long_ago);
        let judgement = bench.judge(&certificates(&[&leaf]));
        assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), Some("possible"));
        assert_eq!(judgement.verdict, Verdict::Anomaly);
    }
}
