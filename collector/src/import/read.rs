//! Files to records: every line is handed on, read or refused, and none ends the run.

use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use kua::measurement::Measurement;
use kua::wire::{MAX_RECORD, WireError};

use super::document::{Beginning, beginning};
use super::{Import, source};
use crate::lines::Lines;

/// One record of a file.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The file; `-` is standard input.
    pub file: &'a Path,
    /// The line it begins on, from 1.
    pub line: u64,
    /// The record as received, without the line break (LF or CRLF) after it; the first
    /// [`MAX_RECORD`] bytes where it is longer.
    pub raw: &'a [u8],
    /// What it says, or why it is refused.
    pub read: Result<Measurement, WireError>,
}

/// Reads `files` in order and hands every record to `visit`; `-` is standard input.
///
/// A file may be plain, gzip or zstd; its first bytes tell. It holds one record a line, or one
/// JSON document over several lines. Blank lines are skipped. Memory is bounded by the longest
/// record. Gives the files that broke off, each after its last record: a packed file that is cut
/// short or bursts its bounds does not keep the others from being read.
///
/// # Errors
/// [`ReadError`] before the first record where a file does not exist; whatever `visit` gives,
/// at once.
pub fn read_files<E: From<ReadError>>(
    files: &[PathBuf],
    import: &Import,
    mut visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
) -> Result<Vec<ReadError>, E> {
    for file in files {
        must_exist(file)?;
    }
    read_each(files.iter().map(|file| (file.as_path(), source::open(file))), import, &mut visit)
}

/// Files that are read more than once. What can be read only once, standard input and pipes, is
/// first copied to a temporary file, as packed as it comes.
#[derive(Debug)]
pub struct Inputs(Vec<(PathBuf, Option<File>)>);

impl Inputs {
    /// Copies what has to be copied.
    ///
    /// # Errors
    /// [`ReadError`] where a file does not exist, or cannot be copied.
    pub fn new(files: &[PathBuf]) -> Result<Self, ReadError> {
        for file in files {
            must_exist(file)?;
        }
        let each = files.iter().map(|file| {
            let copied = copy(file).map_err(|source| ReadError::new(file, source))?;
            Ok((file.clone(), copied))
        });
        each.collect::<Result<_, _>>().map(Self)
    }

    /// As [`read_files`], from the beginning.
    ///
    /// # Errors
    /// Whatever `visit` gives, at once.
    pub fn read<E: From<ReadError>>(
        &self,
        import: &Import,
        mut visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
    ) -> Result<Vec<ReadError>, E> {
        let each = self.0.iter().map(|(name, copied)| {
            let opened = match copied {
                Some(copied) => again(copied).and_then(source::unpacked),
                None => source::open(name),
            };
            (name.as_path(), opened)
        });
        read_each(each, import, &mut visit)
    }
}

/// The copy of a file that can be read only once; `None` of any other.
fn copy(file: &Path) -> io::Result<Option<File>> {
    let mut once: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else if std::fs::metadata(file)?.is_file() {
        return Ok(None);
    } else {
        Box::new(File::open(file)?)
    };
    let mut copied = tempfile::tempfile()?;
    io::copy(&mut once, &mut copied)?;
    Ok(Some(copied))
}

fn again(copied: &File) -> io::Result<File> {
    let mut copied = copied.try_clone()?;
    copied.rewind()?;
    Ok(copied)
}

fn read_each<'a, E: From<ReadError>>(
    files: impl Iterator<Item = (&'a Path, io::Result<Box<dyn BufRead>>)>,
    import: &Import,
    visit: &mut impl FnMut(Incoming<'_>) -> Result<(), E>,
) -> Result<Vec<ReadError>, E> {
    let mut broken = Vec::new();
    for (file, opened) in files {
        let mut visit = |line: u64, raw: &[u8], length: usize| {
            let read = if length > MAX_RECORD {
                Err(WireError::TooLong { length })
            } else {
                (import.read)(raw)
            };
            visit(Incoming { file, line, raw, read })
        };
        let read = opened.map_err(Stop::from).and_then(|reader| read_file(reader, &mut visit));
        match read {
            Ok(()) => {}
            Err(Stop::Broken(source)) => broken.push(ReadError::new(file, source)),
            Err(Stop::Visitor(error)) => return Err(error),
        }
    }
    Ok(broken)
}

/// Does not open it: it may be a pipe, which opens only once.
fn must_exist(file: &Path) -> Result<(), ReadError> {
    if file == Path::new("-") {
        return Ok(());
    }
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => {
            Err(ReadError::new(file, io::ErrorKind::IsADirectory.into()))
        }
        Ok(_) => Ok(()),
        Err(source) => Err(ReadError::new(file, source)),
    }
}

enum Stop<E> {
    Broken(io::Error),
    Visitor(E),
}

