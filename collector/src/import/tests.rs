//! Files of every kind to records.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kua::wire::MAX_RECORD;
use proptest::prelude::*;

use super::*;

const RECORD: &str = r#"{"test_name":"kua"}"#;

/// Line, text, and whether it was read.
type Seen = Vec<(u64, String, bool)>;

/// What was seen of the files, and how many of them broke off.
fn read(files: &[PathBuf]) -> Result<(Seen, usize), ReadError> {
    let mut seen = Seen::new();
    let broken = read_files(files, IMPORTS[0], |incoming| {
        let raw = String::from_utf8_lossy(incoming.raw).into_owned();
        seen.push((incoming.line, raw, incoming.read.is_ok()));
        Ok::<_, ReadError>(())
    })?;
    Ok((seen, broken.len()))
}

/// What is seen of a file with these bytes, under the names that it and its members have below
/// its directory; and what is said of what broke off.
fn seen(bytes: &[u8]) -> (Vec<(String, String)>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    std::fs::write(&file, bytes).unwrap();
    let mut seen = Vec::new();
    let mut broken = Vec::new();
    let mut reading = Reading::start(vec![Input::new(file)], IMPORTS);
    loop {
        match reading.next(Duration::MAX) {
            Next::Batch(batch) => batch
                .each(|incoming| {
                    let name = incoming.file.strip_prefix(dir.path()).unwrap();
                    let raw = String::from_utf8_lossy(incoming.raw).into_owned();
                    let raw = if incoming.read.is_ok() { raw } else { format!("refused: {raw}") };
                    seen.push((name.display().to_string(), raw));
                    Ok::<_, ()>(())
                })
                .unwrap(),
            Next::Broken(error) => {
                let name = error.file.strip_prefix(dir.path()).unwrap();
                broken.push(format!("{}: {}", name.display(), error.source));
            }
            Next::End => return (seen, broken),
            Next::Ended(_) | Next::Waiting => {}
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packing.write_all(bytes).unwrap();
    packing.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tape = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tape.append_data(&mut header, name, *bytes).unwrap();
    }
    tape.into_inner().unwrap()
}

#[test]
fn inputs_are_read_more_than_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("records.jsonl");
    std::fs::write(&file, format!("{RECORD}\nnothing\n{RECORD}\n")).unwrap();
    let plain = Inputs::new(std::slice::from_ref(&file)).unwrap();
    // As of a pipe: a copy, under the name that it was given.
    let copied =
        Inputs::of(Input { file: "-".into(), at: None, copy: Some(File::open(&file).unwrap()) });
    for (inputs, name) in [(plain, file.as_path()), (copied, Path::new("-"))] {
        for _ in 0..2 {
            let mut seen = Vec::new();
            let broken = inputs.read(IMPORTS[0], |incoming| {
                assert_eq!(incoming.file, name);
                seen.push((incoming.line, incoming.read.is_ok()));
                Ok::<_, ReadError>(())
            });
            assert_eq!(broken.unwrap().len(), 0);
            assert_eq!(seen, [(1, true), (2, false), (3, true)]);
        }
    }
    assert!(Inputs::new(&[dir.path().join("none")]).is_err());
}

#[test]
fn every_line_is_handed_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.jsonl");
    let text = format!("\u{feff}{RECORD}\r\n\n  \nnonsense\n{RECORD}");
    std::fs::write(&file, text).unwrap();
    let expected = vec![
        (1, RECORD.to_owned(), true),
        (4, "nonsense".to_owned(), false),
        (5, RECORD.to_owned(), true),
    ];
    assert_eq!(read(&[file]).unwrap(), (expected, 0));
}

#[test]
fn lines_keep_their_numbers_and_order_over_many_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("many");
    let record = |number: u64| format!(r#"{{"test_name":"{}{number}"}}"#, "x".repeat(3_000));
    let numbers = 1..=2_000;
    let text: Vec<_> = numbers.clone().map(record).collect();
    std::fs::write(&file, text.join("\n")).unwrap();
    let expected: Vec<_> = numbers.map(|number| (number, record(number), true)).collect();
    assert!(read(&[file]).unwrap().0 == expected);
}

