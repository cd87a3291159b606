//! The issuer calls itself by the name of a product that intercepts for its owner.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::name::Name;

pub(super) static DETECTOR: Detector = Detector {
    id: "known-product",
    level: Level::Possible,
    claim: "the issuer carries the name of a product that inspects traffic for the owner of a machine or network",
    innocent: &[Innocent::SiteItself, Innocent::DnsMoved],
    source: "Chromium's list of interception software; Huang et al. 2014; O'Neill et al. 2016",
    example: "product root -> leaf; the evidence names the product, its class and the issuer as it was written",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    if case.chain().is_none() {
        return Outcome::NotApplicable;
    }
    if case.is_accounted_for() {
        return Outcome::Clear;
    }
    let issuers: Vec<&Name> = case.links().map(|(_, fields)| &fields.issuer).collect();
    let matched = case.reference.products.iter().find_map(|product| {
        let issuer = issuers.iter().find(|issuer| product.matches(issuer))?;
        Some((product, issuer))
    });
    let Some((product, issuer)) = matched else {
        return Outcome::Clear;
    };
    Outcome::found(
        Level::Possible,
        json!({
            "product": product.name,
            "class": product.class,
            "issuer": issuer.to_string(),
            "list": product.source,
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template, name};

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let root = |rdns: &[(&str, &str)]| {
            Authority::root_with(Key::ecdsa_p256(), Template::authority(&name(rdns)))
        };
        let shield = root(&[("O", "Vendor"), ("CN", "Shield Root")]);
        let other = root(&[("O", "Vendor of others"), ("CN", "Shield Root")]);
        for (case, leaf, found) in [
            ("product root -> leaf", shield.leaf("example.com"), true),
            ("another vendor's root -> leaf", other.leaf("example.com"), false),
            ("public root -> leaf", bench.public.leaf("example.com"), false),
            ("state root -> leaf", bench.state.leaf("example.com"), false),
        ] {
            let judgement = bench.judge(&certificates(&[&leaf.certificate]));
            assert_eq!(level_of(&judgement, DETECTOR.id).is_some(), found, "{case}");
        }
    }
}
