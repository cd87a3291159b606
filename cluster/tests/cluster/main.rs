//! A scheduler and executors on loopback: the same rows as the embedded engine, and never a wrong or short answer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod archive;
mod command;
mod lost;
mod machines;
mod programs;
mod rows;
mod same;
mod words;
