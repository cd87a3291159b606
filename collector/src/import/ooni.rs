//! OONI's base data format 0.2.0, which is also the format of Kua's own records.

use super::Import;

pub(super) static IMPORT: Import = Import {
    name: "ooni",
    about: "OONI's data format 0.2.0, one JSON object a line; Kua's own records are the same",
    read: kua::wire::from_line,
};
