//! Every judgement of an archive by itself, made now.

use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::verdict::{Judgement, judge_with};

use super::error::JudgingError;
use super::judge::{Judging, NAMED};
use super::parallel::in_order;
use super::records::{Portion, read};

/// What could not be read of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    /// How many records.
    pub damaged: u64,
    /// The first of them: number, and what is wrong.
    pub named: Vec<(u64, String)>,
}

impl Judging<'_> {
    /// Judges every record of the archive, in their order and on several threads: `tell` makes of the
    /// judgements of each what `take` then gets. A judgement's `line` is its record's number. Nothing is
    /// judged that `wanted` is not true of.
    ///
    /// # Errors
    /// [`JudgingError`]; whatever `take` gives.
    pub fn each<O: Send>(
        &self,
        wanted: impl Fn(&Measurement) -> bool + Sync,
        tell: impl Fn(&[Judgement]) -> O + Sync,
        mut take: impl FnMut(O) -> Result<(), JudgingError>,
    ) -> Result<Damaged, JudgingError> {
        let around = self.around()?;
        let work = |memory: &mut Memory<'_>, (.., handful): Portion| {
            let (mut told, mut damages) = (Vec::with_capacity(handful.len()), Vec::new());
            for (number, read) in handful {
                match read.and_then(|record| record.measurement()) {
                    Ok(measurement) if wanted(&measurement) => {
                        told.push(tell(&judge_with(memory, &measurement, around, Some(number))));
                    }
                    Ok(_) => {}
                    Err(damage) => damages.push((number, damage.records(), damage.to_string())),
                }
            }
            (told, damages)
        };
        let mut all = Damaged::default();
        in_order(
            self.options.threads,
            |hand| Ok(read(&self.snapshot, &self.placed, hand)?),
            || Memory::new(self.setting.reference()),
            work,
            |(told, damages)| {
                for (number, records, damage) in damages {
                    all.damaged += records;
                    if all.named.len() < NAMED {
                        all.named.push((number, damage));
                    }
                }
                told.into_iter().try_for_each(&mut take)
            },
        )?;
        Ok(all)
    }
}
