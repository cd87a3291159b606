//! SQL on many machines.
