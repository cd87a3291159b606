//! What a parser reads from a certificate (RFC 5280, section 4.1), owned and ready to compare.

use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::chain::KeyHash;
use crate::chain::name::Name;

/// A certificate's fields. Nothing here is checked: it is what the certificate says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// 1, 2 or 3; other numbers as they stand.
    pub version: u32,
    /// Content of the INTEGER, big-endian, as encoded (a leading 00 stays).
    pub serial: Vec<u8>,
    /// Who the certificate says it is for.
    pub subject: Name,
    /// Who the certificate says signed it.
    pub issuer: Name,
    /// First moment of validity.
    pub not_before: OffsetDateTime,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
    /// DER SubjectPublicKeyInfo, as encoded.
    pub spki: Vec<u8>,
    /// SHA-256 of `spki`.
    pub key_hash: KeyHash,
    /// What kind of key it is.
    pub key: Key,
    /// Public exponent of an RSA key, where it has 64 bits or fewer.
    pub rsa_exponent: Option<u64>,
    /// Subject Key Identifier, where present.
    pub ski: Option<Vec<u8>>,
    /// Key identifier of the Authority Key Identifier, where present.
    pub aki: Option<Vec<u8>>,
    /// Directory name of the Authority Key Identifier, where present.
    pub aki_name: Option<Name>,
    /// Serial number of the Authority Key Identifier, as encoded, where present.
    pub aki_serial: Option<Vec<u8>>,
    /// Basic constraints say CA, or the certificate has version 1 and is self-issued.
    pub is_ca: bool,
    /// DNS names and IP addresses of the subject alternative name, in order.
    pub alternative_names: Vec<String>,
    /// Dotted OIDs of all extensions, in order.
    pub extensions: Vec<String>,
    /// What the extensions say, in the order of `extensions`.
    pub extension_bodies: Vec<Body>,
    /// The part that is signed, as encoded.
    pub tbs: Vec<u8>,
    /// Dotted OID of the outer signature algorithm.
    pub signature_algorithm: String,
    /// For RSASSA-PSS the dotted OID of its hash.
    pub pss_hash: Option<String>,
    /// Content of the signature's BIT STRING.
    pub signature: Vec<u8>,
}

/// What an extension says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Whether a verifier that does not know it must refuse the certificate.
    pub critical: bool,
    /// Content of the OCTET STRING.
    pub value: Vec<u8>,
}

/// Kind and size of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// An elliptic curve of RFC 5480, by the dotted OID of the curve.
    Ec {
        /// Dotted OID.
        curve: String,
    },
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Any other algorithm, by its dotted OID.
    Other {
        /// Dotted OID.
        algorithm: String,
    },
    /// RSA.
    Rsa {
        /// Length of the modulus.
        bits: usize,
    },
}

