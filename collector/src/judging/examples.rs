//! Examples of a count: the few records that a report shows are judged once more.

use std::collections::BTreeMap;

use kua::campaign::{Position, Tally};
use kua::chain::Fingerprint;
use kua::memory::Memory;
use kua::verdict::judge_with;

use super::error::JudgingError;
use super::judge::Judging;
use super::records::Placed;

impl Judging<'_> {
    /// Tells what the examples are of which a tally knows the position only.
    pub(super) fn tell(&self, tally: &mut Tally) -> Result<(), JudgingError> {
        let mut wanted: BTreeMap<u64, Vec<Position>> = BTreeMap::new();
        for position in tally.untold() {
            wanted.entry(position.number).or_default().push(position);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut memory = Memory::new(self.setting.reference());
        for placed in &self.placed {
            let (first, last) = (placed.before + 1, placed.before + placed.records);
            let here: Vec<_> = wanted.range(first..=last).collect();
            if !here.is_empty() {
                self.tell_of(placed, &here, &mut memory, tally)?;
            }
        }
        Ok(())
    }

    fn tell_of(
        &self,
        placed: &Placed,
        wanted: &[(&u64, &Vec<Position>)],
        memory: &mut Memory<'_>,
        tally: &mut Tally,
    ) -> Result<(), JudgingError> {
        let around = self.around()?;
        let mut records = self.snapshot.records(&placed.segment)?;
        let mut number = placed.before;
        for (wanted, positions) in wanted {
            while number < **wanted {
                number += records.pass(**wanted - number - 1);
                let Some(read) = records.next() else { return Ok(()) };
                number += read.as_ref().map_or_else(kua_archive::Damage::records, |_| 1);
                // What became damaged since it was judged cannot be shown.
                let Ok(record) = read else { continue };
                let hash = Fingerprint::from(*record.hash.as_bytes());
                if number != **wanted || positions.iter().any(|wanted| wanted.record != hash) {
                    continue;
                }
                let Ok(measurement) = record.measurement() else { continue };
                let judgements = judge_with(memory, &measurement, around, None);
                for position in *positions {
                    if let Some(judgement) = judgements.get(position.judgement as usize) {
                        tally.tell(*position, judgement);
                    }
                }
            }
        }
        Ok(())
    }
}
