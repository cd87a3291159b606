//! How Kua's reference data is made: the files' layout, and what packages and lists become in them.

pub mod layout;
pub mod logs;
pub mod read;
pub mod refresh;
pub mod reports;
pub mod text;
