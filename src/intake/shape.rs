//! How deep and how full JSON text is, counted before anything is built from it.

use super::{Bounds, IntakeError};

/// Whether `text` keeps within depth and number of values. Says nothing of whether it is JSON.
///
/// # Errors
/// [`IntakeError::TooDeep`], [`IntakeError::TooMany`].
pub(super) fn within(text: &[u8], bounds: &Bounds) -> Result<(), IntakeError> {
    let (mut depth, mut values) = (0_usize, 1_usize);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = after_string(rest),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                if depth > bounds.depth {
                    return Err(IntakeError::TooDeep { limit: bounds.depth });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if values > bounds.values {
            return Err(IntakeError::TooMany { what: "values", limit: bounds.values });
        }
    }
    Ok(())
}

/// What follows the string whose opening quote has been read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let quoted = rest[at] == b'\\';
        rest = rest.get(at + 1 + usize::from(quoted)..).unwrap_or_default();
        if !quoted {
            return rest;
        }
    }
    &[]
}
