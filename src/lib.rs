//! Judges presented TLS chains: who intercepts, with which key, on what evidence.
//!
//! **Measure, keep, judge, tell.** This library is the judgement. A probe records a
//! [`Measurement`](measurement::Measurement) with the presented [`Chain`](chain::Chain), byte for
//! byte; [`wire`] reads and writes it as one line. A [`Reference`](reference::Reference) holds what
//! chains are compared with, and [`Surroundings`](surroundings::Surroundings) what else was seen.
//! [`judge`](verdict::judge) asks every [detector](detect::DETECTORS)
//! and reasons from their findings to one [`Judgement`](verdict::Judgement) for each handshake. A
//! [`Tally`](campaign::Tally) folds judgements into campaigns.
//!
//! Values and pure functions only: no input or output, no clock, no async, no SQL. The same record
//! and the same reference give the same judgement for ever.
//!
//! ```
//! use kua::{reference::Reference, surroundings::Surroundings, verdict, wire};
//!
//! let line = br#"{"test_name": "kua", "test_keys": {"tls_handshakes": [
//!     {"server_name": "example.com", "failure": "connection_reset"}]}}"#;
//! let measurement = wire::from_line(line)?;
//! let reference = Reference::built_in()?;
//! let judgements = verdict::judge(&measurement, &reference, &Surroundings::none(), Some(1));
//! assert_eq!(judgements[0].verdict, verdict::Verdict::Inconclusive);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod attribution;
pub mod blocklist;
pub mod browser;
pub mod campaign;
pub mod chain;
pub mod control;
pub mod ct;
pub mod detect;
pub mod family;
pub mod forgery;
pub mod intake;
pub mod measurement;
pub mod memory;
pub mod moment;
pub mod path;
pub mod reference;
pub mod sighting;
pub mod signature;
pub mod submission;
pub mod surroundings;
pub mod tlog;
pub mod trust;
pub mod verdict;
pub mod wire;
