//! Bytes to blocks: some whole lines each, or one document, so that they can be read side by side.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kua::wire::{Format, MAX_RECORD, Text};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use serde::de::IgnoredAny;

use super::source::{Taken, unpacked};
use super::{Input, ReadError, tape};

/// About as many bytes are read, and handed on, at once.
const BLOCK: usize = 512 * 1024;

/// A part of a file that can be read by itself.
#[derive(Debug)]
pub(super) struct Block {
    /// The file, or the member of a tar under the name of the tar.
    pub(super) file: Arc<Path>,
    /// Where it begins in the unpacked input, where reading may begin there.
    pub(super) offset: Option<u64>,
    /// The number of its first line, where that does not follow from the block before.
    pub(super) line: Option<u64>,
    pub(super) bytes: Vec<u8>,
    pub(super) content: Content,
    /// Packed bytes of the input that were read so far.
    pub(super) packed: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// Whole lines.
    Lines,
    /// One JSON value.
    Document,
    /// Text that is one record.
    Text(&'static Text),
    /// The beginning of a line of so many bytes, which is too long.
    TooLong(usize),
}

/// What a reader hands on.
#[derive(Debug)]
pub(super) enum Item {
    Block(Block),
    Broken(ReadError),
    /// The input with this number begins.
    Begin(usize),
    /// An input ended, whole or broken.
    End,
}

/// Why reading stops.
pub(super) enum Stop {
    Broken(io::Error),
    /// Nobody wants more.
    Closed,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Where items go; `false` where nobody wants them.
pub(super) type Give<'g> = &'g mut dyn FnMut(Item) -> bool;

/// Reads one input to its end.
pub(super) fn read(input: &Input, texts: &[&'static Format], give: Give<'_>) -> Result<(), Stop> {
    let at = input.at.unwrap_or(super::Mark::BEGINNING);
    let taken = Taken::default();
    let (opened, eager) = input.open()?;
    let source = unpacked(opened, at.offset, &taken)?;
    let mut cutter =
        Cutter { file: input.file.as_path().into(), texts, eager, taken, member: None, give };
    if source.is_tar {
        tape::read(source.bytes, &input.file, at.offset, &mut cutter)
    } else {
        cutter.cut(source.bytes, Some(at.offset), at.line)
    }
}

/// How far bytes go.
enum End {
    /// There are more.
    Not,
    /// There are no more.
    Whole,
    /// They break off.
    Broken(io::Error),
}

/// Cuts bytes into blocks.
pub(super) struct Cutter<'c> {
    pub(super) file: Arc<Path>,
    texts: &'c [&'static Format],
    /// What comes bit by bit is handed on as it comes.
    eager: bool,
    taken: Taken,
    /// Where the member of a tar begins whose first block was not yet handed on.
    member: Option<u64>,
    give: Give<'c>,
}

impl Cutter<'_> {
    /// Cuts what `bytes` gives. `offset` is where it begins in the unpacked input, where reading
    /// may begin in its middle.
    pub(super) fn cut(
        &mut self,
        mut bytes: impl Read,
        offset: Option<u64>,
        line: u64,
    ) -> Result<(), Stop> {
        let mut buffer = Vec::with_capacity(BLOCK + BLOCK / 4);
        let mut end = self.fill(&mut bytes, &mut buffer, BLOCK);
        let mut offset = offset;
        let mut number = Some(line);
        if offset.unwrap_or_default() == 0 {
            if buffer.starts_with(b"\xef\xbb\xbf") {
                buffer.drain(..3);
                offset = offset.map(|offset| offset + 3);
            }
            if let Some((content, line)) = self.whole(&mut bytes, &mut buffer, &mut end) {
                return self.send(buffer, content, None, Some(line));
            }
        }
        loop {
            while let Some(at) = cut_at(&buffer, matches!(end, End::Whole)) {
                let mut rest = Vec::with_capacity(BLOCK + BLOCK / 4);
                rest.extend_from_slice(&buffer[at..]);
                buffer.truncate(at);
                let block = std::mem::replace(&mut buffer, rest);
                let next = offset.map(|offset| offset + block.len() as u64);
                self.send(block, Content::Lines, offset, number.take())?;
                offset = next;
            }
            if buffer.len() > MAX_RECORD {
                let (length, rest) = self.rest_of_line(&mut bytes, &mut buffer, &mut end);
                let next = offset.map(|offset| offset + length as u64 + 1);
                let long = std::mem::replace(&mut buffer, rest);
                self.send(long, Content::TooLong(length), offset, number.take())?;
                offset = next;
                continue;
            }
            match end {
                End::Not => {}
                End::Whole => return Ok(()),
                End::Broken(error) => return Err(error.into()),
            }
            // Twice as much for a line that is longer than a block.
            let held = buffer.len();
            let most = (held + BLOCK.max(held)).min(MAX_RECORD + BLOCK);
            end = self.fill(&mut bytes, &mut buffer, most);
        }
    }

