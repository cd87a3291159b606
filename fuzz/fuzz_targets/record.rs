//! Record lines of anybody: read, written, read again, and judged.
#![no_main]

use std::sync::LazyLock;

use kua::measurement::Measurement;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge;
use kua::wire::{from_line, to_line};
use libfuzzer_sys::fuzz_target;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference::built_in().expect("a test of the library loads it"));

fuzz_target!(|line: &[u8]| {
    let Ok(measurement) = from_line(line) else { return };
    let written = to_line(&measurement);
    let again = from_line(written.as_bytes()).expect("what Kua writes, Kua reads");
    // Of a chain that is not whole, the record that had it knows more than the one written here.
    if measurement.handshakes.iter().all(|shaken| shaken.whole) {
        assert_eq!(again, in_whole_seconds(measurement.clone()));
        assert_eq!(to_line(&again), written);
    }

    let mut beside = Surroundings::of_controls(std::slice::from_ref(&again), &REFERENCE);
    beside.add(&measurement, &REFERENCE);
    for surroundings in [&Surroundings::none(), &beside] {
        let judgements = judge(&measurement, &REFERENCE, surroundings, Some(1));
        assert_eq!(judgements.len(), measurement.handshakes.len().max(1));
    }
});

/// Records are written with whole seconds; foreign ones may have finer ones.
fn in_whole_seconds(mut measurement: Measurement) -> Measurement {
    let started = measurement.started;
    measurement.started = started.and_then(|started| started.replace_nanosecond(0).ok());
    measurement
}
