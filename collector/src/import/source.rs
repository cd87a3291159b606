//! Bytes of a file, unpacked where its first bytes say that it is packed.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

const BUFFER: usize = 64 * 1024;

/// Most bytes that one packed file may hold.
const MAX_UNPACKED: u64 = 64 << 30;

/// Most bytes that one packed byte may become, once [`FREE`] bytes were unpacked.
const MAX_RATIO: u64 = 1_000;

/// Below this many unpacked bytes no ratio is too high: short files may be that regular.
const FREE: u64 = 16 << 20;

/// The unpacked bytes of the file at `path`; `-` is standard input. How it is packed (not at all,
/// gzip, zstd) is told by its first bytes, never by its name.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") { unpacked(io::stdin()) } else { unpacked(File::open(path)?) }
}

/// The unpacked bytes of what `packed` gives.
pub(super) fn unpacked(mut packed: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut magic = Vec::with_capacity(4);
    packed.by_ref().take(4).read_to_end(&mut magic)?;
    let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
    // RFC 8878: a frame, or a skippable frame before it.
    let is_zstd = magic == [0x28, 0xb5, 0x2f, 0xfd]
        || magic.first().is_some_and(|first| first & 0xf0 == 0x50)
            && magic.ends_with(&[0x2a, 0x4d, 0x18]);
    let packed = Cursor::new(magic).chain(packed);
    if !is_gzip && !is_zstd {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, packed)));
    }
    let taken = Rc::new(Cell::new(0));
    let packed = Counted { inner: packed, taken: Rc::clone(&taken) };
    let packed = BufReader::with_capacity(BUFFER, packed);
    if is_gzip {
        Ok(bounded(MultiGzDecoder::new(packed), taken))
    } else {
        Ok(bounded(zstd::Decoder::with_buffer(packed)?, taken))
    }
}

fn bounded(unpacking: impl Read + 'static, taken: Rc<Cell<u64>>) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(BUFFER, Bounded { inner: unpacking, taken, given: 0 }))
}

/// Counts the packed bytes that were read.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + length as u64);
        Ok(length)
    }
}

/// Ends in an error once more was unpacked than an honest file holds.
struct Bounded<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.given += length as u64;
        if self.given > MAX_UNPACKED {
            return Err(io::Error::other("it unpacks to more than 64 GiB"));
        }
        if self.given > FREE && self.given / MAX_RATIO > self.taken.get() {
            return Err(io::Error::other("it unpacks to more than 1,000 times its size"));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packing.write_all(bytes).unwrap();
        packing.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).unwrap()
    }

    fn read(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        unpacked(Cursor::new(packed.to_vec()))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn packing_is_told_by_the_first_bytes() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &zstd(b"text")].concat();
        for (case, packed, bytes) in [
            ("nothing", vec![], ""),
            ("one byte", b"7".to_vec(), "7"),
            ("plain", b"text".to_vec(), "text"),
            ("gzip", gzip(b"text"), "text"),
            ("two gzip members", [gzip(b"te"), gzip(b"xt")].concat(), "text"),
            ("zstd", zstd(b"text"), "text"),
            ("two zstd frames", [zstd(b"te"), zstd(b"xt")].concat(), "text"),
            ("zstd after a skippable frame", skippable, "text"),
        ] {
            assert_eq!(read(&packed).unwrap(), bytes.as_bytes(), "{case}");
        }
    }

    #[test]
    fn bombs_and_broken_files_are_errors() {
        let zeros = vec![0; 64 << 20];
        assert_eq!(read(&gzip(&zeros[..FREE as usize])).unwrap().len(), FREE as usize);
        for (case, packed) in [
            ("gzip bomb", gzip(&zeros)),
            ("zstd bomb", zstd(&zeros)),
            ("cut gzip", gzip(b"some text")[..20].to_vec()),
            ("cut zstd", zstd(b"some text")[..14].to_vec()),
            ("zstd magic only", vec![0x28, 0xb5, 0x2f, 0xfd]),
        ] {
            assert!(read(&packed).is_err(), "{case}");
        }
    }
}
