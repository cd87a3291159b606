//! What a root program says of a certificate, in CCADB's words.

/// What a root program says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It is trusted.
    Included,
    /// It is trusted for certificates issued before a day that the report does not state.
    NotBefore,
    /// Clients refuse it and what it signed.
    Blocked,
    /// It is still listed, and trusted for nothing.
    Disabled,
    /// It was trusted once.
    Removed,
    /// It is not trusted; or another word, which is read as no claim of trust.
    NotIncluded,
}

impl Status {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "Included" => Self::Included,
            "NotBefore" | "Not Before" => Self::NotBefore,
            "Blocked" => Self::Blocked,
            "Disabled" => Self::Disabled,
            "Removed" => Self::Removed,
            _ => Self::NotIncluded,
        }
    }
}
