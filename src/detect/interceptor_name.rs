//! A certificate names a known interceptor as its issuer, and no known key bears it out.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::Conduct;

pub(super) static DETECTOR: Detector = Detector {
    id: "interceptor-name",
    level: Level::Possible,
    claim: "a certificate carries the issuer name of a known interceptor, but none of its known keys signed it",
    innocent: &[Innocent::SiteItself, Innocent::OmittedIntermediate, Innocent::Replayed],
    source: "names are free text (RFC 5280, section 4.1.2.4): a name alone is only a name",
    example: "namesake of the state root -> leaf; the evidence names the dossier and holds the issuer as it was written",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    if case.chain().is_none() {
        return Outcome::NotApplicable;
    }
    if case.is_accounted_for() {
        return Outcome::Clear;
    }
    let named = case.links().find_map(|(position, fields)| {
        let known =
            case.reference.dossiers.iter().find(|known| {
                known.conduct == Conduct::Interception && known.named_as_issuer(fields)
            });
        let dossier = known?;
        Some((position, fields, dossier))
    });
    let Some((position, fields, dossier)) = named else {
        return Outcome::Clear;
    };
    Outcome::found(
        Level::Possible,
        json!({
            "dossier": dossier.id,
            "issuer": fields.issuer.to_string(),
            "certificate": case.chain().map(|chain| chain.certificates()[position].fingerprint()),
            "authority_key_id": fields.aki.as_ref().map(|aki| data_encoding::HEXLOWER.encode(aki)),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};
    use crate::verdict::Verdict;

    #[test]
    fn table() {
        let bench = Bench::new();
        let namesake =
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&bench.state.name));
        for (case, leaf, found) in [
            ("namesake of the state root -> leaf", namesake.leaf("example.com"), true),
            ("state root -> leaf", bench.state.leaf("example.com"), false),
            ("public root -> leaf", bench.public.leaf("example.com"), false),
            ("unknown root -> leaf", Authority::root("Some Root").leaf("example.com"), false),
        ] {
            let judgement = bench.judge(&certificates(&[&leaf.certificate]));
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
        }
    }

    #[test]
    fn a_name_names_nobody() {
        let bench = Bench::new();
        let namesake =
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&bench.state.name));
        let judgement = bench.judge(&certificates(&[&namesake.leaf("example.com").certificate]));
        assert_eq!(judgement.verdict, Verdict::Anomaly);
        assert_eq!(judgement.interceptor, None);
    }
}
