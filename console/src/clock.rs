//! The one place where a clock is read: judgements take the time as an argument.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Trouble;

/// A moment, UTC.
pub type Moment = OffsetDateTime;

/// Reads an RFC 3339 moment, as `--at` takes it.
///
/// # Errors
/// What is wrong with it, for clap to show.
pub fn parse_moment(text: &str) -> Result<Moment, String> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    let moment = parsed.map_err(|error| format!("{error}; write it as 2023-10-16T13:06:00Z"))?;
    let utc = moment.checked_to_offset(time::UtcOffset::UTC);
    utc.ok_or_else(|| "it is outside the years that can be told".into())
}

/// The moment that judgements use: `at`, else `KUA_NOW`, else the clock.
///
/// # Errors
/// A `KUA_NOW` that is not RFC 3339.
pub fn now(at: Option<Moment>) -> Result<Moment, Trouble> {
    match (at, std::env::var("KUA_NOW")) {
        (Some(at), _) => Ok(at),
        (None, Ok(text)) => parse_moment(&text)
            .map_err(|reason| Trouble::new("cannot read the time in KUA_NOW").because(reason)),
        (None, Err(_)) => Ok(OffsetDateTime::now_utc()),
    }
}
