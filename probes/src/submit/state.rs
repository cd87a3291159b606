//! What is remembered of a collector between runs.

use serde::{Deserialize, Serialize};

use super::pace::Pace;

/// What is remembered of a collector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Where it is.
    pub(super) url: String,
    /// The key of its log: the one named on the command line, else the first that it showed. From then
    /// on nothing counts as acknowledged without a signature by it.
    pub(super) key: Option<String>,
    /// The newest checkpoint of its log that was checked.
    pub(super) checkpoint: Option<String>,
    /// How it failed lately.
    #[serde(default)]
    pub(super) pace: Pace,
    /// Whether it does not take compressed records.
    #[serde(default)]
    pub(super) uncompressed: bool,
    /// The record that was tried last and stayed: the next round begins after it, so that one that is
    /// never answered does not hold up the others.
    #[serde(default)]
    pub(super) after: Option<String>,
}
