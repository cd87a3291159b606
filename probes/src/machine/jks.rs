//! Java keystores of the kinds JKS and JCEKS, as `sun.security.provider.JavaKeyStore` writes them.

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::{Content, MAX_CERTIFICATES, StoreError, Trust};

/// How they begin.
pub(super) const MAGICS: [&[u8]; 2] = [&[0xfe, 0xed, 0xfe, 0xed], &[0xce, 0xce, 0xce, 0xce]];

/// The password of every trust store, unless somebody chose another; and none.
pub(super) const PASSWORDS: [&str; 2] = ["changeit", ""];

/// What Java hashes between password and content.
const SALT: &[u8] = b"Mighty Aphrodite";
const HASH: usize = 20;

const PRIVATE_KEY: u32 = 1;
const TRUSTED: u32 = 2;

/// Reads the trusted certificates with the dates on which they were added; the hash at the end must
/// fit with one of the usual passwords.
///
/// # Errors
/// [`StoreError::Cut`], [`StoreError::Integrity`], [`StoreError::UnknownEntry`] and
/// [`StoreError::TooMany`].
pub fn read(bytes: &[u8]) -> Result<Content, StoreError> {
    let (content, hash) =
        bytes.split_at_checked(bytes.len().saturating_sub(HASH)).ok_or(StoreError::Cut)?;
    if !PASSWORDS.iter().any(|password| keyed(password, content) == hash) {
        // A file that is cut has no hash at its end either: say which of the two it is.
        entries(content)?;
        return Err(StoreError::Integrity);
    }
    entries(content)
}

fn keyed(password: &str, content: &[u8]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(&password.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    context.update(SALT);
    context.update(content);
    context.finish().as_ref().to_vec()
}

fn entries(bytes: &[u8]) -> Result<Content, StoreError> {
    let mut reader = Reader(bytes);
    reader.take(MAGICS[0].len())?;
    let version = reader.number()?;
    let count = reader.number()?;
    if count as usize > MAX_CERTIFICATES {
        return Err(StoreError::TooMany);
    }
    let mut content = Content::default();
    for _ in 0..count {
        let kind = reader.number()?;
        let alias = reader.text()?;
        let added = reader.moment()?;
        match kind {
            TRUSTED => {
                let der = reader.certificate(version)?;
                content.add_with(der, &alias, Trust::Trusted, added)?;
            }
            PRIVATE_KEY => {
                reader.counted()?;
                let chain = reader.number()?;
                for _ in 0..chain {
                    reader.certificate(version)?;
                }
                content.passed_over += 1;
            }
            kind => return Err(StoreError::UnknownEntry { kind }),
        }
    }
    if reader.0.is_empty() { Ok(content) } else { Err(StoreError::Integrity) }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(StoreError::Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    fn text(&mut self) -> Result<String, StoreError> {
        let length =
            self.take(2)?.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn counted(&mut self) -> Result<&'a [u8], StoreError> {
        let length = self.number()?;
        self.take(length as usize)
    }

    /// Milliseconds since 1970.
    fn moment(&mut self) -> Result<Option<OffsetDateTime>, StoreError> {
        let bytes = self.take(8)?;
        let milliseconds =
            bytes.iter().fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
        Ok(OffsetDateTime::from_unix_timestamp(milliseconds / 1000).ok())
    }

    fn certificate(&mut self, version: u32) -> Result<&'a [u8], StoreError> {
        if version != 1 {
            self.text()?;
        }
        self.counted()
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, NOW};

    use super::*;
    use crate::machine::testing::keystore;

    #[test]
    fn aliases_and_dates() {
        let roots = ["One", "Two"].map(|name| Authority::root(name).certificate);
        for password in PASSWORDS {
            let content =
                read(&keystore(password, &[("one", &roots[0]), ("two", &roots[1])])).unwrap();
            let labels: Vec<_> = content.held.iter().map(|held| held.label.as_str()).collect();
            assert_eq!(labels, ["one", "two"]);
            assert_eq!(content.held[1].since, OffsetDateTime::from_unix_timestamp(NOW).ok());
        }
    }

    #[test]
    fn what_is_damaged_is_said() {
        let root = Authority::root("Root").certificate;
        let good = keystore("changeit", &[("root", &root)]);
        let mut changed = good.clone();
        let within = changed.len() - 100;
        changed[within] ^= 1;
        assert!(matches!(read(&changed), Err(StoreError::Integrity)));
        let secret = keystore("another", &[("root", &root)]);
        assert!(matches!(read(&secret), Err(StoreError::Integrity)));
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "{cut}");
        }
        assert!(matches!(read(&good[..good.len() - 200]), Err(StoreError::Cut)));
        let mut many = good[..8].to_vec();
        many.extend([0xff; 64]);
        assert!(matches!(read(&many), Err(StoreError::TooMany)));
    }
}
