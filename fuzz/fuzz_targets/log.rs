//! Notes, checkpoints, proofs, tiles and receipts of a log, and answers of a collector, from anybody. The
//! first byte chooses the reader.
#![no_main]

use std::sync::LazyLock;

use kua::submission::Acknowledgement;
use kua::tlog::{
    Checkpoint, InclusionProof, Note, SigningKey, Tile, VerifyingKey, bundle, entries,
    verify_consistency, verify_inclusion,
};
use kua_probes::submit::answer;
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_seed("log.example", &[1; 32]).expect("a seed is a key"));

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match choice % 8 {
        0 => {
            let Ok(note) = Note::parse(bytes) else { return };
            assert_eq!(note.to_string().as_bytes(), bytes, "written as it was read");
            assert!(Checkpoint::of(&note, KEY.public()).is_err(), "nobody signs like this key");
        }
        1 => {
            // What the log itself signed.
            let note = KEY.sign(text).to_string();
            drop(Checkpoint::open(note.as_bytes(), KEY.public()));
            if let Ok(read) = Acknowledgement::open(note.as_bytes(), KEY.public()) {
                assert_eq!(read.sign(&KEY).to_string(), note, "written as it was read");
            }
        }
        2 => {
            let Ok(proof) = InclusionProof::parse(bytes) else { return };
            let again = InclusionProof::parse(proof.to_string().as_bytes());
            assert_eq!(again.as_ref(), Ok(&proof), "written and read back");
        }
        3 => {
            let Ok(read) = entries(bytes) else { return };
            assert_eq!(bundle(&read), bytes, "written as it was read");
        }
        4 => {
            let Some(tile) = Tile::at(text) else { return };
            assert_eq!(tile.path(), text, "one path a tile");
            drop(kua::tlog::hashes(tile, bytes));
        }
        5 => {
            let Ok(key) = text.parse::<VerifyingKey>() else { return };
            assert_eq!(key.to_string(), text, "written as it was read");
        }
        6 => {
            // Sizes, then hashes: whatever they are, the checks end.
            let (numbers, rest) = bytes.as_chunks::<8>();
            let [index, size, ..] = numbers else { return };
            let (index, size) = (u64::from_be_bytes(*index), u64::from_be_bytes(*size));
            let path: Vec<_> = rest.iter().chain(bytes).map(|byte| [*byte; 32]).collect();
            drop(verify_inclusion(&[0; 32], index, size, &path, &[1; 32]));
            drop(verify_consistency((index, &[0; 32]), (size, &[1; 32]), &path));
        }
        _ => {
            let Some((status, body)) = bytes.split_first_chunk::<2>() else { return };
            let (after, body) = text.get(2..).and_then(|text| text.split_once('\n')).map_or(
                (None, body),
                |(after, body)| (Some(after), body.as_bytes()),
            );
            let status = u16::from_be_bytes(*status) % 600;
            let now = OffsetDateTime::UNIX_EPOCH;
            drop(answer::read(status, after, body, status % 2 == 0, now));
        }
    }
});
