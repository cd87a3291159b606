//! Bringing the judgements of an archive up to date.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use kua::campaign::{Shape, ShapeId};
use kua::memory::Memory;
use kua::surroundings::{Surroundings, Views};
use kua::verdict::judge_with;
use kua_archive::judged::{Judged, JudgedFile, Version, folder};
use kua_archive::tables::judgements::{File, Part as Table, Rows};
use kua_archive::{Archive, ArchiveError, FileHash, SegmentName, Snapshot};

use super::around::{Part, keep, look};
use super::error::JudgingError;
use super::parallel::in_order;
use super::records::{Handful, Placed, Portion, placed, read};
use super::setting::Setting;
use super::shelf::Shelf;

/// Most damaged records of a file that are named.
pub(super) const NAMED: usize = 20;

/// How often is begun anew where segments are merged meanwhile.
const TRIES: usize = 8;

/// How an archive is judged.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads that judge.
    pub threads: usize,
    /// Whether judgements are stored in the archive.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, keep: true }
    }
}

/// What is told while it goes on: records that were judged, of those that have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// So many were judged.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// The judgements of an archive at one moment: which are stored, and which are to be made by whoever
/// wants them.
#[derive(Debug)]
pub struct Judging<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) snapshot: Snapshot,
    pub(super) options: Options,
    pub(super) shelf: Shelf,
    /// Segments whose judgements are not stored.
    pub(super) unstored: Vec<Placed>,
    /// All segments.
    pub(super) placed: Vec<Placed>,
    /// What was seen by everybody, once that had to be known.
    around: OnceLock<Surroundings>,
    /// Records that were judged anew, and the judgements stored.
    pub anew: u64,
    /// Records whose stored judgements stand.
    pub stood: u64,
    /// Why judgements could not be stored, where they should have been.
    pub unkept: Option<ArchiveError>,
}

/// A segment that has to be judged, and the hash of what its records are told.
struct Stale {
    placed: Placed,
    view: String,
}

impl<'a> Judging<'a> {
    /// Judges what has to be judged in the archive as it is now.
    ///
    /// # Errors
    /// [`JudgingError`]. What was judged before stays stored.
    pub fn of(
        archive: &Archive,
        setting: &'a Setting<'a>,
        options: Options,
        mut progress: impl FnMut(Progress),
    ) -> Result<Self, JudgingError> {
        for _ in 0..TRIES {
            match Self::begin(archive, setting, options)?.up_to_date(&mut progress) {
                // A segment was merged with others: it is found in the next snapshot.
                Err(JudgingError::Archive(ArchiveError::Missing { .. })) => {}
                ended => return ended,
            }
        }
        Err(JudgingError::Moving)
    }

    /// Opens an archive for judging, and judges nothing yet.
    ///
    /// # Errors
    /// [`JudgingError`].
    pub fn begin(
        archive: &Archive,
        setting: &'a Setting<'a>,
        options: Options,
    ) -> Result<Self, JudgingError> {
        let snapshot = archive.snapshot()?;
        Ok(Self {
            shelf: Shelf::open(snapshot.store(), setting.version())?,
            unstored: Vec::new(),
            placed: placed(&snapshot)?,
            snapshot,
            setting,
            options,
            around: OnceLock::new(),
            anew: 0,
            stood: 0,
            unkept: None,
        })
    }

    fn up_to_date(mut self, progress: &mut impl FnMut(Progress)) -> Result<Self, JudgingError> {
        let last = self.snapshot.last();
        let (settled, live): (Vec<_>, Vec<_>) =
            self.placed.clone().into_iter().partition(|placed| placed.segment.settled);
        self.unstored = live;
        let index = self.shelf.index()?;
        let mut stale = Vec::new();
        let mut known = Vec::new();
        for placed in settled {
            let files = index.tiling(placed.segment.name).unwrap_or_default();
            if !files.is_empty() && self.shelf.are_there(files)? {
                known.push((placed, files.to_vec()));
            } else {
                stale.push(placed);
            }
        }
        if index.complete == Some(last) && stale.is_empty() {
            for (placed, files) in known {
                self.stands(&placed, files);
            }
            return Ok(self);
        }
        let stale = self.compare(&index, known, stale)?;
        self.judge(stale, progress)?;
        if self.options.keep && self.unkept.is_none() {
            self.unkept = self.shelf.complete(last).err();
        }
        Ok(self)
    }

    fn stands(&mut self, placed: &Placed, files: Vec<JudgedFile>) {
        self.stood += placed.records;
        self.shelf.files.extend(files);
    }

