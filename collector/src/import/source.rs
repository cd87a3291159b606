//! Bytes of a file, unpacked where its first bytes say that it is packed, and bounded.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::inputs::Opened;

const BUFFER: usize = 256 * 1024;

/// Bytes that are looked at to tell what a file is.
const HEAD: u64 = 512;

/// Most bytes that one packed file may hold.
const MAX_UNPACKED: u64 = 64 << 30;

/// Most bytes that one packed byte may become, once [`FREE`] bytes were unpacked.
const MAX_RATIO: u64 = 1_000;

/// Below this many unpacked bytes no ratio is too high: short files may be that regular.
const FREE: u64 = 16 << 20;

/// What is not read, by its first bytes.
const NOT_READ: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "it is a zip archive: unpack it first"),
    (b"\xfd7zXZ\0", "it is packed with xz: unpack it first"),
    (b"BZh", "it is packed with bzip2: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
];

/// An open file, unpacked.
pub(super) struct Source {
    /// Its unpacked bytes, from the beginning or from where it was skipped to.
    pub(super) bytes: Box<dyn Read>,
    /// It is a tape archive.
    pub(super) is_tar: bool,
}

/// Counts the packed bytes that were read.
pub(super) type Taken = Arc<AtomicU64>;

/// Unpacks what `opened` gives, and skips the first `skip` unpacked bytes.
pub(super) fn unpacked(opened: Opened, skip: u64, taken: &Taken) -> io::Result<Source> {
    let (head, file) = match opened {
        Opened::File(mut file) => {
            let mut head = Vec::new();
            file.by_ref().take(HEAD).read_to_end(&mut head)?;
            if packing(&head)? == Packing::None {
                let length = file.metadata()?.len();
                if skip > length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                file.seek(SeekFrom::Start(skip))?;
                taken.store(skip, Ordering::Relaxed);
                let is_tar = is_tar(&head);
                return Ok(Source { bytes: Box::new(Counted::new(file, taken)), is_tar });
            }
            (head, Box::new(file) as Box<dyn Read>)
        }
        Opened::Stream(mut stream) => {
            let mut head = Vec::new();
            stream.by_ref().take(HEAD).read_to_end(&mut head)?;
            (head, stream)
        }
    };
    let packing = packing(&head)?;
    let bytes = unpack(packing, Counted::new(Cursor::new(head).chain(file), taken), taken)?;
    let (head, mut bytes) = peek(bytes)?;
    if packing != Packing::None && self::packing(&head)? != Packing::None {
        return Err(io::Error::other("it is packed twice: unpack it first"));
    }
    if skip > 0 {
        let skipped = io::copy(&mut bytes.by_ref().take(skip), &mut io::sink())?;
        if skipped < skip {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Source { bytes, is_tar: is_tar(&head) })
}

/// Unpacks a member of a tape archive; another archive within is refused.
pub(super) fn member<'m>(member: impl Read + 'm) -> io::Result<Box<dyn Read + 'm>> {
    let taken = Taken::default();
    let (head, bytes) = peek(Box::new(member))?;
    let packing = packing(&head)?;
    let bytes = unpack(packing, Counted::new(bytes, &taken), &taken)?;
    let (head, bytes) = peek(bytes)?;
    if packing != Packing::None && self::packing(&head)? != Packing::None {
        return Err(io::Error::other("it is packed twice: unpack it first"));
    }
    if is_tar(&head) {
        return Err(io::Error::other("an archive within an archive is not read: unpack it first"));
    }
    Ok(bytes)
}

type Bytes<'b> = Box<dyn Read + 'b>;

fn peek(mut bytes: Bytes<'_>) -> io::Result<(Vec<u8>, Bytes<'_>)> {
    let mut head = Vec::new();
    bytes.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(bytes))))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

