//! Stored judgements, grouped by what counts alike.

use kua_archive::tables::judgements::each;

use super::error::JudgingError;
use super::judge::Judging;
use super::tally::{Grouped, holds};
use crate::scope::Scope;

/// Every judgement by itself, as it lies in its file.
pub(super) fn by_reading(
    judging: &Judging<'_>,
    scope: &Scope,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    for file in judging.files() {
        let bytes = judging.snapshot.store().read(&file.path)?;
        each(bytes, |told| {
            if !holds(scope, &told.row.country, told.started) {
                return Ok(());
            }
            if let Some(day) = told.day {
                take(Grouped::Day(told.shape, day))?;
            }
            take(Grouped::Row(told.shape, told.row))
        })?;
    }
    Ok(())
}

/// By a query.
pub(super) fn by_query(
    judging: &Judging<'_>,
    scope: &Scope,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    by_reading(judging, scope, take)
}
