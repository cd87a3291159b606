//! Keeps: measurements, certificates and tables, in a directory or an object store, byte for byte.

pub mod tables;
