//! What one root program says of a chain, and by which of its states, for judgements to keep.

use serde::{Serialize, Serializer};
use time::{Date, OffsetDateTime};

use super::{Anchor, History, Refusal, TrustStore};
use crate::chain::KeyHash;

/// What the clients of one root program would have said of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The program's name.
    pub program: String,
    /// The day of the state that was asked.
    #[serde(serialize_with = "day", skip_serializing_if = "Option::is_none")]
    pub state: Option<Date>,
    /// Whether that is the state of the measurement's day.
    pub history: StateOf,
    /// They would have accepted it.
    pub accepts: bool,
    /// The key by which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor_spki_sha256: Option<KeyHash>,
    /// Whose key that is, or what they have against the chain.
    pub why: String,
}

/// Which state of a program was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateOf {
    /// That of the day.
    TheDay,
    /// The oldest that is known, because the day lies before it.
    Later,
    /// The newest that is known, because the day lies after it.
    Earlier,
    /// One of no stated day.
    Undated,
}

impl Answer {
    /// `at` is when the chain was seen.
    pub fn new(
        store: &TrustStore,
        answer: &Result<&Anchor, Refusal>,
        at: Option<OffsetDateTime>,
    ) -> Self {
        let (state, history) = match at.map(|at| (at.date(), store.history(at))) {
            Some((day, History::Known)) => (Some(day), StateOf::TheDay),
            Some((_, History::Before(day))) => (Some(day), StateOf::Later),
            Some((_, History::After(day))) => (Some(day), StateOf::Earlier),
            Some((_, History::Undated)) => (None, StateOf::Undated),
            None => (store.date, StateOf::Undated),
        };
        let (anchor_spki_sha256, why) = match answer {
            Ok(anchor) => (Some(anchor.key_hash), anchor.subject.clone()),
            Err(refusal) => (None, refusal.to_string()),
        };
        let accepts = answer.is_ok();
        Self { program: store.program.clone(), state, history, accepts, anchor_spki_sha256, why }
    }
}

fn day<S: Serializer>(day: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(serializer)
}
