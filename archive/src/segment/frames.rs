//! Frames that are found one after the other, where the footer cannot say where they are; and their
//! text.

use zstd::zstd_safe;

use super::MAX_FRAME_TEXT;
use super::footer::{BEGIN, Frame, HEADER};

/// The first bytes of a frame of text.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The first bytes of a frame that is skipped.
const SKIPPED: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// A stretch of a segment's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// One frame. How much text and how many records it holds is not known where no footer says so.
    Frame { frame: Frame, exact: bool },
    /// Bytes in which no frame is found.
    Lost { offset: u64 },
}

/// Walks through all bytes of a segment without its footer.
pub(super) fn walk(bytes: &[u8]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        // A footer, whole or not, ends a segment; its damage is told apart from a frame's.
        let text = rest.get(HEADER..).unwrap_or_default();
        if rest.starts_with(&SKIPPED) || text.starts_with(BEGIN) {
            break;
        }
        let length = zstd_safe::find_frame_compressed_size(rest).ok().filter(|length| *length > 0);
        match length.filter(|_| rest.starts_with(&MAGIC)) {
            Some(length) => {
                let (offset, bytes) = (at as u64, length as u64);
                let frame = Frame { offset, bytes, text: 0, records: 0 };
                stretches.push(Stretch::Frame { frame, exact: false });
                at += length;
            }
            None => {
                stretches.push(Stretch::Lost { offset: at as u64 });
                at += next_magic(rest);
            }
        }
    }
    stretches
}

/// How far it is to the next bytes that could begin a frame.
fn next_magic(rest: &[u8]) -> usize {
    let after = rest.get(1..).unwrap_or_default();
    let found = after.windows(4).position(|four| four == MAGIC || four == SKIPPED);
    found.map_or(rest.len(), |found| found + 1)
}

/// The text of a frame; `None` where it is damaged.
pub(super) fn text(bytes: &[u8], exact: Option<u64>) -> Option<Vec<u8>> {
    let most = match exact {
        Some(text) => text,
        None => zstd_safe::get_frame_content_size(bytes).ok()??,
    };
    let most = usize::try_from(most).ok().filter(|most| *most <= MAX_FRAME_TEXT)?;
    let text = zstd::bulk::decompress(bytes, most).ok()?;
    (text.len() == most).then_some(text)
}
