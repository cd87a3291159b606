//! Packages made as Chrome's are, signed by a key of the test.

use std::io::Write;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use kua_mint::Key;

use super::*;

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut value in [number << 3 | 2, content.len() as u64] {
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes.extend_from_slice(content);
    bytes
}

fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in [("manifest.json", &b"{}"[..]), (name, content)] {
        let method = rawzip::CompressionMethod::DEFLATE;
        let (mut entry, config) =
            archive.new_file(name).compression_method(method).start().unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::best());
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn package(key: &Key, archive: &[u8]) -> Vec<u8> {
    let signed = field(1, &[0; 16]);
    let length = u32::try_from(signed.len()).unwrap().to_le_bytes();
    let message = [b"CRX3 SignedData\x00", length.as_slice(), &signed, archive].concat();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.pkcs8()).unwrap();
    let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
    let proof = [field(1, &key.spki()), field(2, signature.as_ref())].concat();
    let header = [field(3, &proof), field(10_000, &signed)].concat();
    let length = u32::try_from(header.len()).unwrap().to_le_bytes();
    [b"Cr24", 3_u32.to_le_bytes().as_slice(), &length, &header, archive].concat()
}

fn set() -> Vec<u8> {
    let [a, b, c, d] = [1, 2, 3, 4].map(|byte| BASE64.encode(&[byte; 32]));
    let header = format!(
        "{{\"Version\":0,\"ContentType\":\"CRLSet\",\"Sequence\":9999,\"DeltaFrom\":0,\
         \"NumParents\":2,\"BlockedSPKIs\":[\"{a}\"],\"LimitedSubjects\":{{\"{b}\":[\"{c}\"]}},\
         \"KnownInterceptionSPKIs\":[\"{d}\"],\"BlockedInterceptionSPKIs\":[],\"NotAfter\":0}}"
    );
    let mut bytes = u16::try_from(header.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    for (parent, serials) in [(8, vec![vec![0, 0x81], vec![2]]), (9, vec![])] {
        bytes.extend_from_slice(&[parent; 32]);
        bytes.extend_from_slice(&u32::try_from(serials.len()).unwrap().to_le_bytes());
        for serial in serials {
            bytes.push(u8::try_from(serial.len()).unwrap());
            bytes.extend(serial);
        }
    }
    bytes
}

#[test]
fn a_signed_set_is_read() {
    let key = Key::ecdsa_p256();
    let id = crx::component_id(&key.spki());
    let read = from_bytes(&package(&key, &zip("crl-set", &set())), &id).unwrap();
    assert_eq!(read.sequence, 9999);
    assert_eq!(read.blocked, [[1; 32]].into());
    assert_eq!(read.limited, [([2; 32], [[3; 32]].into())].into());
    assert_eq!(read.known_interception, [[4; 32]].into());
    let serials = [Serial::new(&[0x81]), Serial::new(&[2])].into();
    assert_eq!(read.revoked, [([8; 32], serials), ([9; 32], [].into())].into());
}

#[test]
fn a_set_that_another_key_signed_or_that_was_changed_is_refused() {
    let (key, other) = (Key::ecdsa_p256(), Key::ecdsa_p256());
    let id = crx::component_id(&key.spki());
    let good = package(&key, &zip("crl-set", &set()));
    for (bytes, id) in [
        (package(&other, &zip("crl-set", &set())), id.as_str()),
        (good.clone(), COMPONENT),
        ([good.as_slice(), b"x"].concat(), id.as_str()),
    ] {
        let error = from_bytes(&bytes, id).unwrap_err();
        assert!(matches!(error, ReportError::BadSignature { .. }), "{error}");
    }
    for bytes in [
        package(&key, &zip("crl-list", &set())),
        package(&key, b"no archive"),
        good[..good.len() - 1].to_vec(),
        changed(&good, b"Cr24", b"Cr25"),
        Vec::new(),
    ] {
        assert!(from_bytes(&bytes, &id).is_err());
    }
}

#[test]
fn a_cut_set_is_refused_wherever_it_is_cut() {
    let whole = set();
    assert!(from_file(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(from_file(&whole[..length]).is_err(), "{length}");
    }
    assert!(from_file(&[whole.as_slice(), &[0]].concat()).is_err());
    assert!(from_file(&changed(&whole, b"\"DeltaFrom\":0", b"\"DeltaFrom\":8")).is_err());
}

fn changed(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
