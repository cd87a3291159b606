//! Reading a segment, whatever happened to parts of it.

use bytes::Bytes;

use super::footer::{Footer, Frame, HEADER};
use super::frames::{Stretch, text, walk};
use super::line::Line;
use crate::store::{Handle, Store};
use crate::{ArchiveError, Damage, FileHash};

/// The bytes at the end in which the footer is looked for first: that of a gigabyte of text.
const TAIL: u64 = 64 << 10;

/// The longest footer.
const MAX_FOOTER: u64 = 64 << 20;

/// How much of a file is read at once, at least.
const AHEAD: u64 = 8 << 20;

/// The longest file that is searched for frames without its footer: all of it is in memory.
const MAX_WALK: u64 = 2 << 30;

/// A frame as it lies in its file.
#[derive(Debug)]
pub(crate) struct Part {
    /// All of it.
    pub(crate) bytes: Bytes,
    /// Its text; `None` where it is damaged.
    pub(crate) text: Option<Vec<u8>>,
    /// The length of its text.
    pub(crate) length: u64,
    /// How many records it holds; the number that a reader counts where nothing says so.
    pub(crate) records: u64,
}

impl Part {
    /// The lines of its text.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Result<Line<'_>, Damage>> {
        let text = self.text.as_deref().unwrap_or_default();
        text.split_inclusive(|byte| *byte == b'\n')
            .map(|line| Line::read(line.strip_suffix(b"\n").unwrap_or(line)))
    }
}

/// Reads a segment from its begin to its end.
#[derive(Debug)]
pub struct Reader {
    handle: Handle,
    /// How many records its footer counts.
    records: Option<u64>,
    stretches: std::vec::IntoIter<Stretch>,
    footer_damaged: bool,
    /// Bytes of the file that were read, and where they begin.
    ahead: (u64, Bytes),
    text: Vec<u8>,
    /// Where in the text the next line begins.
    at: usize,
}

