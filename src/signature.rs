//! Did this key sign that certificate? As permissive as interceptors are careless.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::chain::fields::Fields;

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// Answer to "did this key sign it".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The signature verifies.
    Yes,
    /// It does not.
    No,
    /// Nobody here can check this algorithm (MD5, GOST, ...): not a no.
    CannotTell,
}

/// Whether the key `spki` (DER SubjectPublicKeyInfo) signed the certificate.
///
/// Looks at nothing else: RSA from 1024 bits, SHA-1, RSASSA-PSS, ECDSA on P-256 to P-521 and
/// Ed25519 count, and so do expired, version 1 and non-DER certificates, because interceptors make
/// them. Never use it to decide trust: that is [`TrustStore::accepts`](crate::trust::TrustStore).
pub fn signed_by(certificate: &Fields, spki: &[u8]) -> Signed {
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(spki) else {
        return Signed::CannotTell;
    };
    let Some(algorithm) = algorithm(certificate, &key) else {
        return Signed::CannotTell;
    };
    let key = UnparsedPublicKey::new(algorithm, &key.subject_public_key.data);
    match key.verify(&certificate.tbs, &certificate.signature) {
        Ok(()) => Signed::Yes,
        Err(_) => Signed::No,
    }
}

fn algorithm(
    certificate: &Fields,
    key: &SubjectPublicKeyInfo<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    let kind = key.algorithm.algorithm.to_id_string();
    match (certificate.signature_algorithm.as_str(), kind.as_str()) {
        ("1.2.840.113549.1.1.5" | "1.3.14.3.2.29", RSA) => {
            Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)
        }
        ("1.2.840.113549.1.1.11", RSA) => {
            Some(&signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
        }
        ("1.2.840.113549.1.1.12", RSA) => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        ("1.2.840.113549.1.1.13", RSA) => {
            Some(&signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
        }
        ("1.2.840.113549.1.1.10", RSA | "1.2.840.113549.1.1.10") => {
            pss(certificate.pss_hash.as_deref()?)
        }
        ("1.3.101.112", "1.3.101.112") => Some(&signature::ED25519),
        (ecdsa, "1.2.840.10045.2.1") => {
            let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
            elliptic(ecdsa, &curve)
        }
        _ => None,
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";

fn pss(hash: &str) -> Option<&'static dyn VerificationAlgorithm> {
    match hash {
        SHA256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        SHA384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        SHA512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn elliptic(algorithm: &str, curve: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (algorithm, curve) {
        ("1.2.840.10045.4.1", P256) => &signature::ECDSA_P256_SHA1_ASN1,
        ("1.2.840.10045.4.3.2", P256) => &signature::ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P256) => &signature::ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P256) => &signature::ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", P384) => &signature::ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P384) => &signature::ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P384) => &signature::ECDSA_P384_SHA512_ASN1,
        ("1.2.840.10045.4.1", P521) => &signature::ECDSA_P521_SHA1_ASN1,
        ("1.2.840.10045.4.3.2", P521) => &signature::ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", P521) => &signature::ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", P521) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use kua_mint::{Algorithm, Authority, Key, Template, name};

    use super::*;
    use crate::chain::Certificate;

    /// The answer for `certificate` and the keys of its signer and of a stranger of the same kind.
    fn answers(certificate: &[u8], signer: &Key, stranger: &Key) -> (Signed, Signed) {
        let certificate = Certificate::from_bytes(certificate).unwrap();
        let fields = certificate.fields().expect("x509-parser reads it");
        (signed_by(fields, &signer.spki()), signed_by(fields, &stranger.spki()))
    }

    #[test]
    fn table() {
        let rsa = |bits: usize| (Key::rsa(bits), Key::rsa(bits));
        let leaf = || Template::leaf(&["example.com"]);
        for (case, (signer, stranger), template) in [
            ("RSA-1024, SHA-1", rsa(1024), leaf().algorithm(Algorithm::RsaSha1)),
            ("RSA-1024, SHA-256", rsa(1024), leaf()),
            ("RSA-2048, SHA-256", rsa(2048), leaf()),
            ("RSA-2048, SHA-384", rsa(2048), leaf().algorithm(Algorithm::RsaSha384)),
            ("RSA-2048, SHA-512", rsa(2048), leaf().algorithm(Algorithm::RsaSha512)),
            ("RSA-2048, PSS", rsa(2048), leaf().algorithm(Algorithm::RsaPssSha256)),
            ("P-256", (Key::ecdsa_p256(), Key::ecdsa_p256()), leaf()),
            ("P-384", (Key::ecdsa_p384(), Key::ecdsa_p384()), leaf()),
            ("Ed25519", (Key::ed25519(), Key::ed25519()), leaf()),
            ("P-256, expired", (Key::ecdsa_p256(), Key::ecdsa_p256()), leaf().valid(0, 1)),
            ("P-256, version 1", (Key::ecdsa_p256(), Key::ecdsa_p256()), leaf().version_1()),
            ("P-256, not DER", (Key::ecdsa_p256(), Key::ecdsa_p256()), leaf().explicit_false()),
        ] {
            let authority =
                Authority::root_with(signer.clone(), Template::authority(&name(&[("CN", "Root")])));
            let certificate = authority.leaf_with(&Key::ecdsa_p256(), template).certificate;
            let expected = (Signed::Yes, Signed::No);
            assert_eq!(answers(&certificate, &signer, &stranger), expected, "{case}");
        }
    }

    #[test]
    fn another_kind_of_key_or_no_key_is_not_a_no() {
        let authority = Authority::root("Root");
        let certificate = Certificate::from_bytes(&authority.leaf("example.com").certificate);
        let certificate = certificate.unwrap();
        let fields = certificate.fields().unwrap();
        assert_eq!(signed_by(fields, &Key::ed25519().spki()), Signed::CannotTell);
        assert_eq!(signed_by(fields, b"no key"), Signed::CannotTell);
    }
}
