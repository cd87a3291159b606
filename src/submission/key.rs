//! The key of a probe's submissions.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::HEXLOWER;

use crate::tlog::Hash;

/// What is signed: the context, so that the signature means nothing elsewhere, and the SHA-256 of the
/// record as it is sent.
pub fn statement(record: &Hash) -> String {
    format!("kua.submission/1\n{}\n", HEXLOWER.encode(record))
}

/// Whether this Ed25519 key signed the submission of a record with this hash.
pub fn is_signed_by(key: &[u8], signature: &[u8], record: &Hash) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(statement(record).as_bytes(), signature).is_ok()
}

/// A key that signs submissions.
#[derive(Debug)]
pub struct SubmissionKey(Ed25519KeyPair);

impl SubmissionKey {
    /// The key that `seed` gives; nothing if it gives none.
    pub fn from_seed(seed: &Hash) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The public key's 32 bytes.
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// The signature, 64 bytes, of a record with this hash.
    pub fn sign(&self, record: &Hash) -> Vec<u8> {
        self.0.sign(statement(record).as_bytes()).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_record_one_key_and_one_purpose() {
        let key = SubmissionKey::from_seed(&[1; 32]).unwrap();
        let other = SubmissionKey::from_seed(&[2; 32]).unwrap();
        let signature = key.sign(&[7; 32]);
        let bare = key.0.sign(&[7; 32]);
        for (case, key, signature, record, signed) in [
            ("as it was made", key.public(), &signature[..], [7; 32], true),
            ("another record", key.public(), &signature[..], [8; 32], false),
            ("another key", other.public(), &signature[..], [7; 32], false),
            ("a signature over the hash alone", key.public(), bare.as_ref(), [7; 32], false),
            ("no key", b"", &signature[..], [7; 32], false),
            ("a cut signature", key.public(), &signature[..63], [7; 32], false),
        ] {
            assert_eq!(is_signed_by(key, signature, &record), signed, "{case}");
        }
    }
}
