//! One reader for each source of a block list.

pub mod chromium;
pub mod onecrl;
pub mod refused;
