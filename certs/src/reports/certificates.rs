//! Certificates as PEM, wherever they stand: in a text, or in a table with quotes around them.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::{ReportError, sha256, text};
use crate::layout::Sha256;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Every certificate of a report by its SHA-256, which is computed and never read. One that cannot be
/// decoded is left out: whoever needs it will miss it.
///
/// # Errors
/// [`ReportError::Damaged`] where the last one has no end, [`ReportError::Empty`] without any.
pub fn from_bytes(bytes: &[u8]) -> Result<BTreeMap<Sha256, Vec<u8>>, ReportError> {
    let mut certificates = BTreeMap::new();
    for block in text(bytes)?.split(BEGIN).skip(1) {
        let Some((body, _)) = block.split_once(END) else {
            return Err(ReportError::Damaged { reason: "a certificate has no end".into() });
        };
        if let Some(der) = decoded(body) {
            certificates.insert(sha256(&der), der);
        }
    }
    match certificates.is_empty() {
        true => Err(ReportError::Empty { what: "certificate" }),
        false => Ok(certificates),
    }
}

/// The one certificate in a field of a table.
pub(super) fn one(field: &str) -> Option<Vec<u8>> {
    let (_, block) = field.split_once(BEGIN)?;
    decoded(block.split_once(END)?.0)
}

fn decoded(body: &str) -> Option<Vec<u8>> {
    let base64: String = body.split_whitespace().collect();
    BASE64.decode(base64.as_bytes()).ok().filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_hash_is_not_believed() {
        let root = kua_mint::Authority::root("A Root").certificate;
        let pem = kua_mint::pem(&root);
        let zeros = "0".repeat(64);
        for text in [
            pem.clone(),
            format!("# A Root\n{pem}"),
            format!("\"SHA-256 Fingerprint\",\"X.509 Certificate (PEM)\"\n\"{zeros}\",\"'{pem}'\""),
            format!("{pem}-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n"),
            pem.replace('\n', "\r\n"),
        ] {
            let found = from_bytes(text.as_bytes()).unwrap();
            assert_eq!(found, [(sha256(&root), root.clone())].into(), "{text}");
        }
    }

    #[test]
    fn a_cut_report_is_refused() {
        let pem = kua_mint::pem(&kua_mint::Authority::root("A Root").certificate);
        for text in ["", "no certificate", &pem[..pem.len() - 30]] {
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
    }
}
