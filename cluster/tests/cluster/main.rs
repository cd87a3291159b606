//! A scheduler and executors on loopback: the same rows as the embedded engine, and never a wrong or short answer.

mod archive;
#[path = "shim.rs"]
mod kua_tests_shim;
mod lost;
mod machines;
mod rows;
mod same;
mod words;
use kua_tests_shim::{Peer, free_port, repository, skipped, wait_for};
#[path = "../../../tests/src/s3.rs"]
mod s3;
mod kua_tests {
    pub use crate::kua_tests_shim::*;
    pub mod s3 {
        pub use crate::s3::Server;
    }
}
