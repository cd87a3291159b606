//! Mozilla's report on the roots that it includes, `IncludedCACertificateReportPEMCSV`.

use time::Date;

use super::{ReportError, certificates, day, hash, sha256, table};
use crate::der::name_constraints;
use crate::layout::Sha256;

/// A root that Mozilla includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Computed from `der`; the report's own was the same.
    pub sha256: Sha256,
    /// The certificate.
    pub der: Vec<u8>,
    /// Whose it is.
    pub owner: String,
    /// Whether it is trusted for web sites.
    pub websites: bool,
    /// Leaves whose validity begins after this day are refused.
    pub distrust_after: Option<Date>,
    /// What Mozilla imposes: the content of a DER NameConstraints.
    pub name_constraints: Option<Vec<u8>>,
}

const COLUMNS: [&str; 6] = [
    "Owner",
    "SHA-256 Fingerprint",
    "Trust Bits",
    "Distrust for TLS After Date",
    "Mozilla Applied Constraints",
    "PEM Info",
];

/// Reads the whole report.
///
/// # Errors
/// A table that is cut or lacks a column; a row whose certificate, hash, day or constraints are not
/// understood or do not fit each other; [`ReportError::Empty`] without a root for web sites.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Root>, ReportError> {
    let rows = (1..).zip(table::columns(bytes, COLUMNS)?);
    let roots: Result<Vec<_>, _> = rows
        .map(|(row, fields)| {
            root(fields).map_err(|reason| ReportError::BadRow { row, reason: reason.into() })
        })
        .collect();
    let roots = roots?;
    match roots.iter().any(|root| root.websites) {
        true => Ok(roots),
        false => Err(ReportError::Empty { what: "root for web sites" }),
    }
}

fn root(fields: [String; COLUMNS.len()]) -> Result<Root, &'static str> {
    let [owner, stated, trust_bits, distrust_after, constraints, pem] = fields;
    let der = certificates::one(&pem).ok_or("it has no certificate")?;
    let sha256 = sha256(&der);
    if hash(&stated) != Some(sha256) {
        return Err("the SHA-256 fingerprint is not that of the certificate");
    }
    let distrust_after = match distrust_after.as_str() {
        "" => None,
        text => Some(day(text).ok_or("the day of distrust is not understood")?),
    };
    Ok(Root {
        sha256,
        der,
        owner,
        websites: trust_bits.split(';').any(|bit| bit.trim() == "Websites"),
        distrust_after,
        name_constraints: match constraints.as_str() {
            "" => None,
            names => Some(permitted(names).ok_or("the applied constraints are not understood")?),
        },
    })
}

/// Names such as `*.tr` as the subtrees that are permitted; `None` where one is no such name.
fn permitted(names: &str) -> Option<Vec<u8>> {
    let names = names.split([',', ';']).map(str::trim).filter(|name| !name.is_empty());
    let suffixes = names.map(|name| {
        let suffix = name.strip_prefix('*').unwrap_or(name);
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        (!suffix.is_empty() && suffix.bytes().all(known)).then_some(suffix)
    });
    let suffixes: Vec<_> = suffixes.collect::<Option<_>>()?;
    Some(name_constraints(suffixes.into_iter()))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;

    use super::*;

    fn row(der: &[u8], bits: &str, after: &str, constraints: &str) -> String {
        let hash = HEXUPPER.encode(&super::sha256(der));
        let pem = kua_mint::pem(der);
        format!("\"A, B\",\"{hash}\",\"{bits}\",\"{after}\",\"{constraints}\",\"'{pem}'\"\n")
    }

    fn report(rows: &str) -> String {
        format!("{}\n{rows}", COLUMNS.join(","))
    }

    #[test]
    fn purposes_dates_and_constraints_of_roots() {
        let [one, two] = ["One", "Two"].map(|name| kua_mint::Authority::root(name).certificate);
        let rows = row(&one, "Websites;Email", "2024.11.30", "*.tr, example.org")
            + &row(&two, "Email", "", "");
        let roots = from_bytes(report(&rows).as_bytes()).unwrap();
        assert_eq!((roots[0].websites, roots[1].websites), (true, false));
        assert_eq!(roots[0].der, one);
        assert_eq!(
            roots[0].distrust_after.map(|day| day.to_string()).as_deref(),
            Some("2024-11-30")
        );
        let imposed = b"\xa0\x16\x30\x05\x82\x03.tr\x30\x0d\x82\x0bexample.org";
        assert_eq!(roots[0].name_constraints.as_deref(), Some(imposed.as_slice()));
        assert_eq!(roots[1].name_constraints, None);
    }

    #[test]
    fn what_is_not_understood_or_does_not_fit_is_an_error() {
        let [one, two] = ["One", "Two"].map(|name| kua_mint::Authority::root(name).certificate);
        let [one_hash, two_hash] = [&one, &two].map(|der| HEXUPPER.encode(&super::sha256(der)));
        let good = row(&one, "Websites", "", "");
        assert!(from_bytes(report(&good).as_bytes()).is_ok());
        for rows in [
            String::new(),
            row(&one, "Email", "", ""),
            row(&one, "Websites", "soon", ""),
            row(&one, "Websites", "", "*.tr, 192.0.2.0/24"),
            good.replace(&one_hash, &two_hash),
            good.replace("BEGIN", "BEGINNING"),
            good[..good.len() / 2].to_owned(),
        ] {
            assert!(from_bytes(report(&rows).as_bytes()).is_err(), "{rows}");
        }
    }
}
