//! Segments: records as lines of text, in frames that are compressed and damaged one by one.

mod encoder;
mod footer;
mod frames;
mod line;
mod reader;

#[cfg(test)]
mod tests;

use kua::wire::MAX_RECORD;

pub use encoder::Encoder;
pub use line::Line;
pub(crate) use reader::Part;
pub use reader::{Reader, is_whole};

/// Text that a frame holds, unless one record is longer.
const FRAME_TEXT: usize = 4 << 20;

/// Longest receipt.
const MAX_RECEIPT: usize = 64 << 10;

/// Longest text of a frame: one line.
const MAX_FRAME_TEXT: usize = 64 + 1 + MAX_RECEIPT + 1 + MAX_RECORD + 1;

/// Stands for a line feed within a record, which JSON has between tokens only; this byte it has
/// nowhere.
pub(crate) const LINE_FEED: u8 = 0x1e;

/// Whether a line can be kept of `raw`: it has a record's length, and JSON's bytes.
pub(crate) fn can_be_kept(raw: &[u8]) -> bool {
    raw.len() <= MAX_RECORD && !raw.contains(&LINE_FEED)
}
