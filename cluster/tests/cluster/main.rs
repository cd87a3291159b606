//! A scheduler and executors on loopback: the same rows as the embedded engine, and never a wrong or short answer.

mod archive;
mod command;
mod lost;
mod machines;
mod rows;
mod same;
mod words;
