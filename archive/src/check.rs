//! Checking an archive: every hash, and a name for whatever is damaged.

use std::fmt;

use bytes::Bytes;

use crate::certificates::MAX_FILE;
use crate::segment::is_whole;
use crate::snapshot::MAX_TEXT;
use crate::tables::{certificates, count};
use crate::{
    Archive, ArchiveError, Damage, FileHash, Inventory, Manifest, Place, Segment, Settled,
    Snapshot, Store, TableFile, judged,
};

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files.
    pub files: u64,
    /// Records that have their hash.
    pub records: u64,
    /// Certificates that have their hash.
    pub certificates: u64,
    /// Rows of handshakes.
    pub handshakes: u64,
    /// Judgements, of all versions, in files that have their hash.
    pub judgements: u64,
    /// What is damaged.
    pub faults: u64,
}

/// Something that is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, by its path in the archive.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Reads all of an archive and tells `found` of whatever is damaged. A writer may work meanwhile;
/// `progress` hears what was done so far.
///
/// # Errors
/// As [`Archive::open`] and [`Archive::snapshot`]; [`ArchiveError::Io`], [`ArchiveError::Store`]
/// where reading fails.
pub fn check(
    place: &Place,
    mut found: impl FnMut(&Fault),
    mut progress: impl FnMut(&Checked),
) -> Result<Checked, ArchiveError> {
    let archive = Archive::open(place)?;
    let store = archive.store();
    let mut checking = Checking { store, found: &mut found, checked: Checked::default() };
    checking.manifests()?;
    let snapshot = match archive.snapshot() {
        // It is named, and without it nothing says what there should be.
        Err(ArchiveError::Damaged { .. }) if checking.checked.faults > 0 => {
            return Ok(checking.checked);
        }
        snapshot => snapshot?,
    };
    for settled in &snapshot.manifest().settled {
        checking.settled(&snapshot, settled)?;
        progress(&checking.checked);
    }
    let mut before = 0;
    for segment in snapshot.segments() {
        if !segment.settled {
            checking.live(segment)?;
        }
        let records = if segment.bytes > 0 {
            checking.records(&snapshot, segment, before)?
        } else {
            segment.records.unwrap_or_default()
        };
        before += segment.records.unwrap_or(records);
        progress(&checking.checked);
    }
    let (judgements, damaged) = judged::check(store)?;
    checking.checked.judgements = judgements;
    for path in damaged {
        checking.fault(&path, "it is missing, or not as it was written; judging makes it again");
    }
    Ok(checking.checked)
}

struct Checking<'a> {
    store: &'a Store,
    found: &'a mut dyn FnMut(&Fault),
    checked: Checked,
}

