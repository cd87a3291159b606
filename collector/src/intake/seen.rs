//! What of a request's headers a submission goes by.

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use data_encoding::BASE64;
use kua::submission::{KEY_HEADER, SIGNATURE_HEADER};

use super::reply::Refused;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// What of a request's headers a submission goes by.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) encoding: Encoding,
    /// What the client says its body is long.
    pub(super) length: Option<u64>,
    /// Who signed the submission, if anybody did.
    pub(super) signed: Option<Signed>,
}

/// A submission's key and its signature, which is still to be checked.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) key: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl Signed {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Refused> {
        let header = |name| headers.get(name).map(|value| BASE64.decode(value.as_bytes()));
        match (header(KEY_HEADER), header(SIGNATURE_HEADER)) {
            (None, None) => Ok(None),
            (Some(Ok(key)), Some(Ok(signature))) => Ok(Some(Self { key, signature })),
            _ => Err(Refused::Signature),
        }
    }
}

impl Seen {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let encoding = match headers.get(CONTENT_ENCODING).map(axum::http::HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Encoding::Plain,
            Some(b"gzip" | b"x-gzip") => Encoding::Gzip,
            Some(b"zstd") => Encoding::Zstd,
            Some(_) => return Err(Refused::Encoding),
        };
        let length = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(Self { encoding, length, signed: Signed::of(headers)? })
    }
}
