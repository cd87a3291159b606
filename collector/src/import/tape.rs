//! Tape archives: every regular member is read as a file of its own.

use std::io::{self, BufReader, Read};
use std::path::Path;

use super::blocks::{Cutter, Stop};
use super::source::member;

const BUFFER: usize = 256 * 1024;

/// Reads the members of what `bytes` gives, which begins at `offset` of the unpacked input. A
/// member that cannot be read is named, and the next is read.
pub(super) fn read(
    bytes: impl Read,
    file: &Path,
    offset: u64,
    cutter: &mut Cutter<'_>,
) -> Result<(), Stop> {
    let mut tape = tar::Archive::new(BufReader::with_capacity(BUFFER, bytes));
    // Raw: a name that is too long for its header has a member of its own, which could be of any
    // length, and which nobody needs.
    for entry in tape.entries()?.raw(true) {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = file.join(name.trim_start_matches('/'));
        let at = offset + entry.raw_header_position();
        cutter.file = shown.as_path().into();
        let left = entry.size();
        match member(Whole { inner: entry, left }) {
            Ok(bytes) => match cutter.cut_member(bytes, at) {
                Err(Stop::Broken(error)) => cutter.broken(&shown, error)?,
                read => read?,
            },
            Err(error) => cutter.broken(&shown, error)?,
        }
    }
    Ok(())
}

/// A member that ends before its length is broken, not short.
struct Whole<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if length == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }
}
