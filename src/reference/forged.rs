//! A certificate that is known to have been made in the place of another.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;

use super::{Dossier, ListedKey, Role};
use crate::chain::fields::without_zeros;
use crate::chain::{Certificate, Fingerprint, KeyHash};

/// A known forgery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forged {
    /// The certificate of this hash.
    Certificate(Fingerprint),
    /// The certificate of this serial number, without leading zeros, among those that the dossier's
    /// own keys signed. Without such a signature a number is only a number.
    Numbered(Vec<u8>),
}

/// A presented leaf that is a known forgery.
#[derive(Clone, Copy, Debug)]
pub struct Forgery<'a> {
    /// Who made it, or whose authority was used for it.
    pub dossier: &'a Dossier,
    /// By what it is known.
    pub by: Likeness<'a>,
}

/// By what a forgery is known.
#[derive(Clone, Copy, Debug)]
pub enum Likeness<'a> {
    /// It is that very certificate.
    Certificate,
    /// It has the key of one.
    Key(&'a ListedKey),
    /// It has the serial number of one under the key that signed that one.
    Serial(&'a ListedKey),
}

#[derive(Deserialize)]
pub(super) struct Written {
    sha256: Option<String>,
    serial: Option<String>,
}

pub(super) fn read(written: &Written) -> Result<Forged, String> {
    match (&written.sha256, &written.serial) {
        (Some(sha256), None) => sha256
            .parse()
            .map(Forged::Certificate)
            .map_err(|_| format!("{sha256:?} is not a SHA-256 of 64 hexadecimal digits")),
        (None, Some(serial)) => HEXLOWER_PERMISSIVE
            .decode(serial.as_bytes())
            .map(|number| Forged::Numbered(without_zeros(&number).to_vec()))
            .map_err(|error| format!("the serial {serial:?} is not hexadecimal: {error}")),
        _ => Err("a [[forged]] has either sha256 or serial".into()),
    }
}

impl Dossier {
    /// By what `leaf` is known as a forgery of this dossier; `signer` is the key that signed it.
    pub(super) fn forged(
        &self,
        leaf: &Certificate,
        signer: Option<KeyHash>,
    ) -> Option<Likeness<'_>> {
        if self.forged.contains(&Forged::Certificate(leaf.fingerprint())) {
            return Some(Likeness::Certificate);
        }
        let fields = leaf.fields()?;
        let of_leaf =
            |key: &&ListedKey| key.role == Role::ForgedLeaf && key.key_hash == fields.key_hash;
        if let Some(key) = self.keys.iter().find(of_leaf) {
            return Some(Likeness::Key(key));
        }
        let number = Forged::Numbered(without_zeros(&fields.serial).to_vec());
        let signing = self.keys.iter().find(|key| Some(key.key_hash) == signer)?;
        self.forged.contains(&number).then_some(Likeness::Serial(signing))
    }
}
