//! Twenty years of public authorities' certificates: each is read, none is taken for an interceptor's.

use std::collections::BTreeMap;

use kua::chain::Chain;
use kua::measurement::{Handshake, Measurement};
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::trust::Anchor;
use kua::verdict::{Verdict, judge};
use kua_tests::told;

use kua_tests::ccadb::disclosed;

/// Disclosed as authorities, though they are not of version 1 and have no basic constraints: two
/// of Microsoft from 1995 and 1997, one of Entrust from 1999.
const WITHOUT_BASIC_CONSTRAINTS: usize = 3;

/// Why rustls-webpki cannot take a certificate as an anchor: one has dates with a time zone, and in
/// five of Comodo the algorithm is named in two ways.
const NO_ANCHORS: &[(&str, usize)] = &[("BadDer", 1), ("SignatureAlgorithmMismatch", 5)];

#[test]
fn every_one_is_read() {
    let Some(disclosed) = disclosed() else { return };
    let (mut read, mut misnamed, mut authorities) = (0, 0, 0);
    let mut no_anchors = BTreeMap::new();
    for one in &disclosed {
        let fields = one.certificate.fields();
        read += usize::from(fields.is_some());
        authorities += usize::from(fields.is_some_and(|fields| fields.is_ca));
        misnamed += usize::from(one.stated != one.certificate.fingerprint());
        if let Err(error) = Anchor::from_certificate(one.certificate.der()) {
            *no_anchors.entry(error.to_string()).or_insert(0) += 1;
        }
    }
    let all = disclosed.len();
    told(&format!("ccadb: {all} certificates, {read} read, {misnamed} under another's hash"));
    told(&format!(
        "ccadb: {authorities} say that they are authorities; no anchors: {no_anchors:?}"
    ));
    assert_eq!((all, read, misnamed), (3701, 3701, 0));
    assert_eq!(authorities, all - WITHOUT_BASIC_CONSTRAINTS);
    let no_anchors: Vec<_> = no_anchors.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    assert_eq!(no_anchors, NO_ANCHORS);
}

/// Neither by its own key nor by the key that signed it: no dossier's authority was ever in a root
/// program. `tests/state_ca.rs` shows that a dossier's own are attributed.
#[test]
fn none_is_an_interceptor_s() {
    let Some(disclosed) = disclosed() else { return };
    let reference = Reference::built_in().unwrap();
    let mut attributed = Vec::new();
    for one in &disclosed {
        let fields = one.certificate.fields().unwrap();
        let signer = reference.signer(fields).map(|key| key.key_hash);
        for key in [Some(fields.key_hash), signer].into_iter().flatten() {
            if let Some((dossier, _)) = reference.interceptor_with(key) {
                attributed.push((one.certificate.fingerprint(), &dossier.id));
            }
        }
    }
    assert_eq!(attributed, []);
}

/// A server that answers with an authority's certificate alone is odd, and nobody intercepts.
#[test]
fn nobody_is_accused_where_one_is_presented() {
    let Some(disclosed) = disclosed() else { return };
    let reference = Reference::built_in().unwrap();
    let started = time::OffsetDateTime::from_unix_timestamp(1_400_000_000).ok();
    let mut verdicts = BTreeMap::new();
    for one in &disclosed {
        let mut shaken = Handshake {
            server_name: Some("example.com".into()),
            chain: Some(Chain::new(vec![one.certificate.clone()]).unwrap()),
            whole: true,
            ..Handshake::default()
        };
        shaken.extra.holds_key = Some(true);
        let seen = Measurement { started, handshakes: vec![shaken], ..Measurement::default() };
        for judgement in judge(&seen, &reference, &Surroundings::none(), None) {
            *verdicts.entry(judgement.verdict).or_insert(0) += 1;
            assert_eq!(judgement.interceptor, None, "{}", one.certificate.fingerprint());
        }
    }
    assert_eq!(verdicts, [(Verdict::Anomaly, 3701)].into_iter().collect());
}
