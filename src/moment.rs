//! Moments as text: RFC 3339, UTC, whole seconds.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECONDS: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// `2023-10-16T13:06:00Z`.
pub fn rfc3339(moment: OffsetDateTime) -> String {
    let utc = moment.checked_to_offset(time::UtcOffset::UTC).unwrap_or(moment);
    utc.format(SECONDS).unwrap_or_else(|_| utc.unix_timestamp().to_string())
}
