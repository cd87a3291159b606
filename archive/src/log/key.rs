//! The key of a log, outside of the archive, and what it signed last.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use kua::tlog::{Checkpoint, Hash, SigningKey};

use super::LogError;

/// Longest file of a key or a note that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The key of a log. Beside its file lies one that ends with `.signed`: the newest checkpoint.
#[derive(Debug)]
pub struct LogKey {
    path: PathBuf,
    signing: SigningKey,
}

impl LogKey {
    /// The key in the file `path`; on first use one is made, for a log with this name.
    ///
    /// # Errors
    /// A file that cannot be read, written, or is no key.
    pub fn open(path: &Path, name: &str) -> Result<Self, LogError> {
        let failed = |source| LogError::Key { path: path.into(), source };
        let text = match read(path).map_err(failed)? {
            Some(text) => text,
            None => {
                let mut seed: Hash = [0; 32];
                aws_lc_rs::rand::fill(&mut seed)
                    .map_err(|_| failed(io::Error::other("no random numbers")))?;
                let text = SigningKey::from_seed(name, &seed)?.secret_text(&seed);
                create(path, &text).map_err(failed)?;
                text
            }
        };
        Ok(Self { path: path.into(), signing: SigningKey::from_secret(&text)? })
    }

    /// The key itself.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The key itself, for receipts.
    pub fn into_signing(self) -> SigningKey {
        self.signing
    }

    /// The newest checkpoint that this key signed, as far as is known here.
    pub(super) fn last_signed(&self) -> Result<Option<Checkpoint>, LogError> {
        let path = self.signed();
        let text = read(&path).map_err(|source| LogError::Key { path, source })?;
        let Some(text) = text else { return Ok(None) };
        Ok(Some(Checkpoint::open(text.as_bytes(), self.signing.public())?))
    }

    /// Writes down what is about to be signed for others; durable when it returns.
    pub(super) fn remember(&self, head: &Checkpoint) -> Result<(), LogError> {
        let path = self.signed();
        let note = head.sign(&self.signing).to_string();
        replace(&path, &note).map_err(|source| LogError::Key { path, source })
    }

    fn signed(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".signed");
        self.path.with_file_name(name)
    }
}

/// Where the key of an archive with this id is, unless another file is named: `kua/logs/<id>.key` below
/// `$XDG_DATA_HOME` or `~/.local/share`. An archive is copied to others, and its key must not be.
pub fn default_key(id: &str) -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let data = named("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let home = || named("HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(home()?.join(".local/share")))?;
    Some(data.join("kua/logs").join(format!("{id}.key")))
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(metadata) if metadata.len() > MAX_FILE => Err(io::Error::other("it is too long")),
        Ok(_) => fs::read_to_string(path).map(Some),
    }
}

/// Another program may make one at the same moment: then that one counts, and this fails.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    make(dir)?;
    let mut new = tempfile::Builder::new().prefix(".kua-key").tempfile_in(dir)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist_noclobber(path).map_err(|failed| failed.error)?;
    sync(dir)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".kua-key").tempfile_in(dir)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|failed| failed.error)?;
    sync(dir)
}

/// What is made is its owner's alone; temporary files are so by themselves.
fn make(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes the names in a directory last; not every system can.
fn sync(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(()),
    }
}
