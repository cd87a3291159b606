//! PEM: bundles, OpenSSL's `TRUSTED CERTIFICATE` and the files of p11-kit.

use data_encoding::BASE64;

use super::{Content, StoreError, Trust};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// Where p11-kit begins an object; what follows up to the next is said of that object.
const OBJECT: &str = "[p11-kit-object-v1]";

/// DER of the OIDs serverAuth (1.3.6.1.5.5.7.3.1) and anyExtendedKeyUsage (2.5.29.37.0).
const FOR_SERVERS: [&[u8]; 2] =
    [&[0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 1], &[0x06, 0x04, 0x55, 0x1d, 0x25, 0x00]];

/// Whether there is a PEM block of any kind.
pub(super) fn has_blocks(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// Reads every certificate of the text; other text and other blocks are passed over.
///
/// # Errors
/// [`StoreError::Cut`], [`StoreError::Pem`] and [`StoreError::TooMany`].
pub fn read(bytes: &[u8]) -> Result<Content, StoreError> {
    let text = String::from_utf8_lossy(bytes);
    let mut content = Content::default();
    let mut objects = text.split(OBJECT);
    let before = objects.next().unwrap_or_default();
    blocks(before, &mut content)?;
    for object in objects {
        let from = content.held.len();
        blocks(object, &mut content)?;
        let said = said_of_object(object);
        for held in &mut content.held[from..] {
            held.trust = held.trust.max(said);
        }
    }
    Ok(content)
}

/// What p11-kit's attributes say of an object; without any, it is only held.
fn said_of_object(object: &str) -> Trust {
    let says = |wanted: &str| {
        object
            .lines()
            .filter_map(|line| line.split_once(':'))
            .any(|(name, value)| name.trim() == wanted && value.trim() == "true")
    };
    match (says("x-distrusted"), says("trusted")) {
        (true, _) => Trust::Distrusted,
        (false, true) => Trust::Trusted,
        (false, false) => Trust::Unsaid,
    }
}

fn blocks(text: &str, content: &mut Content) -> Result<(), StoreError> {
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once(BEGIN) {
        let (label, body) = begun.split_once(DASHES).ok_or(StoreError::Cut)?;
        let wanted = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains(&label);
        let (body, after) =
            body.split_once(&format!("-----END {label}-----")).ok_or(StoreError::Cut)?;
        rest = after;
        if !wanted {
            content.passed_over += 1;
            continue;
        }
        let number = content.held.len() + 1;
        let body: String = body.split_whitespace().collect();
        let der = BASE64.decode(body.as_bytes());
        let der = der.map_err(|error| StoreError::Pem { number, reason: error.to_string() })?;
        if label == "TRUSTED CERTIFICATE" {
            let (certificate, said) = first_element(&der).ok_or(StoreError::Cut)?;
            content.add_with(certificate, "", said_beside(said), None)?;
        } else {
            content.add(&der, "")?;
        }
    }
    Ok(())
}

/// What OpenSSL keeps behind a certificate: `X509_CERT_AUX`, a sequence of the purposes it is
/// trusted for and, in `[0]`, of those it is rejected for.
fn said_beside(auxiliary: &[u8]) -> Trust {
    let Some((sequence, _)) = first_element(auxiliary) else { return Trust::Trusted };
    let Some(mut rest) = body(sequence) else { return Trust::Trusted };
    let names_servers = |purposes: &[u8]| {
        FOR_SERVERS.iter().any(|oid| purposes.windows(oid.len()).any(|window| window == *oid))
    };
    let mut trust = Trust::Trusted;
    while let Some((element, after)) = first_element(rest) {
        match element[0] {
            0x30 if !names_servers(element) => trust = Trust::Unsaid,
            0xa0 if names_servers(element) => return Trust::Distrusted,
            _ => {}
        }
        rest = after;
    }
    trust
}

/// The first DER element with its header, and what follows it.
pub(super) fn first_element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, length) = header(der)?;
    der.split_at_checked(header.checked_add(length)?)
}

/// The content of a DER element.
pub(super) fn body(element: &[u8]) -> Option<&[u8]> {
    let (header, length) = header(element)?;
    element.get(header..header.checked_add(length)?)
}

fn header(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    if first < 0x80 {
        return Some((2, first));
    }
    let count = first & 0x7f;
    let bytes = der.get(2..2 + count)?;
    if !(1..=4).contains(&count) {
        return None;
    }
    let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    Some((2 + count, length))
}

#[cfg(test)]
mod tests {
    use kua_mint::Authority;

    use super::*;

    fn block(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
    }

    fn sequence(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    #[test]
    fn what_each_block_says() {
        let root = Authority::root("Root").certificate;
        let mail = [0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 4];
        let with =
            |auxiliary: Vec<u8>| block("TRUSTED CERTIFICATE", &[root.clone(), auxiliary].concat());
        let plain = block("CERTIFICATE", &root);
        let object = |said: &str| format!("{OBJECT}\nclass: certificate\n{said}\n{plain}\n");
        for (case, text, expected) in [
            (
                "a bundle",
                format!("# Root\r\n{}", plain.replace('\n', "\r\n")),
                Some(Trust::Trusted),
            ),
            ("nothing said beside it", with(vec![]), Some(Trust::Trusted)),
            ("an empty word beside it", with(sequence(0x30, &[])), Some(Trust::Trusted)),
            (
                "for servers",
                with(sequence(0x30, &sequence(0x30, FOR_SERVERS[0]))),
                Some(Trust::Trusted),
            ),
            ("for mail", with(sequence(0x30, &sequence(0x30, &mail))), Some(Trust::Unsaid)),
            (
                "not for servers",
                with(sequence(0x30, &sequence(0xa0, FOR_SERVERS[0]))),
                Some(Trust::Distrusted),
            ),
            ("p11-kit, trusted", object("trusted: true"), Some(Trust::Trusted)),
            ("p11-kit, distrusted", object("x-distrusted: true"), Some(Trust::Distrusted)),
            ("p11-kit, only held", object("trusted: false"), Some(Trust::Unsaid)),
            ("a key", block("PRIVATE KEY", &root), None),
        ] {
            let content = read(text.as_bytes()).unwrap();
            assert_eq!(content.held.first().map(|held| held.trust), expected, "{case}");
            let kept = content.held.iter().all(|held| held.certificate.der() == root);
            assert!(kept, "{case}");
        }
    }

    #[test]
    fn what_is_broken_is_said() {
        let root = Authority::root("Root").certificate;
        let plain = block("CERTIFICATE", &root);
        let two = format!("{plain}{}", plain.replace('M', "!"));
        assert!(matches!(read(two.as_bytes()), Err(StoreError::Pem { number: 2, .. })));
        for cut in [2, 12, 30, 200] {
            let read = read(&plain.as_bytes()[..plain.len() - cut]);
            assert!(matches!(read, Err(StoreError::Cut)), "{cut}");
        }
        assert!(read(b"-----BEGIN ").is_err());
    }
}
