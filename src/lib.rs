//! Skeleton.
pub mod chain;
pub mod fields;
pub mod measurement;
pub mod name;
pub mod path;
pub mod reference;
pub mod signature;
pub mod trust;
pub mod wire;
