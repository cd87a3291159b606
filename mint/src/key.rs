//! Key pairs, and the signatures they make.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
};

use crate::rsa_legacy;

/// A key pair that can sign.
#[derive(Clone)]
pub struct Key {
    family: Family,
    pkcs8: Vec<u8>,
    spki: Vec<u8>,
}

/// How a certificate is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA with SHA-256, by P-256 keys.
    EcdsaSha256,
    /// ECDSA with SHA-384, by P-384 keys.
    EcdsaSha384,
    /// Ed25519.
    Ed25519,
    /// Called GOST R 34.10-2012 with 256 bits, which nobody here can make or check; what is signed
    /// is the usual signature of the key.
    Gost,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt.
    RsaPssSha256,
    /// RSA PKCS #1 v1.5 with SHA-1.
    RsaSha1,
    /// RSA PKCS #1 v1.5 with SHA-256.
    RsaSha256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    RsaSha384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    RsaSha512,
    /// The ordinary one for the key: SHA-256 with RSA and P-256, SHA-384 with P-384.
    #[default]
    Usual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Ed25519,
    P256,
    P384,
    Rsa { bits: usize },
}

/// The smallest RSA modulus, in bits, that aws-lc-rs generates and signs with.
const AWS_LC_RSA_FLOOR: usize = 2048;

impl Key {
    /// A new ECDSA key on P-256.
    pub fn ecdsa_p256() -> Key {
        Key::ecdsa(Family::P256, &ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// A new ECDSA key on P-384.
    pub fn ecdsa_p384() -> Key {
        Key::ecdsa(Family::P384, &ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    /// A new Ed25519 key.
    pub fn ed25519() -> Key {
        let pair = Ed25519KeyPair::generate().expect("the system makes keys");
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("a new key has an encoding");
        Key {
            family: Family::Ed25519,
            pkcs8: pkcs8.as_ref().to_vec(),
            spki: x509(pair.public_key()),
        }
    }

    /// A new RSA key with a modulus of `bits` and the exponent 65537. Slow.
    ///
    /// # Panics
    /// Below 1024 bits.
    pub fn rsa(bits: usize) -> Key {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            _ => return Key::rsa_with_exponent(bits, 65_537),
        };
        let pair = RsaKeyPair::generate(size).expect("the system makes keys");
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("a new key has an encoding");
        Key {
            family: Family::Rsa { bits },
            pkcs8: pkcs8.as_ref().to_vec(),
            spki: x509(pair.public_key()),
        }
    }

    /// A new RSA key with another public exponent, such as the 3 of Kazakhstan's forged leaves in
    /// 2019. Slower than [`Key::rsa`].
    ///
    /// # Panics
    /// Below 1024 bits, or where no key has `exponent` (an even one, say).
    pub fn rsa_with_exponent(bits: usize, exponent: u64) -> Key {
        let (pkcs8, spki) = rsa_legacy::generate(bits, exponent);
        Key { family: Family::Rsa { bits }, pkcs8, spki }
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> Vec<u8> {
        self.spki.clone()
    }

    /// The unencrypted PKCS #8 private key, DER.
    pub fn pkcs8(&self) -> Vec<u8> {
        self.pkcs8.clone()
    }

    /// The key identifier that SKI and AKI extensions carry: SHA-1 of the public key's bits
    /// (RFC 5280, section 4.2.1.2, method 1).
    pub fn id(&self) -> Vec<u8> {
        key_id(&self.spki)
    }

    /// The algorithm that `algorithm` means for this key; never [`Algorithm::Usual`].
    pub(crate) fn resolve(&self, algorithm: Algorithm) -> Algorithm {
        match (algorithm, self.family) {
            (Algorithm::Usual, Family::Ed25519) => Algorithm::Ed25519,
            (Algorithm::Usual, Family::P256) => Algorithm::EcdsaSha256,
            (Algorithm::Usual, Family::P384) => Algorithm::EcdsaSha384,
            (Algorithm::Usual, Family::Rsa { .. }) => Algorithm::RsaSha256,
            (chosen, _) => chosen,
        }
    }

    /// Signs `message`.
    ///
    /// # Panics
    /// Where the key cannot sign with `algorithm`.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let algorithm = match self.resolve(algorithm) {
            Algorithm::Gost => self.resolve(Algorithm::Usual),
            other => other,
        };
        match (self.family, algorithm) {
            (Family::Ed25519, Algorithm::Ed25519) => Ed25519KeyPair::from_pkcs8(&self.pkcs8)
                .expect("the key was encoded here")
                .sign(message)
                .as_ref()
                .to_vec(),
            (Family::P256, Algorithm::EcdsaSha256) => {
                self.sign_ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, message)
            }
            (Family::P384, Algorithm::EcdsaSha384) => {
                self.sign_ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, message)
            }
            (Family::Rsa { bits }, _) => self.sign_rsa(bits, algorithm, message),
            (family, _) => panic!("a {family:?} key does not sign with {algorithm:?}"),
        }
    }

    fn ecdsa(family: Family, algorithm: &'static EcdsaSigningAlgorithm) -> Key {
        let pair = EcdsaKeyPair::generate(algorithm).expect("the system makes keys");
        let pkcs8 = pair.to_pkcs8v1().expect("a new key has an encoding");
        Key { family, pkcs8: pkcs8.as_ref().to_vec(), spki: x509(pair.public_key()) }
    }

    fn sign_ecdsa(&self, algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
        EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8)
            .expect("the key was encoded here")
            .sign(&SystemRandom::new(), message)
            .expect("a valid key signs")
            .as_ref()
            .to_vec()
    }

    fn sign_rsa(&self, bits: usize, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let padding: &'static dyn RsaEncoding = match algorithm {
            // aws-lc-rs verifies these but refuses to make them.
            Algorithm::RsaSha1 => return rsa_legacy::sign(&self.pkcs8, algorithm, message),
            _ if bits < AWS_LC_RSA_FLOOR => {
                return rsa_legacy::sign(&self.pkcs8, algorithm, message);
            }
            Algorithm::RsaPssSha256 => &RSA_PSS_SHA256,
            Algorithm::RsaSha256 => &RSA_PKCS1_SHA256,
            Algorithm::RsaSha384 => &RSA_PKCS1_SHA384,
            Algorithm::RsaSha512 => &RSA_PKCS1_SHA512,
            _ => panic!("an RSA key does not sign with {algorithm:?}"),
        };
        let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).expect("the key was encoded here");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &SystemRandom::new(), message, &mut signature)
            .expect("a valid key signs");
        signature
    }
}

impl fmt::Debug for Key {
    /// Leaves the private key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("family", &self.family).finish_non_exhaustive()
    }
}

/// SHA-1 of the bits inside `spki`.
fn key_id(spki: &[u8]) -> Vec<u8> {
    let (bits, _) = yasna::parse_der(spki, |reader| {
        reader.read_sequence(|reader| {
            reader.next().read_der()?;
            reader.next().read_bitvec_bytes()
        })
    })
    .expect("the SPKI was encoded here");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &bits);
    digest.as_ref().to_vec()
}

fn x509<'a>(public: &impl AsDer<PublicKeyX509Der<'a>>) -> Vec<u8> {
    public.as_der().expect("a public key has an encoding").as_ref().to_vec()
}
