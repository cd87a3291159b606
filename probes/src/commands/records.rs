//! Records in a file or on standard input, line by line.

use std::io::{self, BufRead, BufReader, Read, Write};

use kua::measurement::Measurement;
use kua::wire::{self, MAX_RECORD};
use kua_console::Trouble;

/// Lines still to be read.
pub(crate) struct Records {
    name: String,
    reader: BufReader<Box<dyn Read>>,
}

impl Records {
    /// `name` is how messages call it.
    pub(crate) fn new(name: &str, source: Box<dyn Read>) -> Self {
        Self { name: name.to_owned(), reader: BufReader::new(source) }
    }

    /// Hands over every measurement with its line number, from 1. A line that is none is named on
    /// standard error and left out. One document over several lines, as people save one, is line 1.
    ///
    /// # Errors
    /// Input that cannot be read, and what `visit` says.
    pub(crate) fn each(
        mut self,
        visit: &mut impl FnMut(Measurement, Option<u64>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut number = 0_u64;
        while let Some(mut line) = self.next_line()? {
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if number == 1 && is_cut(&line) {
                line.push(b'\n');
                let limit = (MAX_RECORD - line.len().min(MAX_RECORD)) as u64;
                let rest = self.reader.by_ref().take(limit).read_to_end(&mut line);
                rest.map_err(|error| unreadable(&self.name, error))?;
            }
            match wire::from_line(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line)) {
                Ok(measurement) => visit(measurement, Some(number))?,
                Err(error) => left_out(&self.name, number, &error)?,
            }
        }
        Ok(())
    }

    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        whole_line(&mut self.reader).map_err(|error| unreadable(&self.name, error))
    }
}

/// Whether a line is the beginning of a JSON value that goes on below.
fn is_cut(line: &[u8]) -> bool {
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(line);
    parsed.is_err_and(|error| error.is_eof())
}

fn unreadable(name: &str, error: io::Error) -> Trouble {
    Trouble::new(format!("cannot read {name}")).because(error)
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

    #[test]
    fn one_document_over_several_lines_is_one_record() {
        for (text, lines) in [
            ("{\n \"test_name\": \"a\",\n \"test_keys\": {}\n}\n", vec![1]),
            ("{\"test_name\":\"a\"}\n\n{\"test_name\":\"b\"}\nnot a record\n", vec![1, 3]),
        ] {
            let mut seen = Vec::new();
            let records = Records::new("test", Box::new(text.as_bytes()));
            records
                .each(&mut |_, line| {
                    seen.extend(line);
                    Ok(())
                })
                .unwrap();
            assert_eq!(seen, lines, "{text}");
        }
    }
}