impl Fields {
    /// Reads the one certificate that `der` holds; `None` where x509-parser refuses it or bytes
    /// follow it.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (rest, certificate) =
            <X509Certificate as x509_parser::prelude::FromDer<_>>::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        Some(Self::of(&certificate))
    }

    fn of(certificate: &X509Certificate<'_>) -> Self {
        let tbs = &certificate.tbs_certificate;
        let subject = Name::from_parsed(tbs.subject());
        let issuer = Name::from_parsed(tbs.issuer());
        let spki = tbs.subject_pki.raw.to_vec();
        let mut fields = Self {
            version: tbs.version().0.saturating_add(1),
            serial: tbs.raw_serial().to_vec(),
            not_before: tbs.validity().not_before.to_datetime(),
            not_after: tbs.validity().not_after.to_datetime(),
            key_hash: KeyHash::of(&spki),
            key: key_of(&tbs.subject_pki),
            rsa_exponent: rsa_exponent(&tbs.subject_pki),
            spki,
            ski: None,
            aki: None,
            aki_name: None,
            aki_serial: None,
            is_ca: tbs.version().0 == 0 && subject == issuer,
            subject,
            issuer,
            alternative_names: Vec::new(),
            extensions: tbs.extensions().iter().map(|known| known.oid.to_id_string()).collect(),
            extension_bodies: tbs.extensions().iter().map(body).collect(),
            tbs: tbs.as_ref().to_vec(),
            signature_algorithm: certificate.signature_algorithm.algorithm.to_id_string(),
            pss_hash: pss_hash(certificate),
            signature: certificate.signature_value.data.to_vec(),
        };
        for extension in tbs.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::AuthorityKeyIdentifier(aki) => {
                    fields.aki = aki.key_identifier.as_ref().map(|id| id.0.to_vec());
                    fields.aki_name = aki.authority_cert_issuer.as_deref().and_then(only_name);
                    fields.aki_serial = aki.authority_cert_serial.map(<[u8]>::to_vec);
                }
                ParsedExtension::BasicConstraints(basic) => fields.is_ca = basic.ca,
                ParsedExtension::SubjectAlternativeName(names) => {
                    fields.alternative_names =
                        names.general_names.iter().filter_map(alternative_name).collect();
                }
                ParsedExtension::SubjectKeyIdentifier(ski) => fields.ski = Some(ski.0.to_vec()),
                _ => {}
            }
        }
        fields
    }

    /// Whether `at` lies within the stated validity, both ends included.
    pub fn valid_at(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether subject and issuer are the same name. Says nothing about the signature.
    pub fn self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// What the extension with this dotted OID says, where present.
    pub fn extension(&self, oid: &str) -> Option<&Body> {
        let position = self.extensions.iter().position(|found| found == oid)?;
        self.extension_bodies.get(position)
    }

    /// Kind, size and exponent of the key in one word: `rsa-2048-e3`, `ec-p256`, `ed25519`, or the
    /// dotted OID of its curve or algorithm.
    pub fn key_word(&self) -> String {
        match &self.key {
            Key::Rsa { bits } => match self.rsa_exponent {
                Some(exponent) => format!("rsa-{bits}-e{exponent}"),
                None => format!("rsa-{bits}"),
            },
            Key::Ec { curve } => match curve.as_str() {
                "1.2.840.10045.3.1.7" => "ec-p256".into(),
                "1.3.132.0.34" => "ec-p384".into(),
                "1.3.132.0.35" => "ec-p521".into(),
                other => format!("ec-{other}"),
            },
            Key::Ed25519 => "ed25519".into(),
            Key::Other { algorithm } => algorithm.clone(),
        }
    }
}

fn body(extension: &X509Extension<'_>) -> Body {
    Body { critical: extension.critical, value: extension.value.to_vec() }
}

/// The directory name, where it is the only name.
fn only_name(names: &[GeneralName<'_>]) -> Option<Name> {
    match names {
        [GeneralName::DirectoryName(name)] => Some(Name::from_parsed(name)),
        _ => None,
    }
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::IpAddr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::IpAddr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn key_of(spki: &SubjectPublicKeyInfo<'_>) -> Key {
    let algorithm = spki.algorithm.algorithm.to_id_string();
    match spki.parsed() {
        Ok(PublicKey::RSA(key)) => Key::Rsa { bits: modulus_bits(key.modulus) },
        Ok(PublicKey::EC(_)) => {
            let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            curve.map_or(Key::Other { algorithm }, |oid| Key::Ec { curve: oid.to_id_string() })
        }
        _ if algorithm == "1.3.101.112" => Key::Ed25519,
        _ => Key::Other { algorithm },
    }
}

fn rsa_exponent(spki: &SubjectPublicKeyInfo<'_>) -> Option<u64> {
    match spki.parsed().ok()? {
        PublicKey::RSA(key) => key.try_exponent().ok(),
        _ => None,
    }
}

fn modulus_bits(modulus: &[u8]) -> usize {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    modulus
        .get(zeros)
        .map_or(0, |first| (modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

fn pss_hash(certificate: &X509Certificate<'_>) -> Option<String> {
    const PSS: &str = "1.2.840.113549.1.1.10";
    let algorithm = &certificate.signature_algorithm;
    // x509-parser speaks to standard error of others that it does not know.
    if algorithm.algorithm.to_id_string() != PSS {
        return None;
    }
    match SignatureAlgorithm::try_from(algorithm).ok()? {
        SignatureAlgorithm::RSASSA_PSS(params) => Some(params.hash_algorithm_oid().to_id_string()),
        _ => None,
    }
}

/// A number without the zeros that it begins with.
pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
