//! The footer of a segment: where its frames are, in a frame that other programs skip.

use serde::{Deserialize, Serialize};

use super::MAX_FRAME_TEXT;
use crate::FileHash;
use crate::sealed::{seal, unseal};

/// The first bytes of the footer's frame.
const MAGIC: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// The first bytes of its text.
pub(super) const BEGIN: &[u8] = b"{\"records\":";

/// Magic, and the length of what follows.
pub(super) const HEADER: usize = 8;

/// Where the frames of a segment are.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) records: u64,
    /// The hash of all frames, as they lie in the file.
    pub(super) sha256: FileHash,
    pub(super) frames: Vec<Frame>,
}

/// One frame of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Frame {
    /// Where it begins.
    pub(super) offset: u64,
    /// Its length in the file.
    pub(super) bytes: u64,
    /// The length of its text.
    pub(super) text: u64,
    /// How many records it holds.
    pub(super) records: u64,
}

impl Frame {
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

impl Footer {
    /// The footer's whole frame.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let text = seal(self);
        // Four gigabytes of footer would be those of sixty million frames.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        [&MAGIC[..], &length.to_le_bytes(), text.as_bytes()].concat()
    }

    /// Reads the footer at the end of `tail`, which ends where the file of `bytes` bytes does. The
    /// text of a footer holds no magic: it is looked for from the end.
    pub(super) fn at_end_of(tail: &[u8], bytes: u64) -> Option<Self> {
        let at = tail.windows(MAGIC.len()).rposition(|window| window == MAGIC)?;
        let (length, text) = tail[at + MAGIC.len()..].split_first_chunk::<4>()?;
        if u32::from_le_bytes(*length) as usize != text.len() {
            return None;
        }
        let footer: Self = unseal(text)?;
        let end = bytes.checked_sub((HEADER + text.len()) as u64)?;
        footer.covers(end).then_some(footer)
    }

    /// Whether the frames lie side by side up to `end`, with their records.
    fn covers(&self, end: u64) -> bool {
        let mut next = 0;
        let mut records = 0u64;
        let follow = self.frames.iter().all(|frame| {
            let follows = frame.offset == next && frame.text <= MAX_FRAME_TEXT as u64;
            next = frame.end();
            records = records.saturating_add(frame.records);
            follows
        });
        follow && next == end && records == self.records
    }
}
