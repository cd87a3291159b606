//! Files of anybody: packed, tar, lines, documents.
#![no_main]

use std::io::Write;
use std::time::Duration;

use import::{IMPORTS, Input, Next, Reading};
use libfuzzer_sys::fuzz_target;

// Not as a dependency: the collector's crate brings an SQL engine along.
#[allow(dead_code, unused_imports, reason = "a part of what the collector uses")]
#[path = "../../collector/src/import/mod.rs"]
mod import;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    let mut reading = Reading::start(vec![Input::new(file.path().into())], IMPORTS);
    loop {
        match reading.next(Duration::MAX) {
            Next::Batch(batch) => batch
                .each(|incoming| {
                    assert!(incoming.line > 0);
                    Ok::<_, ()>(())
                })
                .expect("it never fails"),
            Next::End => return,
            Next::Broken(_) | Next::Ended(_) | Next::Waiting => {}
        }
    }
});
