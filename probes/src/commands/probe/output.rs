//! Where records and judgements are written, each as one whole line at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use kua::measurement::Measurement;
use kua::verdict::Judgement;
use kua::wire;
use kua_console::Trouble;

use super::sending::Sending;

/// The outputs of one run.
pub(super) struct Output {
    records: Records,
    judgements: bool,
    /// Where records are sent, if they are.
    pub(super) sending: Option<Sending>,
}

enum Records {
    Nowhere,
    File { name: String, file: File },
    Stdout,
}

impl Output {
    /// Opens `out` (`-` is standard output); `judgements` go to standard output too.
    pub(super) fn open(out: Option<&str>, judgements: bool) -> Result<Self, Trouble> {
        let records = match out {
            None => Records::Nowhere,
            Some("-") if judgements => {
                return Err(Trouble::new("cannot write records and judgements")
                    .because("--out - and --format json both mean standard output")
                    .hint("give --out a file"));
            }
            Some("-") => Records::Stdout,
            Some(name) => {
                let file = OpenOptions::new().create(true).append(true).open(name);
                let file = file.map_err(|error| unwritable(name, error))?;
                Records::File { name: name.into(), file }
            }
        };
        Ok(Self { records, judgements, sending: None })
    }

    /// Whether standard output holds lines of data, and so nothing for people.
    pub(super) fn is_data(&self) -> bool {
        self.judgements || matches!(self.records, Records::Stdout)
    }

    /// Keeps a measurement; it is written when this returns.
    pub(super) fn keep(&mut self, measurement: &Measurement) -> Result<(), Trouble> {
        if let Some(sending) = &mut self.sending {
            sending.keep(measurement)?;
        }
        match &mut self.records {
            Records::Nowhere => Ok(()),
            Records::File { name, file } => {
                let line = wire::to_line(measurement) + "\n";
                file.write_all(line.as_bytes()).map_err(|error| unwritable(name, error))
            }
            Records::Stdout => Ok(write_line(wire::to_line(measurement))?),
        }
    }

    /// Says a judgement, if judgements are asked for.
    pub(super) fn say(&self, judgement: &Judgement) -> Result<(), Trouble> {
        if !self.judgements {
            return Ok(());
        }
        let line = serde_json::to_string(judgement)
            .map_err(|error| Trouble::new("cannot write a judgement").because(error))?;
        Ok(write_line(line)?)
    }
}

fn write_line(mut line: String) -> io::Result<()> {
    line.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}

fn unwritable(name: &str, error: io::Error) -> Trouble {
    Trouble::new(format!("cannot write to {name}")).because(error)
}