impl<E> From<io::Error> for Stop<E> {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

fn read_file<E>(
    mut reader: Box<dyn BufRead>,
    visit: &mut impl FnMut(u64, &[u8], usize) -> Result<(), E>,
) -> Result<(), Stop<E>> {
    match beginning(&mut reader)? {
        Beginning::Document(line, raw) => visit(line, &raw, raw.len()).map_err(Stop::Visitor),
        Beginning::Lines(head) => read_lines(Cursor::new(head).chain(reader), visit),
    }
}

fn read_lines<E>(
    reader: impl BufRead,
    visit: &mut impl FnMut(u64, &[u8], usize) -> Result<(), E>,
) -> Result<(), Stop<E>> {
    let mut lines = Lines::new(reader, MAX_RECORD);
    let mut buffer = Vec::new();
    while let Some(line) = lines.next_into(&mut buffer)? {
        let raw = buffer.strip_suffix(b"\r").unwrap_or(&buffer);
        if !raw.trim_ascii().is_empty() {
            visit(line.number, raw, line.length).map_err(Stop::Visitor)?;
        }
    }
    Ok(())
}

/// A file that could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", if file == Path::new("-") { "standard input".into() } else { file.to_string_lossy() })]
pub struct ReadError {
    /// The file; `-` is standard input.
    pub file: PathBuf,
    /// What the system or the unpacking said.
    pub source: io::Error,
}

impl ReadError {
    fn new(file: &Path, source: io::Error) -> Self {
        Self { file: file.into(), source }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::import::IMPORTS;

    const RECORD: &str = r#"{"test_name":"kua"}"#;

    #[test]
    fn inputs_are_read_more_than_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("records.jsonl");
        std::fs::write(&file, format!("{RECORD}\nnothing\n{RECORD}\n")).unwrap();
        let plain = Inputs::new(std::slice::from_ref(&file)).unwrap();
        // As of a pipe: a copy, under the name that it was given.
        let copied = Inputs(vec![("-".into(), Some(File::open(&file).unwrap()))]);
        for (inputs, name) in [(plain, file.as_path()), (copied, Path::new("-"))] {
            for _ in 0..2 {
                let mut seen = Vec::new();
                let broken = inputs.read(IMPORTS[0], |incoming| {
                    assert_eq!(incoming.file, name);
                    seen.push((incoming.line, incoming.read.is_ok()));
                    Ok::<_, ReadError>(())
                });
                assert_eq!(broken.unwrap().len(), 0);
                assert_eq!(seen, [(1, true), (2, false), (3, true)]);
            }
        }
        assert!(Inputs::new(&[dir.path().join("none")]).is_err());
    }

    /// Line, text, and whether it was read.
    type Seen = Vec<(u64, String, bool)>;

    /// What was seen of the files, and how many of them broke off.
    fn read(files: &[PathBuf]) -> Result<(Seen, usize), ReadError> {
        let mut seen = Seen::new();
        let broken = read_files(files, IMPORTS[0], |incoming| {
            let raw = String::from_utf8_lossy(incoming.raw).into_owned();
            seen.push((incoming.line, raw, incoming.read.is_ok()));
            Ok::<_, ReadError>(())
        })?;
        Ok((seen, broken.len()))
    }

    #[test]
    fn every_line_is_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.jsonl");
        let text = format!("\u{feff}{RECORD}\r\n\n  \nnonsense\n{RECORD}");
        std::fs::write(&file, text).unwrap();
        let expected = vec![
            (1, RECORD.to_owned(), true),
            (4, "nonsense".to_owned(), false),
            (5, RECORD.to_owned(), true),
        ];
        assert_eq!(read(&[file]).unwrap(), (expected, 0));
    }

    #[test]
    fn a_broken_file_does_not_keep_the_others_from_being_read() {
        let dir = tempfile::tempdir().unwrap();
        let lines = format!("{RECORD}\n").repeat(50_000);
        let packed = zstd::encode_all(lines.as_bytes(), 0).unwrap();
        let (cut, whole) = (dir.path().join("cut"), dir.path().join("whole"));
        std::fs::write(&cut, &packed[..packed.len() - 3]).unwrap();
        std::fs::write(&whole, RECORD).unwrap();
        let (seen, broken) = read(&[cut, whole]).unwrap();
        assert_eq!(broken, 1);
        assert_eq!(seen.last().map(|(line, ..)| *line), Some(1));
    }

    #[test]
    fn a_missing_file_is_told_before_anything_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        std::fs::write(&there, RECORD).unwrap();
        assert!(read(&[there, dir.path().join("absent")]).is_err());
        assert!(read(&[dir.path().into()]).is_err());
    }

    #[test]
    fn a_line_above_the_limit_is_refused_and_the_next_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("long");
        let mut text = vec![b'x'; MAX_RECORD + 5];
        text.extend_from_slice(format!("\n{RECORD}\n").as_bytes());
        std::fs::write(&file, text).unwrap();
        let mut seen = Vec::new();
        read_files(&[file], IMPORTS[0], |incoming| {
            seen.push((incoming.line, incoming.read.map_err(|error| error.to_string()).err()));
            Ok::<_, ReadError>(())
        })
        .unwrap();
        let refusal = format!("line of {} bytes is longer than {MAX_RECORD}", MAX_RECORD + 5);
        assert_eq!(seen, [(1, Some(refusal)), (2, None)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            magic in prop_oneof![
                Just(vec![]),
                Just(vec![0x1f, 0x8b, 8]),
                Just(vec![0x28, 0xb5, 0x2f, 0xfd]),
                Just(b"{\n".to_vec()),
            ],
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("any");
            std::fs::write(&file, [magic, bytes].concat()).unwrap();
            prop_assert!(read(&[file]).is_ok());
        }
    }
}
