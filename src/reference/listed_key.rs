//! A key that a reference file lists, and whether what the file says of it is true.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde::Deserialize;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::ReferenceError;
use crate::chain::KeyHash;
use crate::chain::name::attributes_of;

/// A key that somebody is known to sign or to answer with.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// What its use shows.
    pub role: Role,
    /// Subject of the certificate that goes with it.
    pub subject: String,
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// SHA-256 of `spki`.
    pub key_hash: KeyHash,
    /// SHA-256 of its certificate, hexadecimal, where known.
    pub sha256: Option<String>,
    /// SHA-1 of its certificate, hexadecimal, where known.
    pub sha1: Option<String>,
    /// The attributes of `subject`.
    name: BTreeSet<(String, String)>,
}

/// What the use of a key shows.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An authority in an interceptor's hands, or made to be one's: its dossier's conduct says which.
    #[default]
    #[serde(alias = "root", alias = "intermediate")]
    InterceptionAuthority,
    /// A public authority whose key signed forgeries, and before that what honest owners ordered.
    MisusedAuthority,
    /// A public authority that stands above a misused one, or lost its trust: its signature accuses
    /// nobody.
    PublicAuthority,
    /// A leaf that the owners of its names did not order.
    ForgedLeaf,
    /// A genuine leaf, and anybody can answer with its key.
    LeakedLeaf,
    /// A root that is planted on devices, and anybody can sign with its key.
    PlantedRoot,
}

impl Role {
    /// Whether a signature by such a key is an interceptor's.
    pub fn intercepts(self) -> bool {
        matches!(self, Self::InterceptionAuthority | Self::PlantedRoot)
    }

    /// Whether honest owners ordered certificates that such a key signed.
    pub fn is_public(self) -> bool {
        matches!(self, Self::MisusedAuthority | Self::PublicAuthority)
    }
}

impl ListedKey {
    /// Whether it is worth asking if this key signed a certificate of an issuer with these
    /// attributes. A leaf's key signs none, a public authority hides its name from nobody.
    pub(super) fn may_sign_for(&self, issuer: &BTreeSet<(String, String)>) -> bool {
        match self.role {
            Role::InterceptionAuthority | Role::PlantedRoot => true,
            Role::MisusedAuthority | Role::PublicAuthority => self.name == *issuer,
            Role::ForgedLeaf | Role::LeakedLeaf => false,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Written {
    pub(super) subject: String,
    #[serde(default)]
    role: Role,
    public_key: String,
    sha256: Option<String>,
    sha1: Option<String>,
    spki_sha256: Option<String>,
}

/// A stated hash that does not fit the key is an error.
pub(super) fn read(path: &str, index: usize, key: &Written) -> Result<ListedKey, ReferenceError> {
    let bad = |reason: String| ReferenceError::BadKey {
        path: path.into(),
        index,
        subject: key.subject.clone(),
        reason,
    };
    let text: String = key.public_key.split_whitespace().collect();
    let spki = BASE64.decode(text.as_bytes()).map_err(|error| bad(error.to_string()))?;
    match SubjectPublicKeyInfo::from_der(&spki) {
        Ok(([], _)) => {}
        _ => return Err(bad("public_key is not a DER SubjectPublicKeyInfo".into())),
    }
    let key_hash = KeyHash::of(&spki);
    if let Some(stated) = &key.spki_sha256
        && stated.parse() != Ok(key_hash)
    {
        return Err(bad(format!("spki_sha256 states {stated}, but the key has {key_hash}")));
    }
    for (stated, digits) in [(&key.sha256, 64), (&key.sha1, 40)] {
        if let Some(stated) = stated
            && (stated.len() != digits || !stated.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Err(bad(format!("{stated:?} is not a hash of {digits} hexadecimal digits")));
        }
    }
    Ok(ListedKey {
        role: key.role,
        name: attributes_of(&key.subject),
        subject: key.subject.clone(),
        spki,
        key_hash,
        sha256: key.sha256.as_ref().map(|hash| hash.to_ascii_lowercase()),
        sha1: key.sha1.as_ref().map(|hash| hash.to_ascii_lowercase()),
    })
}
