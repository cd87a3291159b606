//! How Kua's three programs meet a terminal and a disk: the same options, the same errors, the
//! same reference data.

mod clock;
mod fail_on;
mod reference;
mod trouble;
pub mod words;

pub use clock::{Moment, now, parse_moment};
pub use fail_on::{FailOn, judged};
pub use reference::{
    Origin, ReferenceArgs, ReferenceReadError, files_below, refreshed_directory, with_refreshed,
};
pub use trouble::{Trouble, finish};

/// Options that every command of every program takes.
#[derive(Clone, Debug, clap::Args)]
pub struct CommonArgs {
    /// When to use colours; NO_COLOR is respected too
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Common"
    )]
    pub color: clap::ColorChoice,
    /// Say more on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Common")]
    pub verbose: u8,
}

impl CommonArgs {
    /// Makes standard output and standard error follow `--color`.
    pub fn apply(&self) {
        let choice = match self.color {
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}