#[test]
fn only_a_whole_value_over_several_lines_is_a_document() {
    for (case, text, records) in [
        ("nothing", "", &[][..]),
        ("blank lines", "\n \n", &[]),
        ("one line", "{}\n", &["{}"]),
        ("two lines", "{}\n{}\n", &["{}", "{}"]),
        ("a value over two lines", "{\n}", &["{\n}"]),
        ("a value after a blank line", "\r\n{\r\n}\r\n", &["{\r\n}"]),
        ("a byte order mark", "\u{feff}{\n}", &["{\n}"]),
        ("a torn first line", "{\"a\":\n{}\n", &["{\"a\":", "{}"]),
        ("two values over lines", "{\n}\n{\n}\n", &["{", "}", "{", "}"]),
        ("an array over lines", "[{},\n{\"a\":\n1}]", &["{}", "{\"a\":\n1}"]),
        ("an array in a line", "[{}, {}]\n{}", &["{}", "{}", "{}"]),
        ("an empty array", "[]", &["[]"]),
    ] {
        let (seen, broken) = seen(text.as_bytes());
        let seen: Vec<_> = seen.iter().map(|(_, raw)| raw.replace("refused: ", "")).collect();
        assert_eq!(
            (seen, broken),
            (records.iter().map(|r| (*r).to_owned()).collect(), vec![]),
            "{case}"
        );
    }
}

