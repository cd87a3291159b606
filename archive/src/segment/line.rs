//! A line of a segment's text: `<sha256> <receipt> <record>`.

use super::{LINE_FEED, MAX_RECEIPT};
use crate::{Damage, Receipt, RecordHash};

/// Stands where there is no receipt.
const NO_RECEIPT: &[u8] = b"-";

const HASH: usize = 64;

/// A line, as it lies in the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The hash of the record as it was received.
    pub hash: RecordHash,
    /// The text of its receipt, or `-`.
    pub receipt: &'a [u8],
    /// The record: without line feeds, and in a settled segment without its certificates.
    pub text: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line without its line break.
    pub(crate) fn read(line: &'a [u8]) -> Result<Self, Damage> {
        let read = || {
            let (hex, rest) = line.split_at_checked(HASH)?;
            let rest = rest.strip_prefix(b" ")?;
            let most = rest.len().min(MAX_RECEIPT + 1);
            let end = rest[..most].iter().position(|byte| *byte == b' ')?;
            let hash = RecordHash::from_hex(hex)?;
            Some(Self { hash, receipt: &rest[..end], text: &rest[end + 1..] })
        };
        read().ok_or(Damage::NoHash)
    }

    /// Its receipt.
    ///
    /// # Errors
    /// [`Damage::BadReceipt`].
    pub fn receipt(&self) -> Result<Option<Receipt>, Damage> {
        if self.receipt == NO_RECEIPT {
            return Ok(None);
        }
        serde_json::from_slice(self.receipt).map(Some).map_err(|_| Damage::BadReceipt)
    }

    /// The record with its line feeds.
    pub fn with_line_feeds(&self) -> Vec<u8> {
        let mut record = self.text.to_vec();
        record.iter_mut().filter(|byte| **byte == LINE_FEED).for_each(|byte| *byte = b'\n');
        record
    }

    /// Appends the line, with its line break.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.hash.to_string().as_bytes());
        to.push(b' ');
        to.extend_from_slice(self.receipt);
        to.push(b' ');
        let begin = to.len();
        to.extend_from_slice(self.text);
        to[begin..].iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = LINE_FEED);
        to.push(b'\n');
    }

    /// The length of what [`Line::write`] appends.
    pub(super) fn length(&self) -> usize {
        HASH + 1 + self.receipt.len() + 1 + self.text.len() + 1
    }
}

/// The text of a receipt, as it stands in a line. One that is too long is none.
pub(super) fn receipt_text(receipt: Option<&Receipt>) -> Vec<u8> {
    let text =
        receipt.map(|receipt| receipt.text().into_bytes()).filter(|text| text.len() <= MAX_RECEIPT);
    text.unwrap_or_else(|| NO_RECEIPT.to_vec())
}
