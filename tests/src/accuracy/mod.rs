//! How right Kua's judgement is, measured: incidents rebuilt, corpora read, chains made hostile.
//!
//! `make accuracy` prints the report and `tests/accuracy.rs` pins it word for word.

#![allow(clippy::unwrap_used, reason = "what cannot be minted or read ends the measurement")]

mod built;
mod corpora;
mod expected;
mod hostile;
pub mod limbo;
mod loopback;
mod parsers;
mod replay;
mod report;
mod scenario;
mod world;

pub use report::{Report, Section};

use world::World;

/// Measures everything that can be measured here. Corpora that are absent are said to be.
pub fn measure() -> Report {
    let world = World::new();
    let replayed = replay::run(&world);
    let mut sections = vec![replayed.section(), loopback::section(&world, &replayed)];
    sections.push(hostile::section(&world, &replayed));
    sections.push(corpora::section());
    sections.push(limbo::section());
    sections.push(parsers::section());
    sections.push(parsers::authorities());
    sections.push(replayed.table());
    Report { sections }
}
