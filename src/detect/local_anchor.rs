//! The chain leads to a key that this machine trusts and nobody else does.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "local-anchor",
    level: Level::Possible,
    claim: "the chain leads to a key in the trust store of the machine that measured, and in no root program",
    innocent: &[Innocent::OwnSites, Innocent::SiteItself, Innocent::StaleReference],
    source: "O'Neill et al. 2016, TLS Proxies: Friend or Foe?; Chrome, which exempts such keys from pins and logs",
    example: "installed root -> leaf; the evidence holds the key and its subject",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    if case.chain().is_none() || case.surroundings.local_anchors.is_empty() {
        return Outcome::NotApplicable;
    }
    if case.is_accounted_for() {
        return Outcome::Clear;
    }
    let anchor = case.anchor();
    let installed = |key| case.surroundings.local_anchors.contains_key(key);
    let Some(key) = case.signers.iter().rev().find(|key| installed(key)) else {
        return Outcome::Clear;
    };
    let subject = anchor.filter(|anchor| anchor.key_hash == *key).map(|anchor| anchor.subject);
    Outcome::found(
        Level::Possible,
        json!({
            "key_spki_sha256": key,
            "subject": subject,
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;
    use crate::chain::{Certificate, KeyHash};
    use crate::detect::testing::{Bench, certificates, control, level_of, measurement};
    use crate::reference::Actor;
    use crate::surroundings::Surroundings;
    use crate::verdict::Verdict::{Anomaly, Intercepted, Misconfigured, Normal};
    use crate::verdict::judge;

    #[test]
    fn table() {
        let bench = Bench::new();
        let installed = Authority::root("Installed Root");
        let other = Authority::root("Other Root");
        let leaf = |authority: &Authority| authority.leaf("example.com").certificate;
        let genuine = control(&[&leaf(&bench.public)]);
        let local = Some(Actor::Local);
        for (case, authority, seen, found, expected) in [
            ("installed root -> leaf", &installed, None, true, (Intercepted, local)),
            (
                "installed root -> leaf, control: public root",
                &installed,
                Some(genuine.clone()),
                true,
                (Intercepted, local),
            ),
            (
                "installed root -> leaf, control: the same root",
                &installed,
                Some(control(&[&leaf(&installed), &installed.certificate])),
                true,
                (Misconfigured, None),
            ),
            (
                "installed root -> leaf, the root not sent",
                &installed,
                None,
                true,
                (Intercepted, Some(Actor::Local)),
            ),
            ("another root -> leaf", &other, None, false, (Anomaly, None)),
            (
                "public root that is installed too -> leaf",
                &bench.public,
                None,
                false,
                (Normal, None),
            ),
            // Whoever was made to install a state's root is intercepted by the state.
            (
                "state root that is installed -> leaf",
                &bench.state,
                None,
                false,
                (Intercepted, Some(Actor::State)),
            ),
        ] {
            let leaf = leaf(authority);
            let sent = [&leaf, &authority.certificate];
            let sent = if case.contains("not sent") { &sent[..1] } else { &sent[..] };
            let shaken = certificates(sent);
            let controls: Vec<_> = seen.into_iter().collect();
            let mut around = Surroundings::of_controls(&[measurement(&controls)], &bench.reference);
            let keys = [&installed, &bench.public, &bench.state];
            around.local_anchors.extend(keys.map(|known| {
                let certificate = Certificate::from_bytes(&known.certificate).unwrap();
                (KeyHash::of(&known.key.spki()), certificate)
            }));
            let judgement =
                judge(&measurement(&[shaken]), &bench.reference, &around, None).remove(0);
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
            assert_eq!((judgement.verdict, judgement.actor), expected, "{case}");
        }
    }
}
