//! Certificates and the chains that servers present, kept byte for byte.

pub mod fields;
pub mod name;
mod stored;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;

use fields::Fields;

/// Longest certificate that is kept, in bytes. A TLS handshake message that rustls accepts is
/// shorter; the longest certificate in the CCADB has 10 kB.
pub const MAX_CERTIFICATE: usize = 256 * 1024;

/// Most certificates in one chain.
pub const MAX_CHAIN: usize = 20_000;

/// A presented chain: never empty, leaf first as the peer sent it, order and duplicates untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(Vec<Certificate>);

impl Chain {
    /// # Errors
    /// [`ChainError::Empty`] without a certificate, [`ChainError::TooMany`] above [`MAX_CHAIN`].
    pub fn new(certificates: Vec<Certificate>) -> Result<Self, ChainError> {
        match certificates.len() {
            0 => Err(ChainError::Empty),
            count if count > MAX_CHAIN => Err(ChainError::TooMany { count }),
            _ => Ok(Self(certificates)),
        }
    }

    /// Takes DER certificates in the order of presentation.
    ///
    /// # Errors
    /// As [`Chain::new`] and [`Certificate::from_bytes`].
    pub fn from_der<B: AsRef<[u8]>>(
        certificates: impl IntoIterator<Item = B>,
    ) -> Result<Self, ChainError> {
        let certificates =
            certificates.into_iter().map(|der| Certificate::from_bytes(der.as_ref()));
        Self::new(certificates.collect::<Result<_, _>>()?)
    }

    /// The certificate sent first.
    pub fn first(&self) -> &Certificate {
        &self.0[0]
    }

    /// All certificates, in the order of presentation.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// The certificates' names, in the order of presentation.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.0.iter().map(Certificate::fingerprint).collect()
    }
}

/// One certificate as it was sent: bytes first, parsing second.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    fingerprint: Fingerprint,
    fields: OnceLock<Option<Fields>>,
}

impl Certificate {
    /// Keeps `bytes` whatever they are; whether a parser accepts them is asked later.
    ///
    /// # Errors
    /// [`ChainError::NoBytes`] for no bytes, [`ChainError::TooLong`] above [`MAX_CERTIFICATE`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ChainError> {
        match bytes.len() {
            0 => Err(ChainError::NoBytes),
            length if length > MAX_CERTIFICATE => Err(ChainError::TooLong { length }),
            _ => Ok(Self(Arc::new(Inner {
                der: bytes.to_vec(),
                fingerprint: Fingerprint::of(bytes),
                fields: OnceLock::new(),
            }))),
        }
    }

    /// The bytes as they were sent.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The certificate's name: SHA-256 of its bytes.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// SHA-1 of its bytes, by which older reports name certificates.
    pub fn sha1(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.der()).as_ref())
    }

    /// What a parser could read, or `None` where it refuses the bytes.
    pub fn fields(&self) -> Option<&Fields> {
        self.0.fields.get_or_init(|| Fields::read(self.der())).as_ref()
    }

    /// The certificate as PEM text (RFC 7468), with a line break at the end.
    pub fn pem(&self) -> String {
        let text = data_encoding::BASE64.encode(self.der());
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in lines {
            pem.push_str(&line);
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl Eq for Certificate {}

macro_rules! sha256_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Hashes `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                let mut hash = [0; 32];
                hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
                Self(hash)
            }

            /// The hash itself.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(hash: [u8; 32]) -> Self {
                Self(hash)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = ChainError;

            /// Reads 64 hexadecimal digits, in either case.
            fn from_str(text: &str) -> Result<Self, ChainError> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
                let hash = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                hash.map(Self).ok_or_else(|| ChainError::NotAHash { text: text.into() })
            }
        }

        impl serde::Serialize for $name {
            /// Digits for people, bytes for machines.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    let text = <String as serde::Deserialize>::deserialize(from)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 32] as serde::Deserialize>::deserialize(from).map(Self)
                }
            }
        }
    };
}

sha256_name! {
    /// The SHA-256 of a certificate's bytes.
    Fingerprint
}

sha256_name! {
    /// The SHA-256 of a DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7): a key's name.
    KeyHash
}

/// Why bytes could not become a certificate or a chain.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A chain without a certificate.
    #[error("chain holds no certificate")]
    Empty,
    /// A certificate without bytes.
    #[error("certificate has no bytes")]
    NoBytes,
    /// Not 64 hexadecimal digits.
    #[error("{text:?} is not a SHA-256 in hexadecimal")]
    NotAHash {
        /// What was read.
        text: String,
    },
    /// A certificate above [`MAX_CERTIFICATE`].
    #[error("certificate has {length} bytes, more than {MAX_CERTIFICATE}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A chain above [`MAX_CHAIN`].
    #[error("chain has {count} certificates, more than {MAX_CHAIN}")]
    TooMany {
        /// How many there were.
        count: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_no_parser_accepts_are_kept_and_named() {
        let certificate = Certificate::from_bytes(b"not even DER").unwrap();
        assert_eq!(certificate.fields(), None);
        assert_eq!(certificate.der(), b"not even DER");
        let name = certificate.fingerprint().to_string();
        assert_eq!(name.parse(), Ok(certificate.fingerprint()));
    }

    #[test]
    fn order_and_duplicates_stay() {
        let chain = Chain::from_der([b"b", b"a", b"b"]).unwrap();
        let sent: Vec<_> = chain.certificates().iter().map(Certificate::der).collect();
        assert_eq!(sent, [b"b", b"a", b"b"]);
    }

    #[test]
    fn limits() {
        assert_eq!(Chain::new(vec![]), Err(ChainError::Empty));
        assert_eq!(Certificate::from_bytes(b""), Err(ChainError::NoBytes));
        let long = vec![0; MAX_CERTIFICATE + 1];
        let length = long.len();
        assert_eq!(Certificate::from_bytes(&long), Err(ChainError::TooLong { length }));
        let one = Certificate::from_bytes(b"0").unwrap();
        let count = MAX_CHAIN + 1;
        assert_eq!(Chain::new(vec![one; count]), Err(ChainError::TooMany { count }));
    }
}
