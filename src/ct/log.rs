//! Logs and the lists that programs keep of them.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use time::{Date, OffsetDateTime};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::chain::KeyHash;

/// The logs that one program knew at one date.
#[derive(Clone, Debug)]
pub struct LogList {
    /// The program's name, such as `Chrome`.
    pub program: String,
    /// The list's version as the program counts.
    pub version: Option<String>,
    /// The day whose state of the program this is, where known.
    pub date: Option<Date>,
    /// In the order of the list.
    pub logs: Vec<Log>,
}

impl LogList {
    /// The log with this id.
    pub fn log(&self, id: KeyHash) -> Option<&Log> {
        self.logs.iter().find(|log| log.id == id)
    }
}

/// One log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// SHA-256 of the key's SubjectPublicKeyInfo: the log's name in SCTs.
    pub id: KeyHash,
    /// What it is called.
    pub description: String,
    /// Who runs it.
    pub operator: String,
    /// How it is read.
    pub kind: Kind,
    /// It was never meant to be relied on: `test`, `monitoring-only`.
    pub purpose: Option<String>,
    /// What it signs with.
    pub key: LogKey,
    /// When each known state began, oldest first.
    pub states: Vec<(OffsetDateTime, LogState)>,
}

impl Log {
    /// The state at a moment; `None` before the first one that is known.
    pub fn state_at(&self, at: OffsetDateTime) -> Option<LogState> {
        let begun = self.states.iter().rev().find(|(since, _)| *since <= at);
        begun.map(|(_, state)| *state)
    }

    /// Whether its program did not count what it promised at a moment, as far as the list tells.
    pub fn counts_for_nothing_at(&self, at: OffsetDateTime) -> bool {
        let state = self.state_at(at);
        self.purpose.is_some() || matches!(state, Some(LogState::Rejected | LogState::Retired))
    }
}

/// How a log is read; an SCT looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// RFC 6962.
    Rfc6962,
    /// Tiles: <https://c2sp.org/static-ct-api>.
    Static,
}

/// What a program makes of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// It asked to be taken in.
    Pending,
    /// It was taken in.
    Qualified,
    /// Clients know it.
    Usable,
    /// It takes no more certificates.
    #[serde(alias = "readonly")]
    ReadOnly,
    /// What it promised before counts, and nothing since.
    Retired,
    /// Nothing that it promised counts.
    Rejected,
}

/// A key that a log signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    algorithm: Algorithm,
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    EcdsaP256,
    Rsa,
}

impl LogKey {
    /// Takes a DER SubjectPublicKeyInfo: ECDSA on P-256 or RSA, as RFC 6962, section 2.1.4, has it;
    /// `None` for any other.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        let (rest, read) = SubjectPublicKeyInfo::from_der(spki).ok()?;
        let parameters = read.algorithm.parameters.as_ref();
        let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
        let algorithm = match (read.algorithm.algorithm.to_id_string().as_str(), curve.as_deref()) {
            ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => Algorithm::EcdsaP256,
            ("1.2.840.113549.1.1.1", _) => Algorithm::Rsa,
            _ => return None,
        };
        rest.is_empty().then(|| Self { algorithm, key: read.subject_public_key.data.to_vec() })
    }

    /// Whether this key made `signature`; `None` where the numbers of hash and signature algorithm
    /// (RFC 5246, section 7.4.1.4.1) are not SHA-256 and the key's own.
    pub(super) fn verify(
        &self,
        algorithm: (u8, u8),
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let verifier: &dyn VerificationAlgorithm = match (self.algorithm, algorithm) {
            (Algorithm::EcdsaP256, (4, 3)) => &signature::ECDSA_P256_SHA256_ASN1,
            (Algorithm::Rsa, (4, 1)) => &signature::RSA_PKCS1_2048_8192_SHA256,
            _ => return None,
        };
        Some(UnparsedPublicKey::new(verifier, &self.key).verify(message, signature).is_ok())
    }
}
