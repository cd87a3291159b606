//! Suites: which names are probed, and why each is on the list.

use kua::measurement::Target;
use serde::Deserialize;

use crate::target::{self, HTTPS, TargetError};

/// Longest suite, in bytes.
pub const MAX_SUITE: usize = 1024 * 1024;

/// Most targets in one suite.
pub const MAX_TARGETS: usize = 10_000;

/// The suites of `probes/suites`, by file name without `.toml`: one line a suite.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("control", include_str!("../suites/control.toml")),
    ("kz-2019", include_str!("../suites/kz-2019.toml")),
    ("kz-2021", include_str!("../suites/kz-2021.toml")),
    ("popular", include_str!("../suites/popular.toml")),
];

/// A list of names to probe together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// What `--suite` calls it.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Who says that these names matter.
    pub source: String,
    /// When that was said, as the file writes it.
    pub date: String,
    /// What someone should know before probing these names.
    pub warning: Option<String>,
    /// Never empty, without duplicates, in the order of the file.
    pub targets: Vec<Listed>,
}

/// A target with the reason for its being listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The target.
    pub target: Target,
    /// What kind of site it is.
    pub category: String,
    /// Why it is on the list.
    pub reason: String,
}

impl Suite {
    /// Parses a suite as `probes/suites/*.toml` has it.
    ///
    /// # Errors
    /// A [`SuiteError`] that names the line or the target. Nothing is skipped.
    pub fn parse(bytes: &[u8]) -> Result<Self, SuiteError> {
        if bytes.len() > MAX_SUITE {
            return Err(SuiteError::TooLong { length: bytes.len() });
        }
        let text = std::str::from_utf8(bytes)?;
        let written: Written = toml::from_str(text)?;
        if written.target.is_empty() {
            return Err(SuiteError::NoTarget);
        }
        if written.target.len() > MAX_TARGETS {
            return Err(SuiteError::TooMany { count: written.target.len() });
        }
        let mut targets = Vec::with_capacity(written.target.len());
        let mut known = std::collections::BTreeSet::new();
        for (index, listed) in written.target.into_iter().enumerate() {
            let position = index + 1;
            let host = target::host(&listed.host)
                .map_err(|source| SuiteError::BadTarget { position, source })?;
            let port = listed.port.unwrap_or(HTTPS);
            if port == 0 {
                return Err(SuiteError::NoPort { position, host });
            }
            let target = Target { host, port };
            if !known.insert(target.clone()) {
                return Err(SuiteError::Twice { position, target });
            }
            targets.push(Listed { target, category: listed.category, reason: listed.reason });
        }
        let Written { name, title, source, date, warning, .. } = written;
        Ok(Self { name, title, source, date, warning, targets })
    }

    /// The built-in suite of that name, else the suite in that file.
    ///
    /// # Errors
    /// As [`Suite::parse`]; [`SuiteError::Unknown`] for what is neither.
    pub fn find(name_or_path: &str) -> Result<Self, SuiteError> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text.as_bytes());
        }
        let looks_like_path = name_or_path.contains(['/', '\\', '.']);
        match read(name_or_path) {
            Ok(bytes) => Self::parse(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !looks_like_path => {
                Err(SuiteError::Unknown { name: name_or_path.into() })
            }
            Err(source) => Err(SuiteError::Unreadable { source }),
        }
    }
}

/// Reads a little more than a suite may have, so that a device without end is refused too.
fn read(path: &str) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_SUITE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    title: String,
    source: String,
    date: String,
    warning: Option<String>,
    #[serde(default)]
    target: Vec<WrittenTarget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTarget {
    host: String,
    port: Option<u16>,
    category: String,
    reason: String,
}

/// Why a suite cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A host that is none.
    #[error("target {position} cannot be probed")]
    BadTarget {
        /// Position in the file, from 1.
        position: usize,
        /// What is wrong with it.
        source: TargetError,
    },
    /// Port 0.
    #[error("target {position} ({host}) has port 0")]
    NoPort {
        /// Position in the file, from 1.
        position: usize,
        /// Its host.
        host: String,
    },
    /// A suite without a target.
    #[error("it lists no target")]
    NoTarget,
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText(#[from] std::str::Utf8Error),
    /// Not TOML, or not the TOML of a suite.
    #[error("it is not understood")]
    NotToml(#[from] toml::de::Error),
    /// Above [`MAX_SUITE`].
    #[error("it has more than {MAX_SUITE} bytes")]
    TooLong {
        /// Its length in bytes, as far as it was read.
        length: usize,
    },
    /// Above [`MAX_TARGETS`].
    #[error("it has {count} targets, more than {MAX_TARGETS}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A target that is listed already.
    #[error("target {position} ({target}) is listed twice")]
    Twice {
        /// Position of the second in the file, from 1.
        position: usize,
        /// The target.
        target: Target,
    },
    /// Neither a built-in suite nor a file.
    #[error("{name:?} is neither a built-in suite nor a file")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file that cannot be read.
    #[error("the file cannot be read")]
    Unreadable {
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_the_folder_is_listed_and_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("suites");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, files);
        for name in listed {
            assert_eq!(Suite::find(name).unwrap().name, name);
        }
    }

    const HEAD: &str = "name = \"n\"\ntitle = \"t\"\nsource = \"s\"\ndate = \"2026-11-23\"\n";

    fn target(lines: &str) -> String {
        format!("[[target]]\n{lines}\ncategory = \"c\"\nreason = \"r\"\n")
    }

    #[test]
    fn hosts_are_normalised() {
        let text =
            [HEAD, &target("host = \"Bücher.example.\""), &target("host = \"::1\"\nport = 1")];
        let suite = Suite::parse(text.concat().as_bytes()).unwrap();
        let targets: Vec<_> =
            suite.targets.iter().map(|listed| listed.target.to_string()).collect();
        assert_eq!(targets, ["xn--bcher-kva.example:443", "[::1]:1"]);
    }

    #[test]
    fn refused() {
        let one = target("host = \"example.org\"");
        let many = target("host = \"x\"").repeat(MAX_TARGETS + 1);
        for (text, expected) in [
            (String::new(), "it is not understood"),
            (HEAD.into(), "it lists no target"),
            (format!("{HEAD}{one}{one}"), "target 2 (example.org:443) is listed twice"),
            (format!("{HEAD}{one}{}", target("host = \"a b\"")), "target 2 cannot be probed"),
            (format!("{HEAD}{}", target("host = \"a\"\nport = 0")), "target 1 (a) has port 0"),
            (format!("{HEAD}{}", target("host = \"a\"\nport = 70000")), "it is not understood"),
            (format!("{HEAD}{}", target("host = \"a\"\nwhy = \"x\"")), "it is not understood"),
            (format!("{HEAD}{many}"), "it has 10001 targets, more than 10000"),
            (" ".repeat(MAX_SUITE + 1), "it has more than 1048576 bytes"),
        ] {
            assert_eq!(Suite::parse(text.as_bytes()).unwrap_err().to_string(), expected);
        }
        assert!(matches!(Suite::parse(&[0xff]), Err(SuiteError::NotText(_))));
        assert!(matches!(Suite::find("nothing-like-it"), Err(SuiteError::Unknown { .. })));
        assert!(matches!(Suite::find("./nothing.toml"), Err(SuiteError::Unreadable { .. })));
        assert!(matches!(Suite::find("/dev/zero"), Err(SuiteError::TooLong { .. })));
    }
}
