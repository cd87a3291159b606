//! One file to read, and from where.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;

use super::Mark;

/// A file to read.
#[derive(Debug)]
pub struct Input {
    /// Its name, as it was given; `-` is standard input.
    pub file: PathBuf,
    /// Where to begin.
    pub at: Option<Mark>,
    /// A copy to read instead, of what can be read only once.
    pub(super) copy: Option<File>,
}

impl Input {
    /// The file from its beginning.
    pub fn new(file: PathBuf) -> Self {
        Self { file, at: None, copy: None }
    }

    /// Gives what it holds, and whether that comes bit by bit.
    pub(super) fn open(&self) -> io::Result<(Opened, bool)> {
        if let Some(copy) = &self.copy {
            let mut copy = copy.try_clone()?;
            copy.rewind()?;
            return Ok((Opened::File(copy), false));
        }
        if self.file.as_os_str() == "-" {
            return Ok((Opened::Stream(Box::new(io::stdin())), true));
        }
        let file = File::open(&self.file)?;
        let seekable = file.metadata()?.is_file();
        Ok(if seekable {
            (Opened::File(file), false)
        } else {
            (Opened::Stream(Box::new(file)), true)
        })
    }
}

/// An open input.
pub(super) enum Opened {
    /// Can be gone about in.
    File(File),
    /// Comes once.
    Stream(Box<dyn Read>),
}
