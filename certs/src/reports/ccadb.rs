//! CCADB's list of every certificate that programs know, `AllCertificateRecordsCSVFormatV5`: what
//! each program says of it, and whose it is.

use time::Date;

use super::{ReportError, Status, day, hash, table};
use crate::layout::Sha256;

/// A certificate as CCADB describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// As stated: CCADB's own hashes are sometimes wrong, so this finds and never proves.
    pub sha256: Sha256,
    /// As stated, of the certificate above it; a root has none.
    pub parent: Option<Sha256>,
    /// Whose it is.
    pub owner: String,
    /// English name of the owner's country.
    pub country: String,
    /// The certificate's name.
    pub name: String,
    /// Whether it is a root certificate rather than an intermediate.
    pub is_root: bool,
    /// What Apple says of it.
    pub apple: Status,
    /// What Chrome says of it.
    pub chrome: Status,
    /// What Microsoft says of it.
    pub microsoft: Status,
    /// What Mozilla says of it.
    pub mozilla: Status,
    /// For what the programs trust a root, such as `Server Authentication`; may be empty.
    pub trust_bits: Vec<String>,
    /// Whether it was revoked, in CCADB's words; often empty.
    pub revocation: String,
    /// First day.
    pub valid_from: Option<Date>,
    /// Last day.
    pub valid_to: Option<Date>,
}

impl Record {
    /// Whether the trust bits say that it is for TLS servers; `None` where nothing is said.
    pub fn is_for_tls(&self) -> Option<bool> {
        let servers = self.trust_bits.iter().any(|bit| bit == "Server Authentication");
        (!self.trust_bits.is_empty()).then_some(servers)
    }
}

const COLUMNS: [&str; 14] = [
    "SHA-256 Fingerprint",
    "Parent SHA-256 Fingerprint",
    "CA Owner",
    "Country",
    "Certificate Name",
    "Certificate Record Type",
    "Apple Status",
    "Chrome Status",
    "Microsoft Status",
    "Mozilla Status",
    "Trust Bits for Root Cert",
    "Revocation Status",
    "Valid From (GMT)",
    "Valid To (GMT)",
];

/// Reads the whole list.
///
/// # Errors
/// A table that is cut, lacks a column, or has a row without a hash; [`ReportError::Empty`] without a root.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Record>, ReportError> {
    let rows = (1..).zip(table::columns(bytes, COLUMNS)?);
    let records: Result<Vec<_>, _> = rows.map(|(row, fields)| record(row, fields)).collect();
    let records = records?;
    match records.iter().any(|record| record.is_root) {
        true => Ok(records),
        false => Err(ReportError::Empty { what: "root" }),
    }
}

fn record(row: usize, fields: [String; COLUMNS.len()]) -> Result<Record, ReportError> {
    let bad = |reason: &str| ReportError::BadRow { row, reason: reason.into() };
    let [sha256, parent, owner, country, name, kind, apple, chrome, microsoft, mozilla, rest @ ..] =
        fields;
    let [trust_bits, revocation, valid_from, valid_to] = rest;
    let bits = trust_bits.split(';').map(str::trim).filter(|bit| !bit.is_empty());
    Ok(Record {
        sha256: hash(&sha256).ok_or_else(|| bad("it has no SHA-256 fingerprint"))?,
        parent: hash(&parent),
        owner,
        country,
        name,
        is_root: match kind.as_str() {
            "Root Certificate" => true,
            "Intermediate Certificate" => false,
            _ => return Err(bad("it is neither a root nor an intermediate")),
        },
        apple: Status::read(&apple),
        chrome: Status::read(&chrome),
        microsoft: Status::read(&microsoft),
        mozilla: Status::read(&mozilla),
        trust_bits: bits.map(str::to_owned).collect(),
        revocation,
        valid_from: day(&valid_from),
        valid_to: day(&valid_to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[[&str; COLUMNS.len()]]) -> String {
        let mut text = format!("Other,{}\n", COLUMNS.join(","));
        for row in rows {
            text.push_str(&format!("\"two\nlines\",\"{}\"\n", row.join("\",\"")));
        }
        text
    }

    const ONE: &str = "2DDE9D0C0A90E7B32B5ABC01F41799D42E95A1E3C31C3B39373BB8141EA54471";
    const ROOT: [&str; COLUMNS.len()] = [
        ONE,
        "",
        "Owner",
        "Austria",
        "A Root",
        "Root Certificate",
        "Included",
        "Blocked",
        "NotBefore",
        "Change Requested",
        "Server Authentication;Secure Email",
        "",
        "2013-09-23",
        "2023-09-20",
    ];

    #[test]
    fn a_root_and_what_four_programs_say_of_it() {
        let records = from_bytes(report(&[ROOT]).as_bytes()).unwrap();
        let [root] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(root.sha256[..2], [0x2d, 0xde]);
        assert_eq!(
            (root.apple, root.chrome, root.microsoft, root.mozilla),
            (Status::Included, Status::Blocked, Status::NotBefore, Status::NotIncluded)
        );
        assert_eq!(root.is_for_tls(), Some(true));
        assert_eq!(root.valid_from.map(|day| day.to_string()).as_deref(), Some("2013-09-23"));
    }

    #[test]
    fn purposes_that_are_not_stated_are_not_guessed() {
        for (bits, known) in [("", None), ("Secure Email", Some(false)), (" ; ", None)] {
            let mut row = ROOT;
            row[10] = bits;
            let records = from_bytes(report(&[row]).as_bytes()).unwrap();
            assert_eq!(records[0].is_for_tls(), known, "{bits:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let whole = report(&[ROOT, ROOT]);
        let mut intermediate = ROOT;
        intermediate[5] = "Intermediate Certificate";
        let mut unknown = ROOT;
        unknown[5] = "Leaf";
        for text in [
            String::new(),
            report(&[]),
            report(&[intermediate]),
            report(&[unknown]),
            whole.replace("Apple Status", "Pear Status"),
            whole.replace(ONE, "12"),
            whole[..whole.len() - 40].to_owned(),
            whole[..whole.len() - 2].to_owned(),
        ] {
            assert!(from_bytes(text.as_bytes()).is_err(), "{text}");
        }
    }
}
