//! Lines that were no measurement, set aside with the reason: each text once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ArchiveError;
use super::journal::Journal;
use super::layout::REJECTED;
use super::records::RecordHash;

/// Most bytes of a line that are set aside.
const MAX_TEXT: usize = 8 << 20;

/// Longest row: any byte of a text may be escaped as `\u0000`.
const MAX_ROW: usize = 6 * MAX_TEXT + 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    file: Cow<'a, str>,
    line: u64,
    reason: Cow<'a, str>,
    record: Cow<'a, str>,
}

/// The file of lines that were set aside.
pub(super) struct Rejected {
    journal: Journal,
    known: HashSet<RecordHash>,
    rows: Vec<u8>,
}

impl Rejected {
    pub(super) fn open(dir: &Path) -> Result<Self, ArchiveError> {
        let mut known = HashSet::new();
        let (journal, _) = Journal::open(&dir.join(REJECTED), MAX_ROW, |row| {
            if let Ok(row) = serde_json::from_slice::<Row<'_>>(row) {
                known.insert(RecordHash::of(row.record.as_bytes()));
            }
        })?;
        Ok(Self { journal, known, rows: Vec::new() })
    }

    /// Sets a line aside with the next [`Rejected::commit`], unless its text already is.
    pub(super) fn add(&mut self, file: &Path, line: u64, reason: &str, raw: &[u8]) {
        let record = String::from_utf8_lossy(&raw[..raw.len().min(MAX_TEXT)]);
        if self.known.insert(RecordHash::of(record.as_bytes())) {
            let row = Row { file: file.to_string_lossy(), line, reason: reason.into(), record };
            // Four fields of text and a number always serialise.
            if serde_json::to_writer(&mut self.rows, &row).is_ok() {
                self.rows.push(b'\n');
            }
        }
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn commit(&mut self) -> Result<(), ArchiveError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() { Ok(()) } else { self.journal.append(&rows) }
    }
}
