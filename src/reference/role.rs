//! What the keys of dossiers show, by their roles.

use super::{Dossier, Forgery, ListedKey, Reference, Role};
use crate::chain::{Certificate, KeyHash};

impl Reference {
    /// The interceptor with whose authority a key signs.
    pub fn interceptor_with(&self, key: KeyHash) -> Option<(&Dossier, &ListedKey)> {
        self.listed(key, Role::intercepts)
    }

    /// The dossier that tells of the public authority with this key.
    pub fn public_authority_with(&self, key: KeyHash) -> Option<(&Dossier, &ListedKey)> {
        self.listed(key, Role::is_public)
    }

    /// The dossier that tells of a genuine leaf with whose key anybody can answer.
    pub fn leaked_leaf_with(&self, key: KeyHash) -> Option<(&Dossier, &ListedKey)> {
        self.listed(key, |role| role == Role::LeakedLeaf)
    }

    /// The forgery that `leaf` is known to be; `signer` is the key that signed it.
    pub fn forgery(&self, leaf: &Certificate, signer: Option<KeyHash>) -> Option<Forgery<'_>> {
        self.dossiers
            .iter()
            .find_map(|dossier| Some(Forgery { dossier, by: dossier.forged(leaf, signer)? }))
    }

    fn listed(&self, key: KeyHash, role: fn(Role) -> bool) -> Option<(&Dossier, &ListedKey)> {
        self.dossiers.iter().find_map(|dossier| {
            let listed = |known: &&ListedKey| known.key_hash == key && role(known.role);
            Some((dossier, dossier.keys.iter().find(listed)?))
        })
    }
}
