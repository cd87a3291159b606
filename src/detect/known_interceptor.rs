//! A key of a known interceptor signed the presented chain.

use serde_json::json;

use super::{Case, Detector, Innocent, Level, Outcome};
use crate::reference::Role;

pub(super) static DETECTOR: Detector = Detector {
    id: "known-interceptor",
    level: Level::Confirmed,
    claim: "a key that a dossier lists signed the presented chain",
    innocent: &[
        Innocent::Replayed,
        Innocent::OneCertificate,
        Innocent::SiteChose,
        Innocent::StolenKey,
        Innocent::LocalProduct,
    ],
    source: "signature by a key that a dossier publishes; RFC 5280, section 6.1.3 (a)(1)",
    example: "state root -> leaf; the evidence names the dossier, its key and the certificate that the key signed",
    examine,
};

/// Only signatures on the path from the first certificate count: an interceptor's root that a
/// server merely sends along proves nothing against anybody.
fn examine(case: &Case<'_>) -> Outcome {
    let (Some(chain), Some(shaken)) = (case.chain(), case.handshake) else {
        return Outcome::NotApplicable;
    };
    let Some((dossier, key)) = case.dossier() else {
        return Outcome::Clear;
    };
    let signed = case.links().take_while(|(_, fields)| fields.key_hash != key.key_hash).last();
    let sent = case.links().find(|(_, fields)| fields.key_hash == key.key_hash);
    let level = match (signed, shaken.extra.holds_key) {
        // Whoever sends it may have copied it.
        (_, Some(false)) => Level::Possible,
        // Everybody can make that signature.
        _ if key.role == Role::PlantedRoot => Level::Probable,
        (Some(_), _) | (None, Some(true)) => Level::Confirmed,
        // The interceptor's own certificate, and nothing that it signed.
        (None, None) => Level::Probable,
    };
    let name = |position: usize| chain.certificates()[position].fingerprint();
    Outcome::found(
        level,
        json!({
            "dossier": dossier.id,
            "title": dossier.title,
            "key_subject": key.subject,
            "key_spki_sha256": key.key_hash,
            "signed_certificate": signed.map(|(position, _)| name(position)),
            "key_in_chain": sent.map(|(position, _)| name(position)),
            "path": case.links().map(|(position, _)| name(position)).collect::<Vec<_>>(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;
    use crate::detect::testing::{Bench, certificates, level_of};

    #[test]
    fn table() {
        let bench = Bench::new();
        let state = &bench.state;
        let middle = state.intermediate("Security Certificate");
        let leaf = middle.leaf("example.com").certificate;
        let public = bench.public.leaf("example.com").certificate;
        let namesake = Authority::root_with(
            kua_mint::Key::ecdsa_p256(),
            kua_mint::Template::authority(&state.name),
        );
        let forged_name = namesake.leaf("example.com").certificate;
        let root = &state.certificate;
        for (case, chain, expected) in [
            ("state root -> leaf", vec![&state.leaf("example.com").certificate], Some("confirmed")),
            (
                "[state root ->] intermediate -> leaf",
                vec![&leaf, &middle.certificate],
                Some("confirmed"),
            ),
            (
                "state root -> intermediate -> leaf, root sent",
                vec![&leaf, &middle.certificate, root],
                Some("confirmed"),
            ),
            ("the same, shuffled", vec![&leaf, root, &middle.certificate], Some("confirmed")),
            ("public root -> leaf", vec![&public], None),
            ("public root -> leaf, state root sent along", vec![&public, root], None),
            ("namesake of the state root -> leaf", vec![&forged_name], None),
            ("namesake -> leaf, state root sent along", vec![&forged_name, root], None),
        ] {
            let found = level_of(&bench.judge(&certificates(&chain)), DETECTOR.id);
            assert_eq!(found.as_deref(), expected, "{case}");
        }
    }

    #[test]
    fn one_certificate_of_a_stock_record() {
        let bench = Bench::new();
        let middle = bench.state.intermediate("Security Certificate").certificate;
        for (case, chain, expected) in [
            ("[state root ->] intermediate", &middle, "confirmed"),
            ("state root", &bench.state.certificate, "probable"),
        ] {
            let mut shaken = certificates(&[chain]);
            shaken.whole = false;
            shaken.extra.holds_key = None;
            assert_eq!(
                level_of(&bench.judge(&shaken), DETECTOR.id).as_deref(),
                Some(expected),
                "{case}"
            );
        }
    }

    #[test]
    fn a_replayed_chain_is_not_proof() {
        let bench = Bench::new();
        let mut shaken = certificates(&[&bench.state.leaf("example.com").certificate]);
        shaken.extra.holds_key = Some(false);
        assert_eq!(level_of(&bench.judge(&shaken), DETECTOR.id).as_deref(), Some("possible"));
    }
}
