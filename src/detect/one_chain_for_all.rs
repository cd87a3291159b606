//! One key answers for sites that have nothing to do with each other.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};

/// Unrelated sites from which one key is too many.
const SITES: usize = 3;

pub(super) static DETECTOR: Detector = Detector {
    id: "one-chain-for-all",
    level: Level::Possible,
    claim: "in one run, unrelated sites were answered with one key that no public authority vouches for there",
    innocent: &[
        Innocent::SharedServer,
        Innocent::Portal,
        Innocent::BlockPage,
        Innocent::DnsMoved,
        Innocent::LocalProduct,
    ],
    source: "RFC 6125; mitmproxy, mitmproxy/certs.py, which gives every certificate that it makes one key",
    example: "one leaf of another name for three sites; the evidence holds the key, the sites that the certificate was for and was not for, and how many sites were answered genuinely",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some(leaf), Some(session)) = (case.leaf(), case.session()) else {
        return Outcome::NotApplicable;
    };
    let Some(answers) = session.answers.kept().get(&leaf.key_hash) else {
        return Outcome::Clear;
    };
    if case.vouched().is_some() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    let (fitting, others) = (answers.sites(true), answers.sites(false));
    // A host's own certificate, for the names that it no longer serves.
    let hosted = answers.rooted && !session.genuine.kept().is_empty();
    let one = others.len() >= SITES && !hosted;
    // One certificate for all of its names is a certificate; one key in many is a box.
    let made =
        !answers.rooted && fitting.len() >= SITES && answers.certificates.kept().len() >= SITES;
    if !one && !made {
        return Outcome::Clear;
    }
    let certificates = answers.certificates.kept().len();
    Outcome::found(
        Level::Possible,
        json!({
            "leaf_spki_sha256": leaf.key_hash,
            "certificates": certificates,
            "sites_that_it_is_for": fitting,
            "sites_that_it_is_not_for": others,
            "sites_answered_genuinely": session.genuine_beside(""),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, measurement, presented, surroundings};
    use crate::verdict::{Verdict, judge};

    const NAMES: [&str; 4] = ["example.com", "www.example.com", "example.org", "example.net"];

    #[test]
    fn table() {
        let bench = Bench::new();
        let key = Key::ecdsa_p256();
        let private = Authority::root("Private Root");
        let leaf = |authority: &Authority, names: &[&str]| {
            authority.leaf_with(&key, Template::leaf(names)).certificate
        };
        let genuine = bench.public.leaf("genuine.example").certificate;
        let all = |leaf: &Vec<u8>| NAMES.map(|_| leaf.clone()).to_vec();
        for (case, shown, genuine_too, found) in [
            (
                "one leaf of another name for three sites",
                all(&leaf(&private, &["x.example"])),
                true,
                true,
            ),
            (
                "private root -> a leaf for each site, all of one key",
                NAMES.map(|name| leaf(&private, &[name])).to_vec(),
                true,
                true,
            ),
            (
                "private root -> a leaf for each site, each with a key of its own",
                NAMES.map(|name| private.leaf(name).certificate).to_vec(),
                true,
                false,
            ),
            (
                "private root -> one leaf for all its names",
                all(&leaf(&private, &NAMES)),
                true,
                false,
            ),
            (
                "public root -> one leaf for all its names",
                all(&leaf(&bench.public, &NAMES)),
                true,
                false,
            ),
            (
                "a host's public leaf for three sites, others genuine",
                all(&leaf(&bench.public, &["host.example"])),
                true,
                false,
            ),
            (
                "a portal's public leaf for every site",
                all(&leaf(&bench.public, &["login.example"])),
                false,
                true,
            ),
            (
                "one leaf for two sites",
                all(&leaf(&private, &["x.example"]))[..2].to_vec(),
                true,
                false,
            ),
        ] {
            let chains = NAMES.iter().zip(&shown);
            let mut shown: Vec<_> =
                chains.map(|(name, leaf)| presented(name, "192.0.2.1", &[leaf])).collect();
            if genuine_too {
                shown.push(presented("genuine.example", "192.0.2.2", &[&genuine]));
            }
            let seen = measurement(&shown);
            let around = surroundings(&bench, std::slice::from_ref(&seen));
            let judgement = judge(&seen, &bench.reference, &around, None).remove(0);
            assert_eq!(judgement.has(DETECTOR.id), found, "{case}");
            assert_ne!(judgement.verdict, Verdict::Intercepted, "{case}");
        }
    }

    /// One key for all does not hide whose key it is.
    #[test]
    fn a_known_interceptor_is_named_all_the_same() {
        let bench = Bench::new();
        let forged = bench.state.leaf("x.example").certificate;
        let seen = measurement(&NAMES.map(|name| presented(name, "192.0.2.1", &[&forged])));
        let around = surroundings(&bench, std::slice::from_ref(&seen));
        for judgement in judge(&seen, &bench.reference, &around, None) {
            assert!(judgement.has(DETECTOR.id));
            assert_eq!(judgement.interceptor.as_deref(), Some("some-state"));
        }
    }
}
