//! `--fail-on`: exit code 3 when a judgement is at least so sure of something bad.

use std::process::ExitCode;

use kua::detect::Level;
use kua::verdict::Judgement;

/// The level from which a command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Anything that is wrong and not the site's own doing.
    Possible,
    /// One good line of evidence.
    Probable,
    /// Proven by a key, or by two lines of evidence.
    Confirmed,
}

impl FailOn {
    /// Whether `judgement` is at or above this level.
    pub fn reached_by(self, judgement: &Judgement) -> bool {
        self.is_reached(judgement.level)
    }

    /// Whether a judgement of this level is at or above it.
    pub fn is_reached(self, level: Option<Level>) -> bool {
        let floor = match self {
            Self::Possible => Level::Possible,
            Self::Probable => Level::Probable,
            Self::Confirmed => Level::Confirmed,
        };
        level.is_some_and(|level| level >= floor)
    }
}

/// The exit code of a command that judged: 3 where `--fail-on` was reached, else 0.
pub fn judged(reached: bool) -> ExitCode {
    if reached { ExitCode::from(3) } else { ExitCode::SUCCESS }
}