    /// Cuts a member of a tar that begins at `at`: reading may begin there, and nowhere within.
    pub(super) fn cut_member(&mut self, bytes: impl Read, at: u64) -> Result<(), Stop> {
        self.member = Some(at);
        let cut = self.cut(bytes, None, 1);
        self.member = None;
        cut
    }

    pub(super) fn broken(&mut self, file: &Path, error: io::Error) -> Result<(), Stop> {
        let broken = ReadError::new(file, error);
        if (self.give)(Item::Broken(broken)) { Ok(()) } else { Err(Stop::Closed) }
    }

    fn send(
        &mut self,
        bytes: Vec<u8>,
        content: Content,
        offset: Option<u64>,
        line: Option<u64>,
    ) -> Result<(), Stop> {
        let offset = offset.or_else(|| self.member.take());
        let packed = self.taken.load(Ordering::Relaxed);
        let file = Arc::clone(&self.file);
        let block = Block { file, offset, line, bytes, content, packed };
        if (self.give)(Item::Block(block)) { Ok(()) } else { Err(Stop::Closed) }
    }

    /// Reads until the buffer has `most` bytes, or a line where it comes bit by bit.
    fn fill(&self, bytes: &mut impl Read, buffer: &mut Vec<u8>, most: usize) -> End {
        let mut length = buffer.len();
        buffer.resize(most.max(length), 0);
        let mut end = End::Not;
        while length < buffer.len() {
            match bytes.read(&mut buffer[length..]) {
                Ok(0) => end = End::Whole,
                Ok(read) => {
                    let new = length..length + read;
                    length = new.end;
                    if !self.eager || memchr(b'\n', &buffer[new]).is_none() {
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => end = End::Broken(error),
            }
            break;
        }
        buffer.truncate(length);
        end
    }

    /// Whether all of it is one record: text that some format knows, or one JSON value over several
    /// lines. Then `buffer` has all of it, and the number is that of its first line.
    fn whole(
        &mut self,
        bytes: &mut impl Read,
        buffer: &mut Vec<u8>,
        end: &mut End,
    ) -> Option<(Content, u64)> {
        let start = buffer.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let number = memchr_iter(b'\n', &buffer[..start]).count() as u64 + 1;
        let content = if matches!(buffer[start], b'{' | b'[') {
            let line = memchr(b'\n', &buffer[start..]).map_or(buffer.len(), |end| start + end);
            let is_whole = line < buffer.len() || matches!(end, End::Whole);
            (is_whole && is_cut_short(&buffer[start..line])).then_some(Content::Document)?
        } else {
            let texts = self.texts.iter().filter_map(|format| format.text);
            let has = |text: &&Text| memmem::find(buffer, text.sign.as_bytes()).is_some();
            Content::Text(texts.into_iter().find(has)?)
        };
        if matches!(end, End::Not) {
            *end = self.fill_whole(bytes, buffer);
        }
        if !matches!(end, End::Whole) {
            return None;
        }
        if matches!(content, Content::Document) {
            serde_json::from_slice::<IgnoredAny>(buffer).ok()?;
            buffer.truncate(buffer.trim_ascii_end().len());
            buffer.drain(..start);
        }
        Some((content, number))
    }

    /// Reads all, up to the longest record.
    fn fill_whole(&self, bytes: &mut impl Read, buffer: &mut Vec<u8>) -> End {
        let most = MAX_RECORD.saturating_sub(buffer.len()) as u64;
        match bytes.by_ref().take(most).read_to_end(buffer) {
            Ok(read) if (read as u64) < most => End::Whole,
            Ok(_) => End::Not,
            Err(error) => End::Broken(error),
        }
    }

    /// Reads on to the end of a line that is too long. Gives its length and what follows it, and
    /// leaves its beginning in `buffer`.
    fn rest_of_line(
        &self,
        bytes: &mut impl Read,
        buffer: &mut Vec<u8>,
        end: &mut End,
    ) -> (usize, Vec<u8>) {
        let mut length = buffer.len();
        buffer.truncate(MAX_RECORD);
        let mut more = Vec::new();
        while matches!(end, End::Not) {
            more.clear();
            *end = self.fill(bytes, &mut more, BLOCK);
            if let Some(at) = memchr(b'\n', &more) {
                return (length + at, more.split_off(at + 1));
            }
            length += more.len();
        }
        (length, Vec::new())
    }
}

/// Where the next block ends: after its last line break, or with the last bytes.
fn cut_at(buffer: &[u8], ended: bool) -> Option<usize> {
    let near = &buffer[..buffer.len().min(BLOCK + BLOCK / 4)];
    let end = memrchr(b'\n', near)
        .or_else(|| memchr(b'\n', &buffer[near.len()..]).map(|far| near.len() + far));
    let end = end.map(|end| end + 1);
    let last = (ended && !buffer.is_empty() && buffer.len() <= MAX_RECORD).then_some(buffer.len());
    end.or(last)
}

fn is_cut_short(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}
