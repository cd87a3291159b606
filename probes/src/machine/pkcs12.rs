//! PKCS#12 files (RFC 7292), in which Java keeps its trust since version 18.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;

use super::{Content, StoreError, Trust, jks, pem};

/// Whether the bytes are a PFX: a sequence that begins with the version, 3.
pub fn is_pfx(bytes: &[u8]) -> bool {
    // Some programs write lengths that DER does not have.
    let content = bytes.get(1).map(|first| match first {
        0..=0x80 => 2,
        more => 2 + usize::from(more & 0x7f),
    });
    content.and_then(|from| bytes.get(from..)).is_some_and(|body| body.starts_with(&[2, 1, 3]))
}

/// Reads the certificates with the usual passwords of trust stores. Only those with the attribute
/// that Java gives to trusted certificates are trusted; the others are held.
///
/// # Errors
/// [`StoreError::Integrity`], [`StoreError::Pkcs12`], [`StoreError::Cut`] and
/// [`StoreError::TooMany`].
pub fn read(bytes: &[u8]) -> Result<Content, StoreError> {
    if pem::first_element(bytes).is_none() {
        return Err(StoreError::Cut);
    }
    let mut refused = None;
    for password in jks::PASSWORDS {
        match Pkcs12Archive::from_pkcs12(bytes, password) {
            Ok(archive) => return content(&archive),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(match refused {
        Some(Error::MacError(_) | Error::UnpadError) | None => StoreError::Integrity,
        Some(error) => StoreError::Pkcs12 { reason: error.to_string() },
    })
}

fn content(archive: &Pkcs12Archive) -> Result<Content, StoreError> {
    let mut content =
        Content { passed_over: archive.keys.len() + archive.secrets.len(), ..Content::default() };
    for bag in &archive.certs {
        let trust = if bag.trusted { Trust::Trusted } else { Trust::Unsaid };
        let label = bag.friendly_name.as_deref().unwrap_or_default();
        content.add_with(bag.cert.as_der(), label, trust, None)?;
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;
    use p12_keystore::{Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry};

    use super::*;

    /// A trust store as Java makes it.
    fn archive(password: &str, algorithm: EncryptionAlgorithm, alias: &str, der: &[u8]) -> Vec<u8> {
        let mut store = KeyStore::new();
        store.add_entry(alias, KeyStoreEntry::Certificate(Certificate::from_der(der).unwrap()));
        let writer = store.writer(password).encryption_algorithm(algorithm);
        writer.encryption_iterations(10).mac_iterations(10).write().unwrap()
    }

    #[test]
    fn usual_passwords_and_old_ciphers() {
        let root = Authority::root("Root").certificate;
        for algorithm in [
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
            EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc,
        ] {
            for password in jks::PASSWORDS {
                let content = read(&archive(password, algorithm, "root", &root)).unwrap();
                assert_eq!(content.held.len(), 1);
                assert_eq!(content.held[0].certificate.der(), root);
                assert_eq!(
                    (content.held[0].label.as_str(), content.held[0].trust),
                    ("root", Trust::Trusted)
                );
            }
        }
    }

    #[test]
    fn what_is_damaged_is_said() {
        let root = Authority::root("Root").certificate;
        let algorithm = EncryptionAlgorithm::PbeWithHmacSha256AndAes256;
        let good = archive("changeit", algorithm, "root", &root);
        assert!(is_pfx(&good) && !is_pfx(&root));
        for cut in (0..good.len()).step_by(7) {
            assert!(matches!(read(&good[..cut]), Err(StoreError::Cut)), "{cut}");
        }
        let secret = archive("another", algorithm, "root", &root);
        assert!(matches!(read(&secret), Err(StoreError::Integrity)));
        for at in (0..good.len()).step_by(31) {
            let mut changed = good.clone();
            changed[at] ^= 0x55;
            let _ = read(&changed);
        }
    }
}
