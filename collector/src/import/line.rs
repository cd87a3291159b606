//! A record to a line that an import reads back byte for byte.

use std::borrow::Cow;

use kua::wire::MAX_RECORD;
use memchr::memchr;
use serde_json::json;

use super::records::is_wrapping;

/// The line of a record, without its break: the record itself, or, where an import would take that
/// for something else, the record in the envelope that OONI's collectors are sent. `None` where
/// there is no such line: it would be longer than [`MAX_RECORD`], or has no UTF-8 to be enveloped.
pub fn line_of(record: &[u8]) -> Option<Cow<'_, [u8]>> {
    let line = if stands_alone(record) {
        Cow::Borrowed(record)
    } else {
        let content = str::from_utf8(record).ok()?;
        Cow::Owned(json!({"format": "json", "content": content}).to_string().into_bytes())
    };
    (line.len() <= MAX_RECORD).then_some(line)
}

fn stands_alone(record: &[u8]) -> bool {
    memchr(b'\n', record).is_none() && !record.ends_with(b"\r") && !is_wrapping(record)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::import::{IMPORTS, ReadError, read_files};

    fn read_back(lines: &[u8]) -> Vec<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let file: PathBuf = dir.path().join("records.jsonl");
        std::fs::write(&file, lines).unwrap();
        let mut read = Vec::new();
        let broken = read_files(&[file], IMPORTS[0], |incoming| {
            read.push(incoming.raw.to_vec());
            Ok::<_, ReadError>(())
        });
        assert!(broken.unwrap().is_empty());
        read
    }

    /// A measurement as somebody may have written it.
    fn record() -> impl Strategy<Value = String> {
        let space = prop::collection::vec(prop::sample::select(vec![" ", "\t", "\r", "\n"]), 0..3)
            .prop_map(|parts| parts.concat());
        let text = "[a-zA-Z\\\\\"\u{e9}\u{1f}\r\n\u{2028} {}\\[\\]]{0,12}";
        let first = prop::sample::select(vec![
            "",
            "\"format\":\"json\",",
            "\"content\":\"{}\",",
            "\"format\":\"json\",\"content\":{},",
        ]);
        (space.clone(), space.clone(), space, text, first).prop_map(
            |(before, within, after, text, first)| {
                format!("{before}{{{first}{within}\"test_name\":{}}}{after}", json!(text))
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(records in prop::collection::vec(record(), 0..6)) {
            let mut lines = Vec::new();
            for record in &records {
                lines.extend_from_slice(&line_of(record.as_bytes()).unwrap());
                lines.push(b'\n');
            }
            let records: Vec<_> = records.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(read_back(&lines), records);
        }
    }

    #[test]
    fn most_records_are_their_line() {
        for (record, expected) in [
            (r#"{"test_name":"kua"}"#, r#"{"test_name":"kua"}"#),
            (
                r#" {"format":"kua.pem/1","certificates":[]}"#,
                r#" {"format":"kua.pem/1","certificates":[]}"#,
            ),
            ("{\n}", r#"{"content":"{\n}","format":"json"}"#),
            ("{}\r", r#"{"content":"{}\r","format":"json"}"#),
            (
                r#"{"format":"json","content":{}}"#,
                r#"{"content":"{\"format\":\"json\",\"content\":{}}","format":"json"}"#,
            ),
        ] {
            let line = line_of(record.as_bytes()).unwrap();
            assert_eq!(str::from_utf8(&line), Ok(expected));
        }
        assert_eq!(line_of(b"{\"\xff\":\n1}"), None);
        assert_eq!(line_of(b"{\"\xff\":1}").unwrap(), b"{\"\xff\":1}".as_slice());
        assert_eq!(line_of(&vec![b' '; MAX_RECORD + 1]), None);
    }
}
