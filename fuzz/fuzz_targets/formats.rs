//! Records of every format, and PEM files: read, written in Kua's own, and judged without a panic.
#![no_main]

use std::sync::LazyLock;

use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge;
use kua::wire::{FORMATS, Reader, from_line, from_record, to_line};
use libfuzzer_sys::fuzz_target;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference::built_in().expect("a test of the library loads it"));

fuzz_target!(|bytes: &[u8]| {
    for text in FORMATS.iter().filter_map(|format| format.text) {
        if let Ok(record) = (text.to_record)(bytes) {
            from_record(&record).expect("what is made of a file is a record");
        }
    }
    let once = from_record(bytes);
    let mut reader = Reader::of_any_format();
    for _ in 0..2 {
        // What is remembered changes nothing.
        assert_eq!(reader.read(bytes).ok(), once.as_ref().ok().cloned());
    }
    let Ok(measurement) = once else { return };
    let written = to_line(&measurement);
    from_line(written.as_bytes()).expect("what Kua writes, Kua reads");
    judge(&measurement, &REFERENCE, &Surroundings::none(), Some(1));
});
