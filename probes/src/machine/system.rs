//! Stores that only the system's own program lists: Windows' registry and macOS's keychains.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::remedy::Remedy;
use super::{Content, StoreError, Trust, macos, windows};

/// A store as a program of the system listed it.
#[derive(Debug)]
pub struct Listed {
    /// The registry key or keychain.
    pub path: String,
    /// What it is, in words.
    pub what: &'static str,
    /// How it is changed.
    pub remedy: Remedy,
    /// What it holds.
    pub content: Result<Content, StoreError>,
}

/// The stores of the system that this program was built for; none on those whose stores are files.
pub fn listed(home: Option<&Path>) -> Vec<Listed> {
    if cfg!(windows) {
        return windows::KEYS
            .iter()
            .filter_map(|(key, what, trust)| registry(key, what, *trust))
            .collect();
    }
    if cfg!(target_os = "macos") { keychains(home) } else { Vec::new() }
}

fn registry(key: &str, what: &'static str, trust: Trust) -> Option<Listed> {
    let root = std::env::var("SystemRoot").unwrap_or_else(|_| r"C:\Windows".into());
    let program = Path::new(&root).join("System32").join("reg.exe");
    // A key that is not there is no error: most machines have no policies.
    let said = output(&program, &["query", key, "/s", "/v", "Blob"]).ok()?;
    let content = windows::listed(&String::from_utf8_lossy(&said), trust);
    let remedy = if windows::PROGRAM.contains(&key) { Remedy::Generated } else { Remedy::Windows };
    Some(Listed { path: key.to_owned(), what, remedy, content })
}

fn keychains(home: Option<&Path>) -> Vec<Listed> {
    let mut settings = Vec::new();
    for domain in [&["-s"][..], &["-d"], &[]] {
        settings.extend(trust_settings(domain).unwrap_or_default());
    }
    // The user's setting counts before the administrator's, and Apple's last.
    settings.reverse();
    let keychains = macos::KEYCHAINS.iter().filter_map(|(pattern, what)| {
        let path = match pattern.strip_prefix("~/") {
            Some(below) => home?.join(below),
            None => PathBuf::from(pattern),
        };
        if !path.exists() {
            return None;
        }
        let own = macos::OWN.contains(pattern);
        let path = path.to_string_lossy().into_owned();
        let printed =
            output(Path::new("/usr/bin/security"), &["find-certificate", "-a", "-p", &path]);
        let content = printed.and_then(|text| macos::listed(&text, &settings, own));
        let remedy = if own { Remedy::MacOs } else { Remedy::Generated };
        Some(Listed { path, what, remedy, content })
    });
    keychains.collect()
}

/// The program can only write trust settings to a file.
fn trust_settings(domain: &[&str]) -> Option<Vec<(String, Trust)>> {
    let folder = std::env::temp_dir().join(format!("kua-roots-{}", std::process::id()));
    std::fs::create_dir(&folder).ok()?;
    let file = folder.join("settings.plist");
    let arguments =
        [&["trust-settings-export"], domain, &[file.to_str().unwrap_or_default()]].concat();
    let written = output(Path::new("/usr/bin/security"), &arguments);
    let text = written.ok().and_then(|_| std::fs::read_to_string(&file).ok());
    // What cannot be removed is an empty list in a temporary folder.
    let _ = std::fs::remove_dir_all(&folder);
    text.map(|text| macos::settings(&text))
}

fn output(program: &Path, arguments: &[&str]) -> Result<Vec<u8>, StoreError> {
    let failed =
        |said: String| StoreError::Program { program: program.display().to_string(), said };
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.stdout.len() > super::MAX_STORE {
        return Err(StoreError::TooLong);
    }
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says() {
        let shell = Path::new("/bin/sh");
        assert_eq!(output(shell, &["-c", "echo out"]).unwrap(), b"out\n");
        let failed = output(shell, &["-c", "echo why >&2; exit 1"]).unwrap_err();
        assert_eq!(failed.to_string(), "/bin/sh failed: why");
        assert!(output(Path::new("/nowhere/none"), &[]).is_err());
    }
}
