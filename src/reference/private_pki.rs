//! Authorities that the owners of names run for themselves: `private_pki.toml`.

use serde::Deserialize;

use super::listed_key::{self, ListedKey};
use super::{ReferenceError, is_below};

/// An authority that no root program vouches for, and none is meant to.
#[derive(Clone, Debug)]
pub struct PrivatePki {
    /// Who runs it.
    pub owner: String,
    /// Suffixes of the names that it is for.
    pub suffixes: Vec<String>,
    /// Its keys; never empty.
    pub keys: Vec<ListedKey>,
}

impl PrivatePki {
    /// Whether `host` is one of the owner's names.
    pub fn is_for(&self, host: &str) -> bool {
        is_below(host, &self.suffixes)
    }
}

pub(super) fn parse(path: &str, text: &str) -> Result<Vec<PrivatePki>, ReferenceError> {
    let written: Written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let read = |pki: WrittenPki| {
        let keys = pki.key.iter().enumerate();
        let keys = keys.map(|(index, key)| listed_key::read(path, index, key));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(PrivatePki { owner: pki.owner, suffixes: pki.suffixes, keys })
    };
    written.pki.into_iter().map(read).collect()
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    pki: Vec<WrittenPki>,
}

#[derive(Deserialize)]
struct WrittenPki {
    owner: String,
    suffixes: Vec<String>,
    key: Vec<listed_key::Written>,
}
