//! Files of an archive, with any bytes in them: a segment, a manifest.
#![no_main]

use kua_archive::Manifest;
use kua_archive::segment::{Encoder, Reader, is_whole};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(manifest) = Manifest::from_text(bytes) {
        assert_eq!(Manifest::from_text(manifest.to_text().as_bytes()), Some(manifest));
    }
    let lines = lines(bytes);
    if is_whole(bytes) {
        let mut encoder = Encoder::new(Encoder::FAST).expect("there is memory");
        for (hash, receipt, text) in &lines {
            let line = kua_archive::segment::Line { hash: *hash, receipt, text };
            encoder.push_line(line).expect("there is memory");
        }
        let again = encoder.finish().expect("there is memory");
        assert_eq!(self::lines(&again), lines, "what is read is written");
    }
});

type Owned = (kua_archive::RecordHash, Vec<u8>, Vec<u8>);

/// The lines that are served.
fn lines(bytes: &[u8]) -> Vec<Owned> {
    let mut lines = Vec::new();
    let reader = Reader::of_bytes("raw/segment.zst", bytes.to_vec().into());
    let Ok(mut reader) = reader else { return lines };
    while let Ok(Some(line)) = reader.next_line() {
        if let Ok(line) = line {
            let _ = line.receipt();
            lines.push((line.hash, line.receipt.to_vec(), line.text.to_vec()));
        }
    }
    lines
}
