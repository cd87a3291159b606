//! The presented leaf is one that is known to have been made without the owners of its names.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::Likeness;

pub(super) static DETECTOR: Detector = Detector {
    id: "known-forgery",
    level: Level::Confirmed,
    claim: "the presented leaf is a published forgery, has the key of one, or has its serial number under the key that signed it",
    innocent: &[Innocent::Replayed, Innocent::StolenKey],
    source: "the dossier's sources: certificates that browsers block because others than the owners ordered or signed them",
    example: "public root -> leaf of a forgery's key; the evidence names the dossier and by what the leaf is known: certificate, key or serial",
    examine,
};

fn examine(case: &Case<'_>) -> Outcome {
    let (Some(shaken), Some(leaf)) = (case.handshake, case.leaf()) else {
        return Outcome::NotApplicable;
    };
    let Some(forgery) = case.forgery() else {
        return Outcome::Clear;
    };
    // Whoever sends it may have copied it.
    let copied = shaken.extra.holds_key == Some(false);
    let (by, key) = match forgery.by {
        Likeness::Certificate => ("certificate", None),
        Likeness::Key(key) => ("key", Some(key.key_hash)),
        Likeness::Serial(key) => ("serial", Some(key.key_hash)),
    };
    Outcome::found(
        if copied { Level::Possible } else { Level::Confirmed },
        json!({
            "dossier": forgery.dossier.id,
            "title": forgery.dossier.title,
            "by": by,
            "key_spki_sha256": key,
            "leaf": shaken.leaf().map(crate::chain::Certificate::fingerprint),
            "names": leaf.alternative_names,
            "vouched": case.vouched().is_some(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::{Key, NOW, Template};

    use super::*;
    use crate::detect::testing::{DAY, World, certificates, level_of};

    #[test]
    fn table() {
        let world = World::new(true);
        let public = &world.bench.public;
        let fresh = || Template::leaf(&["example.com"]).valid(NOW - DAY, NOW + DAY);
        let numbered = || fresh().serial(&[0x5e; 16]);
        let key = Key::ecdsa_p256();
        for (case, leaf, expected) in [
            (
                "public root -> leaf of a forgery's key",
                public.leaf_with(&world.forged, fresh()),
                Some("confirmed"),
            ),
            (
                "misused root -> leaf of a forgery's serial number",
                world.misused.leaf_with(&key, numbered()),
                Some("confirmed"),
            ),
            (
                "public root -> leaf of a forgery's serial number",
                public.leaf_with(&key, numbered()),
                None,
            ),
            ("misused root -> leaf", world.misused.leaf_with(&key, fresh()), None),
            ("public root -> leaf of a leaked key", public.leaf_with(&world.leaked, fresh()), None),
        ] {
            let shaken = certificates(&[&leaf.certificate]);
            let judgement = world.bench.judge(&shaken);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
        }
    }
}
