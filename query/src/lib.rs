//! SQL over an archive.
