//! Kills the collector again and again, and asks each time whether what it acknowledged is there once.

mod actor;
mod audit;
mod ledger;
mod records;
pub mod submit;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use actor::ACTORS;
pub use audit::{audit, hashes};
pub use ledger::Ledger;
pub use records::Records;

use crate::program;

/// After how many kills the archive is audited.
const BETWEEN_AUDITS: u32 = 10;

/// After how many kills another archive is begun: judging takes the longer the more there is.
const ROUND: u32 = 40;

/// One run of so many is left to end by itself: it shows how long one takes, and gets work done.
const UNDISTURBED: u32 = 8;

/// How often to kill, and from which seed chance is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Kills in all.
    pub kills: u32,
    /// The same seed draws the same moments and records.
    pub seed: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Account {
    /// Kills of each kind of program, in the order of the registry.
    pub kills: Vec<(&'static str, u32)>,
    /// Records that were acknowledged.
    pub acknowledged: u64,
    /// Records that are in the archive.
    pub kept: u64,
    /// How often the archive was audited.
    pub audits: u32,
}

/// What actors work on.
pub struct World {
    archive: PathBuf,
    folder: PathBuf,
    collector: PathBuf,
    chance: fastrand::Rng,
    records: Records,
    ledger: Ledger,
}

impl World {
    /// An archive that is not there yet, in `folder`.
    pub fn new(folder: &Path, seed: u64) -> Self {
        Self {
            archive: folder.join("archive"),
            folder: folder.into(),
            collector: program("kua-collector"),
            chance: fastrand::Rng::with_seed(seed),
            records: Records::new(),
            ledger: Ledger::default(),
        }
    }
}

impl World {
    fn begin_anew(&mut self) -> std::io::Result<()> {
        self.ledger = Ledger::default();
        if self.archive.exists() { std::fs::remove_dir_all(&self.archive) } else { Ok(()) }
    }
}

/// The actor to whom a number below the sum of all weights belongs.
fn drawn(mut number: usize) -> usize {
    for (which, actor) in ACTORS.iter().enumerate() {
        match number.checked_sub(actor.weight) {
            Some(rest) => number = rest,
            None => return which,
        }
    }
    0
}

/// Runs the plan in `folder`.
///
/// # Errors
/// What was lost, kept twice or found damaged, in words.
pub fn run(plan: Plan, folder: &Path) -> Result<Account, String> {
    let mut world = World::new(folder, plan.seed);
    let mut typical: Vec<Option<Duration>> = vec![None; ACTORS.len()];
    let mut kills = vec![0; ACTORS.len()];
    let weights: usize = ACTORS.iter().map(|actor| actor.weight).sum();
    let (mut audits, mut acknowledged, mut kept) = (0, 0, 0);
    while kills.iter().sum::<u32>() < plan.kills {
        let which = drawn(world.chance.usize(..weights));
        let actor = &ACTORS[which];
        let undisturbed = typical[which].is_none() || world.chance.u32(..UNDISTURBED) == 0;
        let begun = Instant::now();
        // A little longer than it takes, so that its last steps are met too.
        let most = typical[which].unwrap_or_default().as_micros() as u64 * 11 / 10;
        let moment = (!undisturbed).then(|| Duration::from_micros(world.chance.u64(..=most)));
        let killed = (actor.run)(&mut world, moment)
            .map_err(|error| format!("{}: {error} (seed {})", actor.name, plan.seed))?;
        if undisturbed {
            typical[which] = Some(begun.elapsed());
            continue;
        }
        if !killed {
            continue;
        }
        kills[which] += 1;
        let total: u32 = kills.iter().sum();
        if total.is_multiple_of(BETWEEN_AUDITS) || total >= plan.kills {
            let there = audit(&world.collector, &world.archive, &world.ledger)
                .map_err(|error| format!("after {total} kills: {error} (seed {})", plan.seed))?;
            audits += 1;
            if total.is_multiple_of(ROUND) || total >= plan.kills {
                kept += there;
                acknowledged += world.ledger.acknowledged();
                world.begin_anew().map_err(|error| error.to_string())?;
            }
        }
    }
    let names = ACTORS.iter().map(|actor| actor.name);
    Ok(Account { kills: names.zip(kills).collect(), acknowledged, kept, audits })
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total: u32 = self.kills.iter().map(|(_, count)| count).sum();
        let each = self.kills.iter().map(|(name, count)| format!("{name} {count}"));
        let each = each.collect::<Vec<_>>().join(", ");
        writeln!(f, "kills: {total} ({each})")?;
        writeln!(f, "acknowledged records: {}, each there once", self.acknowledged)?;
        writeln!(f, "records in the archive: {}", self.kept)?;
        writeln!(f, "audits, all clean: {}", self.audits)
    }
}