#[test]
fn what_collectors_were_sent_is_unwrapped() {
    let quoted = serde_json::to_string(RECORD).unwrap();
    for (case, text) in [
        ("an object", format!(r#"{{"format":"json","content": {RECORD} }}"#)),
        ("text", format!(r#"{{"format":"json","content":{quoted},"nym":null}}"#)),
        ("the other order", format!(r#"{{ "content":{RECORD},"format":"json"}}"#)),
    ] {
        assert_eq!(seen(text.as_bytes()).0, [("f".to_owned(), RECORD.to_owned())], "{case}");
    }
    let yaml = format!(r#"{{"format":"yaml","content":{RECORD}}}"#);
    assert!(seen(yaml.as_bytes()).0[0].1.starts_with("refused: "));
}

#[test]
fn members_of_a_tar_are_files_of_their_own() {
    let long = "d/".repeat(70) + "long";
    let lines = format!("{RECORD}\n{RECORD}");
    let document = "{\n\"test_name\":1}";
    let tape = tar(&[
        ("a.json", RECORD.as_bytes()),
        (&long, document.as_bytes()),
        ("b.jsonl.gz", &gzip(lines.as_bytes())),
        ("empty", b""),
        ("c.zst", &zstd(RECORD.as_bytes())),
        ("nested.tar", &tar(&[("x", RECORD.as_bytes())])),
        ("nested.tar.gz", &gzip(&tar(&[("x", RECORD.as_bytes())]))),
        ("twice.gz", &gzip(&gzip(RECORD.as_bytes()))),
        ("bomb.gz", &gzip(&vec![b' '; 32 << 20])),
        ("zip", b"PK\x03\x04"),
        ("last", RECORD.as_bytes()),
    ]);
    for (case, packed) in [("plain", tape.clone()), ("gzip", gzip(&tape)), ("zstd", zstd(&tape))] {
        let (seen, broken) = seen(&packed);
        let seen: Vec<_> = seen.iter().map(|(name, raw)| (name.as_str(), raw.as_str())).collect();
        let [a, (_, of_long), b @ .., last] = &seen[..] else { panic!("{case}: {seen:?}") };
        assert_eq!(*a, ("f/a.json", RECORD), "{case}");
        assert_eq!(*of_long, document, "{case}");
        let of_b = ("f/b.jsonl.gz", RECORD);
        assert_eq!(b, [of_b, of_b, ("f/c.zst", RECORD)], "{case}");
        assert_eq!(*last, ("f/last", RECORD), "{case}");
        let names: Vec<_> = broken.iter().map(|said| said.split(": ").next().unwrap()).collect();
        let expected = ["f/nested.tar", "f/nested.tar.gz", "f/twice.gz", "f/bomb.gz", "f/zip"];
        assert_eq!(names, expected, "{case}: {broken:?}");
    }
}

#[test]
fn a_torn_tar_gives_what_is_whole() {
    let tape = tar(&[("a", RECORD.as_bytes()), ("b", &[b'x'; 2_000]), ("c", RECORD.as_bytes())]);
    for (case, length, records) in [
        ("in the second member", 2_600, 1),
        ("in the second header", 1_200, 1),
        ("after the second", 1_024 + 512 + 2_048, 2),
    ] {
        let (seen, broken) = seen(&tape[..length]);
        let ok = seen.iter().filter(|(_, raw)| raw == RECORD).count();
        assert_eq!(ok, 1, "{case}: {seen:?}");
        assert!(seen.len() <= records, "{case}: {seen:?}");
        assert_eq!(broken.is_empty(), records == 2, "{case}: {broken:?}");
    }
}

#[test]
fn a_pem_file_is_one_record() {
    let root = kua_mint::Authority::root("Root");
    let leaf = root.leaf("a.example");
    let pem = |der: &[u8]| kua::chain::Certificate::from_bytes(der).unwrap().pem();
    let text = format!("subject=a\n{}\n{}", pem(&leaf.certificate), pem(&root.certificate));
    let (seen, _) = seen(text.as_bytes());
    assert_eq!(seen.len(), 1);
    let read = kua::wire::from_record(seen[0].1.as_bytes()).unwrap();
    assert_eq!(read.handshakes[0].chain.as_ref().unwrap().certificates().len(), 2);
    // Where PEM is not asked for, it is lines that are no measurements.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chain.pem");
    std::fs::write(&file, &text).unwrap();
    assert!(self::read(&[file]).unwrap().0.iter().all(|(.., ok)| !ok));
}

#[test]
fn a_broken_file_does_not_keep_the_others_from_being_read() {
    let dir = tempfile::tempdir().unwrap();
    let lines = format!("{RECORD}\n").repeat(50_000);
    let packed = zstd::encode_all(lines.as_bytes(), 0).unwrap();
    let (cut, whole) = (dir.path().join("cut"), dir.path().join("whole"));
    std::fs::write(&cut, &packed[..packed.len() - 3]).unwrap();
    std::fs::write(&whole, RECORD).unwrap();
    let (seen, broken) = read(&[cut, whole]).unwrap();
    assert_eq!(broken, 1);
    assert_eq!(seen.last().map(|(line, ..)| *line), Some(1));
}

#[test]
fn a_missing_file_is_told_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    std::fs::write(&there, RECORD).unwrap();
    assert!(read(&[there, dir.path().join("absent")]).is_err());
    assert!(read(&[dir.path().into()]).is_err());
}

#[test]
fn a_line_above_the_limit_is_refused_and_the_next_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("long");
    for (after, records) in [(format!("\n{RECORD}\n"), 2), (String::new(), 1)] {
        let mut text = vec![b'x'; MAX_RECORD + 5];
        text.extend_from_slice(after.as_bytes());
        std::fs::write(&file, text).unwrap();
        let mut seen = Vec::new();
        read_files(std::slice::from_ref(&file), IMPORTS[0], |incoming| {
            seen.push((incoming.line, incoming.read.map_err(|error| error.to_string()).err()));
            Ok::<_, ReadError>(())
        })
        .unwrap();
        let refusal = format!("line of {} bytes is longer than {MAX_RECORD}", MAX_RECORD + 5);
        assert_eq!(seen, [(1, Some(refusal)), (2, None)][..records]);
    }
}

/// Wherever a block begins that says so, reading may begin: the rest is what followed.
#[test]
fn reading_may_begin_at_any_mark() {
    let lines: Vec<_> = (0..900)
        .map(|number| format!(r#"{{"test_name":"{}{number}"}}"#, "x".repeat(2_000)))
        .collect();
    let lines = lines.join("\n");
    let documents: Vec<_> = (0..50).map(|number| format!("{{\n\"test_name\":{number}}}")).collect();
    let members: Vec<_> = documents.iter().map(|text| ("m", text.as_bytes())).collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    for (case, bytes) in [
        ("lines", lines.clone().into_bytes()),
        ("lines after a mark", format!("\u{feff}{lines}").into_bytes()),
        ("gzip", gzip(lines.as_bytes())),
        ("zstd", zstd(lines.as_bytes())),
        ("tar", tar(&members)),
        ("tar.gz", gzip(&tar(&members))),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let from = |at: Option<Mark>| {
            let mut reading =
                Reading::start(vec![Input { at, ..Input::new(file.clone()) }], &[IMPORTS[0]]);
            let (mut marks, mut seen) = (Vec::new(), Vec::new());
            loop {
                match reading.next(Duration::MAX) {
                    Next::Batch(batch) => {
                        marks.extend(batch.at.map(|at| (at, seen.len())));
                        batch
                            .each(|incoming| {
                                seen.push((incoming.line, incoming.raw.to_vec()));
                                Ok::<_, ()>(())
                            })
                            .unwrap();
                    }
                    Next::End => return (marks, seen),
                    Next::Broken(error) => panic!("{case}: {}", error.source),
                    Next::Ended(_) | Next::Waiting => {}
                }
            }
        };
        let (marks, all) = from(None);
        assert!(marks.len() > 2, "{case}");
        for (mark, before) in marks {
            assert!(from(Some(mark)).1 == all[before..], "{case}: {mark:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        magic in prop_oneof![
            Just(vec![]),
            Just(vec![0x1f, 0x8b, 8]),
            Just(vec![0x28, 0xb5, 0x2f, 0xfd]),
            Just(b"{\n".to_vec()),
            Just(b"[{},".to_vec()),
            Just(b"{\"format\":\"json\",\"content\":".to_vec()),
            Just(tar(&[("a", &b"x"[..])])[..512].to_vec()),
            Just(b"-----BEGIN CERTIFICATE-----\n".to_vec()),
        ],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        seen(&[magic, bytes].concat());
    }
}
