//! Where an archive is: a directory, or a prefix of an object store.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where an archive is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A directory.
    Directory(PathBuf),
    /// A prefix of a bucket in an S3-speaking store.
    S3 {
        /// The bucket.
        bucket: String,
        /// What stands before each name; may be empty.
        prefix: String,
        /// How to reach it: what is called `AWS_...` in the environment, keys included.
        settings: BTreeMap<String, String>,
    },
}

/// A text that is no place for an archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no place for an archive: a directory or s3://BUCKET/PREFIX")]
pub struct NotAPlace {
    text: String,
}

impl Place {
    const S3: &'static str = "s3://";

    /// A directory, or `s3://bucket/prefix`, which is reached as the variables `AWS_...` of the
    /// environment say.
    ///
    /// # Errors
    /// [`NotAPlace`] for another URL, and for no text at all.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, NotAPlace> {
        let text = text.as_ref();
        let other = || NotAPlace { text: text.to_string_lossy().into_owned() };
        let Some(words) = text.to_str() else { return Ok(Self::Directory(text.into())) };
        if let Some(rest) = words.strip_prefix(Self::S3) {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(other());
            }
            return Ok(Self::s3(bucket, prefix, of_environment()));
        }
        let scheme = words.split_once("://").map(|(scheme, _)| scheme);
        let is_url = scheme.is_some_and(|scheme| scheme.bytes().all(|b| b.is_ascii_alphanumeric()));
        if words.is_empty() || is_url { Err(other()) } else { Ok(Self::Directory(text.into())) }
    }

    /// A prefix of a bucket, reached with these settings.
    pub fn s3(bucket: &str, prefix: &str, settings: BTreeMap<String, String>) -> Self {
        Self::S3 { bucket: bucket.into(), prefix: prefix.trim_matches('/').into(), settings }
    }
}

fn of_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("AWS_"))
        .collect()
}

impl From<&Path> for Place {
    fn from(dir: &Path) -> Self {
        Self::Directory(dir.into())
    }
}

impl From<PathBuf> for Place {
    fn from(dir: PathBuf) -> Self {
        Self::Directory(dir)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        Self::parse(text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(dir) => dir.display().fmt(f),
            Self::S3 { bucket, prefix, .. } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Keys are never printed.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_buckets() {
        for (text, shown) in [
            ("kz", "kz"),
            ("./a:b", "./a:b"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("s3://bucket/kz/2023/", "s3://bucket/kz/2023"),
        ] {
            let place = Place::parse(text).unwrap();
            assert_eq!(place.to_string(), shown, "{text}");
            assert_eq!(matches!(place, Place::S3 { .. }), text.starts_with("s3"), "{text}");
        }
        for text in ["", "s3://", "s3:///kz", "gs://bucket/kz", "http://a.example/kz"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_not_printed() {
        let settings = [("AWS_SECRET_ACCESS_KEY".into(), "hidden".into())];
        let place = Place::s3("b", "p", settings.into());
        assert!(!format!("{place:?} {place}").contains("hidden"));
    }
}
