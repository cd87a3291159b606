//! The presented leaf is one that is known to have been made without the owners of its names.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::Likeness;

pub(super) static DETECTOR: Detector = Detector {
    id: "known-forgery",
    level: Level::Confirmed,
    claim: "the presented leaf is a published forgery, has the key of one, or has its serial number under the key that signed it",
    innocent: &[Innocent::Replayed, Innocent::StolenKey],
    source: "the dossier's sources: certificates that authorities revoked because somebody else had ordered or signed them",
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
