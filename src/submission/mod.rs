//! What a probe and a collector promise each other of a record: who submits it, and that it is kept.
//!
//! A submission is signed by a key that lives for a day and belongs to nobody, so that it can be checked
//! later that the record was not changed on its way into an archive. The collector's answer, signed by
//! the key of its log, says what it kept and where in the log that is.

mod acknowledgement;
mod key;

pub use acknowledgement::Acknowledgement;
pub use key::{SubmissionKey, is_signed_by, statement};

/// The request's header with the submission's public key, base64.
pub const KEY_HEADER: &str = "kua-key";

/// The request's header with the submission's signature, base64.
pub const SIGNATURE_HEADER: &str = "kua-signature";
