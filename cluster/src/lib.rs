//! SQL over an archive's tables on many machines: Ballista's scheduler and executors as Kua starts them, and
//! a client that takes no answer for whole unless it is.
//!
//! Ballista checks nobody: whoever reaches a scheduler or an executor can read what it can read and run
//! queries there. They listen on loopback unless told that their network is trusted.

mod answer;
mod client;
mod codec;
mod error;
mod executor;
mod listen;
mod ready;
mod scheduler;
mod session;
mod stores;

pub use answer::Answer;
pub use client::{Client, Patience};
pub use error::ClusterError;
pub use executor::{ExecutorOptions, execute};
pub use listen::Listen;
pub use scheduler::{SchedulerOptions, schedule};
