//! Writing a segment.

use bytes::Bytes;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::FRAME_TEXT;
use super::footer::{Footer, Frame};
use super::line::{Line, receipt_text};
use super::reader::Part;
use crate::{ArchiveError, FileHash, Receipt, RecordHash};

/// Makes a segment of records, frame by frame; in memory is what it has compressed.
pub struct Encoder {
    compressor: Compressor<'static>,
    text: Vec<u8>,
    records: u64,
    frames: Vec<Frame>,
    file: Vec<u8>,
}

impl Encoder {
    /// For records that somebody waits for.
    pub const FAST: i32 = 1;

    /// For records that stay as they are.
    pub const SMALL: i32 = 9;

    /// An empty segment, compressed at this level of zstd.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where there is no memory for it.
    pub fn new(level: i32) -> Result<Self, ArchiveError> {
        let start = || {
            let mut compressor = Compressor::new(level)?;
            compressor.set_parameter(CParameter::ChecksumFlag(true))?;
            Ok(compressor)
        };
        let compressor = start().map_err(ArchiveError::io("compress", "records"))?;
        let (text, frames, file) = Default::default();
        Ok(Self { compressor, text, records: 0, frames, file })
    }

    /// Adds a record: its hash as it was received, and its bytes, with or without their
    /// certificates.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where there is no memory to compress.
    pub fn push(
        &mut self,
        hash: RecordHash,
        receipt: Option<&Receipt>,
        record: &[u8],
    ) -> Result<(), ArchiveError> {
        self.push_line(Line { hash, receipt: &receipt_text(receipt), text: record })
    }

    /// Adds a line of another segment.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where there is no memory to compress.
    pub fn push_line(&mut self, line: Line<'_>) -> Result<(), ArchiveError> {
        if !self.text.is_empty() && self.text.len() + line.length() > FRAME_TEXT {
            self.close_frame()?;
        }
        line.write(&mut self.text);
        self.records += 1;
        Ok(())
    }

    /// Adds a frame of another segment as it lies there, damaged or not.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where there is no memory to compress what waits.
    pub(crate) fn push_frame(&mut self, part: &Part) -> Result<(), ArchiveError> {
        self.close_frame()?;
        self.frames.push(Frame {
            offset: self.file.len() as u64,
            bytes: part.bytes.len() as u64,
            text: part.length,
            records: part.records,
        });
        self.file.extend_from_slice(&part.bytes);
        Ok(())
    }

    /// Makes room for frames, so that memory is asked for once.
    pub(crate) fn reserve(&mut self, bytes: u64) {
        self.file.reserve_exact(usize::try_from(bytes).unwrap_or_default());
    }

    /// How many records were added.
    pub fn records(&self) -> u64 {
        self.frames.iter().map(|frame| frame.records).sum::<u64>() + self.records
    }

    /// How many bytes are held: text that waits, and what was compressed.
    pub fn held(&self) -> usize {
        self.text.len() + self.file.len()
    }

    /// The bytes of the segment's file.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where there is no memory to compress.
    pub fn finish(mut self) -> Result<Bytes, ArchiveError> {
        self.close_frame()?;
        let sha256 = FileHash::of(&self.file);
        let footer = Footer { records: self.records(), sha256, frames: self.frames };
        self.file.extend_from_slice(&footer.to_bytes());
        Ok(self.file.into())
    }

    fn close_frame(&mut self) -> Result<(), ArchiveError> {
        if self.text.is_empty() {
            return Ok(());
        }
        let compressed = self.compressor.compress(&self.text);
        let compressed = compressed.map_err(ArchiveError::io("compress", "records"))?;
        self.frames.push(Frame {
            offset: self.file.len() as u64,
            bytes: compressed.len() as u64,
            text: self.text.len() as u64,
            records: std::mem::take(&mut self.records),
        });
        self.file.extend_from_slice(&compressed);
        self.text.clear();
        Ok(())
    }
}
