//! The signatures lead to no key of any root program.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

pub(super) static DETECTOR: Detector = Detector {
    id: "unknown-anchor",
    level: Level::Possible,
    claim: "the presented chain leads to no key of any root program",
    innocent: &[
        Innocent::SiteItself,
        Innocent::OmittedIntermediate,
        Innocent::LocalProduct,
        Innocent::Portal,
        Innocent::DnsMoved,
        Innocent::StaleReference,
    ],
    source: "RFC 5280, section 6.1",
    example: "private root -> leaf; the evidence holds the last issuer and, where it is known, the key on top",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    if case.chain().is_none() {
        return Outcome::NotApplicable;
    }
    if case.vouched().is_some() || case.publicly_rooted() {
        return Outcome::Clear;
    }
    let anchor = case.anchor();
    let last = case.links().last().map(|(_, fields)| fields);
    Outcome::found(
        Level::Possible,
        json!({
            "anchor_spki_sha256": anchor.as_ref().map(|anchor| anchor.key_hash),
            "anchor_subject": anchor.as_ref().map(|anchor| anchor.subject.clone()),
            "issuer": last.map(|fields| fields.issuer.to_string()),
            "authority_key_id": last
                .and_then(|fields| fields.aki.as_ref())
                .map(|aki| data_encoding::HEXLOWER.encode(aki)),
            "programs": case.reference.stores.iter().map(|store| &store.program).collect::<Vec<_>>(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template, self_signed};

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let private = Authority::root("Private Root");
        let middle = bench.public.intermediate("Public Intermediate");
        let key = Key::ecdsa_p256();
        let expired = Template::leaf(&["example.com"]).valid(NOW - 200, NOW - 100);
        for (case, chain, found) in [
            ("public root -> leaf", vec![bench.public.leaf("example.com").certificate], false),
            (
                "public root -> expired leaf",
                vec![bench.public.leaf_with(&key, expired).certificate],
                false,
            ),
            (
                "public root -> intermediate -> leaf",
                vec![middle.leaf("example.com").certificate, middle.certificate.clone()],
                false,
            ),
            (
                "[intermediate] -> leaf, intermediate not sent",
                vec![middle.leaf("example.com").certificate],
                true,
            ),
            ("private root -> leaf", vec![private.leaf("example.com").certificate], true),
            (
                "self-signed leaf",
                vec![self_signed(&key, Template::leaf(&["example.com"])).certificate],
                true,
            ),
            ("bytes that nobody can read", vec![b"\x30\x03\x02\x01\x01".to_vec()], true),
        ] {
            let chain: Vec<_> = chain.iter().collect();
            let found_here = level_of(&bench.judge(&certificates(&chain)), DETECTOR.id).is_some();
            assert_eq!(found_here, found, "{case}");
        }
    }
}
