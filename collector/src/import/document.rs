//! One JSON document over several lines, as people save a measurement that they look at.

use std::io::{self, BufRead, Read};

use kua::wire::MAX_RECORD;
use serde::de::IgnoredAny;

/// How a file begins.
pub(super) enum Beginning {
    /// The whole file is one document, which starts on the line with this number.
    Document(u64, Vec<u8>),
    /// Lines; these bytes were read already.
    Lines(Vec<u8>),
}

/// Reads as far as needed to tell a document from lines: the first line that is not blank, and
/// where that is only the beginning of a JSON value, the file, up to [`MAX_RECORD`].
pub(super) fn beginning(reader: &mut impl BufRead) -> io::Result<Beginning> {
    let mut head = Vec::new();
    let mut number = 0;
    let line = loop {
        let start = head.len();
        let room = (MAX_RECORD - start) as u64;
        if reader.by_ref().take(room).read_until(b'\n', &mut head)? == 0 {
            return Ok(Beginning::Lines(head));
        }
        number += 1;
        if number == 1 && head.starts_with(b"\xef\xbb\xbf") {
            head.drain(..3);
        }
        if !head[start..].trim_ascii().is_empty() {
            break start;
        }
    };
    if !is_cut_short(&head[line..]) {
        return Ok(Beginning::Lines(head));
    }
    reader.by_ref().take((MAX_RECORD - head.len()) as u64).read_to_end(&mut head)?;
    if head.len() < MAX_RECORD && serde_json::from_slice::<IgnoredAny>(&head).is_ok() {
        return Ok(Beginning::Document(number, head.trim_ascii().to_vec()));
    }
    Ok(Beginning::Lines(head))
}

fn is_cut_short(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_value_over_several_lines_is_a_document() {
        for (case, text, document) in [
            ("nothing", "", None),
            ("blank lines", "\n \n", None),
            ("one line", "{}\n", None),
            ("two lines", "{}\n{}\n", None),
            ("a value over two lines", "{\n}", Some((1, "{\n}"))),
            ("a value after a blank line", "\r\n{\r\n}\r\n", Some((2, "{\r\n}"))),
            ("a byte order mark", "\u{feff}[\n]", Some((1, "[\n]"))),
            ("a torn first line", "{\"a\":\n{}\n", None),
            ("two values over lines", "{\n}\n{\n}\n", None),
        ] {
            let mut reader = text.as_bytes();
            match beginning(&mut reader).unwrap() {
                Beginning::Document(number, read) => {
                    assert_eq!(document, Some((number, str::from_utf8(&read).unwrap())), "{case}");
                }
                Beginning::Lines(head) => {
                    assert_eq!(document, None, "{case}");
                    assert_eq!([&head, reader].concat(), text.as_bytes(), "{case}");
                }
            }
        }
    }
}
