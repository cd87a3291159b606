//! Microsoft's report on the roots of its program, `IncludedCACertificateReportForMSFTCSV`.

use super::{ReportError, Status, hash, table};
use crate::layout::Sha256;

/// A root that Microsoft lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// As stated: the report holds no certificates.
    pub sha256: Sha256,
    /// What Microsoft says of it.
    pub status: Status,
    /// Whose it is.
    pub owner: String,
    /// Whether it is for TLS servers.
    pub server_authentication: bool,
}

const COLUMNS: [&str; 4] =
    ["SHA-256 Fingerprint", "Microsoft Status", "CA Owner", "Microsoft EKUs"];

/// Reads the whole report.
///
/// # Errors
/// A table that is cut, lacks a column, or has a row without a hash; [`ReportError::Empty`] without a
/// root that is included for TLS servers.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Root>, ReportError> {
    let mut roots = Vec::new();
    for (row, fields) in (1..).zip(table::columns(bytes, COLUMNS)?) {
        let [sha256, status, owner, purposes] = fields;
        let sha256 = hash(&sha256).ok_or_else(|| ReportError::BadRow {
            row,
            reason: "it has no SHA-256 fingerprint".into(),
        })?;
        roots.push(Root {
            sha256,
            status: Status::read(&status),
            owner,
            server_authentication: purposes
                .split(';')
                .any(|purpose| purpose.trim() == "Server Authentication"),
        });
    }
    let trusted = |root: &Root| root.status == Status::Included && root.server_authentication;
    match roots.iter().any(trusted) {
        true => Ok(roots),
        false => Err(ReportError::Empty { what: "root for TLS servers" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_purposes() {
        let hash = "01".repeat(32);
        let row = |status: &str, purposes: &str| format!("{status},{hash},\"A, B\",{purposes}\n");
        let header = "Microsoft Status,SHA-256 Fingerprint,CA Owner,Microsoft EKUs\n";
        let tls = "Server Authentication;Client Authentication";
        let text = [header, &row("Included", tls), &row("Disabled", "")].concat();
        let roots = from_bytes(text.as_bytes()).unwrap();
        assert_eq!((roots[0].status, roots[0].server_authentication), (Status::Included, true));
        assert_eq!((roots[1].status, roots[1].server_authentication), (Status::Disabled, false));
        for text in [
            header.to_owned(),
            format!("{header}{}", row("Disabled", tls)),
            format!("{header}{}", row("Included", "Code Signing")),
            text.replace(&hash, "none"),
            text.replace("CA Owner", "Owner"),
            text[..text.len() - 80].to_owned(),
        ] {
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
    }
}
