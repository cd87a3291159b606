//! The path rests on a key or a signature that no public authority may use any more.

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::fields::{Fields, Key};

pub(super) static DETECTOR: Detector = Detector {
    id: "weak-key",
    level: Level::Possible,
    claim: "the chain rests on a key or a signature too weak for any public authority",
    innocent: &[Innocent::SiteItself, Innocent::LocalProduct],
    source: "CA/Browser Forum Baseline Requirements, section 6.1.5 (RSA from 2048 bits) and 7.1.3.2 (no SHA-1)",
    example: "RSA-1024 root -> leaf, root sent; the evidence names the certificate and says `RSA key of 1024 bits`",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let Some(chain) = case.chain() else {
        return Outcome::NotApplicable;
    };
    let weak = case.links().filter_map(|(position, fields)| {
        let why = weakness(fields)?;
        Some(json!({
            "certificate": chain.certificates()[position].fingerprint(),
            "position": position,
            "why": why,
        }))
    });
    let weak: Vec<Value> = weak.collect();
    if weak.is_empty() {
        return Outcome::Clear;
    }
    Outcome::found(Level::Possible, json!({ "certificates": weak }))
}

fn weakness(fields: &Fields) -> Option<String> {
    if let Key::Rsa { bits } = fields.key
        && bits < 2048
    {
        return Some(format!("RSA key of {bits} bits"));
    }
    // Nobody relies on a root's signature over itself.
    if fields.self_issued() {
        return None;
    }
    match fields.signature_algorithm.as_str() {
        "1.2.840.113549.1.1.2" => Some("signature over MD2".into()),
        "1.2.840.113549.1.1.4" => Some("signature over MD5".into()),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" => {
            Some("signature over SHA-1".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Algorithm, Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let weak_root = Authority::root_with(
            Key::rsa(1024),
            Template::authority(&kua_mint::name(&[("CN", "Weak Root")])),
        );
        let sha1 = Template { algorithm: Algorithm::RsaSha1, ..Template::leaf(&["example.com"]) };
        let plain = Template::leaf(&["example.com"]);
        let strong = Key::ecdsa_p256();
        for (case, chain, found) in [
            ("public root -> leaf", vec![bench.public.leaf("example.com").certificate], false),
            (
                "RSA-1024 root -> leaf, root sent",
                vec![
                    weak_root.leaf_with(&strong, plain.clone()).certificate,
                    weak_root.certificate.clone(),
                ],
                true,
            ),
            (
                "RSA-1024 root -> leaf over SHA-1",
                vec![weak_root.leaf_with(&strong, sha1).certificate],
                true,
            ),
            (
                "public root -> RSA-1024 leaf",
                vec![bench.public.leaf_with(&weak_root.key, plain).certificate],
                true,
            ),
        ] {
            let chain: Vec<_> = chain.iter().collect();
            let judgement = bench.judge(&certificates(&chain));
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
        }
    }
}
