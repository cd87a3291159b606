//! How Kua's reference data is made: the files' layout, and what packages and lists become in them.

pub mod assemble;
pub mod der;
pub mod history;
pub mod layout;
pub mod lists;
pub mod logs;
pub mod packages;
pub mod read;
pub mod refresh;
pub mod reports;
pub mod sources;
pub mod tables;
pub mod text;
