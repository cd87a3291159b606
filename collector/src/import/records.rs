//! A block to its records: what each says, or why it is refused.

use std::borrow::Cow;
use std::ops::Range;

use kua::measurement::Measurement;
use kua::wire::{MAX_RECORD, Reader, WireError};
use memchr::memchr;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::blocks::{Block, Content};

/// A record of a block.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Its line, counted from 0 at the block's first.
    pub(super) line: u64,
    pub(super) raw: Raw,
    pub(super) read: Result<Measurement, WireError>,
}

/// The bytes of a record.
#[derive(Debug)]
pub(super) enum Raw {
    /// They stand in the block.
    Within(Range<usize>),
    /// They were made of what stands there.
    Made(Vec<u8>),
}

/// Reads every record of a block; gives also how many lines it has.
pub(super) fn parse(block: &Block, reader: &mut Reader) -> (Vec<Parsed>, u64) {
    let mut parsed = Vec::new();
    let bytes = &block.bytes;
    let lines = match block.content {
        Content::TooLong(length) => {
            let read = Err(WireError::TooLong { length });
            parsed.push(Parsed { line: 0, raw: Raw::Within(0..bytes.len()), read });
            1
        }
        Content::Text(text) => {
            let made = (text.to_record)(bytes);
            parsed.push(match made {
                Ok(record) => {
                    let read = reader.read(&record);
                    Parsed { line: 0, raw: Raw::Made(record), read }
                }
                Err(error) => {
                    Parsed { line: 0, raw: Raw::Within(0..bytes.len()), read: Err(error) }
                }
            });
            0
        }
        Content::Document => {
            add(bytes, 0..bytes.len(), 0, reader, &mut parsed);
            0
        }
        Content::Lines => {
            let (mut start, mut line) = (0, 0);
            while start < bytes.len() {
                let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end);
                let mut stop = end;
                if end > start && bytes[end - 1] == b'\r' {
                    stop -= 1;
                }
                if !bytes[start..stop].trim_ascii().is_empty() {
                    add(bytes, start..stop, line, reader, &mut parsed);
                }
                (start, line) = (end + 1, line + 1);
            }
            line
        }
    };
    (parsed, lines)
}

/// Adds the record that stands at `place`, or those that it wraps.
fn add(
    bytes: &[u8],
    place: Range<usize>,
    line: u64,
    reader: &mut Reader,
    parsed: &mut Vec<Parsed>,
) {
    let text = &bytes[place.clone()];
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    if text.len() <= MAX_RECORD {
        if text[start..].starts_with(b"[")
            && let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(text)
            && !items.is_empty()
        {
            for item in items {
                let item = within(bytes, item.get().as_bytes());
                add_one(bytes, item, line, reader, parsed);
            }
            return;
        }
        if may_be_posted(&text[start..])
            && let Some(content) = posted(text)
        {
            match content {
                Cow::Borrowed(content) => {
                    add_one(bytes, within(bytes, content), line, reader, parsed);
                }
                Cow::Owned(content) => {
                    let read = reader.read(&content);
                    parsed.push(Parsed { line, raw: Raw::Made(content), read });
                }
            }
            return;
        }
    }
    add_one(bytes, place, line, reader, parsed);
}

fn add_one(
    bytes: &[u8],
    place: Range<usize>,
    line: u64,
    reader: &mut Reader,
    parsed: &mut Vec<Parsed>,
) {
    let read = reader.read(&bytes[place.clone()]);
    parsed.push(Parsed { line, raw: Raw::Within(place), read });
}

/// Where `part` stands in `bytes`, of which it is a part.
fn within(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - bytes.as_ptr() as usize;
    start..start + part.len()
}

/// What OONI's collectors were sent: a measurement in an envelope, as an object or as text.
#[derive(Deserialize)]
struct Posted<'a> {
    format: &'a str,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Whether a text is read as what it wraps.
pub(super) fn is_wrapping(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.starts_with(b"[") || (may_be_posted(text) && posted(text).is_some())
}

/// Whether an object begins as an envelope does: everything else is spared a second reading.
fn may_be_posted(text: &[u8]) -> bool {
    let mut rest = text.strip_prefix(b"{").unwrap_or_default();
    rest = rest.trim_ascii_start();
    rest.starts_with(b"\"format\"") || rest.starts_with(b"\"content\"")
}

fn posted(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let posted: Posted<'_> = serde_json::from_slice(text).ok()?;
    let content = posted.content.get();
    match content.as_bytes().first() {
        _ if posted.format != "json" => None,
        Some(b'{') => Some(Cow::Borrowed(content.as_bytes())),
        Some(b'"') => {
            let text: String = serde_json::from_str(content).ok()?;
            Some(Cow::Owned(text.into_bytes()))
        }
        _ => None,
    }
}
