//! What is written is read, and damage stays where it is.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Encoder, Reader, is_whole};
use crate::{Damage, Receipt, RecordHash};

/// A segment of records of these lengths; they do not compress.
fn segment(lengths: &[usize]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut encoder = Encoder::new(Encoder::FAST).unwrap();
    let mut seed = 1u64;
    let mut record = |length: &usize| {
        let mut byte = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            b' ' + ((seed >> 40) % 90) as u8
        };
        std::iter::repeat_with(&mut byte).take(*length).collect::<Vec<_>>()
    };
    let records: Vec<_> = lengths.iter().map(&mut record).collect();
    for record in &records {
        let receipt = Receipt { uid: Some("a b".into()), ..Receipt::default() };
        let receipt = (record.len() % 2 == 0).then_some(&receipt);
        encoder.push(RecordHash::of(record), receipt, record).unwrap();
    }
    assert_eq!(encoder.records(), records.len() as u64);
    (records, encoder.finish().unwrap().to_vec())
}

/// The records that are served whole, and what is damaged.
fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Damage>) {
    let mut reader = Reader::of_bytes("s", Bytes::copy_from_slice(bytes)).unwrap();
    let (mut records, mut damages) = (Vec::new(), Vec::new());
    while let Some(line) = reader.next_line().unwrap() {
        match line {
            Ok(line) => {
                let raw = line.with_line_feeds();
                assert_eq!(RecordHash::of(&raw), line.hash);
                assert_eq!(line.receipt().unwrap().is_some(), raw.len() % 2 == 0);
                records.push(raw);
            }
            Err(damage) => damages.push(damage),
        }
    }
    (records, damages)
}

const MIB: usize = 1 << 20;

#[test]
fn any_lengths_come_back() {
    for lengths in [&[][..], &[0], &[5, 0, 7], &[3 * MIB, 2 * MIB, 10], &[10, 9 * MIB, 10]] {
        let (records, bytes) = segment(lengths);
        let (read, damages) = read(&bytes);
        assert!(read == records && damages.is_empty(), "{lengths:?}: {damages:?}");
        assert!(is_whole(&bytes), "{lengths:?}");
        let footer = bytes.windows(8).rposition(|eight| eight == b"{\"record");
        assert!(bytes[footer.unwrap()..].starts_with(super::footer::BEGIN), "{lengths:?}");
    }
}

#[test]
fn zstd_gives_the_text() {
    let (records, bytes) = segment(&[5, 4 * MIB, 7]);
    let text = zstd::decode_all(&bytes[..]).unwrap();
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 4);
    for (line, record) in lines.iter().zip(&records) {
        assert!(line.starts_with(RecordHash::of(record).to_string().as_bytes()));
        assert!(line.ends_with(record));
    }
}

#[test]
fn line_feeds_come_back() {
    let raw = b"{\n \"a\": 1\n}";
    let mut encoder = Encoder::new(Encoder::SMALL).unwrap();
    encoder.push(RecordHash::of(raw), None, raw).unwrap();
    let mut reader = Reader::of_bytes("s", encoder.finish().unwrap()).unwrap();
    let line = reader.next_line().unwrap().unwrap().unwrap();
    assert_eq!((&line.with_line_feeds()[..], line.text.contains(&b'\n')), (&raw[..], false));
}

/// Three frames of one record each, and where they end.
fn three_frames() -> (Vec<Vec<u8>>, Vec<u8>, [usize; 3]) {
    let (records, bytes) = segment(&[3 * MIB, 3 * MIB, 3 * MIB]);
    let footer = super::footer::Footer::at_end_of(&bytes, bytes.len() as u64).unwrap();
    let ends: Vec<_> = footer.frames.iter().map(|frame| frame.end() as usize).collect();
    (records, bytes, ends.try_into().unwrap())
}

