//! Measures: resolves, connects, shakes hands, and keeps what was seen before anyone judges it.
//!
//! No measurement sends application data, and nothing here gives an opinion: a failed step is a
//! value of [`kua::measurement`], never an `Err`.

pub mod download;
pub mod family;
pub mod https;
pub mod machine;
pub mod resolver;
pub mod route;
pub mod steps;
pub mod submit;
pub mod suite;
pub mod target;

#[cfg(test)]
mod loopback;

/// How many addresses of each family of a name are connected to; the others are recorded in the
/// answer to the query and left alone.
pub const MAX_ADDRESSES: usize = 4;
