//! What a collector's answer to a record means.

use std::time::Duration;

use serde::Deserialize;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

/// What a collector's answer to a record means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept.
    Taken {
        /// The name that the collector gave it.
        uid: String,
        /// The receipt, where the collector gives any.
        receipt: Option<Receipt>,
    },
    /// It will never be taken.
    Never {
        /// In words.
        why: String,
    },
    /// It may be taken another time.
    Later {
        /// In words.
        why: String,
        /// Whether that holds for every record.
        all: bool,
        /// How long the collector asks to wait.
        wait: Option<Duration>,
    },
    /// It may be taken if it is not compressed.
    Uncompressed,
}

/// A collector's signed word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// The key of its log, as it says.
    pub key: String,
    /// A signed note.
    pub receipt: String,
}

#[derive(Deserialize)]
struct Body {
    measurement_uid: Option<String>,
    x_kua: Option<Receipt>,
}

/// Reads an answer: its status, its `Retry-After` and its body. `compressed` says whether the record was.
pub fn read(
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    compressed: bool,
    now: OffsetDateTime,
) -> Answer {
    let wait = retry_after.and_then(|text| waiting_time(text, now));
    // A collector that fails may fail at this record alone.
    let all = wait.is_some() || !matches!(status, 500..=502 | 504..=506 | 508..=599);
    let later = |why: String| Answer::Later { why, all, wait };
    let parsed: Result<serde_json::Map<_, _>, _> = serde_json::from_slice(body);
    match (status, parsed) {
        // Anything on the way can say so; only a collector speaks JSON.
        (200..=299 | 400 | 413 | 415 | 422, Err(_)) => {
            later(format!("the answer with status {status} is not a collector's"))
        }
        (200..=299, Ok(object)) => match serde_json::from_value(object.into()) {
            Ok(Body { measurement_uid: Some(uid), x_kua }) if !uid.is_empty() => {
                Answer::Taken { uid: shown(&uid), receipt: x_kua }
            }
            _ => Answer::Never {
                why: "the collector accepted it and did not keep it, as OONI's does with records without country and network (--cc, --asn)".into(),
            },
        },
        (400 | 415 | 422, Ok(_)) if compressed => Answer::Uncompressed,
        (400 | 413 | 415 | 422, Ok(object)) => {
            let said = shown(&serde_json::Value::from(object).to_string());
            Answer::Never { why: format!("status {status}: {said}") }
        }
        (429, _) => later("the collector has too much to do".into()),
        (507, _) => later("the collector has no space left".into()),
        (500..=599, _) => later(format!("the collector failed with status {status}")),
        _ => later(format!("the answer has status {status}")),
    }
}

/// Foreign text for a terminal.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// RFC 9110, section 10.2.3: seconds, or a date.
fn waiting_time(text: &str, now: OffsetDateTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = PrimitiveDateTime::parse(text, HTTP_DATE).ok()?.assume_utc();
    Some(Duration::try_from(date - now).unwrap_or(Duration::ZERO))
}

const HTTP_DATE: &[BorrowedFormatItem<'static>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_mean() {
        let now = OffsetDateTime::from_unix_timestamp(784_111_777 - 30).unwrap();
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let taken = br#"{"measurement_uid":"u","x_kua":{"key":"k","receipt":"r"}}"#;
        let error = br#"{"detail":{"error":"\u001b[31mIncorrect"}}"#;
        for (case, status, after, body, compressed, expected) in [
            ("taken", 200, None, &taken[..], true, "taken u with a receipt"),
            (
                "taken by OONI",
                200,
                None,
                br#"{"measurement_uid":"u","x_kua":null}"#,
                true,
                "taken u",
            ),
            ("dropped by OONI", 200, None, b"{}", true, "never"),
            ("a portal's page", 200, None, b"<html>", true, "later"),
            ("a portal's refusal", 400, None, b"<html>", false, "later"),
            ("a redirect", 302, None, b"", true, "later"),
            ("refused", 400, None, error, false, "never"),
            ("refused, perhaps for zstd", 400, None, error, true, "uncompressed"),
            ("not compressed, please", 415, None, error, true, "uncompressed"),
            ("too long", 413, None, error, true, "never"),
            ("too many", 429, Some("120"), b"", true, "later, 120 s"),
            ("too many, by date", 503, date, b"", true, "later, 30 s"),
            ("full", 507, Some("x"), b"", true, "later"),
            ("no such address", 404, None, error, true, "later"),
            ("forbidden", 403, None, error, true, "later"),
        ] {
            let found = match read(status, after, body, compressed, now) {
                Answer::Taken { uid, receipt: Some(_) } => format!("taken {uid} with a receipt"),
                Answer::Taken { uid, receipt: None } => format!("taken {uid}"),
                Answer::Never { why } => {
                    assert!(!why.contains('\u{1b}'), "{why:?}");
                    "never".into()
                }
                Answer::Later { wait: Some(wait), .. } => format!("later, {} s", wait.as_secs()),
                Answer::Later { wait: None, .. } => "later".into(),
                Answer::Uncompressed => "uncompressed".into(),
            };
            assert_eq!(found, expected, "{case}");
        }
    }
}
