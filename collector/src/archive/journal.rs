//! A file of lines that only grows: a torn end is cut off on opening, and what is appended lasts.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::ArchiveError;
use crate::lines::{Line, Lines};

/// The file, open for appending.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Where the next line begins.
    end: u64,
    /// Where the last line begins.
    last: u64,
}

impl Journal {
    /// Opens the file, or makes it, and hands every whole line to `visit`. Bytes after the last
    /// line break are no line: they are cut off, and counted.
    pub(super) fn open(
        path: &Path,
        longest: usize,
        mut visit: impl FnMut(&[u8]),
    ) -> Result<(Self, u64), ArchiveError> {
        let fails = |doing| ArchiveError::io(doing, path);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(fails("open"))?;
        let mut lines = Lines::new(BufReader::with_capacity(256 * 1024, &file), longest);
        let mut buffer = Vec::new();
        let (mut last, mut end) = (0, 0);
        let mut torn = 0;
        while let Some(line) = lines.next_into(&mut buffer).map_err(fails("read"))? {
            if line.ended {
                (last, end) = (end, end + line.length as u64 + 1);
                visit(&buffer);
            } else {
                torn = line.length as u64;
            }
        }
        let mut journal = Self { path: path.into(), file, end, last };
        if torn > 0 {
            journal.cut(end)?;
        }
        Ok((journal, torn))
    }

    /// Puts the last line into `buffer`; `None` where there is no line.
    pub(super) fn last_into(
        &mut self,
        longest: usize,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Line>, ArchiveError> {
        let read = self.file.seek(SeekFrom::Start(self.last)).and_then(|_| {
            let rest = BufReader::new(&self.file).take(self.end - self.last);
            Lines::new(rest, longest).next_into(buffer)
        });
        read.map_err(ArchiveError::io("read", &self.path))
    }

    /// Cuts the last line off, and gives its length.
    pub(super) fn cut_last(&mut self) -> Result<u64, ArchiveError> {
        let length = self.end - self.last;
        self.cut(self.last)?;
        Ok(length)
    }

    /// Appends whole lines. They last when this returns; where it fails, none of them is there.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), ArchiveError> {
        let write = |mut file: &File| -> std::io::Result<()> {
            file.seek(SeekFrom::Start(self.end))?;
            file.write_all(lines)?;
            file.sync_data()
        };
        if let Err(error) = write(&self.file) {
            // The disk that refused the lines may refuse this too; then the next opening does it.
            let _ = self.file.set_len(self.end);
            return Err(ArchiveError::io("write", &self.path)(error));
        }
        self.end += lines.len() as u64;
        Ok(())
    }

    fn cut(&mut self, end: u64) -> Result<(), ArchiveError> {
        let cut = self.file.set_len(end).and_then(|()| self.file.sync_all());
        cut.map_err(ArchiveError::io("cut the end off", &self.path))?;
        self.end = end;
        Ok(())
    }
}
