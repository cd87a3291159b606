//! Fresh answers: what was received since tables were last made is added before a query is run.

use kua_archive::{Archive, ArchiveError, Place, Writer, settle};
use kua_console::Trouble;

use super::say;

/// Adds live batches to the tables, if nobody else writes to the archive and it may be written to.
pub(super) fn settle(place: &Place, archive: &Archive) -> Result<(), Trouble> {
    let snapshot = archive.snapshot()?;
    let live = snapshot.segments().iter().filter(|segment| !segment.settled).count();
    if live == 0 {
        return Ok(());
    }
    let settled = Writer::open(place).and_then(|mut writer| {
        writer.settle(&settle::Options::default(), |_| {}).map(drop)
    });
    match settled {
        Ok(()) => Ok(()),
        // The answer is right about all that it is about; so the query is run.
        Err(error) => {
            let batches = if live == 1 { "batch is" } else { "batches are" };
            say(&format!("note: {live} {batches} not in the tables yet: {}", cause(&error)));
            say(&format!("note: kua-collector compact --archive {place} adds what is missing"));
            Ok(())
        }
    }
}

fn cause(error: &ArchiveError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
