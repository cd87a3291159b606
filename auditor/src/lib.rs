//! Turns judged measurements into reports that a reader can check.

pub mod report;
