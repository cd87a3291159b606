//! What is wrong and no campaign: the names under which a report counts it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attribution::Basis;
use crate::verdict::{Judgement, Verdict};

/// One such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Class(&'static str);

/// Those that are no verdict's name.
const OWN: [&str; 8] = [
    "clock-skew",
    "consensus-outlier",
    "dns-redirected",
    "instrument-defect",
    "local",
    "portal",
    "private-pki",
    "site-chose-state-ca",
];

impl Class {
    /// A product at home.
    pub(super) const LOCAL: Self = Self("local");

    /// `None` where nothing is wrong.
    pub(super) fn of(judgement: &Judgement) -> Option<Self> {
        let rests = |on: Basis| judgement.basis.contains(&on);
        Some(Self(match judgement.verdict {
            Verdict::Normal => return None,
            _ if judgement.has("site-chose-state-ca") => "site-chose-state-ca",
            Verdict::Inconclusive if rests(Basis::Session) => "clock-skew",
            Verdict::Inconclusive if rests(Basis::Consensus) => "instrument-defect",
            Verdict::Inconclusive if judgement.has("private-pki") => "private-pki",
            Verdict::Anomaly if rests(Basis::Address) => "dns-redirected",
            Verdict::Anomaly if rests(Basis::Consensus) && rests(Basis::PublicAnchor) => {
                "consensus-outlier"
            }
            Verdict::Intercepted => "portal",
            other => other.as_str(),
        }))
    }

    pub(super) fn as_str(self) -> &'static str {
        self.0
    }

    /// Those that are named also where nothing is in them.
    pub(super) fn always() -> impl Iterator<Item = Self> {
        OWN.into_iter().chain([Verdict::Misconfigured.as_str()]).map(Self)
    }

    fn named(name: &str) -> Option<Self> {
        let verdicts = Verdict::ALL.into_iter().map(Verdict::as_str);
        OWN.into_iter().chain(verdicts).find(|known| *known == name).map(Self)
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::named(&name).ok_or_else(|| D::Error::custom("no class of what is no campaign"))
    }
}
