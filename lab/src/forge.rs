//! The grammar by which the lab state forges leaves, after Kazakhstan's of 2019.
//!
//! Source: Sundara Raman and others, "Investigating Large Scale HTTPS Interception in Kazakhstan",
//! IMC 2020, doi 10.1145/3419394.3423665.

use aws_lc_rs::digest::{SHA256, digest};
use kua_mint::{Extension, Template};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::LabError;

/// How much earlier both ends of the validity lie, in seconds.
pub const EARLIER: i64 = 6 * 3600;
/// How many bytes at the end of the serial number are replaced.
pub const SERIAL_TAIL: usize = 4;
/// The public exponent of forged keys.
pub const EXPONENT: u64 = 3;
/// The modulus of forged keys, in bits.
pub const BITS: usize = 2048;

/// What the forged leaf for the origin's leaf `origin` (DER) says.
///
/// Subject and SAN are the origin's, byte for byte, whatever name the visitor asked for; the
/// validity is [`EARLIER`]; the last bytes of the serial number depend on `seed` and `host` and
/// are never the original ones; no other extension is left. The same arguments always make the
/// same template.
///
/// # Errors
/// [`LabError::Origin`] where the origin's leaf does not parse.
pub fn forge(origin: &[u8], seed: u64, host: &str) -> Result<Template, LabError> {
    let (_, genuine) =
        X509Certificate::from_der(origin).map_err(|error| LabError::Origin(flat(error)))?;
    let names = genuine
        .extensions()
        .iter()
        .find(|extension| extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME)
        .map(|extension| Extension {
            oid: vec![2, 5, 29, 17],
            critical: extension.critical,
            value: extension.value.to_vec(),
        });
    let validity = genuine.validity();
    let forged = Template::bare(genuine.subject().as_raw())
        .serial(&similar_serial(genuine.raw_serial(), seed, host))
        .valid(validity.not_before.timestamp() - EARLIER, validity.not_after.timestamp() - EARLIER);
    Ok(Template { extensions: names.into_iter().collect(), ..forged })
}

/// `original` with its last bytes replaced. The first byte of a short one keeps its top bit, which
/// is the sign.
fn similar_serial(original: &[u8], seed: u64, host: &str) -> Vec<u8> {
    let mut similar = original.to_vec();
    let noise = digest(&SHA256, &[&seed.to_be_bytes(), host.as_bytes()].concat());
    let start = original.len().saturating_sub(SERIAL_TAIL);
    for (byte, noise) in similar[start..].iter_mut().zip(noise.as_ref()) {
        *byte = *byte & 0x80 | noise & 0x7f;
    }
    if let Some(last) = similar.last_mut()
        && original.last() == Some(last)
    {
        *last ^= 1;
    }
    similar
}

fn flat(
    error: x509_parser::nom::Err<x509_parser::error::X509Error>,
) -> x509_parser::error::X509Error {
    match error {
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error,
        x509_parser::nom::Err::Incomplete(_) => x509_parser::error::X509Error::InvalidCertificate,
    }
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, aki, name};
    use x509_parser::extensions::GeneralName;

    use super::*;

    const SERIAL: &[u8] = &[0x45, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    #[test]
    fn names_are_the_origins_byte_for_byte() {
        let (genuine, forged) = pair("asked.example");
        let (genuine, forged) = (parse(&genuine), parse(&forged));
        assert_eq!(forged.subject().as_raw(), genuine.subject().as_raw());
        let names = forged.subject_alternative_name().expect("unique").expect("present");
        assert_eq!(
            names.value.general_names,
            [GeneralName::DNSName("origin.example"), GeneralName::DNSName("www.origin.example")]
        );
        assert_eq!(forged.extensions()[0].value, genuine_names(&genuine));
    }

    #[test]
    fn validity_is_six_hours_earlier() {
        let (_, forged) = pair("asked.example");
        let validity = parse(&forged).validity().clone();
        assert_eq!(validity.not_before.timestamp(), NOW - 30 * 86_400 - 6 * 3600);
        assert_eq!(validity.not_after.timestamp(), NOW + 60 * 86_400 - 6 * 3600);
    }

    #[test]
    fn serial_differs_in_the_last_four_bytes_only_and_by_host() {
        let tail = |seed, host| {
            let serial = similar_serial(SERIAL, seed, host);
            let (head, tail) = serial.split_at(SERIAL.len() - SERIAL_TAIL);
            assert_eq!(head, &SERIAL[..SERIAL.len() - SERIAL_TAIL]);
            assert_ne!(tail, &SERIAL[SERIAL.len() - SERIAL_TAIL..]);
            tail.to_vec()
        };
        assert_eq!(tail(1, "a.example"), tail(1, "a.example"));
        assert_ne!(tail(1, "a.example"), tail(1, "b.example"));
        assert_ne!(tail(1, "a.example"), tail(2, "a.example"));
    }

    #[test]
    fn short_serials_change_and_stay_positive() {
        for first in 0..=0x7f_u8 {
            for serial in [&[first][..], &[first, 0x80], &[first, 1, 2, 3]] {
                let similar = similar_serial(serial, 1, "a.example");
                assert_ne!(similar, serial);
                assert_eq!(similar.len(), serial.len());
                assert!(similar[0] < 0x80);
            }
        }
        assert_eq!(similar_serial(&[], 1, "a.example"), []);
    }

    #[test]
    fn every_other_extension_is_gone() {
        let (genuine, forged) = pair("asked.example");
        assert_eq!(parse(&genuine).extensions().len(), 4);
        let forged = parse(&forged);
        assert_eq!(forged.extensions().len(), 1);
        assert_eq!(forged.extensions()[0].oid, OID_X509_EXT_SUBJECT_ALT_NAME);
    }

    #[test]
    fn an_origin_without_names_makes_a_leaf_without_extensions() {
        let bare = Template::bare(&name(&[("CN", "origin.example")]));
        let origin = Authority::root("public").leaf_with(&Key::ecdsa_p256(), bare).certificate;
        assert_eq!(forge(&origin, 1, "asked.example").expect("parses").extensions, []);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bytes in [&b""[..], b"\x30", b"not a certificate"] {
            assert!(matches!(forge(bytes, 1, "asked.example"), Err(LabError::Origin(_))));
        }
    }

    /// The origin's leaf and the one forged after it, both DER.
    fn pair(host: &str) -> (Vec<u8>, Vec<u8>) {
        let public = Authority::root("public");
        let template = Template::leaf(&["origin.example", "www.origin.example"])
            .serial(SERIAL)
            .with(aki(&public.key.id()));
        let genuine = public.leaf_with(&Key::ecdsa_p256(), template).certificate;
        let forged = forge(&genuine, 1, host).expect("a certificate");
        let state = Authority::root("state");
        (genuine, state.sign(&Key::ecdsa_p256().spki(), &forged))
    }

    fn genuine_names<'a>(genuine: &X509Certificate<'a>) -> &'a [u8] {
        let names = |extension: &&x509_parser::extensions::X509Extension<'a>| {
            extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME
        };
        genuine.extensions().iter().find(names).expect("a leaf has names").value
    }

    fn parse(der: &[u8]) -> X509Certificate<'_> {
        X509Certificate::from_der(der).expect("a certificate").1
    }
}
