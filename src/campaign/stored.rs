//! Counts in bytes, so that what was counted once is not counted again.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

use super::{Example, Tally};

impl Tally {
    /// All counts and examples, for [`Tally::from_bytes`]; `None` where memory ends.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_stdvec(self).ok()
    }

    /// What [`Tally::to_bytes`] of this program gave; `None` of other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tally, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(tally)
    }
}

/// An example as a text within: findings are of as many forms as there are detectors.
pub(super) mod text {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        told: &Option<Example>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(told).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Example>, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A moment in nanoseconds since 1970, as text: no number of JSON is as long.
pub(super) mod moment {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        at: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(|at| at.unix_timestamp_nanos().to_string()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let nanos = text.parse().map_err(D::Error::custom)?;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).map(Some).map_err(D::Error::custom)
    }
}
