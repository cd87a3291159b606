//! Lines that were no measurement, set aside with the reason: each text once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{ArchiveError, RecordHash, Store};

/// The file in a directory.
const REJECTED: &str = "rejected.jsonl";

/// Where the lines of each batch are in an object store, in which no file grows.
const FOLDER: &str = "rejected/";

/// Most bytes of a line that are set aside.
const MAX_TEXT: usize = 8 << 20;

/// Longest row: any byte of a text may be escaped as `\u0000`.
const MAX_ROW: u64 = 6 * MAX_TEXT as u64 + (64 << 10);

/// Rows that are remembered at once.
const AT_ONCE: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    file: Cow<'a, str>,
    line: u64,
    reason: Cow<'a, str>,
    record: Cow<'a, str>,
}

/// The lines that were set aside.
pub(crate) struct Rejected {
    store: Store,
    /// Bytes of the file, or objects in the folder.
    end: u64,
    rows: Vec<u8>,
    waiting: HashSet<RecordHash>,
}

impl Rejected {
    pub(crate) fn new(store: &Store) -> Self {
        Self { store: store.clone(), end: 0, rows: Vec::new(), waiting: HashSet::new() }
    }

    /// Hands over what was set aside after `from`, and where that ends. A last row that is not
    /// whole is cut off.
    pub(crate) fn open_from(
        &mut self,
        from: u64,
        mut visit: impl FnMut(Vec<RecordHash>, u64) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        match self.file() {
            Some(path) => self.end = read_file(&path, from, &mut visit)?,
            None => {
                let entries = self.store.list(FOLDER)?;
                self.end = entries.len() as u64;
                let known = usize::try_from(from).unwrap_or(usize::MAX).min(entries.len());
                for (at, entry) in entries.iter().enumerate().skip(known) {
                    let text = self.store.read(&entry.path)?;
                    let hashes = text.split(|byte| *byte == b'\n').filter_map(hash_of);
                    visit(hashes.collect(), at as u64 + 1)?;
                }
            }
        }
        Ok(())
    }

    fn file(&self) -> Option<PathBuf> {
        self.store.directory().map(|dir| dir.join(REJECTED))
    }

    /// The hash of what is set aside of a line, and whether it waits already.
    pub(crate) fn look(&self, raw: &[u8]) -> (RecordHash, bool) {
        let hash = RecordHash::of(text_of(raw).as_bytes());
        (hash, self.waiting.contains(&hash))
    }

    /// Sets a line aside with the next [`Rejected::commit`].
    pub(crate) fn add(
        &mut self,
        hash: RecordHash,
        file: &Path,
        line: u64,
        reason: &str,
        raw: &[u8],
    ) {
        let record = text_of(raw);
        let row = Row { file: file.to_string_lossy(), line, reason: reason.into(), record };
        // Four fields of text and a number always serialise.
        if serde_json::to_writer(&mut self.rows, &row).is_ok() {
            self.rows.push(b'\n');
            self.waiting.insert(hash);
        }
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.rows.len()
    }

    /// Makes what waits last; gives it, and where it ends. Where it fails, none of it is there.
    pub(crate) fn commit(&mut self) -> Result<Option<(HashSet<RecordHash>, u64)>, ArchiveError> {
        let rows = std::mem::take(&mut self.rows);
        let waiting = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(None);
        }
        self.end = match self.file() {
            Some(path) => append(&path, self.end, &rows)?,
            None => {
                let next = self.end + 1;
                self.store.put_new(&format!("{FOLDER}{next:012}.jsonl"), Bytes::from(rows))?;
                next
            }
        };
        Ok(Some((waiting, self.end)))
    }
}

fn text_of(raw: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&raw[..raw.len().min(MAX_TEXT)])
}

fn hash_of(row: &[u8]) -> Option<RecordHash> {
    let row: Row<'_> = serde_json::from_slice(row).ok()?;
    Some(RecordHash::of(row.record.as_bytes()))
}

/// Gives where the last whole row ends.
fn read_file(
    path: &Path,
    from: u64,
    visit: &mut impl FnMut(Vec<RecordHash>, u64) -> Result<(), ArchiveError>,
) -> Result<u64, ArchiveError> {
    let fails = |doing| ArchiveError::io(doing, path.display());
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(fails("open")(error)),
    };
    let length = file.metadata().map_err(fails("read"))?.len();
    let mut end = if from <= length { from } else { 0 };
    let mut reader = BufReader::with_capacity(256 << 10, &file);
    reader.seek(SeekFrom::Start(end)).map_err(fails("read"))?;
    let (mut row, mut hashes) = (Vec::new(), Vec::new());
    loop {
        row.clear();
        let read = reader.by_ref().take(MAX_ROW).read_until(b'\n', &mut row);
        let read = read.map_err(fails("read"))? as u64;
        let whole = row.ends_with(b"\n") || read == MAX_ROW;
        if whole {
            end += read;
            hashes.extend(hash_of(&row));
        }
        if hashes.len() >= AT_ONCE || !whole {
            visit(std::mem::take(&mut hashes), end)?;
        }
        if !whole {
            break;
        }
    }
    if end < length {
        let cut = file.set_len(end).and_then(|()| file.sync_all());
        cut.map_err(fails("cut the end off"))?;
    }
    Ok(end)
}

/// Appends whole rows after `end`, and gives where they end.
fn append(path: &Path, end: u64, rows: &[u8]) -> Result<u64, ArchiveError> {
    let fails = |doing| ArchiveError::io(doing, path.display());
    let options = File::options().create(true).truncate(false).write(true).open(path);
    let mut file = options.map_err(fails("open"))?;
    let written = file
        .seek(SeekFrom::Start(end))
        .and_then(|_| file.write_all(rows))
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // The disk that refused the rows may refuse this too; then the next opening does it.
        let _ = file.set_len(end);
        return Err(fails("write")(error));
    }
    Ok(end + rows.len() as u64)
}
