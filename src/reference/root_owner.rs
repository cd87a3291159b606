//! Who owns the roots that programs hold: `roots.csv`, `sha256,owner,country,state,source`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ReferenceError;
use crate::chain::Fingerprint;

/// Who owns a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RootOwner {
    /// The owner's name.
    pub owner: String,
    /// ISO 3166-1 alpha-2, where known.
    pub country: Option<String>,
    /// Whether a state holds it; `None` where no source says so.
    pub state: Option<StateTie>,
    /// Where this is from; `certs/SOURCES.md` explains the word.
    pub source: String,
}

/// How an authority is tied to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateTie {
    /// A ministry, an agency or another public body runs it.
    Government,
    /// A state owns the company that runs it.
    StateOwned,
    /// A state holds less than half of it.
    StateMinority,
}

impl StateTie {
    /// As files and pages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Government => "government",
            Self::StateOwned => "state-owned",
            Self::StateMinority => "state-minority",
        }
    }
}

pub(super) fn parse(
    path: &str,
    text: &str,
) -> Result<BTreeMap<Fingerprint, RootOwner>, ReferenceError> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    rows.deserialize().map(|row| read(path, row)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sha256: String,
    owner: String,
    country: Option<String>,
    state: Option<StateTie>,
    source: String,
}

fn read(
    path: &str,
    row: Result<Row, csv::Error>,
) -> Result<(Fingerprint, RootOwner), ReferenceError> {
    let bad = |reason: String| ReferenceError::BadRootOwner { path: path.into(), reason };
    let Row { sha256, owner, country, state, source } =
        row.map_err(|error| bad(error.to_string()))?;
    let name = sha256.parse().map_err(|_| bad(format!("{sha256:?} is no SHA-256")))?;
    Ok((name, RootOwner { owner, country, state, source }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let hash = "0".repeat(64);
        let parse = |line: &str| {
            parse("roots.csv", &format!("sha256,owner,country,state,source\n{line}\n"))
        };
        let read = parse(&format!("{hash},\"Owner, \"\"the\"\" first\",QZ,state-owned,curated"));
        let owner = read.unwrap().into_values().next().unwrap();
        assert_eq!(owner.owner, "Owner, \"the\" first");
        assert_eq!(
            (owner.country.as_deref(), owner.state),
            (Some("QZ"), Some(StateTie::StateOwned))
        );
        let unknown = parse(&format!("{hash},Owner,,,curated")).unwrap();
        let unknown = unknown.into_values().next().unwrap();
        assert_eq!((unknown.country, unknown.state), (None, None));
        for line in [
            "12,Owner,QZ,,curated".to_owned(),
            format!("{hash},Owner,QZ,curated"),
            format!("{hash},Owner,QZ,king,curated"),
            format!("{hash},\"Owner,QZ,,curated"),
        ] {
            assert!(parse(&line).is_err(), "{line}");
        }
    }
}
