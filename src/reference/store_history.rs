//! A root program's anchors over the years: `stores/<program>.toml`, which names the certificates of
//! `roots.pem`.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::store_pem::{day, decoded};
use super::{Holds, ReferenceError};
use crate::chain::{Certificate, Fingerprint};
use crate::trust::{Anchor, Distrust, TrustStore};

/// A program's history whose certificates are still to be found.
#[derive(Debug)]
pub(super) struct Listed {
    path: String,
    written: Written,
}

pub(super) fn parse(path: &str, text: &str) -> Result<Listed, ReferenceError> {
    let written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    Ok(Listed { path: path.into(), written })
}

impl Listed {
    /// The day of its newest state, as it states it.
    pub(super) fn date(&self) -> Option<String> {
        Some(self.written.date.clone())
    }

    /// What the file holds, for people.
    pub(super) fn holds(&self) -> Holds {
        let held = self.written.anchor.iter().filter(|anchor| anchor.until.is_none());
        let what = format!("what {} trusts", self.written.program);
        let known_since = self.written.known_since.as_deref().and_then(|text| day(text).ok());
        Holds { known_since, ..Holds::new(what, held.count(), "roots") }
    }

    /// The store, with the certificates that it names.
    pub(super) fn store(
        self,
        roots: &BTreeMap<Fingerprint, Certificate>,
    ) -> Result<TrustStore, ReferenceError> {
        let (path, written) = (self.path.as_str(), self.written);
        let bad = |reason: String| ReferenceError::BadHistory { path: path.into(), reason };
        let optional = |text: &Option<String>| text.as_deref().map(day).transpose().map_err(bad);
        let mut anchors = Vec::with_capacity(written.anchor.len());
        for (index, listed) in written.anchor.iter().enumerate() {
            let name = listed.sha256.as_str();
            let fingerprint: Fingerprint =
                name.parse().map_err(|_| bad(format!("{name:?} is no SHA-256")))?;
            let certificate = roots
                .get(&fingerprint)
                .ok_or_else(|| bad(format!("{name} is not in roots.pem")))?;
            let unusable = |error: webpki::Error| ReferenceError::BadAnchor {
                path: path.into(),
                index,
                reason: error.to_string(),
            };
            let mut anchor = Anchor::of(certificate).map_err(unusable)?;
            if let Some(imposed) = &listed.name_constraints {
                anchor = anchor.constrained(decoded(imposed).map_err(bad)?);
            }
            anchor.from = optional(&listed.from)?;
            anchor.until = optional(&listed.until)?;
            anchor.tls_known = match listed.tls.as_deref() {
                None => true,
                Some("unknown") => false,
                Some(other) => return Err(bad(format!("{name}: tls = {other:?}"))),
            };
            anchor.distrust = Distrust {
                issued_after: optional(&listed.issued_after)?,
                sct_after: listed.sct_after.as_deref().map(moment).transpose().map_err(bad)?,
            };
            anchors.push(anchor);
        }
        if anchors.is_empty() {
            return Err(bad("it names no root".into()));
        }
        let mut store = TrustStore::new(written.program, anchors);
        store.date = Some(day(&written.date).map_err(bad)?);
        store.known_since = optional(&written.known_since)?;
        if store.known_since > store.date {
            return Err(bad("it is known since a day after its newest state".into()));
        }
        store.note = written.note;
        store.own = false;
        Ok(store)
    }
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|error| format!("{text:?} is not a moment: {error}"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    program: String,
    date: String,
    known_since: Option<String>,
    #[serde(default)]
    note: String,
    /// For readers: from which states the history was read.
    #[serde(default)]
    #[allow(dead_code, reason = "checked for its form, and told to readers of the file")]
    snapshot: Vec<Snapshot>,
    #[serde(default)]
    anchor: Vec<WrittenAnchor>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "checked for its form, and told to readers of the file")]
struct Snapshot {
    date: String,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnchor {
    sha256: String,
    from: Option<String>,
    until: Option<String>,
    tls: Option<String>,
    name_constraints: Option<String>,
    issued_after: Option<String>,
    sct_after: Option<String>,
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, NOW, Template};
    use time::Date;
    use time::macros::date;

    use super::*;
    use crate::chain::Chain;
    use crate::trust::{History, Refusal};

