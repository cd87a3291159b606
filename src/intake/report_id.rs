//! The name of a report: when, which test, where, which collector, and what makes it unique.

use std::fmt;

use data_encoding::BASE64;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{IntakeError, Record};

const OPENED: &[BorrowedFormatItem<'static>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// `20260501T100000Z_urlgetter_IT_30722_n1_AbCdEfGhIjKlMnOp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportId {
    opened: String,
    test: String,
    country: String,
    asn: u64,
    collector: String,
    unique: String,
}

impl ReportId {
    /// A new name. What OONI's collector would not take of country and network becomes `ZZ` and 0.
    ///
    /// # Errors
    /// [`IntakeError::Meta`] for a test's name that is none.
    pub fn new(
        opened: OffsetDateTime,
        test: &str,
        country: &str,
        asn: &str,
        unique: &[u8; 12],
    ) -> Result<Self, IntakeError> {
        let test = test.to_lowercase().replace('_', "");
        if !is_test(&test) {
            let value = test.chars().take(40).collect();
            return Err(IntakeError::Meta { field: "test_name", value });
        }
        let country = country.to_ascii_uppercase();
        let known = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let asn = asn.to_ascii_uppercase();
        let asn = asn.strip_prefix("AS").filter(|digits| digits.len() <= 10);
        Ok(Self {
            opened: opened.format(OPENED).unwrap_or_default(),
            test,
            country: if known { country } else { "ZZ".into() },
            asn: asn.and_then(|digits| digits.parse().ok()).unwrap_or(0),
            collector: "n1".into(),
            unique: BASE64.encode(unique).replace(['+', '/'], "o"),
        })
    }

    /// The report of a record that came alone: the same for the same record.
    ///
    /// # Errors
    /// As [`ReportId::new`].
    pub fn of(record: &Record) -> Result<Self, IntakeError> {
        let mut unique = [0; 12];
        unique.copy_from_slice(&record.hash.as_bytes()[..12]);
        let meta = &record.meta;
        let opened = meta.started.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self::new(opened, &meta.test, &meta.country, &meta.asn, &unique)
    }

    /// # Errors
    /// [`IntakeError::Format`] for what OONI's collector calls an incorrect format.
    pub fn parse(text: &str) -> Result<Self, IntakeError> {
        let wrong = || IntakeError::Format { reason: "no report_id".into() };
        let parts: Vec<_> = text.split('_').collect();
        let [opened, test, country, asn, collector, unique] = parts[..] else {
            return Err(wrong());
        };
        if country.len() != 2 || !is_test(test) {
            return Err(wrong());
        }
        Ok(Self {
            opened: opened.into(),
            test: test.into(),
            country: country.into(),
            asn: asn.parse().map_err(|_| wrong())?,
            collector: collector.into(),
            unique: unique.into(),
        })
    }

    /// The country that the report was opened for.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The network that the report was opened for; 0 when unknown.
    pub fn asn(&self) -> u64 {
        self.asn
    }

    /// The test's name without underscores.
    pub fn test(&self) -> &str {
        &self.test
    }

    /// Whether both country and network are stated.
    pub fn has_origin(&self) -> bool {
        self.asn != 0 && !self.country.eq_ignore_ascii_case("ZZ")
    }
}

/// OONI's collector takes 2 to 29 letters and digits.
fn is_test(name: &str) -> bool {
    (2..30).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opened, test, country, asn, collector, unique } = self;
        write!(f, "{opened}_{test}_{country}_{asn}_{collector}_{unique}")
    }
}
