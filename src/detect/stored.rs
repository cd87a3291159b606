//! Findings read again: of the detectors of this program only, whose words are not foreign text.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{DETECTORS, Explanation, Finding, Level, State};

#[derive(Deserialize)]
struct Written {
    detector: String,
    level: Level,
    evidence: Map<String, Value>,
    innocent: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    cause: String,
    #[serde(flatten)]
    state: State,
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(from)?;
        let mut detectors = DETECTORS.iter();
        let detector = detectors.find(|detector| detector.id == written.detector);
        let detector = detector.ok_or_else(|| D::Error::custom("no detector has this name"))?;
        let innocent = written.innocent.into_iter().map(|cause| {
            let mut causes = detector.innocent.iter().map(|cause| cause.words());
            let known = causes.find(|words| *words == cause.cause);
            let known = known.ok_or_else(|| D::Error::custom("it has no such innocent cause"))?;
            Ok(Explanation { cause: known, state: cause.state })
        });
        Ok(Self {
            detector: detector.id,
            level: written.level,
            claim: detector.claim,
            evidence: written.evidence,
            innocent: innocent.collect::<Result<_, D::Error>>()?,
        })
    }
}