#[test]
fn a_flipped_bit_is_named_and_the_rest_is_served() {
    let (records, bytes, [first, second, third]) = three_frames();
    for (case, at, lost) in [
        ("magic of the first frame", 0, Some(0)),
        ("header of the first frame", 6, Some(0)),
        ("block header of the second frame", first + 10, Some(1)),
        ("text of the second frame", (first + second) / 2, Some(1)),
        ("checksum of the last frame", third - 1, Some(2)),
        ("magic of the footer", third, None),
        ("length of the footer", third + 5, None),
        ("text of the footer", third + 20, None),
        ("check of the footer", bytes.len() - 10, None),
        ("last byte", bytes.len() - 1, None),
    ] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(!is_whole(&flipped), "{case}");
        let (read, damages) = read(&flipped);
        let expected: Vec<_> = (0..3).filter(|at| Some(*at) != lost).collect();
        let served: Vec<_> =
            read.iter().map(|raw| records.iter().position(|r| r == raw).unwrap()).collect();
        assert_eq!(served, expected, "{case}: {damages:?}");
        match (lost, &damages[..]) {
            (Some(_), [Damage::Frame { records: Some(1), .. }]) => {}
            (None, [Damage::Footer { .. }]) => {}
            other => panic!("{case}: {other:?}"),
        }
    }
}

#[test]
fn frame_and_footer_damaged_together() {
    let (records, bytes, [first, second, _]) = three_frames();
    let mut flipped = bytes.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    for at in [first, first + 7, (first + second) / 2] {
        let mut flipped = flipped.clone();
        flipped[at] ^= 1;
        let (read, damages) = read(&flipped);
        assert!(read == [&records[0][..], &records[2][..]], "byte {at}: {damages:?}");
        let frames = damages.iter().filter(|d| matches!(d, Damage::Frame { .. })).count();
        assert!(
            frames >= 1 && matches!(damages.last(), Some(Damage::Footer { .. })),
            "{damages:?}"
        );
    }
}

#[test]
fn a_file_that_is_cut_gives_its_whole_frames() {
    let (records, bytes, [first, second, third]) = three_frames();
    for (case, end, whole) in [
        ("empty", 0, 0),
        ("within the first frame", first / 2, 0),
        ("after the first frame", first, 1),
        ("within the second frame", second - 1, 1),
        ("before the footer", third, 3),
        ("within the footer's header", third + 4, 3),
        ("within the footer", bytes.len() - 1, 3),
    ] {
        let (read, damages) = read(&bytes[..end]);
        assert!(read == records[..whole], "{case}: {damages:?}");
        assert!(matches!(damages.last(), Some(Damage::Footer { .. })), "{case}: {damages:?}");
        assert!(!is_whole(&bytes[..end]), "{case}");
    }
}

#[test]
fn lines_that_are_none() {
    for line in [
        &b""[..],
        b"abc",
        &[b'a'; 65],
        &[&[b'a'; 64][..], b" -"].concat(),
        &[&[b'g'; 64][..], b" - {}"].concat(),
        &[&[b'a'; 64][..], b" ", &[b'x'; 70_000], b" {}"].concat(),
    ] {
        assert!(matches!(super::Line::read(line), Err(Damage::NoHash)));
    }
    let line = [&[b'a'; 64][..], b" {} "].concat();
    assert_eq!(super::Line::read(&line).unwrap().text, b"");
}

proptest! {
    #[test]
    fn anything_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        read_all(&bytes);
    }

    #[test]
    fn any_part_of_a_segment_may_be_other_bytes(
        at in 0usize..5000,
        other in proptest::collection::vec(any::<u8>(), 0..40),
        end in 0usize..5000,
    ) {
        let (_, mut bytes) = segment(&[100, 300, 2000]);
        let at = at.min(bytes.len());
        let until = (at + other.len()).min(bytes.len());
        bytes.splice(at..until, other);
        bytes.truncate(end.max(at));
        read_all(&bytes);
    }
}

fn read_all(bytes: &[u8]) {
    if let Ok(mut reader) = Reader::of_bytes("s", Bytes::copy_from_slice(bytes)) {
        while let Ok(Some(_)) = reader.next_line() {}
    }
}
