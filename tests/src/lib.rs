//! What scenarios share: where corpora and programs lie, and peers that end with their test.

pub mod accuracy;
#[allow(clippy::unwrap_used, reason = "what cannot be unpacked ends the test")]
pub mod ccadb;
pub mod chains;
pub mod s3;
pub mod torture;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The repository's root.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or_else(|| tests.to_path_buf(), Path::to_path_buf)
}

/// A folder of the corpora beside the repository; `None`, and a line that says so, where a
/// stranger's clone has none.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let found = data(folder);
    if found.is_none() {
        skipped("no corpus");
    }
    found
}

/// The same without a word.
pub fn data(folder: &str) -> Option<PathBuf> {
    Some(repository().join("../shared/data").join(folder)).filter(|path| path.exists())
}

/// Says that a test did not run, and why.
pub fn skipped(why: &str) {
    told(&format!("skipped: {why}"));
}

/// Says a line to standard error itself, because cargo hides what a passing test prints.
pub fn told(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A program of this workspace, built beside this test.
///
/// # Panics
/// Where it was not built: `make test` builds the programs first.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    // target/<profile>/<program> and target/<profile>/deps/<test>.
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not built beside {}", own.display()))
}

/// The path of a tool of the system, if it is installed.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Every file below `folder` with one of the endings, in the order of the paths.
pub fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A process that is ended with its owner.
#[derive(Debug)]
pub struct Peer(Child);

impl Peer {
    /// Starts it with nothing on standard input and its output thrown away.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().expect("the peer starts"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A free port of the loopback interface.
///
/// # Panics
/// Where there is none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("loopback has ports");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// Waits until somebody listens on `port`, for 20 s at most.
pub fn wait_for(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