    /// Takes the files that stand, and gives the segments to be judged.
    fn compare(
        &mut self,
        index: &Judged,
        known: Vec<(Placed, Vec<JudgedFile>)>,
        stale: Vec<Placed>,
    ) -> Result<Vec<Stale>, JudgingError> {
        let around = self.look_around(index)?;
        let mut views = Views::of(&around);
        let mut anew = Vec::new();
        for (placed, files) in known {
            let mut stand = true;
            for file in &files {
                let part = file.name().map(|name| self.shelf.part(name)).transpose()?.flatten();
                let view = part.map(|part| views.digest(&part.asked).to_string());
                stand &= view.as_ref() == Some(&file.view);
            }
            if stand {
                self.stands(&placed, files);
            } else {
                anew.push(placed);
            }
        }
        anew.extend(stale);
        anew.sort_by_key(|placed| placed.before);
        let mut stale = Vec::new();
        for placed in anew {
            let part = self.part(&placed, index)?;
            stale.push(Stale { view: views.digest(&part.asked).to_string(), placed });
        }
        drop(views);
        self.around = OnceLock::from(around);
        Ok(stale)
    }

    /// What was seen by everybody.
    pub(super) fn around(&self) -> Result<&Surroundings, JudgingError> {
        if self.around.get().is_none() {
            let around = self.look_around(&self.shelf.index()?)?;
            return Ok(self.around.get_or_init(|| around));
        }
        Ok(self.around.get_or_init(Surroundings::none))
    }

    fn look_around(&self, index: &Judged) -> Result<Surroundings, JudgingError> {
        let mut around = self.setting.controls();
        let mut unseen = Vec::new();
        for placed in &self.placed {
            let stored = match placed.segment.settled {
                true => self.stored_part(placed.segment.name, index)?,
                false => None,
            };
            match stored {
                Some(part) => around.merge(part.around),
                None => unseen.push(placed.clone()),
            }
        }
        let (snapshot, threads) = (&self.snapshot, self.options.threads);
        look(snapshot, self.setting, &unseen, threads, |placed, part| {
            if placed.segment.settled && self.options.keep {
                // Where nothing can be written, it is looked for again the next time.
                let _ = keep(snapshot.store(), &self.shelf.version.id, placed.segment.name, &part);
            }
            around.merge(part.around);
            Ok(())
        })?;
        Ok(around)
    }

    /// What was seen in a settled segment, as it is stored: of itself or of all that was merged.
    fn stored_part(&self, name: SegmentName, index: &Judged) -> Result<Option<Part>, JudgingError> {
        if let Some(part) = self.shelf.part(name)? {
            return Ok(Some(part));
        }
        let Some(files) = index.tiling(name) else { return Ok(None) };
        let mut whole = Part::default();
        for file in files {
            let part = file.name().map(|name| self.shelf.part(name)).transpose()?.flatten();
            let Some(part) = part else { return Ok(None) };
            whole.merge(part);
        }
        Ok(Some(whole))
    }

    fn part(&self, placed: &Placed, index: &Judged) -> Result<Part, JudgingError> {
        if let Some(part) = self.stored_part(placed.segment.name, index)? {
            return Ok(part);
        }
        let mut whole = Part::default();
        let segments = std::slice::from_ref(placed);
        look(&self.snapshot, self.setting, segments, self.options.threads, |_, part| {
            whole = part;
            Ok(())
        })?;
        Ok(whole)
    }

    /// Judges these segments and stores the judgements, as far as they can be stored.
    fn judge(
        &mut self,
        stale: Vec<Stale>,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), JudgingError> {
        let mut stored = 0;
        if self.options.keep {
            match self.judge_and_keep(&stale, &mut stored, progress) {
                Err(JudgingError::Archive(error)) if is_refused(&error) => {
                    self.unkept = Some(error);
                }
                ended => ended?,
            }
        }
        self.unstored.extend(stale.into_iter().skip(stored).map(|stale| stale.placed));
        self.unstored.sort_by_key(|placed| placed.before);
        Ok(())
    }