impl Reader {
    /// Opens a segment of the archive.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`], [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn open(store: &Store, path: &str) -> Result<Self, ArchiveError> {
        Self::of_handle(store.handle(path)?)
    }

    /// Reads bytes that are there already; `path` is what damage is named by.
    ///
    /// # Errors
    /// [`ArchiveError::TooLong`] for more bytes without a footer than are searched.
    pub fn of_bytes(path: &str, bytes: Bytes) -> Result<Self, ArchiveError> {
        Self::of_handle(Handle::of_bytes(path, bytes))
    }

    fn of_handle(mut handle: Handle) -> Result<Self, ArchiveError> {
        let footer = footer(&mut handle)?;
        let (stretches, records, ahead) = match &footer {
            Some(footer) => {
                let frames = footer.frames.iter();
                let frames = frames.map(|frame| Stretch::Frame { frame: *frame, exact: true });
                (frames.collect(), Some(footer.records), Bytes::new())
            }
            None if handle.bytes() > MAX_WALK => {
                let path = handle.path().to_owned();
                return Err(ArchiveError::TooLong { path, bytes: handle.bytes() });
            }
            None => {
                let bytes = handle.read(0..handle.bytes())?;
                (walk(&bytes), None, bytes)
            }
        };
        Ok(Self {
            handle,
            records,
            stretches: stretches.into_iter(),
            footer_damaged: footer.is_none(),
            ahead: (0, ahead),
            text: Vec::new(),
            at: 0,
        })
    }

    /// How many records it held when it was written; `None` where its footer is damaged.
    pub fn records(&self) -> Option<u64> {
        self.records
    }

    /// The next line, or what is damaged next: a frame, a line, and last the footer. After damage
    /// the rest is served. `None` at the end.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`]; [`ArchiveError::Missing`] where an object
    /// was removed meanwhile.
    pub fn next_line(&mut self) -> Result<Option<Result<Line<'_>, Damage>>, ArchiveError> {
        while self.at >= self.text.len() {
            match self.stretches.next() {
                Some(stretch) => {
                    if let Some(damage) = self.take(stretch)? {
                        return Ok(Some(Err(damage)));
                    }
                }
                None if std::mem::take(&mut self.footer_damaged) => {
                    let path = self.handle.path().to_owned();
                    return Ok(Some(Err(Damage::Footer { path })));
                }
                None => return Ok(None),
            }
        }
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.at += length + 1;
        Ok(Some(Line::read(&rest[..length])))
    }

    /// Passes over whole frames of together at most `most` records; gives how many records.
    pub fn pass(&mut self, most: u64) -> u64 {
        let mut passed = 0;
        while self.at >= self.text.len()
            && let Some(Stretch::Frame { frame, exact: true }) = self.stretches.as_slice().first()
            && passed + frame.records <= most
        {
            passed += frame.records;
            self.stretches.next();
        }
        passed
    }

    /// The next frame as a whole, or bytes between frames; `None` at the end. Not to be mixed with
    /// [`Reader::next_line`].
    ///
    /// # Errors
    /// As [`Reader::next_line`].
    pub(crate) fn next_part(&mut self) -> Result<Option<Part>, ArchiveError> {
        let Some(stretch) = self.stretches.next() else { return Ok(None) };
        let (frame, exact) = match stretch {
            Stretch::Frame { frame, exact } => (frame, exact),
            Stretch::Lost { offset } => {
                let next = self.stretches.as_slice().first().map(|next| match next {
                    Stretch::Frame { frame, .. } => frame.offset,
                    Stretch::Lost { offset } => *offset,
                });
                let end = next.unwrap_or(self.handle.bytes());
                let frame = Frame { offset, bytes: end - offset, text: 0, records: 1 };
                (frame, false)
            }
        };
        let bytes = self.bytes(frame.offset, frame.bytes)?;
        let text = text(&bytes, exact.then_some(frame.text));
        let records = match &text {
            // What readers count for a frame of which no footer tells.
            None if !exact => 1,
            Some(text) if !exact => text.iter().filter(|byte| **byte == b'\n').count() as u64,
            _ => frame.records,
        };
        let length = text.as_ref().map_or(frame.text, |text| text.len() as u64);
        Ok(Some(Part { bytes, text, length, records }))
    }

    /// Makes the text of a frame the one that is read.
    fn take(&mut self, stretch: Stretch) -> Result<Option<Damage>, ArchiveError> {
        self.text.clear();
        self.at = 0;
        let (frame, exact) = match stretch {
            Stretch::Lost { offset } => return Ok(Some(self.damaged(offset, None))),
            Stretch::Frame { frame, exact } => (frame, exact),
        };
        let bytes = self.bytes(frame.offset, frame.bytes)?;
        match text(&bytes, exact.then_some(frame.text)) {
            Some(text) => self.text = text,
            None => {
                let records = exact.then_some(frame.records);
                return Ok(Some(self.damaged(frame.offset, records)));
            }
        }
        Ok(None)
    }

    fn damaged(&self, offset: u64, records: Option<u64>) -> Damage {
        Damage::Frame { path: self.handle.path().into(), offset, records }
    }

    /// Bytes of the file; more are read ahead.
    fn bytes(&mut self, offset: u64, length: u64) -> Result<Bytes, ArchiveError> {
        let within = |(begin, bytes): &(u64, Bytes)| {
            let from = usize::try_from(offset.checked_sub(*begin)?).ok()?;
            let to = from.checked_add(usize::try_from(length).ok()?)?;
            (to <= bytes.len()).then(|| bytes.slice(from..to))
        };
        if let Some(bytes) = within(&self.ahead) {
            return Ok(bytes);
        }
        let end = offset.saturating_add(length.max(AHEAD));
        self.ahead = (offset, self.handle.read(offset..end)?);
        // A file that has become shorter gives fewer bytes, which are no frame.
        Ok(within(&self.ahead).unwrap_or_default())
    }
}

fn footer(handle: &mut Handle) -> Result<Option<Footer>, ArchiveError> {
    let bytes = handle.bytes();
    for length in [TAIL, MAX_FOOTER] {
        let tail = handle.read(bytes.saturating_sub(length)..bytes)?;
        let footer = Footer::at_end_of(&tail, bytes);
        if footer.is_some() || tail.len() as u64 == bytes {
            return Ok(footer);
        }
    }
    Ok(None)
}

/// Whether every byte of a segment's file is as it was written.
pub fn is_whole(bytes: &[u8]) -> bool {
    let footer = Footer::at_end_of(bytes, bytes.len() as u64);
    footer.is_some_and(|footer| {
        let end = footer.frames.last().map_or(0, Frame::end);
        let frames = usize::try_from(end).ok().and_then(|end| bytes.get(..end));
        // Nothing is between the frames and the footer, whose text has a hash of its own.
        let between = bytes.len() >= HEADER + usize::try_from(end).unwrap_or(usize::MAX);
        between && frames.is_some_and(|frames| FileHash::of(frames) == footer.sha256)
    })
}
