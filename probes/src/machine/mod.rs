//! What this machine trusts: its stores are found, read without being changed, and grouped.
//!
//! The readers are pure and take bytes of anybody; [`read`] is the only file that opens files and
//! [`system`] the only one that asks another program.

pub mod audit;
pub mod container;
pub mod environment;
mod error;
pub mod jks;
pub mod local;
pub mod macos;
pub mod nss;
pub mod pem;
pub mod pkcs12;
pub mod places;
pub mod policies;
pub mod read;
pub mod remedy;
pub mod report;
pub mod search;
pub mod signed;
pub mod system;
pub mod windows;

#[cfg(test)]
mod testing;

pub use error::StoreError;

use kua::chain::Certificate;
use time::OffsetDateTime;

/// Longest store that is read, in bytes.
pub const MAX_STORE: usize = 64 * 1024 * 1024;

/// Most certificates of one store.
pub const MAX_CERTIFICATES: usize = 20_000;

/// What one store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its certificates, each once, in the order of the store.
    pub held: Vec<Held>,
    /// Certificates that it distrusts and does not hold, by the SHA-1 or SHA-256 of their bytes in
    /// lower-case hexadecimal.
    pub distrusted: Vec<String>,
    /// Entries that are no certificate or that cannot be read.
    pub passed_over: usize,
}

/// One certificate in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The certificate.
    pub certificate: Certificate,
    /// What the store says of it for TLS servers.
    pub trust: Trust,
    /// The date that the store or the file gives its entry. Not proof of when it was installed.
    pub since: Option<OffsetDateTime>,
    /// What the store calls it: nickname, alias or file name. Empty where it has no name.
    pub label: String,
}

/// What a store says of a certificate, for TLS servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// It may vouch for servers.
    Trusted,
    /// The store holds it and does not say.
    Unsaid,
    /// It must not vouch for servers, whatever another store says.
    Distrusted,
}

impl Content {
    /// Adds a certificate that is trusted, unless it is there already.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] above [`MAX_CERTIFICATES`].
    pub fn add(&mut self, der: &[u8], label: &str) -> Result<(), StoreError> {
        self.add_with(der, label, Trust::Trusted, None)
    }

    /// Adds a certificate, unless it is there already. Of two that differ in trust the distrusted
    /// one stays.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] above [`MAX_CERTIFICATES`].
    pub fn add_with(
        &mut self,
        der: &[u8],
        label: &str,
        trust: Trust,
        since: Option<OffsetDateTime>,
    ) -> Result<(), StoreError> {
        let Ok(certificate) = Certificate::from_bytes(der) else {
            self.passed_over += 1;
            return Ok(());
        };
        if self.held.len() >= MAX_CERTIFICATES {
            return Err(StoreError::TooMany);
        }
        self.held.push(Held { certificate, trust, since, label: label.to_owned() });
        Ok(())
    }

    /// Leaves each certificate once: the distrusted entry of several, else the first.
    #[must_use]
    pub fn each_once(mut self) -> Self {
        let rank = |held: &Held| (held.certificate.fingerprint(), held.trust != Trust::Distrusted);
        let mut order: Vec<usize> = (0..self.held.len()).collect();
        order.sort_by_key(|position| rank(&self.held[*position]));
        order.dedup_by_key(|position| self.held[*position].certificate.fingerprint());
        order.sort_unstable();
        self.held = order.into_iter().map(|position| self.held[position].clone()).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;

    #[test]
    fn of_the_same_certificate_twice_the_distrusted_entry_stays() {
        let (one, two) = (Authority::root("One").certificate, Authority::root("Two").certificate);
        let mut content = Content::default();
        content.add(&one, "first").unwrap();
        content.add(&two, "second").unwrap();
        content.add_with(&one, "third", Trust::Distrusted, None).unwrap();
        content.add(&two, "fourth").unwrap();
        content.add(b"", "nothing").unwrap();
        assert_eq!(content.passed_over, 1);
        let once = content.each_once();
        let labels: Vec<_> = once.held.iter().map(|held| held.label.as_str()).collect();
        assert_eq!(labels, ["second", "third"]);
    }
}
