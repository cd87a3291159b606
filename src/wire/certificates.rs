//! Base64 text to certificates; what was met before is not decoded again.

use std::collections::HashMap;

use data_encoding::BASE64;

use crate::chain::Certificate;

/// Most bytes of text that are remembered.
const MOST: usize = 16 << 20;

/// The certificates that a reader met lately, by their text.
#[derive(Debug)]
pub(super) struct Certificates {
    known: HashMap<Box<str>, Certificate>,
    bytes: usize,
    most: usize,
}

impl Certificates {
    pub(super) fn remembering() -> Self {
        Self { known: HashMap::new(), bytes: 0, most: MOST }
    }

    pub(super) fn forgetting() -> Self {
        Self { known: HashMap::new(), bytes: 0, most: 0 }
    }

    /// The certificate whose base64 text this is, or what is wrong with it.
    pub(super) fn of(&mut self, text: &str) -> Result<Certificate, String> {
        if self.most > 0
            && let Some(certificate) = self.known.get(text)
        {
            return Ok(certificate.clone());
        }
        let der = BASE64.decode(text.as_bytes()).map_err(|error| error.to_string())?;
        let certificate = of_der(&der)?;
        if text.len() <= self.most {
            if self.bytes + text.len() > self.most {
                self.known.clear();
                self.bytes = 0;
            }
            self.bytes += text.len();
            self.known.insert(text.into(), certificate.clone());
        }
        Ok(certificate)
    }
}

/// Keeps what has the outer shape of a certificate. Whether a parser accepts what is inside is no
/// matter.
pub(super) fn of_der(der: &[u8]) -> Result<Certificate, String> {
    if der.len() < 3 || der[0] != 0x30 {
        return Err("no ASN.1 SEQUENCE".into());
    }
    Certificate::from_bytes(der).map_err(|error| error.to_string())
}
