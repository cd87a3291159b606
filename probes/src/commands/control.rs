//! `--control`: what clean vantage points saw, from a file of records.

use std::fs::File;
use std::io::{self, Read};

use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua_console::Trouble;

use super::records::Records;

/// What judgements are compared with.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ControlArgs {
    /// Compare with the records in FILE, made where nobody intercepts; `-` is standard input
    ///
    /// FILE is what `kua probe --out FILE` wrote somewhere else, for the same sites and on about
    /// the same day.
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    control: Option<String>,
}

impl ControlArgs {
    /// Reads the records. A line that is no measurement is named on standard error and left out.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no measurement at all: a control that is silently
    /// missing would change judgements.
    pub(crate) fn load(&self, reference: &Reference) -> Result<Surroundings, Trouble> {
        let Some(name) = &self.control else { return Ok(Surroundings::none()) };
        let unreadable = |error: io::Error| {
            Trouble::new(format!("cannot read the control {name}")).because(error)
        };
        let source: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            path => Box::new(File::open(path).map_err(unreadable)?),
        };
        let mut measurements = Vec::new();
        Records::new(name, source).each(&mut |measurement, _| {
            measurements.push(measurement);
            Ok(())
        })?;
        if measurements.is_empty() {
            return Err(Trouble::new(format!("cannot use the control {name}"))
                .because("it holds no measurement")
                .hint("a control is a file that `kua probe --out FILE` wrote, on a network that nobody intercepts"));
        }
        Ok(Surroundings::of_controls(&measurements, reference))
    }
}
