//! `--control`: what clean vantage points saw, from a file of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use kua::control::Controls;
use kua::reference::Reference;
use kua::wire::{self, MAX_RECORD};
use kua_console::Trouble;

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
    pub(crate) fn load(&self, reference: &Reference) -> Result<Controls, Trouble> {
        let Some(name) = &self.control else { return Ok(Controls::none()) };
        let unreadable = |error: io::Error| {
            Trouble::new(format!("cannot read the control {name}")).because(error)
        };
        let source: Box<dyn Read> = match name.as_str() {
            "-" => Box::new(io::stdin()),
            path => Box::new(File::open(path).map_err(unreadable)?),
        };
        let mut measurements = Vec::new();
        let mut reader = BufReader::new(source);
        let mut number = 0_u64;
        while let Some(line) = whole_line(&mut reader).map_err(unreadable)? {
            number += 1;
            match wire::from_line(&line) {
                _ if line.trim_ascii().is_empty() => {}
                Ok(measurement) => measurements.push(measurement),
                Err(error) => left_out(name, number, &error)?,
            }
        }
        if measurements.is_empty() {
            return Err(Trouble::new(format!("cannot use the control {name}"))
                .because("it holds no measurement")
                .hint("a control is a file that `kua probe --out FILE` wrote, on a network that nobody intercepts"));
        }
        Ok(Controls::new(&measurements, reference))
    }
}

fn left_out(name: &str, number: u64, error: &dyn std::error::Error) -> Result<(), Trouble> {
    let mut text = format!("warning: {name}:{number} is left out: {error}");
    if let Some(cause) = error.source() {
        text.push_str(&format!(" ({cause})"));
    }
    writeln!(anstream::stderr(), "{text}")?;
    Ok(())
}

/// The next line without its end, or `None` after the last. Of a line longer than a record may
/// be, one byte more than that is kept, so that it is refused as too long.
fn whole_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = MAX_RECORD as u64 + 1;
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > MAX_RECORD {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length() {
        let long = [vec![b'x'; MAX_RECORD + 9], b"\nlast".to_vec()].concat();
        let mut reader = BufReader::new(long.as_slice());
        assert_eq!(whole_line(&mut reader).unwrap().map(|line| line.len()), Some(MAX_RECORD + 1));
        assert_eq!(whole_line(&mut reader).unwrap().as_deref(), Some(b"last".as_slice()));
        assert_eq!(whole_line(&mut reader).unwrap(), None);
    }
}
