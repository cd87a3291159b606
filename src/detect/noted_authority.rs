//! A public authority that a dossier tells of signed the chain, or the leaf's key is published.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::{Conduct, Dossier, Role};

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
    example: "distrusted root -> leaf; the evidence names the dossier, its key, and what of the misuse fits: a name in its time, or the time and a control",
    examine,
};

/// A signature of such a key is worth telling and accuses nobody. A misused authority's does where
/// the dossier knows that it signed for this very name without its owner at the time that the leaf
/// was made, or where the leaf is of the time of the misuse, a control is shown another chain and
/// no program accepts this one.
fn examine(case: &Case<'_>) -> Outcome {
    let Some(shaken) = case.handshake.filter(|shaken| shaken.chain.is_some()) else {
        return Outcome::NotApplicable;
    };
    let Some((dossier, key)) = case.public_authority().or_else(|| case.leaked_leaf()) else {
        return Outcome::Clear;
    };
    let in_time = key.role == Role::MisusedAuthority
        && case.leaf().is_some_and(|leaf| dossier.active_at(leaf.not_before));
    let misused = in_time && dossier.conduct == Conduct::Interception;
    let suspect = case.fits_name() == Some(true)
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

/// Whether the authority is known to have signed for the target without its owner.
fn is_victim(case: &Case<'_>, dossier: &Dossier) -> bool {
    case.target
        .as_deref()
        .is_some_and(|target| dossier.targeted(target) && !dossier.chosen_for(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::{World, leaf_of_days, level_of};

    #[test]
    fn table() {
        let world = World::new(true);
        for (case, authority, name, days, expected) in [
            ("distrusted root -> leaf", &world.distrusted, "victim.example", 5, Some("possible")),
            (
                "misused root -> leaf of before",
                &world.misused,
                "shop.example",
                60,
                Some("possible"),
            ),
            (
                "misused root -> leaf of the time",
                &world.misused,
                "shop.example",
                5,
                Some("possible"),
            ),
            (
                "misused root -> leaf of the time for a victim",
                &world.misused,
                "victim.example",
                5,
                Some("probable"),
            ),
            ("public root -> leaf", &world.bench.public, "victim.example", 5, None),
            ("planted root -> leaf", &world.planted, "victim.example", 5, None),
        ] {
            let leaf = leaf_of_days(authority, name, days).certificate;
            let judgement = world.told(name, &[&leaf], &[]);
            assert_eq!(level_of(&judgement, DETECTOR.id).as_deref(), expected, "{case}");
        }
    }
}
