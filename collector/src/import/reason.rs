//! Why a record was refused, in one line for people.

use std::error::Error;

/// The error and its causes, one after the other.
pub fn reason(error: &dyn Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    // A record of one line has no line 1 of its own that a reader could look for.
    reason.replace(" at line 1 column ", " at column ")
}
