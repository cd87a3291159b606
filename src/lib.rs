//! Skeleton.
pub mod attribution;
pub mod campaign;
pub mod chain;
pub mod control;
pub mod detect;
pub mod fields;
pub mod measurement;
pub mod moment;
pub mod name;
pub mod path;
pub mod reference;
pub mod signature;
pub mod trust;
pub mod verdict;
pub mod wire;
