//! Which judgements are stored, and where: by reference version, and by the batches that they are of.
//!
//! ```text
//! judgements/<version>/version.json                  what the version is of
//! judgements/<version>/judged.json                   which files count
//! judgements/<version>/<first>-<last>.<view>.parquet judgements of these batches
//! judgements/<version>/shapes.zst                    what the shapes in these files are
//! judgements/<version>/around/<first>-<last>.zst     what was seen in these batches
//! judgements/<version>/reports/<key>.zst             counts that were asked for
//! ```
//!
//! Nothing of it is evidence: all of it can be made again from `raw/`, and is where it is lost.

use std::io::Read;

use kua::campaign::Shape;
use serde::{Deserialize, Serialize};

use crate::sealed::{seal, unseal};
use crate::{ArchiveError, FileHash, SegmentName, Snapshot, Store};

/// The longest index that is read.
const MAX_TEXT: u64 = 256 << 20;

/// The longest list of shapes, unpacked.
const MAX_SHAPES: usize = 256 << 20;

/// The format of [`Judged`].
const FORMAT: u32 = 1;

/// What judgements were made with: two versions differ in what they say here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The program's version.
    pub kua: String,
    /// Hash of the code by which judgements are made.
    pub rules: String,
    /// Hash of all reference data.
    pub reference: String,
    /// Each file of it, and its hash.
    pub files: Vec<(String, String)>,
    /// Hash of the control measurements, where there were any.
    pub control: Option<String>,
}

/// Which files of a version count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// 1.
    format: u32,
    /// By their first batches, without a batch in two.
    pub judged: Vec<JudgedFile>,
    /// The last batch of the archive when all of these were made or found to stand.
    pub complete: Option<u64>,
}

/// The judgements of a run of batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedFile {
    /// The first batch.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// How many records lie before them.
    pub before: u64,
    /// How many records they hold.
    pub records: u64,
    /// How many judgements there are.
    pub judgements: u64,
    /// Hash of what was told of the records' surroundings.
    pub view: String,
    /// Where they are, in the archive.
    pub path: String,
    /// The file's length.
    pub bytes: u64,
    /// Its hash.
    pub sha256: FileHash,
    /// Records that could not be read.
    pub damaged: u64,
    /// The first of them: number, and what is wrong.
    pub named: Vec<(u64, String)>,
}

impl JudgedFile {
    /// Which batches it is of.
    pub fn name(&self) -> Option<SegmentName> {
        SegmentName::new(self.first, self.last)
    }

    /// Whether the file is there and every byte as it was written.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn is_whole(&self, store: &Store) -> Result<bool, ArchiveError> {
        match store.read(&self.path) {
            Ok(bytes) => Ok(FileHash::of(&bytes) == self.sha256),
            Err(ArchiveError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The folder of a version.
pub fn folder(version: &str) -> String {
    format!("judgements/{version}/")
}

impl Judged {
    /// An index of these files.
    pub fn of(judged: Vec<JudgedFile>, complete: Option<u64>) -> Self {
        Self { format: FORMAT, judged, complete }
    }

    /// The index of a version; an empty one where there is none, or none that can be read.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn read(store: &Store, version: &str) -> Result<Self, ArchiveError> {
        let text = match store.read_at_most(&format!("{}judged.json", folder(version)), MAX_TEXT) {
            Ok(text) => text,
            Err(ArchiveError::Missing { .. } | ArchiveError::TooLong { .. }) => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error),
        };
        let read = unseal::<Self>(&text).filter(|read| read.format == FORMAT);
        Ok(read.filter(|read| read.is_in_order() && read.is_within(version)).unwrap_or_default())
    }

    /// Writes it in the place of the one before.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn write(&self, store: &Store, version: &str) -> Result<(), ArchiveError> {
        store.put(&format!("{}judged.json", folder(version)), seal(self).into())
    }

    /// The files of these batches, where they are of all of these batches and of no other.
    pub fn tiling(&self, name: SegmentName) -> Option<&[JudgedFile]> {
        let from = self.judged.partition_point(|file| file.first < name.first());
        let until = self.judged.partition_point(|file| file.last <= name.last());
        let files = self.judged.get(from..until)?;
        let mut next = name.first();
        for file in files {
            if file.first != next {
                return None;
            }
            next = file.last + 1;
        }
        (next == name.last() + 1).then_some(files)
    }

    /// Whether every path leads to a table of this version: what is damaged is removed by its path.
    fn is_within(&self, version: &str) -> bool {
        let folder = folder(version);
        self.judged.iter().all(|file| {
            let name = file.path.strip_prefix(&folder).unwrap_or_default();
            name.ends_with(".parquet") && !name.contains('/')
        })
    }

    fn is_in_order(&self) -> bool {
        let mut next = 1;
        self.judged.iter().all(|file| {
            let follows = file.first >= next && file.name().is_some();
            next = file.last.saturating_add(1);
            follows
        })
    }
}

