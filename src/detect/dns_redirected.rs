//! The connection went to an address that nobody else is given, and another site's certificate was there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::surroundings::site::{is_private, is_public};

pub(super) static DETECTOR: Detector = Detector {
    id: "dns-redirected",
    level: Level::Probable,
    claim: "the name was looked up to an address that is not the site's, where a certificate for other names answers",
    innocent: &[
        Innocent::OtherServer,
        Innocent::Portal,
        Innocent::BlockPage,
        Innocent::LocalProduct,
    ],
    source: "OONI, DNS consistency and certificates of addresses; Li et al. 2020, routers that answer with their own certificate",
    example: "another name's leaf at an address that no control was given; the evidence holds the address, those of others, and whether one of those answered genuinely in the same run",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some(address), Some(target)) = (case.address(), case.target.as_deref()) else {
        return Outcome::NotApplicable;
    };
    if case.fits_name() != Some(false) || !is_public(target) {
        return Outcome::Clear;
    }
    if case.dossier().is_some() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    let others = elsewhere(case);
    let private = is_private(address);
    let unlike = !others.is_empty() && !others.contains(&address);
    if !private && !unlike {
        return Outcome::Clear;
    }
    // The server that others are sent to is reachable from here, and genuine.
    let session = case.session();
    let reached: Vec<_> = others
        .iter()
        .filter(|other| session.is_some_and(|session| session.is_genuine_at(target, **other)))
        .collect();
    let level = if reached.is_empty() { Level::Possible } else { Level::Probable };
    Outcome::found(
        level,
        json!({
            "address": address.to_string(),
            "private": private,
            "addresses_of_others": others.iter().take(8).map(ToString::to_string).collect::<Vec<_>>(),
            "genuine_here_at": reached.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "names_of_the_certificate": case
                .leaf()
                .map(|leaf| leaf.alternative_names.iter().take(8).collect::<Vec<_>>()),
        }),
    )
}

/// Addresses at which controls and other networks met a trusted chain for the name.
fn elsewhere(case: &Case<'_>) -> BTreeSet<IpAddr> {
    let controls = case.controls.iter().filter(|seen| seen.vouched);
    let controls = controls.filter_map(|seen| Some(seen.endpoint?.ip().to_canonical()));
    let network = case.network();
    let day = case.at().map(time::OffsetDateTime::to_julian_day).into_iter().collect();
    let rows = case.rows().into_iter().filter(|(_, row)| row.trusted > 0 && row.is_near(&day));
    let rows = rows.filter(|(key, _)| key.network != network);
    controls.chain(rows.flat_map(|(_, row)| row.addresses.keys().copied())).collect()
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;
    use crate::detect::testing::{Bench, control, level_of, measurement, presented};
    use crate::measurement::Handshake;
    use crate::surroundings::Surroundings;
    use crate::verdict::Verdict::{Anomaly, Intercepted, Misconfigured, Normal};
    use crate::verdict::judge;

    #[test]
    fn table() {
        let bench = Bench::new();
        let private = Authority::root("Private Root");
        let shield = Authority::root_with(
            kua_mint::Key::ecdsa_p256(),
            kua_mint::Template::authority(&kua_mint::name(&[
                ("O", "Vendor"),
                ("CN", "Shield Root"),
            ])),
        );
        let (here, theirs) = ("198.51.100.1", "192.0.2.1");
        let at = |address: &str, mut shaken: Handshake| {
            shaken.endpoint = format!("{address}:443").parse().ok();
            shaken
        };
        let genuine = bench.public.leaf("example.com").certificate;
        let page = private.leaf("page.example").certificate;
        let clean = || Some(at(theirs, control(&[&genuine])));
        let genuine_here = || presented("example.com", theirs, &[&genuine]);
        for (case, leaf, address, control, beside, expected) in [
            (
                "another name's leaf at an address that no control was given",
                &page,
                here,
                clean(),
                None,
                (Some("possible"), Anomaly),
            ),
            (
                "another name's leaf, and a genuine one at the controls' address in the same run",
                &page,
                here,
                clean(),
                Some(genuine_here()),
                (Some("probable"), Anomaly),
            ),
            (
                "another name's leaf at a private address",
                &page,
                "10.10.34.35",
                None,
                None,
                (Some("possible"), Anomaly),
            ),
            (
                "product root -> another name's leaf at an address of nobody else",
                &shield.leaf("login.example").certificate,
                here,
                clean(),
                None,
                (Some("possible"), Anomaly),
            ),
            (
                "another name's leaf at the controls' address",
                &page,
                theirs,
                clean(),
                None,
                (None, Anomaly),
            ),
            ("another name's leaf, no control", &page, here, None, None, (None, Anomaly)),
            (
                "another name's leaf, control: the same",
                &page,
                here,
                Some(at(theirs, {
                    let mut same = control(&[&page]);
                    same.server_name = Some("example.com".into());
                    same
                })),
                None,
                (None, Misconfigured),
            ),
            (
                "unknown root -> leaf for the name at an address of nobody else",
                &private.leaf("example.com").certificate,
                here,
                clean(),
                None,
                (None, Intercepted),
            ),
            (
                "public root -> leaf for the name elsewhere",
                &genuine,
                here,
                clean(),
                None,
                (None, Normal),
            ),
            (
                "state root -> another name's leaf at an address of nobody else",
                &bench.state.leaf("page.example").certificate,
                here,
                clean(),
                None,
                (None, Intercepted),
            ),
        ] {
            let controls: Vec<_> = control.into_iter().collect();
            let mut around = Surroundings::of_controls(&[measurement(&controls)], &bench.reference);
            let mut shown = vec![presented("example.com", address, &[leaf])];
            shown.extend(beside);
            let seen = measurement(&shown);
            around.add(&seen, &bench.reference);
            let judgement = judge(&seen, &bench.reference, &around, None).remove(0);
            let level = level_of(&judgement, DETECTOR.id);
            assert_eq!((level.as_deref(), judgement.verdict), expected, "{case}");
        }
    }

    #[test]
    fn a_route_that_the_user_chose_says_nothing() {
        let bench = Bench::new();
        let page = Authority::root("Private Root").leaf("page.example").certificate;
        let mut seen = measurement(&[presented("example.com", "127.0.0.1", &[&page])]);
        let found = |seen: &_| judge(seen, &bench.reference, &Surroundings::none(), None).remove(0);
        assert!(found(&seen).has(DETECTOR.id));
        seen.annotations.insert("connect_to".into(), "127.0.0.1:443".into());
        assert!(!found(&seen).has(DETECTOR.id));
    }
}
