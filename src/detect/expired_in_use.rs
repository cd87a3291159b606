//! A certificate of the path is used outside its validity.

use serde_json::{Value, json};

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::moment::rfc3339;

pub(super) static DETECTOR: Detector = Detector {
    id: "expired-in-use",
    level: Level::Possible,
    claim: "a certificate of the chain is used outside its validity",
    innocent: &[Innocent::ClockSkew, Innocent::SiteItself],
    source: "RFC 5280, section 6.1.3 (a)(2); OONI 2024 (interception went on with expired intermediates)",
    example: "public root -> expired leaf; the evidence names the certificate, its dates and when it was seen",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some(chain), Some(at)) = (case.chain(), case.at()) else {
        return Outcome::NotApplicable;
    };
    let outside = case.links().filter(|(_, fields)| !fields.valid_at(at));
    let outside: Vec<Value> = outside
        .map(|(position, fields)| {
            json!({
                "certificate": chain.certificates()[position].fingerprint(),
                "position": position,
                "not_before": rfc3339(fields.not_before),
                "not_after": rfc3339(fields.not_after),
                "seen": rfc3339(at),
            })
        })
        .collect();
    if outside.is_empty() {
        return Outcome::Clear;
    }
    Outcome::found(Level::Possible, json!({ "certificates": outside }))
}

#[cfg(test)]
mod tests {
    use kua_mint::{Key, NOW, Template};

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let key = Key::ecdsa_p256();
        let leaf = |from: i64, until: i64| {
            let template = Template::leaf(&["example.com"]).valid(NOW + from, NOW + until);
            bench.public.leaf_with(&key, template).certificate
        };
        for (case, chain, found) in [
            ("public root -> leaf", leaf(-100, 100), false),
            ("public root -> leaf that ends this second", leaf(-100, 0), false),
            ("public root -> expired leaf", leaf(-100, -1), true),
            ("public root -> leaf of tomorrow", leaf(1, 100), true),
        ] {
            let judgement = bench.judge(&certificates(&[&chain]));
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
        }
    }
}
