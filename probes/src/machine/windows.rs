//! Windows: its stores in the registry, and stores that were saved to a file (`.sst`).
//!
//! Both hold a certificate as a list of properties, each with a number, a word that is 1, and a
//! length, all little-endian; property 32 is the certificate (`CERT_CERT_PROP_ID`, wincrypt.h).

use data_encoding::HEXUPPER_PERMISSIVE;

use super::{Content, StoreError, Trust};

/// How a saved store begins: version 0 and a magic word.
pub(super) const SERIALIZED: &[u8] = b"\0\0\0\0CERT";

/// Keys below which each certificate has a key named by its SHA-1, with a value named `Blob`; what
/// they mean, in words; and whether Windows trusts or distrusts what lies there.
pub const KEYS: &[(&str, &str, Trust)] = &[
    (
        r"HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates",
        "the machine's roots",
        Trust::Trusted,
    ),
    (
        r"HKLM\SOFTWARE\Microsoft\SystemCertificates\AuthRoot\Certificates",
        "roots of Microsoft's program",
        Trust::Trusted,
    ),
    (
        r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\Root\Certificates",
        "roots by policy",
        Trust::Trusted,
    ),
    (
        r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates\Root\Certificates",
        "roots of the organisation's directory",
        Trust::Trusted,
    ),
    (
        r"HKCU\SOFTWARE\Microsoft\SystemCertificates\Root\Certificates",
        "the user's roots",
        Trust::Trusted,
    ),
    (
        r"HKCU\SOFTWARE\Policies\Microsoft\SystemCertificates\Root\Certificates",
        "the user's roots by policy",
        Trust::Trusted,
    ),
    (
        r"HKLM\SOFTWARE\Microsoft\SystemCertificates\Disallowed\Certificates",
        "distrusted on this machine",
        Trust::Distrusted,
    ),
    (
        r"HKCU\SOFTWARE\Microsoft\SystemCertificates\Disallowed\Certificates",
        "distrusted by the user",
        Trust::Distrusted,
    ),
];

/// Keys that Windows fills by itself.
pub const PROGRAM: &[&str] = &[r"HKLM\SOFTWARE\Microsoft\SystemCertificates\AuthRoot\Certificates"];

const CERTIFICATE: u32 = 32;
const FRIENDLY_NAME: u32 = 11;

/// The certificate among the properties of a registry value, and its friendly name.
///
/// # Errors
/// [`StoreError::Cut`].
pub fn blob(bytes: &[u8]) -> Result<Option<(&[u8], String)>, StoreError> {
    let (mut certificate, mut name, mut rest) = (None, String::new(), bytes);
    while !rest.is_empty() {
        let (number, value, after) = property(rest)?;
        match number {
            CERTIFICATE => certificate = Some(value),
            FRIENDLY_NAME => name = utf16(value),
            _ => {}
        }
        rest = after;
    }
    Ok(certificate.map(|certificate| (certificate, name)))
}

/// A store that was saved to a file.
///
/// # Errors
/// [`StoreError::Cut`], [`StoreError::NoStore`] and [`StoreError::TooMany`].
pub fn serialized(bytes: &[u8]) -> Result<Content, StoreError> {
    let mut rest = bytes.strip_prefix(SERIALIZED).ok_or(StoreError::NoStore)?;
    let (mut content, mut name) = (Content::default(), String::new());
    loop {
        let (number, value, after) = property(rest)?;
        match number {
            // The end: a property without a number.
            0 => return Ok(content),
            FRIENDLY_NAME => name = utf16(value),
            CERTIFICATE => content.add(value, &std::mem::take(&mut name))?,
            _ => {}
        }
        rest = after;
    }
}

/// What `reg.exe query KEY /s /v Blob` prints: for each certificate a line with its key and a line
/// with the value in hexadecimal.
///
/// # Errors
/// [`StoreError::TooMany`].
pub fn listed(text: &str, trust: Trust) -> Result<Content, StoreError> {
    let mut content = Content::default();
    let values = text.lines().filter_map(|line| line.split_once("REG_BINARY"));
    for (_, value) in values {
        let bytes = HEXUPPER_PERMISSIVE.decode(value.trim().as_bytes()).unwrap_or_default();
        match blob(&bytes) {
            Ok(Some((der, name))) => content.add_with(der, &name, trust, None)?,
            Ok(None) | Err(_) => content.passed_over += 1,
        }
    }
    Ok(content.each_once())
}

fn property(bytes: &[u8]) -> Result<(u32, &[u8], &[u8]), StoreError> {
    let number = |at: usize| -> Result<u32, StoreError> {
        let word = bytes.get(at..at + 4).ok_or(StoreError::Cut)?;
        Ok(word.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    };
    let length = number(8)? as usize;
    let rest = bytes.get(12..).ok_or(StoreError::Cut)?;
    let (value, after) = rest.split_at_checked(length).ok_or(StoreError::Cut)?;
    Ok((number(0)?, value, after))
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}'));
    text.take_while(|character| *character != '\0').collect()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;
    use kua_mint::Authority;

    use super::*;

    fn written(number: u32, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap();
        [&number.to_le_bytes()[..], &1_u32.to_le_bytes(), &length.to_le_bytes(), value].concat()
    }

    fn friendly(name: &str) -> Vec<u8> {
        name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn values_of_the_registry() {
        let root = Authority::root("Root").certificate;
        let value =
            [written(3, &[7; 20]), written(11, &friendly("My Root")), written(32, &root)].concat();
        assert_eq!(blob(&value).unwrap(), Some((root.as_slice(), "My Root".into())));
        let text = format!(
            "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Certificates\\AB\r\n    Blob    REG_BINARY    {}\r\n\r\n\
             HKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Certificates\\CD\r\n    Blob    REG_BINARY    0300000001\r\n\r\n\
             End of search: 2 match(es) found.\r\n",
            HEXUPPER.encode(&value)
        );
        let content = listed(&text, Trust::Distrusted).unwrap();
        assert_eq!((content.held.len(), content.passed_over), (1, 1));
        assert_eq!(
            (content.held[0].label.as_str(), content.held[0].trust),
            ("My Root", Trust::Distrusted)
        );
        for cut in 1..value.len() {
            let _ = blob(&value[..cut]);
        }
        assert!(matches!(blob(&value[..value.len() - 1]), Err(StoreError::Cut)));
    }

    #[test]
    fn what_windows_fills_is_among_its_keys() {
        assert!(PROGRAM.iter().all(|own| KEYS.iter().any(|(key, _, _)| key == own)));
    }

    #[test]
    fn saved_stores() {
        let root = Authority::root("Root").certificate;
        let end = [0; 12];
        let saved =
            [SERIALIZED, &written(11, &friendly("My Root")), &written(32, &root), &end].concat();
        let content = serialized(&saved).unwrap();
        assert_eq!(content.held[0].certificate.der(), root);
        for cut in 0..saved.len() {
            assert!(serialized(&saved[..cut]).is_err(), "{cut}");
        }
    }
}
