//! Whether an archive is whole: by its own check, and by reading it from end to end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use kua_archive::{Archive, Place, RecordHash};

use super::Ledger;

/// Checks and reads the archive; gives how many records are there.
///
/// # Errors
/// What is not as it must be.
pub fn audit(collector: &Path, archive: &Path, ledger: &Ledger) -> Result<u64, String> {
    if !archive.exists() && ledger.acknowledged() == 0 {
        return Ok(0);
    }
    let check = Command::new(collector).arg("check").arg("--archive").arg(archive).output();
    let check = check.map_err(|error| format!("check does not start: {error}"))?;
    if !check.status.success() {
        let said = String::from_utf8_lossy(&check.stderr);
        return Err(format!("check says: {}{said}", String::from_utf8_lossy(&check.stdout)));
    }
    let mut damaged = Vec::new();
    let found = hashes(archive, |damage| damaged.push(damage))?;
    if let Some(first) = damaged.first() {
        return Err(format!("{} records cannot be read; the first: {first}", damaged.len()));
    }
    ledger.compare(&found)?;
    Ok(found.len() as u64)
}

/// Each record's hash, taken anew from its bytes, and how often it is there; what cannot be read is
/// told to `damaged`.
///
/// # Errors
/// Where the archive cannot be opened, in words.
pub fn hashes(
    archive: &Path,
    mut damaged: impl FnMut(String),
) -> Result<BTreeMap<RecordHash, u64>, String> {
    let words = |error: kua_archive::ArchiveError| error.to_string();
    let place = Place::from(archive);
    let snapshot = Archive::open(&place).and_then(|archive| archive.snapshot()).map_err(words)?;
    let mut found = BTreeMap::new();
    for segment in snapshot.segments() {
        for record in snapshot.records(segment).map_err(words)? {
            match record {
                Ok(record) => *found.entry(RecordHash::of(&record.raw)).or_default() += 1,
                Err(damage) => damaged(format!("{}: {damage}", segment.name)),
            }
        }
    }
    Ok(found)
}
