//! Names the rules by which judgements are made: a hash of the sources that make them.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

use std::fs;
use std::io;
use std::path::Path;

/// Packages whose versions may change a judgement.
const READERS: [&str; 6] =
    ["aws-lc-rs", "regex-lite", "rustls-webpki", "serde_json", "time", "x509-parser"];

fn main() -> io::Result<()> {
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&root);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=KUA_RULES={}", rules(root)?);
    Ok(())
}

/// The hash: of all code below `src/` but comments and tests, and of the versions of [`READERS`].
pub(crate) fn rules(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files)?;
    files.sort();
    let mut hash = Hash::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        hash.update(name.as_bytes());
        for line in code(&fs::read_to_string(&file)?) {
            hash.update(line.as_bytes());
        }
    }
    // A packaged library comes without a lock file: then its own version has to do.
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    for line in versions(&lock) {
        hash.update(line.as_bytes());
    }
    Ok(format!("{:032x}", hash.0))
}

fn sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default();
        if name == "tests" || name == "testing" {
            continue;
        }
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The lines that can change what a program does. A module of tests stands at the end of its file.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//"))
}

fn versions(lock: &str) -> impl Iterator<Item = &str> {
    let packages = lock.split("[[package]]");
    packages.filter(|package| {
        let name = package.lines().find_map(|line| line.strip_prefix("name = "));
        name.is_some_and(|name| READERS.contains(&name.trim_matches('"')))
    })
}

/// FNV-1a of 128 bits: nobody has a reason to look for a collision, only a change must show.
struct Hash(u128);

impl Hash {
    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(b"\n") {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
        }
    }
}
