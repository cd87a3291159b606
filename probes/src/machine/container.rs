//! What kind of store bytes are, told from the bytes and never from the file's name.

use serde::Serialize;

use super::{Content, MAX_STORE, StoreError, jks, nss, pem, pkcs12, windows};

/// The form of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One DER certificate.
    Der,
    /// A directory of files with certificates.
    Directory,
    /// A Java keystore, JKS or JCEKS.
    Jks,
    /// An NSS database, `cert9.db`.
    Nss,
    /// PEM, whatever stands between the certificates.
    Pem,
    /// PKCS#12, also of Java.
    Pkcs12,
    /// What a system's own program lists.
    System,
    /// A serialized store of Windows.
    Windows,
}

impl Kind {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Der => "DER",
            Self::Directory => "directory",
            Self::Jks => "Java keystore",
            Self::Nss => "NSS database",
            Self::Pem => "PEM",
            Self::Pkcs12 => "PKCS#12",
            Self::System => "the system's own list",
            Self::Windows => "Windows store",
        }
    }
}

/// Reads a store of any kind.
///
/// # Errors
/// Every error but [`StoreError::Unreadable`].
pub fn read(bytes: &[u8]) -> Result<(Kind, Content), StoreError> {
    if bytes.len() > MAX_STORE {
        return Err(StoreError::TooLong);
    }
    let kind = kind_of(bytes)?;
    let content = match kind {
        Kind::Der => {
            let mut content = Content::default();
            content.add(bytes, "")?;
            content
        }
        Kind::Jks => jks::read(bytes)?,
        Kind::Nss => nss::read(bytes)?,
        Kind::Pkcs12 => pkcs12::read(bytes)?,
        Kind::Windows => windows::serialized(bytes)?,
        Kind::Pem | Kind::Directory | Kind::System => pem::read(bytes)?,
    };
    Ok((kind, content.each_once()))
}

fn kind_of(bytes: &[u8]) -> Result<Kind, StoreError> {
    if bytes.starts_with(nss::MAGIC) {
        return Ok(Kind::Nss);
    }
    if jks::MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
        return Ok(Kind::Jks);
    }
    if nss::OLD_MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(StoreError::OldNss);
    }
    if bytes.starts_with(windows::SERIALIZED) {
        return Ok(Kind::Windows);
    }
    if bytes.first() == Some(&0x30) {
        return Ok(if pkcs12::is_pfx(bytes) { Kind::Pkcs12 } else { der_or_nothing(bytes)? });
    }
    if pem::has_blocks(bytes) {
        return Ok(Kind::Pem);
    }
    Err(StoreError::NoStore)
}

/// One file is one certificate only where a parser reads it: anything may begin with 0x30.
fn der_or_nothing(bytes: &[u8]) -> Result<Kind, StoreError> {
    let certificate = kua::chain::Certificate::from_bytes(bytes);
    let read = certificate.is_ok_and(|certificate| certificate.fields().is_some());
    if read { Ok(Kind::Der) } else { Err(StoreError::NoStore) }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, pem};

    use super::*;

    #[test]
    fn the_kind_is_told_from_the_bytes() {
        let root = Authority::root("Root").certificate;
        let hash = |magic: [u8; 4]| [magic.as_slice(), &[0; 60]].concat();
        for (case, bytes, kind) in [
            ("one certificate", root.clone(), Some(Kind::Der)),
            ("PEM", pem(&root).into_bytes(), Some(Kind::Pem)),
            ("text before PEM", format!("# Root\n{}", pem(&root)).into_bytes(), Some(Kind::Pem)),
            ("nothing", Vec::new(), None),
            ("text", b"hello".to_vec(), None),
            ("a cut certificate", root[..root.len() - 1].to_vec(), None),
            ("cert8.db", hash([0x00, 0x06, 0x15, 0x61]), None),
            ("cert8.db of the other byte order", hash([0x61, 0x15, 0x06, 0x00]), None),
            (
                "a key",
                b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n".to_vec(),
                Some(Kind::Pem),
            ),
        ] {
            assert_eq!(read(&bytes).ok().map(|(kind, _)| kind), kind, "{case}");
        }
        let old = read(&hash([0x00, 0x06, 0x15, 0x61])).unwrap_err();
        assert!(matches!(old, StoreError::OldNss), "{old}");
    }

    /// Every store, cut and changed anywhere: an answer or an error, and never more than it holds.
    #[test]
    fn damaged_stores_of_every_kind() {
        use crate::machine::testing::{TRUSTS, database, keystore};

        let root = Authority::root("Root").certificate;
        let stores = [
            root.clone(),
            pem(&root).into_bytes(),
            database(&[("root", &root, Some(TRUSTS))]),
            keystore("changeit", &[("root", &root)]),
            [windows::SERIALIZED, &[32, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7], &[0; 12]].concat(),
        ];
        // A plain sequence of numbers: the same bytes on every machine.
        let mut state = 1_u32;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for store in stores {
            assert!(read(&store).is_ok());
            for _ in 0..300 {
                let mut changed = store[..1 + next(store.len())].to_vec();
                for _ in 0..next(4) {
                    let at = next(changed.len());
                    changed[at] = u8::try_from(next(256)).unwrap();
                }
                if let Ok((_, content)) = read(&changed) {
                    assert!(content.held.len() <= 1);
                }
            }
        }
    }
}