impl Version {
    /// What is written of a version; `None` where nothing can be read.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn read(store: &Store, id: &str) -> Result<Option<Self>, ArchiveError> {
        match store.read_at_most(&format!("{}version.json", folder(id)), MAX_TEXT) {
            Ok(text) => Ok(unseal(&text).filter(|read: &Self| read.id == id)),
            Err(ArchiveError::Missing { .. } | ArchiveError::TooLong { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it down once.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn write(&self, store: &Store) -> Result<(), ArchiveError> {
        if Self::read(store, &self.id)?.as_ref() == Some(self) {
            return Ok(());
        }
        store.put(&format!("{}version.json", folder(&self.id)), seal(self).into())
    }

    /// All versions of which judgements are stored, in no particular order.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn all(store: &Store) -> Result<Vec<Self>, ArchiveError> {
        let listed = store.list("judgements/")?;
        let ids = listed.iter().filter_map(|entry| {
            entry.path.strip_prefix("judgements/")?.strip_suffix("/version.json")
        });
        let mut versions = Vec::new();
        for id in ids {
            versions.extend(Self::read(store, id)?);
        }
        Ok(versions)
    }
}

/// The judgements of a version that count in a snapshot: their files. What is not settled yet, and
/// what was not judged yet, is in none.
///
/// # Errors
/// [`ArchiveError::Io`], [`ArchiveError::Store`].
pub fn files(snapshot: &Snapshot, version: &str) -> Result<Vec<JudgedFile>, ArchiveError> {
    let index = Judged::read(snapshot.store(), version)?;
    let settled = snapshot.segments().iter().filter(|segment| segment.settled);
    let files = settled.filter_map(|segment| index.tiling(segment.name));
    Ok(files.flatten().cloned().collect())
}

/// How many judgements of all versions lie as they were written, and the files that are not what their
/// index says, or are gone: what is judged next makes them anew. Somebody may judge meanwhile.
///
/// # Errors
/// [`ArchiveError::Io`], [`ArchiveError::Store`].
pub fn check(store: &Store) -> Result<(u64, Vec<String>), ArchiveError> {
    let (mut judgements, mut damaged) = (0, Vec::new());
    for entry in store.list("judgements/")? {
        let version = entry.path.strip_prefix("judgements/");
        let Some(version) = version.and_then(|rest| rest.strip_suffix("/judged.json")) else {
            continue;
        };
        let index = Judged::read(store, version)?;
        if index.format != FORMAT {
            damaged.push(entry.path.clone());
        }
        for file in &index.judged {
            if file.is_whole(store)? {
                judgements += file.judgements;
            } else if Judged::read(store, version)?.judged.contains(file) {
                damaged.push(file.path.clone());
            }
        }
    }
    Ok((judgements, damaged))
}

/// The shapes of a version's judgements; none where their list is lost.
///
/// # Errors
/// [`ArchiveError::Io`], [`ArchiveError::Store`].
pub fn shapes(store: &Store, version: &str) -> Result<Vec<Shape>, ArchiveError> {
    let packed = match store.read_at_most(&format!("{}shapes.zst", folder(version)), MAX_TEXT) {
        Ok(packed) => packed,
        Err(ArchiveError::Missing { .. } | ArchiveError::TooLong { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = unpacked(&packed, MAX_SHAPES).unwrap_or_default();
    Ok(postcard::from_bytes(&text).unwrap_or_default())
}

/// Writes the shapes in the place of those before.
///
/// # Errors
/// [`ArchiveError::Io`], [`ArchiveError::Store`].
pub fn write_shapes(store: &Store, version: &str, shapes: &[&Shape]) -> Result<(), ArchiveError> {
    // Texts and numbers: neither can fail to be written.
    let text = postcard::to_stdvec(shapes).unwrap_or_default();
    store.put(&format!("{}shapes.zst", folder(version)), packed(&text).into())
}

/// A text compressed, after the SHA-256 of what it is compressed to.
pub fn packed(text: &[u8]) -> Vec<u8> {
    let packed = zstd::bulk::compress(text, 0).unwrap_or_default();
    [&FileHash::of(&packed).as_bytes()[..], &packed].concat()
}

/// The text again; `None` where a byte of it is another, and for one longer than `most`.
pub fn unpacked(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let (hash, packed) = bytes.split_first_chunk::<32>()?;
    if FileHash::of(packed).as_bytes() != hash {
        return None;
    }
    let mut text = Vec::new();
    let reader = zstd::Decoder::new(packed).ok()?;
    let length = reader.take(most as u64 + 1).read_to_end(&mut text).ok()?;
    (length <= most).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_where_they_are_of_whole_segments() {
        let file = |first, last| JudgedFile {
            first,
            last,
            before: 0,
            records: 1,
            judgements: 1,
            view: String::new(),
            path: String::new(),
            bytes: 1,
            sha256: FileHash::of(b""),
            damaged: 0,
            named: Vec::new(),
        };
        let of = |files: &[(u64, u64)]| {
            Judged::of(files.iter().map(|(first, last)| file(*first, *last)).collect(), None)
        };
        for (case, files, segment, count) in [
            ("its own", &[(1, 2), (3, 4)][..], (3, 4), Some(1)),
            ("merged since", &[(1, 2), (3, 4), (5, 5)], (1, 4), Some(2)),
            ("one is missing", &[(1, 2), (4, 4)], (1, 4), None),
            ("the last is missing", &[(1, 2)], (1, 4), None),
            ("the first is missing", &[(3, 4)], (1, 4), None),
            ("it is of more", &[(1, 4)], (1, 2), None),
            ("it is of more at the end", &[(1, 2), (3, 6)], (1, 4), None),
            ("none", &[], (1, 1), None),
        ] {
            let name = SegmentName::new(segment.0, segment.1).unwrap();
            assert_eq!(of(files).tiling(name).map(<[_]>::len), count, "{case}");
        }
        assert!(of(&[(1, 2), (3, 3)]).is_in_order());
        assert!(!of(&[(1, 2), (2, 3)]).is_in_order());
        assert!(!of(&[(1, 2), (4, 3)]).is_in_order());
    }
}