fn packing(head: &[u8]) -> io::Result<Packing> {
    if let Some((_, reason)) = NOT_READ.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(io::Error::other(*reason));
    }
    // RFC 8878: a frame, or a skippable frame before it.
    let skippable = head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18];
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        Packing::Gzip
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable {
        Packing::Zstd
    } else {
        Packing::None
    })
}

fn unpack<'b>(packing: Packing, packed: impl Read + 'b, taken: &Taken) -> io::Result<Bytes<'b>> {
    Ok(match packing {
        Packing::None => Box::new(packed),
        Packing::Gzip => {
            let packed = BufReader::with_capacity(BUFFER, packed);
            Box::new(Bounded::new(MultiGzDecoder::new(packed), taken))
        }
        Packing::Zstd => {
            let packed = BufReader::with_capacity(BUFFER, packed);
            Box::new(Bounded::new(zstd::Decoder::with_buffer(packed)?, taken))
        }
    })
}

/// A header of a tape archive holds the sum of its bytes, its own field counted as blanks.
fn is_tar(head: &[u8]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    if head.len() < 512 || head[0] == 0 {
        return false;
    }
    let field = head[SUM].split(|byte| *byte == 0 || *byte == b' ').find(|part| !part.is_empty());
    let stated = field.and_then(|field| str::from_utf8(field).ok());
    let stated = stated.and_then(|field| u64::from_str_radix(field, 8).ok());
    let sum: u64 = head[..512].iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = head[SUM].iter().map(|byte| u64::from(*byte)).sum();
    stated == Some(sum - own + 8 * u64::from(b' '))
}

struct Counted<R> {
    inner: R,
    taken: Taken,
}

impl<R> Counted<R> {
    fn new(inner: R, taken: &Taken) -> Self {
        Self { inner, taken: Arc::clone(taken) }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.taken.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Ends in an error once more was unpacked than an honest file holds.
struct Bounded<R> {
    inner: R,
    taken: Taken,
    given: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R, taken: &Taken) -> Self {
        Self { inner, taken: Arc::clone(taken), given: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.given += length as u64;
        if self.given > MAX_UNPACKED {
            return Err(io::Error::other("it unpacks to more than 64 GiB"));
        }
        if self.given > FREE && self.given / MAX_RATIO > self.taken.load(Ordering::Relaxed) {
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
        let opened = Opened::Stream(Box::new(Cursor::new(packed.to_vec())));
        unpacked(opened, 0, &Taken::default())?.bytes.read_to_end(&mut bytes)?;
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
        for (case, packed, said) in [
            ("gzip bomb", gzip(&zeros), "1,000 times"),
            ("zstd bomb", zstd(&zeros), "1,000 times"),
            ("cut gzip", gzip(b"some text")[..20].to_vec(), ""),
            ("cut zstd", zstd(b"some text")[..14].to_vec(), ""),
            ("zstd magic only", vec![0x28, 0xb5, 0x2f, 0xfd], ""),
            ("packed twice", gzip(&zstd(b"text")), "twice"),
            ("zip", b"PK\x03\x04....".to_vec(), "zip"),
        ] {
            let error = read(&packed).unwrap_err().to_string();
            assert!(error.contains(said), "{case}: {error}");
        }
    }

    #[test]
    fn what_was_read_before_is_skipped() {
        let dir = tempfile::tempdir().unwrap();
        for (case, bytes) in [
            ("plain", b"some text".to_vec()),
            ("zstd", zstd(b"some text")),
            ("gzip", gzip(b"some text")),
        ] {
            let path = dir.path().join(case);
            std::fs::write(&path, bytes).unwrap();
            let skip = |bytes| {
                let file = std::fs::File::open(&path).unwrap();
                let mut rest = String::new();
                unpacked(Opened::File(file), bytes, &Taken::default())?
                    .bytes
                    .read_to_string(&mut rest)?;
                Ok::<_, io::Error>(rest)
            };
            assert_eq!(skip(5).unwrap(), "text", "{case}");
            assert!(skip(10).is_err(), "{case}");
        }
    }
}
