//! Signed packages of Chrome's components (CRX, version 3): the archive inside, where the signature is
//! of the key that the component is called by.

use std::io::Read;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rawzip::{CompressionMethod, ZipArchive};

use super::{ReportError, limited, sha256};

/// Longest file in a package that is unpacked.
const MAX_MEMBER: u64 = 32 * 1024 * 1024;

/// What a signature is made over begins with this.
const CONTEXT: &[u8] = b"CRX3 SignedData\x00";

/// The archive in a package of the component `id`.
pub(super) fn archive<'a>(bytes: &'a [u8], id: &str) -> Result<&'a [u8], ReportError> {
    let cut = || damaged("the package has no whole header");
    let rest = limited(bytes)?.strip_prefix(b"Cr24").ok_or_else(|| damaged("it is no package"))?;
    let (version, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
    if u32::from_le_bytes(*version) != 3 {
        return Err(damaged("it is a package of another version"));
    }
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut())?;
    let (header, archive) = rest.split_at_checked(length).ok_or_else(cut)?;
    match is_signed(header, archive, id).ok_or_else(cut)? {
        true => Ok(archive),
        false => Err(ReportError::BadSignature { signer: "the component that it is" }),
    }
}

/// The header's fields: proofs with RSA (2) and ECDSA (3), and the signed part (10000).
fn is_signed(header: &[u8], archive: &[u8], id: &str) -> Option<bool> {
    let fields = fields(header)?;
    let (_, signed) = fields.iter().find(|(number, _)| *number == 10_000)?;
    let length = u32::try_from(signed.len()).ok()?.to_le_bytes();
    let message = [CONTEXT, &length, signed, archive].concat();
    for (number, proof) in &fields {
        let proof = self::fields(proof);
        let part = |wanted| Some(proof.as_ref()?.iter().find(|(number, _)| *number == wanted)?.1);
        let (Some(key), Some(signature)) = (part(1), part(2)) else { continue };
        if component_id(key) != id {
            continue;
        }
        let verified = match number {
            2 => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(&message, signature)
            }
            3 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(&message, signature),
            _ => continue,
        };
        if verified.is_ok() {
            return Some(true);
        }
    }
    Some(false)
}

/// Half of the key's SHA-256, in digits from `a` to `p`.
pub(super) fn component_id(key: &[u8]) -> String {
    let digits = sha256(key).into_iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b'a' + digit)).collect()
}

/// The fields of a protocol buffer that hold bytes; others are passed over.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = varint(bytes)?;
        match key & 7 {
            0 => bytes = varint(rest)?.1,
            1 => bytes = rest.get(8..)?,
            2 => {
                let (length, rest) = varint(rest)?;
                let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                fields.push((key >> 3, content));
                bytes = rest;
            }
            5 => bytes = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(fields)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (position, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(position).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(position + 1..)?));
        }
    }
    None
}

/// The file `name` of an archive.
pub(super) fn member(archive: &[u8], name: &str) -> Result<Vec<u8>, ReportError> {
    let broken = |error: rawzip::Error| damaged(&error.to_string());
    let archive = ZipArchive::from_slice(archive).map_err(broken)?;
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        if entry.file_path().as_ref() != name.as_bytes() {
            continue;
        }
        let method = entry.compression_method();
        let local = archive.get_entry(entry.wayfinder()).map_err(broken)?;
        let reader: Box<dyn Read> = match method {
            CompressionMethod::STORE => Box::new(local.data()),
            CompressionMethod::DEFLATE => {
                Box::new(flate2::bufread::DeflateDecoder::new(local.data()))
            }
            _ => return Err(damaged("it is packed by an unknown method")),
        };
        let mut content = Vec::new();
        let mut limited = local.verifying_reader(reader).take(MAX_MEMBER + 1);
        let read = limited.read_to_end(&mut content);
        read.map_err(|error| damaged(&error.to_string()))?;
        return match content.len() {
            length if length as u64 > MAX_MEMBER => {
                Err(ReportError::TooLong { length, limit: MAX_MEMBER as usize })
            }
            _ => Ok(content),
        };
    }
    Err(damaged(&format!("the package has no {name}")))
}

fn damaged(reason: &str) -> ReportError {
    ReportError::Damaged { reason: reason.into() }
}
