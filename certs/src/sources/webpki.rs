//! webpki-root-certs and webpki-roots: Mozilla's roots for TLS servers of today, and the name
//! constraints that it imposes on some.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use time::Date;
use time::macros::date;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;
use webpki_roots::TLS_SERVER_ROOTS;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::der::der;
use crate::history::{Lack, State};
use crate::layout::{Roots, Sha256, Snapshot};
use crate::packages::{Certificates, add, sha256};

/// The crates give no day: it is the one on which the newer of them was published.
const DATE: Date = date!(2026 - 10 - 23);
const SOURCE: &str = "webpki-root-certs 1.0.11";

/// webpki-roots keeps the contents of its DER values.
const SEQUENCE: u8 = 0x30;

/// Contents of NameConstraints, by certificate.
pub type Constraints = BTreeMap<Sha256, Vec<u8>>;

/// The one state that the crates know.
///
/// # Errors
/// When a certificate has no anchor of its name and key. The other way round is no error: Mozilla
/// removed that root between the two crates.
pub fn state(roots: &mut Roots) -> io::Result<(State, Constraints)> {
    let anchors: BTreeMap<Anchor, Option<&[u8]>> = TLS_SERVER_ROOTS
        .iter()
        .map(|anchor| {
            let subject = der(SEQUENCE, &anchor.subject);
            let key = der(SEQUENCE, &anchor.subject_public_key_info);
            (Anchor { subject, key }, anchor.name_constraints.as_deref())
        })
        .collect();
    let (mut certificates, mut constraints) = (Certificates::new(), Constraints::new());
    for der in TLS_SERVER_ROOT_CERTS {
        let (_, certificate) = X509Certificate::from_der(der).map_err(io::Error::other)?;
        let anchor = Anchor {
            subject: certificate.subject().as_raw().to_vec(),
            key: certificate.public_key().raw.to_vec(),
        };
        let constraint = anchors.get(&anchor).ok_or_else(|| {
            io::Error::other(format!("webpki-roots has no anchor for {}", certificate.subject()))
        })?;
        let hash = sha256(der);
        if let Some(der) = constraint {
            constraints.insert(hash, der.to_vec());
        }
        certificates.insert(hash, der.to_vec());
    }
    let state = State {
        snapshot: Snapshot { date: DATE, source: SOURCE.to_owned() },
        lack: Lack::Doubtful,
        held: certificates.keys().copied().collect(),
        refused: BTreeSet::new(),
    };
    add(roots, certificates)?;
    Ok((state, constraints))
}

/// What a program trusts: a name and a key, both as whole DER values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Anchor {
    subject: Vec<u8>,
    key: Vec<u8>,
}
