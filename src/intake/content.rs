//! The record inside the body of a submission.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Bounds, IntakeError, shape};

/// The body of `POST /report/{id}` and of `POST /api/v1/submit_measurement`; what else is in it
/// concerns other services.
#[derive(Deserialize)]
struct Envelope<'a> {
    format: Option<Cow<'a, str>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// The measurement object of a body, as it was sent and without white space around it: a slice of
/// the body, or the text of a JSON string.
///
/// # Errors
/// [`IntakeError::Format`] where there is none, and bounds that the body passes.
pub fn content<'a>(body: &'a [u8], bounds: &Bounds) -> Result<Cow<'a, [u8]>, IntakeError> {
    let wrong = |reason: &str| IntakeError::Format { reason: reason.to_owned() };
    // The body nests once more than the record.
    shape::within(body, &Bounds { depth: bounds.depth + 1, ..*bounds })?;
    let envelope: Envelope<'_> = serde_json::from_slice(body)
        .map_err(|error| wrong(&format!("not a JSON object with content ({error})")))?;
    if envelope.format.is_some_and(|format| format != "json") {
        return Err(wrong("the only format is json"));
    }
    let raw = envelope.content.ok_or_else(|| wrong("no content"))?.get();
    match raw.as_bytes().first() {
        Some(b'{') => Ok(Cow::Borrowed(raw.as_bytes())),
        Some(b'"') => {
            let text: String = serde_json::from_str(raw)
                .map_err(|error| wrong(&format!("content is no text ({error})")))?;
            let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
            if !trimmed.starts_with('{') {
                return Err(wrong("content is no JSON object"));
            }
            let trimmed = if trimmed.len() == text.len() { text } else { trimmed.to_owned() };
            Ok(Cow::Owned(trimmed.into_bytes()))
        }
        _ => Err(wrong("content is no JSON object")),
    }
}
