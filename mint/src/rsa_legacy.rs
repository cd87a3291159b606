//! The RSA that aws-lc-rs refuses to make: short moduli, other exponents, SHA-1 signatures.

use std::convert::Infallible;

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::sha2::Sha256;
use rsa::{Pkcs1v15Sign, PrivateKey, Pss};

use crate::key::Algorithm;

// The DER in front of a digest in a DigestInfo (RFC 8017, section 9.2, note 1).
const SHA1_PREFIX: &[u8] = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
const SHA256_PREFIX: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384_PREFIX: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
const SHA512_PREFIX: &[u8] =
    b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// A new key as (PKCS #8, SPKI), both DER.
pub(crate) fn generate(bits: usize, exponent: u64) -> (Vec<u8>, Vec<u8>) {
    let key = PrivateKey::new_with_exp(&mut SystemRng, bits, exponent.into())
        .expect("1024 bits or more and an odd exponent make a key");
    let pkcs8 = key.to_pkcs8_der().expect("a new key has an encoding");
    let spki = key.as_public_key().to_public_key_der().expect("a new key has an encoding");
    (pkcs8.as_bytes().to_vec(), spki.into_vec())
}

/// Signs `message` with the PKCS #8 key `pkcs8`.
pub(crate) fn sign(pkcs8: &[u8], algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    let key = PrivateKey::from_pkcs8_der(pkcs8).expect("the key was encoded here");
    let (hash, prefix) = match algorithm {
        Algorithm::RsaPssSha256 => {
            let hashed = digest::digest(&SHA256, message);
            return key
                .sign_with_rng(&mut SystemRng, Pss::<Sha256>::new(), hashed.as_ref())
                .expect("a valid key signs");
        }
        Algorithm::RsaSha1 => (&SHA1_FOR_LEGACY_USE_ONLY, SHA1_PREFIX),
        Algorithm::RsaSha256 => (&SHA256, SHA256_PREFIX),
        Algorithm::RsaSha384 => (&SHA384, SHA384_PREFIX),
        Algorithm::RsaSha512 => (&SHA512, SHA512_PREFIX),
        _ => panic!("an RSA key does not sign with {algorithm:?}"),
    };
    let hashed = digest::digest(hash, message);
    let padding = Pkcs1v15Sign { hash_len: Some(hash.output_len()), prefix: prefix.into() };
    key.sign_with_rng(&mut SystemRng, padding, hashed.as_ref()).expect("a valid key signs")
}

/// The system's randomness, through aws-lc-rs, in the shape that `rsa` asks for.
struct SystemRng;

impl TryRng for SystemRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        aws_lc_rs::rand::fill(dst).expect("the system has randomness");
        Ok(())
    }
}

impl TryCryptoRng for SystemRng {}
