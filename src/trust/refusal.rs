//! Why a client would refuse a chain.

use time::Date;

/// Why a client would refuse a chain. One refusal is named, in the order in which stock OONI (Go's
/// `x509.Certificate.Verify`) checks: the leaf's dates, then its name, then its path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The target's name cannot be in a certificate.
    #[error("{name:?} is neither a host name nor an IP address")]
    BadName {
        /// The name as given.
        name: String,
    },
    /// A list that the program's clients follow names a certificate or key of the path.
    #[error("{list} blocks {subject}{}", since.map(|day| format!(" since {day}")).unwrap_or_default())]
    Blocked {
        /// The list.
        list: String,
        /// Whose certificate or key.
        subject: String,
        /// Since when, where the list says so.
        since: Option<Date>,
    },
    /// The program trusts the root only for older leaves.
    #[error("the program trusts its root only for leaves {until}")]
    Distrusted {
        /// Which ones it still accepts.
        until: String,
    },
    /// A certificate of the path is past its last day.
    #[error("a certificate had expired")]
    Expired,
    /// Any other rule of the client.
    #[error("the client's rules refuse it: {reason}")]
    Invalid {
        /// What rustls-webpki said.
        reason: String,
    },
    /// A certificate of the path is before its first day.
    #[error("a certificate was not yet valid")]
    NotYetValid,
    /// Nobody recorded when the chain was seen.
    #[error("the time of the measurement is not known")]
    NoTime,
    /// The program holds the root, and its list does not say whether for TLS servers.
    #[error("its list does not say whether it trusts {subject} for TLS servers")]
    PurposeUnknown {
        /// The root.
        subject: String,
    },
    /// No path to an anchor of the store.
    #[error("no root of the program signed it")]
    UnknownIssuer,
    /// The first certificate is not one that a client can read.
    #[error("the leaf cannot be read")]
    Unreadable,
    /// The leaf is for other names.
    #[error("the leaf is not for this name")]
    WrongName,
}

impl Refusal {
    /// What is wrong is a date: at another time the client might have accepted the chain.
    pub fn is_about_dates(&self) -> bool {
        matches!(self, Self::Expired | Self::NotYetValid)
    }

    /// The code that OONI's df-007 has for this refusal.
    pub fn failure(&self) -> &'static str {
        match self {
            Self::WrongName | Self::BadName { .. } => "ssl_invalid_hostname",
            Self::UnknownIssuer | Self::PurposeUnknown { .. } => "ssl_unknown_authority",
            _ => "ssl_invalid_certificate",
        }
    }
}

/// What an error of rustls-webpki says of the chain.
pub(super) fn refusal(error: &webpki::Error, reading_leaf: bool) -> Refusal {
    match error {
        webpki::Error::CertExpired { .. } => Refusal::Expired,
        webpki::Error::CertNotValidYet { .. } => Refusal::NotYetValid,
        webpki::Error::CertNotValidForName(_) => Refusal::WrongName,
        webpki::Error::UnknownIssuer => Refusal::UnknownIssuer,
        webpki::Error::BadDer | webpki::Error::BadDerTime if reading_leaf => Refusal::Unreadable,
        other => Refusal::Invalid { reason: other.to_string() },
    }
}
