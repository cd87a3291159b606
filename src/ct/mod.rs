//! Certificate Transparency (RFC 6962): which logs promised to show a certificate, and whether the
//! promises that it carries (SCTs) were made for it.

mod embedded;
mod log;
mod policy;
mod precertificate;
#[cfg(test)]
pub(crate) mod testing;

use time::OffsetDateTime;

pub use embedded::MAX_SCTS;
pub use log::{Kind, Log, LogKey, LogList, LogState};
pub use policy::{Asked, Policy, Rule};

use crate::chain::KeyHash;
use crate::chain::fields::Fields;

/// One SCT of a certificate's list and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// SHA-256 of the log's key; `None` where it could not be read.
    pub log_id: Option<KeyHash>,
    /// The log, where the reference knows it.
    pub log: Option<&'a Log>,
    /// When the log says that it promised; `None` where it could not be read.
    pub timestamp: Option<OffsetDateTime>,
    /// Whether the log signed this certificate.
    pub outcome: Outcome,
}

/// Whether a log signed a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Valid,
    /// It did not: the SCT was made for another certificate, or by nobody.
    BadSignature,
    /// No list here knows the log: not a no.
    UnknownLog,
    /// Who signed the certificate is not known, and an SCT is made over the issuer's key: not a no.
    IssuerUnknown,
    /// The SCT is not one of version 1, or nobody here can check its algorithm.
    Unparsable,
}

impl Outcome {
    /// As evidence has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::IssuerUnknown => "issuer-unknown",
            Self::UnknownLog => "unknown-log",
            Self::Unparsable => "unparsable",
            Self::Valid => "valid",
        }
    }
}

/// Checks the SCTs that `leaf` carries, in order; nothing where it carries none. A list that cannot
/// be read is one unparsable SCT.
///
/// `issuer` is the key that signed the leaf, found by its signature.
pub fn check<'a>(leaf: &Fields, issuer: Option<KeyHash>, lists: &'a [LogList]) -> Vec<Checked<'a>> {
    let Some(parts) = precertificate::split(&leaf.tbs) else {
        // Not even the extensions can be found; the parser that made `leaf` may be laxer.
        let claims = leaf.extensions.iter().any(|oid| oid == precertificate::SCT_LIST);
        return if claims { vec![unparsable()] } else { Vec::new() };
    };
    let Some(list) = parts.sct_list else { return Vec::new() };
    let Some(scts) = embedded::read(list) else { return vec![unparsable()] };
    let without = parts.without_scts;
    scts.iter()
        .map(|bytes| match embedded::Sct::read(bytes) {
            Some(sct) => {
                let log = lists.iter().find_map(|list| list.log(sct.log_id));
                Checked {
                    log_id: Some(sct.log_id),
                    log,
                    timestamp: sct.moment(),
                    outcome: outcome(&sct, log, issuer, &without),
                }
            }
            None => unparsable(),
        })
        .collect()
}

/// When the SCTs that `leaf` carries say that they were made, as far as they can be read. Nothing is
/// verified.
pub fn timestamps(leaf: &Fields) -> impl Iterator<Item = OffsetDateTime> {
    let list = precertificate::split(&leaf.tbs).and_then(|parts| parts.sct_list);
    let scts = list.and_then(embedded::read).unwrap_or_default();
    scts.into_iter().filter_map(|bytes| embedded::Sct::read(bytes)?.moment())
}

/// What a log signs of a certificate: its TBSCertificate without the list of SCTs (RFC 6962, section
/// 3.2). `None` where it is not DER as far as that needs, or has two lists.
pub fn precertificate(leaf: &Fields) -> Option<Vec<u8>> {
    precertificate::split(&leaf.tbs).map(|parts| parts.without_scts)
}

fn outcome(
    sct: &embedded::Sct<'_>,
    log: Option<&Log>,
    issuer: Option<KeyHash>,
    precertificate: &[u8],
) -> Outcome {
    let Some(log) = log else { return Outcome::UnknownLog };
    let Some(issuer) = issuer else { return Outcome::IssuerUnknown };
    let Some(signed) = sct.signed(issuer, precertificate) else { return Outcome::Unparsable };
    match log.key.verify(sct.algorithm, &signed, sct.signature) {
        Some(true) => Outcome::Valid,
        Some(false) => Outcome::BadSignature,
        None => Outcome::Unparsable,
    }
}

fn unparsable() -> Checked<'static> {
    Checked { log_id: None, log: None, timestamp: None, outcome: Outcome::Unparsable }
}

#[cfg(test)]
mod tests;
