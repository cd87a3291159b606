//! Lines of bounded length: no input decides how much memory is used.

use std::io::{self, BufRead, Read};

/// Reads lines, of which at most `limit` bytes each are kept.
pub(crate) struct Lines<R> {
    reader: R,
    limit: usize,
    number: u64,
}

/// What was found out about the line in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Without the line break, and also of a line that is longer than the limit.
    pub(crate) length: usize,
    /// A line break follows it; always true where the line is longer than the limit.
    pub(crate) ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, number: 0 }
    }

    /// Puts the next line into `buffer`, without its line break; `None` at the end.
    pub(crate) fn next_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Line>> {
        buffer.clear();
        let most = self.limit as u64 + 1;
        let mut length = (&mut self.reader).take(most).read_until(b'\n', buffer)?;
        if length == 0 {
            return Ok(None);
        }
        let mut ended = buffer.last() == Some(&b'\n');
        if ended {
            buffer.pop();
            length -= 1;
        } else if length > self.limit {
            length += self.reader.skip_until(b'\n')?.saturating_sub(1);
            buffer.truncate(self.limit);
            ended = true;
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, length, ended }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_their_length_is_told() {
        let mut lines = Lines::new(&b"abcd\n\nabcde\nabcdefgh\nab"[..], 4);
        let mut buffer = Vec::new();
        for (number, text, length, ended) in [
            (1, "abcd", 4, true),
            (2, "", 0, true),
            (3, "abcd", 5, true),
            (4, "abcd", 8, true),
            (5, "ab", 2, false),
        ] {
            let line = lines.next_into(&mut buffer).unwrap();
            assert_eq!(line, Some(Line { number, length, ended }));
            assert_eq!(buffer, text.as_bytes());
        }
        assert_eq!(lines.next_into(&mut buffer).unwrap(), None);
    }
}
