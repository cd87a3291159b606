//! Certificates of anybody: read, followed to their signers, and shown to a client.
#![no_main]

use std::sync::LazyLock;

use kua::chain::fields::Fields;
use kua::chain::{Certificate, Chain};
use kua::ct;
use kua::path::path;
use kua::reference::Reference;
use kua::signature::signed_by;
use kua::trust::fits_name;
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference::built_in().expect("a test of the library loads it"));

/// Certificates that one input may hold; more would find nothing else and be slow.
const MAX_CERTIFICATES: usize = 16;

/// 2025-10-09T08:53:20Z, when the seeds are valid.
const NOW: i64 = 1_760_000_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(chain) = Chain::from_der(split(bytes)) else { return };
    for certificate in chain.certificates() {
        examine(certificate);
    }

    let reference = &*REFERENCE;
    let path = path(&chain, |fields| reference.signer(fields));
    assert!(path.links.iter().all(|link| *link < chain.certificates().len()));
    let _ = (path.anchor(&chain), path.signers(&chain));

    let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
    let accepted =
        reference.stores.iter().any(|store| store.accepts(&chain, "example.com", at).is_ok());
    // Nobody without a root program's key gets in. Who finds such bytes has found a forgery.
    assert!(!accepted, "a root program vouches for example.com");
    let _ = fits_name(&chain, "example.com");
});

fn examine(certificate: &Certificate) {
    let read = Certificate::from_bytes(certificate.der()).expect("it was a certificate before");
    assert_eq!(read.fingerprint(), certificate.fingerprint());
    let Some(fields) = read.fields() else { return };
    assert_eq!(Some(fields), certificate.fields());
    let _ = signed_by(fields, &fields.spki);
    promises(fields);
    let _ = (fields.subject.to_string(), fields.issuer.to_string(), read.pem());
}

/// SCTs, checked as if the certificate had signed itself.
fn promises(fields: &Fields) {
    let logs = &REFERENCE.logs;
    assert!(ct::check(fields, Some(fields.key_hash), logs).len() <= ct::MAX_SCTS);
    let Some(tbs) = ct::precertificate(fields) else { return };
    let without = Fields { tbs, ..fields.clone() };
    assert_eq!(ct::check(&without, None, logs), []);
    assert_eq!(ct::precertificate(&without).as_ref(), Some(&without.tbs));
}

/// Cuts where an ASN.1 SEQUENCE says that it ends; the last piece is whatever is left.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while pieces.len() + 1 < MAX_CERTIFICATES {
        match sequence(bytes) {
            Some(length) if length < bytes.len() => {
                let (piece, rest) = bytes.split_at(length);
                pieces.push(piece);
                bytes = rest;
            }
            _ => break,
        }
    }
    pieces.push(bytes);
    pieces
}

/// The length of the SEQUENCE that `bytes` begin with, header included.
fn sequence(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [0x30, short @ 0..=0x7f, ..] => Some(2 + usize::from(short)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(length)),
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}
