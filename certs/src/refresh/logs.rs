//! Lists of Certificate Transparency logs, with the former states that earlier lists told.

use super::{APPLE_LOGS, Inputs, LOGS, LOGS_SIGNATURE, Made, RefreshError, not_older, plausible};
use crate::logs::LogList;
use crate::reports::{ReportError, logs};

pub(super) fn chrome(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let signature = inputs.report(&LOGS_SIGNATURE, |bytes| Ok(bytes.to_vec()))?;
    made(inputs, inputs.report(&LOGS, |bytes| whose("Chrome", logs::signed(bytes, &signature)?))?)
}

pub(super) fn apple(inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
    let mut list = inputs.report(&APPLE_LOGS, |bytes| whose("Apple", logs::from_bytes(bytes)?))?;
    // It states no day of its own: that of its newest change may be long past.
    list.date = list.date.max(inputs.day);
    made(inputs, list)
}

fn whose(program: &str, list: LogList) -> Result<LogList, ReportError> {
    match list.program == program {
        true => Ok(list),
        false => {
            Err(ReportError::Damaged { reason: format!("it is the list of {}", list.program) })
        }
    }
}

fn made(inputs: &Inputs<'_>, list: LogList) -> Result<Made, RefreshError> {
    let Some(text) = inputs.previous else {
        return Ok(Made { text: list.toml(), ..Made::default() });
    };
    let previous = LogList::from_toml(text)?;
    not_older(Some(previous.date), list.date)?;
    let known = |id: &String| list.logs.iter().any(|log| log.id == *id);
    let kept = previous.logs.iter().filter(|log| known(&log.id)).count();
    plausible("logs", previous.logs.len(), kept)?;
    Ok(Made { text: list.with_past(previous).toml(), ..Made::default() })
}
