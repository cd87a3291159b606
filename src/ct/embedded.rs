//! The list of SCTs in a certificate's extension, and the bytes that a log signs (RFC 6962,
//! sections 3.2 and 3.3).

use time::OffsetDateTime;

use crate::chain::KeyHash;

/// Most SCTs that are read of one certificate; policies ask for five at most.
pub const MAX_SCTS: usize = 64;

/// One SCT of version 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sct<'a> {
    pub(super) log_id: KeyHash,
    /// Milliseconds since 1970 UTC.
    milliseconds: u64,
    extensions: &'a [u8],
    /// Hash and signature algorithm by their numbers (RFC 5246, section 7.4.1.4.1).
    pub(super) algorithm: (u8, u8),
    pub(super) signature: &'a [u8],
}

/// The serialised SCTs in the content of the extension: an OCTET STRING around a
/// SignedCertificateTimestampList. `None` where it is not one, or longer than [`MAX_SCTS`].
pub(super) fn read(extension: &[u8]) -> Option<Vec<&[u8]>> {
    let (octets, rest) = super::precertificate::value(0x04, extension)?;
    let (mut list, after) = opaque(octets)?;
    if !rest.is_empty() || !after.is_empty() || list.is_empty() {
        return None;
    }
    let mut scts = Vec::new();
    while !list.is_empty() {
        let (sct, rest) = opaque(list)?;
        if sct.is_empty() || scts.len() == MAX_SCTS {
            return None;
        }
        scts.push(sct);
        list = rest;
    }
    Some(scts)
}

impl<'a> Sct<'a> {
    /// `None` for other versions, and where bytes are missing or left over.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (log_id, rest) = rest.split_first_chunk::<32>()?;
        let (milliseconds, rest) = rest.split_first_chunk::<8>()?;
        let (extensions, rest) = opaque(rest)?;
        let ([hash, signature_algorithm], rest) = rest.split_first_chunk::<2>()?;
        let (signature, rest) = opaque(rest)?;
        (*version == 0 && rest.is_empty()).then_some(Self {
            log_id: KeyHash::from(*log_id),
            milliseconds: u64::from_be_bytes(*milliseconds),
            extensions,
            algorithm: (*hash, *signature_algorithm),
            signature,
        })
    }

    /// The timestamp; `None` beyond the year 9999.
    pub(super) fn moment(&self) -> Option<OffsetDateTime> {
        let nanoseconds = i128::from(self.milliseconds) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
    }

    /// What the log signed, as a precert_entry; `None` where the TBS is too long for one.
    pub(super) fn signed(&self, issuer: KeyHash, precertificate: &[u8]) -> Option<Vec<u8>> {
        let length = u32::try_from(precertificate.len()).ok().filter(|length| *length < 1 << 24)?;
        // Version 1, certificate_timestamp.
        let mut signed = vec![0, 0];
        signed.extend(self.milliseconds.to_be_bytes());
        // precert_entry.
        signed.extend([0, 1]);
        signed.extend(issuer.as_bytes());
        signed.extend(&length.to_be_bytes()[1..]);
        signed.extend(precertificate);
        signed.extend(u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        signed.extend(self.extensions);
        Some(signed)
    }
}

/// A TLS vector with a length of two bytes, and what follows it.
fn opaque(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}
