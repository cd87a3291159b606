//! A portal answers in everybody's place until somebody logs in.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::chain::KeyHash;
use crate::surroundings::{Answers, Session};

/// Unrelated sites that must get one key before it is said that every site does.
const SITES: usize = 3;

pub(super) static DETECTOR: Detector = Detector {
    id: "captive-portal",
    level: Level::Probable,
    claim: "the network answers in the place of every site, as a captive portal does before a login",
    innocent: &[Innocent::SharedServer, Innocent::DnsMoved, Innocent::BlockPage],
    source: "Chromium's list of portals' keys; RFC 8952, the architecture of captive portals",
    example: "a listed portal's key; the evidence holds the key, the sites that it answered for and at which private addresses, and says that no plain HTTP was tried",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let Some(chain) = case.chain() else { return Outcome::NotApplicable };
    // The portal's own page, a key that tells more, and a site that is so everywhere.
    let own = case.vouched().is_some() || case.fits_name() == Some(true);
    let holder = case.handshake.is_some_and(|shaken| shaken.extra.holds_key != Some(false));
    if own || !holder || case.dossier().is_some() || case.agreeing_control().is_some() {
        return Outcome::Clear;
    }
    let leaf = chain.first().fields().map(|fields| fields.key_hash);
    let mut keys = leaf.into_iter().chain(case.signers.iter().copied());
    let known = keys.find(|key| case.reference.portals.contains(key));
    let all = case.leaf().and_then(|leaf| for_everybody(case.session()?, leaf.key_hash));
    if known.is_none() && all.is_none() {
        return Outcome::Clear;
    }
    let level = if known.is_some() { Level::Probable } else { Level::Possible };
    // Private addresses alone: a portal that only bends DNS, or a resolver that lies for it.
    let private: Vec<_> = all.filter(|all| !all.elsewhere).into_iter().collect();
    let private = private.iter().flat_map(|all| all.private.keys()).map(ToString::to_string);
    Outcome::found(
        level,
        json!({
            "portal_spki_sha256": known,
            "leaf_spki_sha256": leaf,
            "sites": all.map(|all| all.sites(false)).unwrap_or_default(),
            "private_addresses": private.collect::<Vec<_>>(),
            "plain_http_tried": false,
        }),
    )
}

/// What was answered with `key`, where it is all that anybody was answered with in that run.
fn for_everybody(session: &Session, key: KeyHash) -> Option<&Answers> {
    let answers = session.answers.kept().get(&key)?;
    let alone = session.answers.kept().len() == 1
        && session.answers.is_whole()
        && session.genuine.kept().is_empty()
        && session.out_of_date.kept().is_empty()
        && session.unread == 0;
    let every = answers.sites(false).len() >= SITES && answers.sites(true).len() <= 1;
    (alone && every).then_some(answers)
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;
    use crate::detect::testing::{Bench, level_of, measurement, presented, surroundings};
    use crate::reference::Actor;
    use crate::surroundings::Surroundings;
    use crate::verdict::Verdict::{Anomaly, Intercepted, Normal};
    use crate::verdict::judge;

    const SITES: [&str; 3] = ["example.com", "example.org", "example.net"];

    #[test]
    fn table() {
        let mut bench = Bench::new();
        let (listed, box_key) = (Key::ecdsa_p256(), Key::ecdsa_p256());
        bench.reference.portals.push(KeyHash::of(&listed.spki()));
        let vendor = Authority::root("Vendor");
        let login = |key: &Key| vendor.leaf_with(key, Template::leaf(&["login.example"]));
        let (listed, unlisted) = (login(&listed).certificate, login(&box_key).certificate);
        let state = bench.state.leaf_with(&box_key, Template::leaf(&["x.example"])).certificate;
        let genuine = bench.public.leaf("example.com").certificate;
        let (public, private) = ("192.0.2.1", "10.0.0.1");
        let portal = Some(Actor::Portal);
        for (case, shown, address, genuine_too, expected) in [
            (
                "a listed portal's key",
                &listed,
                public,
                true,
                (Some("probable"), Intercepted, portal),
            ),
            (
                "one leaf for everybody at a private address",
                &unlisted,
                private,
                false,
                (Some("possible"), Intercepted, portal),
            ),
            (
                "one leaf for everybody at public addresses",
                &unlisted,
                public,
                false,
                (Some("possible"), Anomaly, None),
            ),
            (
                "one leaf for three sites at a private address, others genuine",
                &unlisted,
                private,
                true,
                (None, Anomaly, None),
            ),
            (
                "state root -> one leaf for everybody",
                &state,
                private,
                false,
                (None, Intercepted, Some(Actor::State)),
            ),
        ] {
            let mut shown: Vec<_> =
                SITES.iter().map(|name| presented(name, address, &[shown])).collect();
            if genuine_too {
                shown.push(presented("www.example.com", public, &[&genuine]));
            }
            let seen = measurement(&shown);
            let around = if genuine_too {
                let mut other = measurement(&[presented("example.com", public, &[&genuine])]);
                other.target = None;
                surroundings(&bench, &[seen.clone(), other])
            } else {
                surroundings(&bench, std::slice::from_ref(&seen))
            };
            let judgement = judge(&seen, &bench.reference, &around, None).remove(0);
            let level = level_of(&judgement, DETECTOR.id);
            let told = (level.as_deref(), judgement.verdict, judgement.actor);
            assert_eq!(told, expected, "{case}");
        }
    }

    #[test]
    fn innocent_neighbours() {
        let bench = Bench::new();
        let key = Key::ecdsa_p256();
        let vendor = Authority::root("Vendor");
        let shared = vendor.leaf_with(&key, Template::leaf(&SITES)).certificate;
        let covering = bench.public.leaf_with(&key, Template::leaf(&SITES)).certificate;
        let two = vendor.leaf_with(&key, Template::leaf(&["host.example"])).certificate;
        let own = |name: &str| vendor.leaf(name).certificate;
        for (case, shown, verdict) in [
            ("public root -> leaf for all of the names", SITES.map(|_| covering.clone()), Normal),
            ("private root -> leaf for all of the names", SITES.map(|_| shared.clone()), Anomaly),
            ("private root -> a leaf for each name", SITES.map(own), Anomaly),
            (
                "one leaf for two sites, another for the third",
                [two.clone(), two, own("example.net")],
                Anomaly,
            ),
        ] {
            let shown: Vec<_> = SITES
                .iter()
                .zip(&shown)
                .map(|(name, leaf)| presented(name, "10.0.0.1", &[leaf]))
                .collect();
            let seen = measurement(&shown);
            let around = surroundings(&bench, std::slice::from_ref(&seen));
            for judgement in judge(&seen, &bench.reference, &around, None) {
                assert!(!judgement.has(DETECTOR.id), "{case}");
                assert_eq!(judgement.verdict, verdict, "{case}");
            }
            for judgement in judge(&seen, &bench.reference, &Surroundings::none(), None) {
                assert!(!judgement.has(DETECTOR.id), "{case}, alone");
            }
        }
    }
}