impl Checking<'_> {
    fn fault(&mut self, path: &str, what: impl fmt::Display) {
        self.checked.faults += 1;
        (self.found)(&Fault { path: path.into(), what: what.to_string() });
    }

    fn manifests(&mut self) -> Result<(), ArchiveError> {
        for entry in self.store.list(Manifest::FOLDER)? {
            match self.store.read_at_most(&entry.path, MAX_TEXT) {
                Ok(text) => {
                    self.checked.files += 1;
                    let manifest = Manifest::from_text(&text);
                    let version = manifest.map(|manifest| manifest.version);
                    if version.is_none() || version != Manifest::version_of(&entry.path) {
                        self.fault(&entry.path, OTHER);
                    }
                }
                // Swept meanwhile.
                Err(ArchiveError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn settled(&mut self, snapshot: &Snapshot, settled: &Settled) -> Result<(), ArchiveError> {
        let Some(name) = settled.name() else { return Ok(()) };
        match hash(self.store, &name.raw()) {
            Ok(file) => {
                self.checked.files += 1;
                if file != (settled.bytes, settled.sha256) {
                    self.fault(&name.raw(), OTHER);
                }
            }
            Err(ArchiveError::Missing { .. }) => {
                let lost = Damage::MissingSegment { path: name.raw(), records: None };
                self.fault(&name.raw(), without_path(&lost, &name.raw()));
            }
            Err(error) => return Err(error),
        }
        match snapshot.inventory(settled) {
            Ok(inventory) => {
                self.checked.files += 1;
                self.inventory(&name.inventory(), settled, &inventory)
            }
            Err(ArchiveError::Damaged { path }) => {
                self.fault(&path, OTHER);
                Ok(())
            }
            Err(ArchiveError::Missing { path }) => {
                self.fault(&path, MISSING);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn inventory(
        &mut self,
        path: &str,
        settled: &Settled,
        inventory: &Inventory,
    ) -> Result<(), ArchiveError> {
        let rows = |folder| {
            let files = inventory.files.iter().filter(move |file| file.path.starts_with(folder));
            files.map(|file| file.rows).sum::<u64>()
        };
        let counts = (inventory.records, inventory.handshakes, inventory.certificates);
        if counts != (settled.records, rows("handshakes/"), rows("certificates/")) {
            self.fault(path, "its counts do not add up");
        }
        inventory.files.iter().try_for_each(|file| self.table(file))
    }

    fn table(&mut self, file: &TableFile) -> Result<(), ArchiveError> {
        let bytes = match self.store.read_at_most(&file.path, MAX_FILE) {
            Ok(bytes) => bytes,
            Err(ArchiveError::Missing { .. }) => {
                self.fault(&file.path, MISSING);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.checked.files += 1;
        if FileHash::of(&bytes) != file.sha256 {
            self.fault(&file.path, OTHER);
            return Ok(());
        }
        if file.path.starts_with("certificates/") {
            self.certificates(file, &bytes);
        } else {
            self.checked.handshakes += file.rows;
            if count(bytes).ok() != Some(file.rows) {
                self.fault(&file.path, format_args!("it does not have {} rows", file.rows));
            }
        }
        Ok(())
    }

    fn certificates(&mut self, file: &TableFile, bytes: &Bytes) {
        match certificates::read(bytes) {
            Ok((certificates, bad)) => {
                self.checked.certificates += certificates.len() as u64;
                if bad > 0 {
                    let what = format_args!("{bad} certificates do not have their hash");
                    self.fault(&file.path, what);
                }
                if certificates.len() as u64 + bad as u64 != file.rows {
                    self.fault(&file.path, format_args!("it does not have {} rows", file.rows));
                }
            }
            Err(error) => self.fault(&file.path, error),
        }
    }

    fn live(&mut self, segment: &Segment) -> Result<(), ArchiveError> {
        let path = segment.name.raw();
        if segment.bytes == 0 {
            self.fault(&path, MISSING);
            return Ok(());
        }
        match self.store.read(&path) {
            Ok(bytes) => {
                self.checked.files += 1;
                if !is_whole(&bytes) {
                    self.fault(&path, OTHER);
                }
                Ok(())
            }
            // Settled meanwhile, and its time was over.
            Err(ArchiveError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Restores every record; how many there are, damaged ones included.
    fn records(
        &mut self,
        snapshot: &Snapshot,
        segment: &Segment,
        before: u64,
    ) -> Result<u64, ArchiveError> {
        let path = segment.name.raw();
        let records = match snapshot.records(segment) {
            Ok(records) => records,
            Err(ArchiveError::Missing { .. }) => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut count = 0;
        for read in records {
            match read {
                Ok(_) => {
                    self.checked.records += 1;
                    count += 1;
                }
                Err(Damage::BrokenOff { error }) => return Err(*error),
                Err(damage) => {
                    let lost = damage.records();
                    let what = without_path(&damage, &path);
                    match lost {
                        0 => self.fault(&path, what),
                        _ => {
                            let number = before + count + 1;
                            self.fault(&path, format_args!("record {number}: {what}"));
                        }
                    }
                    count += lost;
                }
            }
        }
        if segment.records.is_some_and(|written| written != count) {
            self.fault(&path, format_args!("it holds {count} records, not as many as it should"));
        }
        Ok(count)
    }
}

const OTHER: &str = "it is not as it was written";
const MISSING: &str = "it is missing";

fn without_path(damage: &Damage, path: &str) -> String {
    let text = damage.to_string();
    let rest = text.strip_prefix(path).map(|rest| rest.trim_start_matches([':', ' ']));
    rest.map(str::to_owned).unwrap_or(text)
}

/// The length and the hash of a file, without all of it in memory.
pub(crate) fn hash(store: &Store, path: &str) -> Result<(u64, FileHash), ArchiveError> {
    const AT_ONCE: u64 = 8 << 20;
    let bytes = store.size(path)?.ok_or_else(|| ArchiveError::Missing { path: path.into() })?;
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut at = 0;
    while at < bytes {
        let part = store.read_range(path, at..bytes.min(at + AT_ONCE))?;
        if part.is_empty() {
            break;
        }
        at += part.len() as u64;
        context.update(&part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Ok((at, hash.into()))
}