    fn judge_and_keep(
        &mut self,
        stale: &[Stale],
        stored: &mut usize,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), JudgingError> {
        if stale.is_empty() {
            return Ok(());
        }
        let around = self.around.take().unwrap_or_default();
        let index = self.shelf.index()?;
        self.shelf.begin()?;
        for one in stale {
            // Of what was merged from several there is one part from now on.
            let name = one.placed.segment.name;
            if self.shelf.part(name)?.is_none()
                && let Some(part) = self.stored_part(name, &index)?
            {
                self.shelf.keep_part(name, &part)?;
            }
        }
        let of = stale.iter().map(|stale| stale.placed.records).sum();
        let segments: Vec<_> = stale.iter().map(|stale| stale.placed.clone()).collect();
        let (snapshot, setting) = (&self.snapshot, self.setting);
        let (shelf, anew) = (&mut self.shelf, &mut self.anew);
        let mut done = 0;
        let mut making = Making::new()?;
        let ended = in_order(
            self.options.threads,
            |hand| Ok(read(snapshot, &segments, hand)?),
            || Memory::new(setting.reference()),
            |memory, portion: Portion| (portion.0, portion.1, table(memory, &around, portion.2)),
            |(place, last, judged)| {
                let (table, records, damages) = judged?;
                done += records;
                making.add(table, damages)?;
                if last {
                    let made = std::mem::replace(&mut making, Making::new()?);
                    made.finish(&stale[place], shelf)?;
                    *stored = place + 1;
                    *anew += stale[place].placed.records;
                }
                progress(Progress { done, of });
                Ok::<_, JudgingError>(())
            },
        );
        self.around = OnceLock::from(around);
        ended.map(drop)
    }

    /// The version of these judgements.
    pub fn version(&self) -> &Version {
        &self.shelf.version
    }

    /// The files of stored judgements that count.
    pub fn files(&self) -> &[JudgedFile] {
        &self.shelf.files
    }

    /// Records of which no judgement is stored: not settled yet, or not to be stored.
    pub fn unstored(&self) -> u64 {
        self.unstored.iter().map(|placed| placed.records).sum()
    }

    /// The shape of this name.
    pub(super) fn shape(&self, id: ShapeId) -> Result<&Shape, JudgingError> {
        let version = || self.shelf.version.id.clone();
        self.shelf.shapes.get(&id).ok_or_else(|| JudgingError::Shape { version: version() })
    }
}

/// A file of judgements that is being made.
struct Making {
    file: File,
    shapes: BTreeMap<ShapeId, Shape>,
    damaged: u64,
    named: Vec<(u64, String)>,
}

impl Making {
    fn new() -> Result<Self, JudgingError> {
        Ok(Self { file: File::new()?, shapes: BTreeMap::new(), damaged: 0, named: Vec::new() })
    }

    fn add(&mut self, table: Table, damages: Damages) -> Result<(), JudgingError> {
        for (number, records, damage) in damages {
            self.damaged += records;
            if self.named.len() < NAMED {
                self.named.push((number, damage));
            }
        }
        self.shapes.extend(table.shapes);
        Ok(self.file.add(table.rows)?)
    }

    fn finish(self, stale: &Stale, shelf: &mut Shelf) -> Result<(), JudgingError> {
        let name = stale.placed.segment.name;
        let (bytes, judgements) = self.file.finish()?;
        let path = format!("{}{name}.{}.parquet", folder(&shelf.version.id), &stale.view[..16]);
        let file = JudgedFile {
            first: name.first(),
            last: name.last(),
            before: stale.placed.before,
            records: stale.placed.records,
            judgements,
            view: stale.view.clone(),
            path,
            bytes: bytes.len() as u64,
            sha256: FileHash::of(&bytes),
            damaged: self.damaged,
            named: self.named,
        };
        Ok(shelf.keep(file, bytes, self.shapes)?)
    }
}

/// A place where nothing can be written, or nothing more.
fn is_refused(error: &ArchiveError) -> bool {
    match error {
        ArchiveError::Io { doing, .. } | ArchiveError::Store { doing, .. } => {
            matches!(*doing, "make" | "write")
        }
        _ => false,
    }
}

/// What could not be read: number of its first record, how many, and why.
pub(super) type Damages = Vec<(u64, u64, String)>;

fn table(
    memory: &mut Memory<'_>,
    around: &Surroundings,
    handful: Handful,
) -> Result<(Table, u64, Damages), JudgingError> {
    let mut rows = Rows::default();
    let (mut records, mut damages) = (0, Damages::new());
    for (number, read) in handful {
        match read.and_then(|record| Ok((record.measurement()?, record.hash))) {
            Ok((measurement, hash)) => {
                records += 1;
                let judgements = judge_with(memory, &measurement, around, None);
                rows.add(number, (*hash.as_bytes()).into(), &measurement, &judgements)?;
            }
            Err(damage) => {
                records += damage.records();
                damages.push((number, damage.records(), damage.to_string()));
            }
        }
    }
    Ok((rows.finish()?, records, damages))
}