    fn roots(authorities: &[&Authority]) -> BTreeMap<Fingerprint, Certificate> {
        let read = |authority: &&Authority| Certificate::from_bytes(&authority.certificate);
        let read = authorities.iter().map(read).map(Result::unwrap);
        read.map(|certificate| (certificate.fingerprint(), certificate)).collect()
    }

    fn text(root: &Authority, more: &str) -> String {
        let name = Certificate::from_bytes(&root.certificate).unwrap().fingerprint();
        format!(
            "program = \"Program\"\ndate = \"2026-10-23\"\nknown_since = \"2016-01-01\"\n\
             [[anchor]]\nsha256 = \"{name}\"\n{more}\n"
        )
    }

    #[test]
    fn the_state_of_the_day_counts() {
        let root = Authority::root("Root");
        let leaf = Template::leaf(&["example.com"]).valid(0, 4_000_000_000);
        let leaf = root.leaf_with(&Key::ecdsa_p256(), leaf).certificate;
        let chain = Chain::from_der([leaf]).unwrap();
        let held = "from = \"2018-03-01\"\nuntil = \"2022-12-07\"";
        let noon = |day: Date| day.with_hms(12, 0, 0).unwrap().assume_utc();
        for (case, more, day, accepted) in [
            ("always held", "", date!(2020 - 01 - 01), true),
            ("always held, before the oldest state", "", date!(2011 - 01 - 01), true),
            ("always held, after the newest state", "", date!(2030 - 01 - 01), true),
            ("before it came", held, date!(2018 - 02 - 28), false),
            ("on the day it may have come", held, date!(2018 - 03 - 01), true),
            ("while held", held, date!(2020 - 01 - 01), true),
            ("on the day it was gone", held, date!(2022 - 12 - 07), false),
            ("after", held, date!(2030 - 01 - 01), false),
            ("before the oldest state", held, date!(2011 - 01 - 01), false),
        ] {
            let store = parse("stores/p.toml", &text(&root, more)).unwrap();
            let store = store.store(&roots(&[&root])).unwrap();
            let answer = store.accepts(&chain, "example.com", Some(noon(day)));
            assert_eq!(answer.is_ok(), accepted, "{case}: {answer:?}");
        }
        let store = parse("stores/p.toml", &text(&root, "")).unwrap();
        let store = store.store(&roots(&[&root])).unwrap();
        for (day, history) in [
            (date!(2011 - 01 - 01), History::Before(date!(2016 - 01 - 01))),
            (date!(2016 - 01 - 01), History::Known),
            (date!(2026 - 10 - 24), History::After(date!(2026 - 10 - 23))),
        ] {
            assert_eq!(store.history(noon(day)), history);
        }
    }

    #[test]
    fn what_a_program_asks_of_leaves_under_a_root() {
        let root = Authority::root("Root");
        let leaf = root.leaf("example.com").certificate;
        let chain = Chain::from_der([leaf]).unwrap();
        let at = OffsetDateTime::from_unix_timestamp(NOW).ok();
        let answer = |more: &str| {
            let store = parse("stores/p.toml", &text(&root, more)).unwrap();
            let store = store.store(&roots(&[&root])).unwrap();
            store.accepts(&chain, "example.com", at).map(|_| ()).err()
        };
        assert_eq!(answer("issued_after = \"2124-11-30\""), None);
        assert!(matches!(
            answer("issued_after = \"1999-11-30\""),
            Some(Refusal::Distrusted { .. })
        ));
        // It carries no SCT at all.
        assert!(matches!(
            answer("sct_after = \"2124-11-11T23:59:59Z\""),
            Some(Refusal::Distrusted { .. })
        ));
        assert!(matches!(answer("tls = \"unknown\""), Some(Refusal::PurposeUnknown { .. })));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let root = Authority::root("Root");
        for (more, known) in [
            ("", false),
            ("from = \"yesterday\"", true),
            ("tls = \"perhaps\"", true),
            ("name_constraints = \"!\"", true),
            ("sct_after = \"2024-11-11\"", true),
            ("colour = \"blue\"", true),
            ("[[anchor]]\nsha256 = \"12\"", true),
        ] {
            let known = if known { roots(&[&root]) } else { BTreeMap::new() };
            let read = parse("stores/p.toml", &text(&root, more));
            assert!(read.and_then(|listed| listed.store(&known)).is_err(), "{more}");
        }
        let nothing = parse("stores/p.toml", "program = \"P\"\ndate = \"2026-01-01\"\n").unwrap();
        assert!(nothing.store(&BTreeMap::new()).is_err());
    }
}
