//! Files to records, for callers that want one after the other.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kua::measurement::Measurement;
use kua::wire::WireError;

use super::{Import, Input, Next, Reading};

/// Most files that broke off that are told one by one.
const TOLD: usize = 1_000;

/// One record of a file.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The file; `-` is standard input; a member of a tar is named as if the tar were a directory.
    pub file: &'a Path,
    /// The line it begins on, from 1.
    pub line: u64,
    /// The record as received, without the line break (LF or CRLF) after it and without what wraps
    /// it; the first [`kua::wire::MAX_RECORD`] bytes where it is longer.
    pub raw: &'a [u8],
    /// What it says, or why it is refused.
    pub read: Result<Measurement, WireError>,
}

/// Reads `files` in order and hands every record to `visit`; `-` is standard input.
///
/// A file may be plain, gzip or zstd, and a tar of such files; its first bytes tell. It holds one
/// record a line, or one JSON document over several lines. Blank lines are skipped. Memory is
/// bounded. Gives the files that broke off, each after its last record: a packed file that is cut
/// short or bursts its bounds does not keep the others from being read.
///
/// # Errors
/// [`ReadError`] before the first record where a file does not exist; whatever `visit` gives,
/// at once.
pub fn read_files<E: From<ReadError>>(
    files: &[PathBuf],
    import: &'static Import,
    visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
) -> Result<Vec<ReadError>, E> {
    files.iter().try_for_each(|file| must_exist(file))?;
    read_each(files.iter().cloned().map(Input::new).collect(), import, visit)
}

/// Files that are read more than once. What can be read only once, standard input and pipes, is
/// first copied to a temporary file, as packed as it comes.
#[derive(Debug)]
pub struct Inputs(Vec<Input>);

impl Inputs {
    /// Copies what has to be copied.
    ///
    /// # Errors
    /// [`ReadError`] where a file does not exist, or cannot be copied.
    pub fn new(files: &[PathBuf]) -> Result<Self, ReadError> {
        files.iter().try_for_each(|file| must_exist(file))?;
        let each = files.iter().map(|file| {
            let copy = copy(file).map_err(|source| ReadError::new(file, source))?;
            Ok(Input { file: file.clone(), at: None, copy })
        });
        each.collect::<Result<_, _>>().map(Self)
    }

    #[cfg(test)]
    pub(super) fn of(input: Input) -> Self {
        Self(vec![input])
    }

    /// As [`read_files`], from the beginning.
    ///
    /// # Errors
    /// Whatever `visit` gives, at once.
    pub fn read<E: From<ReadError>>(
        &self,
        import: &'static Import,
        visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
    ) -> Result<Vec<ReadError>, E> {
        let again = self.0.iter().map(|input| {
            let copy = input.copy.as_ref().map(File::try_clone).transpose();
            let copy = copy.map_err(|source| ReadError::new(&input.file, source))?;
            Ok(Input { file: input.file.clone(), at: None, copy })
        });
        read_each(again.collect::<Result<_, ReadError>>()?, import, visit)
    }
}

/// The copy of a file that can be read only once; `None` of any other.
fn copy(file: &Path) -> io::Result<Option<File>> {
    let mut once: Box<dyn io::Read> = if file == Path::new("-") {
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

fn read_each<E>(
    inputs: Vec<Input>,
    import: &'static Import,
    mut visit: impl FnMut(Incoming<'_>) -> Result<(), E>,
) -> Result<Vec<ReadError>, E> {
    let mut broken = Vec::new();
    let mut reading = Reading::start(inputs, &[import]);
    loop {
        match reading.next(Duration::MAX) {
            Next::Batch(batch) => batch.each(&mut visit)?,
            Next::Broken(error) if broken.len() < TOLD => broken.push(error),
            Next::End => return Ok(broken),
            Next::Broken(_) | Next::Ended(_) | Next::Waiting => {}
        }
    }
}

/// Does not open it: it may be a pipe, which opens only once.
pub(super) fn must_exist(file: &Path) -> Result<(), ReadError> {
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
    pub(super) fn new(file: &Path, source: io::Error) -> Self {
        Self { file: file.into(), source }
    }
}
