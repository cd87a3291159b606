//! How a template becomes a signed certificate.

use data_encoding::BASE64;
use time::OffsetDateTime;
use yasna::models::{GeneralizedTime, ObjectIdentifier, UTCTime};
use yasna::tags::TAG_INTEGER;
use yasna::{DERWriter, Tag};

use crate::extension::Extension;
use crate::key::{Algorithm, Key};
use crate::template::Template;

const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const MGF1: &[u64] = &[1, 2, 840, 113_549, 1, 1, 8];

/// The certificate for the public key `spki` that `issuer` (a DER Name) signs with `key`.
pub(crate) fn certificate(key: &Key, issuer: &[u8], spki: &[u8], template: &Template) -> Vec<u8> {
    let algorithm = key.resolve(template.algorithm);
    let signed = to_be_signed(algorithm, issuer, spki, template);
    let signature = key.sign(algorithm, &signed);
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&signed);
            write_algorithm(writer.next(), algorithm);
            writer.next().write_bitvec_bytes(&signature, 8 * signature.len());
        });
    })
}

/// `der` as a PEM certificate, with a final newline.
pub fn pem(der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&byte| char::from(byte)));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// The certificate with a byte more for its outer length than DER allows.
///
/// # Panics
/// At what does not begin with a length of one or two bytes behind a long form's first byte.
pub(crate) fn long_length(certificate: &[u8]) -> Vec<u8> {
    let form = certificate[1];
    assert!(form == 0x81 || form == 0x82, "a certificate has from 128 to 65535 bytes");
    [&[certificate[0], form + 1, 0], &certificate[2..]].concat()
}

/// The TBSCertificate.
pub(crate) fn to_be_signed(
    algorithm: Algorithm,
    issuer: &[u8],
    spki: &[u8],
    template: &Template,
) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            if template.version > 1 {
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_u8(template.version - 1);
                });
            }
            // Not write_bigint: serials that DER would not write this way are part of the trade.
            writer
                .next()
                .write_tagged_implicit(TAG_INTEGER, |writer| writer.write_bytes(&template.serial));
            write_algorithm(writer.next(), algorithm);
            writer.next().write_der(issuer);
            writer.next().write_sequence(|writer| {
                write_time(writer.next(), template.not_before);
                write_time(writer.next(), template.not_after);
            });
            writer.next().write_der(&template.subject);
            writer.next().write_der(spki);
            if !template.extensions.is_empty() {
                writer.next().write_tagged(Tag::context(3), |writer| {
                    writer.write_sequence(|writer| {
                        for extension in &template.extensions {
                            write_extension(writer.next(), extension, template.explicit_false);
                        }
                    });
                });
            }
        });
    })
}

fn write_extension(writer: DERWriter<'_>, extension: &Extension, explicit_false: bool) {
    writer.write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(&extension.oid));
        if extension.critical || explicit_false {
            writer.next().write_bool(extension.critical);
        }
        writer.next().write_bytes(&extension.value);
    });
}

fn write_time(writer: DERWriter<'_>, seconds: i64) {
    let moment =
        OffsetDateTime::from_unix_timestamp(seconds).expect("the moment is in a four-digit year");
    match UTCTime::from_datetime_opt(moment) {
        Some(short) => writer.write_utctime(&short),
        None => writer.write_generalized_time(&GeneralizedTime::from_datetime(moment)),
    }
}

fn write_algorithm(writer: DERWriter<'_>, algorithm: Algorithm) {
    let (oid, parameters): (&[u64], Parameters) = match algorithm {
        Algorithm::EcdsaSha256 => (&[1, 2, 840, 10_045, 4, 3, 2], Parameters::Absent),
        Algorithm::EcdsaSha384 => (&[1, 2, 840, 10_045, 4, 3, 3], Parameters::Absent),
        Algorithm::Ed25519 => (&[1, 3, 101, 112], Parameters::Absent),
        Algorithm::Gost => (&[1, 2, 643, 7, 1, 1, 3, 2], Parameters::Absent),
        Algorithm::RsaPssSha256 => (&[1, 2, 840, 113_549, 1, 1, 10], Parameters::Pss),
        Algorithm::RsaSha1 => (&[1, 2, 840, 113_549, 1, 1, 5], Parameters::Null),
        Algorithm::RsaSha256 => (&[1, 2, 840, 113_549, 1, 1, 11], Parameters::Null),
        Algorithm::RsaSha384 => (&[1, 2, 840, 113_549, 1, 1, 12], Parameters::Null),
        Algorithm::RsaSha512 => (&[1, 2, 840, 113_549, 1, 1, 13], Parameters::Null),
        Algorithm::Usual => unreachable!("the key has resolved it"),
    };
    writer.write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(oid));
        match parameters {
            Parameters::Absent => {}
            Parameters::Null => writer.next().write_null(),
            Parameters::Pss => write_pss(writer.next()),
        }
    });
}

enum Parameters {
    Absent,
    Null,
    Pss,
}

/// RSASSA-PSS-params for SHA-256 throughout and 32 bytes of salt (RFC 4055, section 3.1).
fn write_pss(writer: DERWriter<'_>) {
    writer.write_sequence(|writer| {
        writer.next().write_tagged(Tag::context(0), write_sha256);
        writer.next().write_tagged(Tag::context(1), |writer| {
            writer.write_sequence(|writer| {
                writer.next().write_oid(&ObjectIdentifier::from_slice(MGF1));
                write_sha256(writer.next());
            });
        });
        writer.next().write_tagged(Tag::context(2), |writer| writer.write_u8(32));
    });
}

fn write_sha256(writer: DERWriter<'_>) {
    writer.write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(SHA256));
        writer.next().write_null();
    });
}
