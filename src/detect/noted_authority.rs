//! A public authority that a dossier tells of signed the chain, or the leaf's key is published.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::{Conduct, Dossier};

pub(super) static DETECTOR: Detector = Detector {
    id: "noted-authority",
    level: Level::Probable,
    claim: "a public authority, or a published key of a leaf, that a dossier tells of stands in the presented chain",
    innocent: &[
        Innocent::SiteChose,
        Innocent::TwoAuthorities,
        Innocent::Replayed,
        Innocent::StaleReference,
    ],
    source: "the dossier's sources; most of what such a key signed was ordered by the owners of the names",
    example: "noted root -> leaf; the evidence names the dossier, its key, and what of the misuse fits: a name in its time, or the time and a control",
    examine,
};

/// A signature of such a key is worth telling and accuses nobody. It does where the dossier knows
/// that the authority signed for this very name without its owner at that time, or where the leaf
/// was made in that time and a control is shown another chain while no program accepts this one.
fn examine(case: &Case<'_>) -> Outcome {
    let Some(shaken) = case.handshake.filter(|shaken| shaken.chain.is_some()) else {
        return Outcome::NotApplicable;
    };
    let Some((dossier, key)) = case.public_authority().or_else(|| case.leaked_leaf()) else {
        return Outcome::Clear;
    };
    let in_time = signed_in_time(case, dossier);
    let misused = in_time && dossier.conduct == Conduct::Interception;
    let suspect = case.public_authority().is_some()
        && case.fits_name() == Some(true)
        && shaken.extra.holds_key != Some(false)
        && case.agreeing_control().is_none();
    let targeted = suspect && in_time && is_victim(case, dossier);
    let elsewhere = case.vouched().is_none() && case.vouched_control().is_some();
    let contradicted = suspect && misused && elsewhere;
    let accused = targeted || contradicted;
    Outcome::found(
        if accused { Level::Probable } else { Level::Possible },
        json!({
            "dossier": dossier.id,
            "title": dossier.title,
            "key_subject": key.subject,
            "key_spki_sha256": key.key_hash,
            "signed_while_misused": misused,
            "target_of_the_dossier": targeted,
            "contradicted_by_control": contradicted,
        }),
    )
}

/// Whether the leaf was made in a time that the dossier tells of.
fn signed_in_time(case: &Case<'_>, dossier: &Dossier) -> bool {
    case.public_authority().is_some()
        && case.leaf().is_some_and(|leaf| dossier.active_at(leaf.not_before))
}

/// Whether the authority is known to have signed for the target without its owner.
fn is_victim(case: &Case<'_>, dossier: &Dossier) -> bool {
    case.target
        .as_deref()
        .is_some_and(|target| dossier.targeted(target) && !dossier.chosen_for(target))
}
