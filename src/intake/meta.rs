//! What a record says of itself, under the names and in the forms that OONI's collector checks.

use std::borrow::Cow;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{IntakeError, ReportId};

/// OONI's times, always UTC.
const START_TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

const COMPACT: &[BorrowedFormatItem<'static>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// A record's own words on where, with what and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// `probe_cc`; `ZZ` where it is missing.
    pub country: String,
    /// `probe_asn`; `AS0` where it is missing.
    pub asn: String,
    /// `test_name`.
    pub test: String,
    /// `measurement_start_time`, else `test_start_time`.
    pub started: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
struct Base<'a> {
    #[serde(borrow)]
    probe_cc: Option<Cow<'a, str>>,
    #[serde(borrow)]
    probe_asn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    test_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    measurement_start_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    test_start_time: Option<Cow<'a, str>>,
}

impl Meta {
    /// # Errors
    /// [`IntakeError::Format`] where the record is no object, holds one of these fields twice,
    /// or one that is no string.
    pub(super) fn read(record: &[u8]) -> Result<Self, IntakeError> {
        let base: Base<'_> = serde_json::from_slice(record)
            .map_err(|error| IntakeError::Format { reason: error.to_string() })?;
        let time = |text: Option<Cow<'_, str>>| {
            let plain = time::PrimitiveDateTime::parse(&text?, START_TIME).ok()?;
            Some(plain.assume_utc())
        };
        Ok(Self {
            country: base.probe_cc.map_or_else(|| "ZZ".into(), Cow::into_owned),
            asn: base.probe_asn.map_or_else(|| "AS0".into(), Cow::into_owned),
            test: base.test_name.map_or_else(String::new, Cow::into_owned),
            started: time(base.measurement_start_time).or_else(|| time(base.test_start_time)),
        })
    }

    /// # Errors
    /// [`IntakeError::Meta`] naming the first field that is not in OONI's form.
    pub(super) fn check(&self) -> Result<(), IntakeError> {
        let wrong = |field, value: &str| IntakeError::Meta {
            field,
            value: value.chars().take(40).collect(),
        };
        let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if self.country.len() != 2 || !self.country.bytes().all(capital) {
            return Err(wrong("probe_cc", &self.country));
        }
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        // The name without its underscores stands between underscores elsewhere.
        let plain = self.test.bytes().filter(|byte| *byte != b'_').count();
        if !(2..=30).contains(&self.test.len()) || plain < 2 || !self.test.bytes().all(lower) {
            return Err(wrong("test_name", &self.test));
        }
        let digits = self.asn.strip_prefix("AS").unwrap_or_default();
        let number = digits == "0" || (!digits.starts_with('0') && digits.len() <= 10);
        if digits.is_empty() || !number || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong("probe_asn", &self.asn));
        }
        Ok(())
    }

    /// Whether both country and network are stated; OONI's collector drops what does not.
    pub fn has_origin(&self) -> bool {
        self.asn != "AS0" && self.country != "ZZ"
    }

    /// When it began, as `20261125T101500Z`; the beginning of 1970 where it does not say.
    pub(super) fn began(&self) -> String {
        let started = self.started.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        started.format(COMPACT).unwrap_or_default()
    }
}

/// Whether a record belongs to a report, by the rules of OONI's collector.
///
/// # Errors
/// [`IntakeError::Inconsistent`] with the first field that differs.
pub fn same_origin(report: &ReportId, meta: &Meta) -> Result<(), IntakeError> {
    let differs = |field| Err(IntakeError::Inconsistent { field });
    if !report.country().eq_ignore_ascii_case(&meta.country) {
        return differs("probe_cc");
    }
    if Some(report.asn()) != meta.asn.strip_prefix("AS").and_then(|asn| asn.parse().ok()) {
        return differs("probe_asn");
    }
    if report.test() != meta.test.replace('_', "") {
        return differs("test_name");
    }
    Ok(())
}
