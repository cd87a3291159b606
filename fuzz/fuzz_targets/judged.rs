//! What is stored of judgements, by anybody who can write into an archive: what was seen, what counts
//! alike, and the table.
#![no_main]

use kua::campaign::{Position, Shape};
use kua::surroundings::Surroundings;
use kua_archive::tables::judgements::each;
use kua_archive::tables::TableError;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(around) = Surroundings::from_bytes(bytes) {
        // Numbers and maps may be written in more than one way: what was read is written in one.
        let written = around.to_bytes().expect("what was read can be written");
        let again = Surroundings::from_bytes(&written).expect("what was written can be read");
        assert_eq!(again.to_bytes().ok(), Some(written));
    }
    if let Some(shape) = Shape::from_bytes(bytes) {
        assert_eq!(Shape::from_bytes(&shape.to_bytes()).as_ref(), Some(&shape));
        let _ = (shape.id(), shape.class());
    }
    if let Some(position) = Position::from_bytes(bytes) {
        assert_eq!(position.to_bytes(), bytes);
    }
    let _ = each(bytes.to_vec().into(), |told| {
        drop(told);
        Ok::<_, TableError>(())
    });
});
