//! Counting an archive's judgements: stored ones as they are grouped, others as they are made.

use kua::campaign::{Day, Row, ShapeId, Tally};
use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::verdict::judge_with;
use kua_archive::Archive;
use kua_archive::judged::folder;
use time::OffsetDateTime;

use super::error::JudgingError;
use super::grouped;
use super::judge::{Judging, NAMED, Options, Progress};
use super::parallel::in_order;
use super::records::{Portion, read};
use super::setting::Setting;
use crate::scope::Scope;

/// What an archive's judgements come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// All counts in the scope.
    pub tally: Tally,
    /// Measurements outside of it.
    pub out_of_scope: u64,
    /// Records that could not be read.
    pub damaged: u64,
    /// The first of them: number, and what is wrong.
    pub named: Vec<(u64, String)>,
}

/// How stored judgements are grouped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// By a query.
    #[default]
    Query,
    /// By the same query, which the cluster with this scheduler answers.
    Cluster(String),
    /// One after the other, as they lie in their files.
    Reading,
}

/// Brings an archive's judgements up to date, and counts those in the scope. What is damaged of stored
/// judgements is made anew.
///
/// # Errors
/// [`JudgingError`].
pub fn account<'a>(
    archive: &Archive,
    setting: &'a Setting<'a>,
    options: Options,
    scope: &Scope,
    grouping: &Grouping,
    mut progress: impl FnMut(Progress),
) -> Result<(Judging<'a>, Counted), JudgingError> {
    let mut again = true;
    loop {
        let judging = Judging::of(archive, setting, options, &mut progress)?;
        if let Some(counted) = judging.recall(scope)? {
            return Ok((judging, counted));
        }
        match judging.count(scope, grouping) {
            Err(JudgingError::Shape { .. }) if again => {
                judging.forget_shapes()?;
                again = false;
            }
            Err(_) if again && judging.forget_damaged()? => again = false,
            counted => {
                let counted = counted?;
                judging.remember(scope, &counted);
                return Ok((judging, counted));
            }
        }
    }
}

impl Judging<'_> {
    /// Removes the list of shapes: whatever counts by one that is not in it is judged anew.
    fn forget_shapes(&self) -> Result<(), JudgingError> {
        Ok(self.snapshot.store().remove(&format!("{}shapes.zst", folder(&self.version().id)))?)
    }

    /// Removes stored judgements that are not what was written; gives whether there were any.
    fn forget_damaged(&self) -> Result<bool, JudgingError> {
        let mut found = false;
        for file in self.files() {
            if !file.is_whole(self.snapshot.store())? {
                found = true;
                self.snapshot.store().remove(&file.path)?;
            }
        }
        Ok(found)
    }

    /// Counts all judgements in the scope.
    ///
    /// # Errors
    /// [`JudgingError`].
    pub fn count(&self, scope: &Scope, grouping: &Grouping) -> Result<Counted, JudgingError> {
        let mut counted = self.count_only(scope, grouping)?;
        self.tell(&mut counted.tally)?;
        Ok(counted)
    }

    /// The same without examples.
    ///
    /// # Errors
    /// [`JudgingError`].
    pub fn count_only(&self, scope: &Scope, grouping: &Grouping) -> Result<Counted, JudgingError> {
        let mut counted = self.stored(scope, grouping)?;
        counted.add(self.made(scope)?);
        Ok(counted)
    }

    /// What is stored.
    fn stored(&self, scope: &Scope, grouping: &Grouping) -> Result<Counted, JudgingError> {
        let mut counted = Counted::default();
        let mut measurements = 0;
        for file in self.files() {
            measurements += file.records.saturating_sub(file.damaged);
            counted.damaged += file.damaged;
            counted.named.extend(file.named.iter().cloned());
        }
        if self.files().is_empty() {
            return Ok(counted);
        }
        let tally = &mut counted.tally;
        let mut take = |row| {
            match row {
                Grouped::Row(shape, row) => tally.count(&row, self.shape(shape)?),
                Grouped::Day(shape, day) => tally.count_day(&day, self.shape(shape)?),
            }
            Ok(())
        };
        match grouping {
            Grouping::Query => grouped::by_query(self, scope, None, &mut take)?,
            Grouping::Cluster(scheduler) => {
                grouped::by_query(self, scope, Some(scheduler), &mut take)?;
            }
            Grouping::Reading => grouped::by_reading(self, scope, &mut take)?,
        }
        counted.out_of_scope = measurements.saturating_sub(tally.measurements());
        Ok(counted)
    }

    /// What is not stored, judged now.
    fn made(&self, scope: &Scope) -> Result<Counted, JudgingError> {
        if self.unstored.is_empty() {
            return Ok(Counted::default());
        }
        let around = self.around()?;
        let reference = self.setting.reference();
        let work = |(memory, counted): &mut (Memory<'_>, Counted), (.., handful): Portion| {
            for (number, read) in handful {
                match read.and_then(|record| Ok((record.measurement()?, record.hash))) {
                    Ok((measurement, _)) if !scope.holds(&measurement) => counted.out_of_scope += 1,
                    Ok((measurement, hash)) => {
                        let judgements = judge_with(memory, &measurement, around, None);
                        let hash = (*hash.as_bytes()).into();
                        counted.tally.observe_record(Some(hash), &measurement, &judgements);
                    }
                    Err(damage) => {
                        counted.damaged += damage.records();
                        counted.named.push((number, damage.to_string()));
                        counted.named.truncate(NAMED);
                    }
                }
            }
        };
        let states = in_order(
            self.options.threads,
            |hand| Ok(read(&self.snapshot, &self.unstored, hand)?),
            || (Memory::new(reference), Counted::default()),
            work,
            |()| Ok::<_, JudgingError>(()),
        )?;
        let mut whole = Counted::default();
        for (_, counted) in states {
            whole.add(counted);
        }
        Ok(whole)
    }
}

impl Counted {
    fn add(&mut self, other: Self) {
        self.tally.merge(other.tally);
        self.out_of_scope += other.out_of_scope;
        self.damaged += other.damaged;
        self.named.extend(other.named);
        self.named.sort();
        self.named.truncate(NAMED);
    }
}

/// A row of either kind, and the shape that it counts.
pub(super) enum Grouped {
    Row(ShapeId, Row),
    Day(ShapeId, Day),
}

/// Whether a judgement made there and then, in microseconds since 1970, is in the scope.
pub(super) fn holds(scope: &Scope, country: &str, started: Option<i64>) -> bool {
    let started = started.and_then(|micros| {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
    });
    let mut like = Measurement { started, ..Measurement::default() };
    country.clone_into(&mut like.vantage.country);
    scope.holds(&like)
}
