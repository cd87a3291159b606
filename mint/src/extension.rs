//! The extensions that certificates here carry, and room for any other.

use std::net::IpAddr;

use yasna::Tag;
use yasna::models::ObjectIdentifier;

/// The purpose id-kp-clientAuth.
pub const CLIENT_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
/// The purpose id-kp-serverAuth.
pub const SERVER_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];

/// One extension of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The components of the identifier.
    pub oid: Vec<u64>,
    /// Whether a verifier that does not know it must refuse the certificate.
    pub critical: bool,
    /// What the OCTET STRING holds: DER for every extension of RFC 5280, but any bytes here.
    pub value: Vec<u8>,
}

/// One bit of the key usage extension; the number is the bit's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUsage {
    /// Signs anything but certificates and CRLs.
    DigitalSignature = 0,
    /// Encrypts keys, as in RSA key transport.
    KeyEncipherment = 2,
    /// Signs certificates.
    CertSign = 5,
    /// Signs revocation lists.
    CrlSign = 6,
}

/// A subject alternative name: iPAddress for IP literals, dNSName for everything else.
pub fn san(names: &[&str]) -> Extension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for name in names {
                let (tag, content) = match name.parse() {
                    Ok(IpAddr::V4(address)) => (7, address.octets().to_vec()),
                    Ok(IpAddr::V6(address)) => (7, address.octets().to_vec()),
                    Err(_) => (2, name.as_bytes().to_vec()),
                };
                writer.next().write_tagged_implicit(Tag::context(tag), |writer| {
                    writer.write_bytes(&content);
                });
            }
        });
    });
    Extension { oid: vec![2, 5, 29, 17], critical: false, value }
}

/// An authority key identifier with a keyIdentifier only.
pub fn aki(key_id: &[u8]) -> Extension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer
                .next()
                .write_tagged_implicit(Tag::context(0), |writer| writer.write_bytes(key_id));
        });
    });
    Extension { oid: vec![2, 5, 29, 35], critical: false, value }
}

/// An authority key identifier with key identifier, directory name (a DER Name) and serial number.
pub fn aki_full(key_id: &[u8], name: &[u8], serial: &[u8]) -> Extension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_tagged_implicit(Tag::context(0), |writer| {
                writer.write_bytes(key_id);
            });
            writer.next().write_tagged_implicit(Tag::context(1), |writer| {
                writer.write_sequence(|writer| {
                    writer.next().write_tagged(Tag::context(4), |writer| writer.write_der(name));
                });
            });
            writer.next().write_tagged_implicit(Tag::context(2), |writer| {
                writer.write_bytes(serial);
            });
        });
    });
    Extension { oid: vec![2, 5, 29, 35], critical: false, value }
}

/// A subject key identifier.
pub fn ski(key_id: &[u8]) -> Extension {
    let value = yasna::construct_der(|writer| writer.write_bytes(key_id));
    Extension { oid: vec![2, 5, 29, 14], critical: false, value }
}

/// Critical basic constraints.
pub fn basic_constraints(authority: bool, path_len: Option<u8>) -> Extension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            if authority {
                writer.next().write_bool(true);
            }
            if let Some(path_len) = path_len {
                writer.next().write_u8(path_len);
            }
        });
    });
    Extension { oid: vec![2, 5, 29, 19], critical: true, value }
}

/// A critical key usage.
pub fn key_usage(usages: &[KeyUsage]) -> Extension {
    let bits = usages.iter().fold(0_u8, |bits, usage| bits | 0x80 >> (*usage as u8));
    // DER drops the trailing zeros of a named bit list.
    let len = 8 - bits.trailing_zeros() as usize;
    let value = yasna::construct_der(|writer| {
        writer.write_bitvec_bytes(if bits == 0 { &[] } else { std::slice::from_ref(&bits) }, len);
    });
    Extension { oid: vec![2, 5, 29, 15], critical: true, value }
}

/// An extended key usage, such as `&[SERVER_AUTH]`.
pub fn extended_key_usage(purposes: &[&[u64]]) -> Extension {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            for purpose in purposes {
                writer.next().write_oid(&ObjectIdentifier::from_slice(purpose));
            }
        });
    });
    Extension { oid: vec![2, 5, 29, 37], critical: false, value }
}
