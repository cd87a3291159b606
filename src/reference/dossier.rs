//! One interceptor, its keys and what is known of it: `interceptors/<name>.toml`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::forged::{self, Forged};
use super::listed_key::{self, ListedKey};
use super::{ReferenceError, is_below};
use crate::chain::fields::Fields;
use crate::chain::name::attributes_of;
use crate::family::Template;
use crate::forgery::Rule;

/// One interceptor, as far as published sources know it.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// Stable name. Published judgements refer to it.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Who runs it, in the words of its sources.
    pub operator: Option<String>,
    /// What kind of interceptor it is.
    pub actor: Actor,
    /// What it is known to have done.
    pub conduct: Conduct,
    /// A few plain sentences.
    pub summary: String,
    /// When it is known to have intercepted.
    pub active: Vec<Period>,
    /// Names it is known to have intercepted.
    pub targets: Vec<String>,
    /// Networks in which it was seen.
    pub asns: Vec<u32>,
    /// Suffixes of names whose owners are known to choose this authority themselves.
    pub chosen_by: Vec<String>,
    /// Issuer names it used, as sets of attributes. A name is never evidence.
    pub names: Vec<BTreeSet<(String, String)>>,
    /// Its keys; empty where none is known.
    pub keys: Vec<ListedKey>,
    /// Certificates that it made in the place of others.
    pub forged: Vec<Forged>,
    /// How its authorities are made, where that was learnt.
    pub family: Option<Family>,
    /// How its forged leaves are made, where that is known.
    pub grammar: Option<Rule>,
    /// Addresses of the sources.
    pub sources: Vec<String>,
}

/// How the authorities of an interceptor are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Stable name. Published judgements refer to it.
    pub id: String,
    /// SHA-256 of the certificates that the template was learnt from, hexadecimal.
    pub learnt_from: Vec<String>,
    /// What they share.
    pub template: Template,
}

/// A time of known activity, as the sources state it: months, days or moments.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Period {
    /// When it began.
    pub from: String,
    /// When it ended, where known.
    pub until: Option<String>,
}

/// Who intercepts.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A state.
    State,
    /// Somebody misuses the key of a trusted authority.
    PublicCa,
    /// Somebody on the path; the owner is unknown.
    Network,
    /// Software on the machine, or its owner's network: antivirus, parental control, employer.
    Local,
    /// A captive portal.
    Portal,
    /// Nobody can tell.
    Unknown,
}

/// What an interceptor is known to have done.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Conduct {
    /// It was announced and not seen.
    Announced,
    /// It could intercept; no source says that it did.
    Capability,
    /// It intercepted.
    #[default]
    Interception,
}

impl Dossier {
    /// Whether the owner of `host` is one of those known to choose this authority themselves.
    pub fn chosen_for(&self, host: &str) -> bool {
        is_below(host, &self.chosen_by)
    }

    /// Whether it is known to have been active on the day of `at`.
    pub fn active_at(&self, at: OffsetDateTime) -> bool {
        let day = at.date().to_string();
        self.active.iter().any(|period| period.covers(&day))
    }

    /// Whether `host` is one of the names it is known to have intercepted, or below one.
    pub fn targeted(&self, host: &str) -> bool {
        is_below(host, &self.targets)
    }

    /// Whether the certificate names this interceptor as its issuer. Says nothing about keys.
    pub fn named_as_issuer(&self, certificate: &Fields) -> bool {
        let issuer = certificate.issuer.attributes();
        self.names.contains(&issuer)
    }
}

impl Period {
    /// Whether a day, as `YYYY-MM-DD`, lies in it. Without an end it is its beginning: nobody is
    /// accused by what is not known.
    fn covers(&self, day: &str) -> bool {
        let until = self.until.as_ref().unwrap_or(&self.from);
        let within = |bound: &str| bound.get(..day.len()).unwrap_or(bound).to_owned();
        let (from, until) = (within(&self.from), within(until));
        from.as_str() <= day && day.get(..until.len()).unwrap_or(day) <= until.as_str()
    }
}

pub(super) fn parse(path: &str, text: &str) -> Result<Dossier, ReferenceError> {
    let written: Written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let bad = |reason: String| ReferenceError::BadDossier { path: path.into(), reason };
    let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if written.id.is_empty() || !written.id.bytes().all(kebab) {
        return Err(bad(format!("the id {:?} is not lower-case with hyphens", written.id)));
    }
    if written.country.len() != 2 || !written.country.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return Err(bad(format!("the country {:?} is not two capital letters", written.country)));
    }
    if written.key.is_empty() && written.names.is_empty() && written.forged.is_empty() {
        return Err(bad("it has no [[key]], no names and no [[forged]]".into()));
    }
    if written.family.as_ref().is_some_and(|family| !family.template.is_distinctive()) {
        return Err(bad("its [family] has no rule that strangers do not share".into()));
    }
    if written.grammar.as_ref().is_some_and(|rule| !rule.is_distinctive()) {
        return Err(bad("its [grammar] says too little to tell one box from others".into()));
    }
    let keys: Vec<_> =
        (0..).zip(&written.key).map(|(index, key)| listed_key::read(path, index, key)).collect();
    let keys = keys.into_iter().collect::<Result<Vec<_>, _>>()?;
    let forged: Result<Vec<_>, _> = written.forged.iter().map(forged::read).collect();
    let forged = forged.map_err(bad)?;
    let names = written.names.iter().map(String::as_str);
    // The name of a forged leaf is its victim's.
    let authorities = keys.iter().filter(|key| key.role.intercepts());
    let subjects = authorities.map(|key| key.subject.as_str());
    let names: BTreeSet<_> = names.chain(subjects).map(attributes_of).collect();
    Ok(Dossier {
        title: written.title.unwrap_or_else(|| written.id.clone()),
        id: written.id,
        country: written.country,
        operator: written.operator,
        actor: written.actor,
        conduct: written.conduct,
        summary: written.summary,
        active: written.active,
        targets: written.targets,
        asns: written.asns,
        chosen_by: written.chosen_by,
        names: names.into_iter().filter(|name| !name.is_empty()).collect(),
        keys,
        forged,
        family: written.family,
        grammar: written.grammar,
        sources: written.source.into_iter().map(|source| source.url).collect(),
    })
}

#[derive(Deserialize)]
struct Written {
    id: String,
    title: Option<String>,
    country: String,
    operator: Option<String>,
    actor: Actor,
    #[serde(default)]
    conduct: Conduct,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    active: Vec<Period>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    asns: Vec<u32>,
    #[serde(default)]
    chosen_by: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    key: Vec<listed_key::Written>,
    #[serde(default)]
    forged: Vec<forged::Written>,
    family: Option<Family>,
    grammar: Option<Rule>,
    #[serde(default)]
    source: Vec<WrittenSource>,
}

#[derive(Deserialize)]
struct WrittenSource {
    url: String,
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;
    use crate::chain::KeyHash;

    fn least(key: &str) -> String {
        format!("id = \"some-state\"\ncountry = \"QZ\"\nactor = \"state\"\n[[key]]\n{key}")
    }

    #[test]
    fn the_least_dossier_loads() {
        let key = kua_mint::Key::ecdsa_p256();
        let text = least(&format!(
            "subject = \"CN=Root\"\npublic_key = \"{}\"\nspki_sha256 = \"{}\"",
            BASE64.encode(&key.spki()),
            KeyHash::of(&key.spki()),
        ));
        let dossier = parse("interceptors/some.toml", &text).unwrap();
        assert_eq!(dossier.keys[0].key_hash, KeyHash::of(&key.spki()));
        assert_eq!(dossier.conduct, Conduct::Interception);
        assert_eq!(dossier.names.len(), 1);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let key = BASE64.encode(&kua_mint::Key::ecdsa_p256().spki());
        let zeros = "0".repeat(64);
        for text in [
            String::new(),
            "id = \"a\"\ncountry = \"QZ\"\nactor = \"state\"".into(),
            least("subject = \"CN=Root\"\npublic_key = \"AAAA\""),
            least(&format!("public_key = \"{key}\"")),
            least(&format!(
                "subject = \"CN=R\"\npublic_key = \"{key}\"\nspki_sha256 = \"{zeros}\""
            )),
            least(&format!("subject = \"CN=R\"\npublic_key = \"{key}\"\nsha256 = \"12\"")),
            least(&format!("subject = \"CN=R\"\npublic_key = \"{key}\""))
                .replace("state\"\n[", "king\"\n["),
            least(&format!(
                "subject = \"CN=R\"\npublic_key = \"{key}\"\n[grammar]\nkeys = [\"rsa-2048-e3\"]"
            )),
            least(&format!(
                "subject = \"CN=R\"\npublic_key = \"{key}\"\n[family]\nid = \"f\"\n\
                 learnt_from = []\n[family.template]\nkey = \"rsa-4096-e65537\"\n\
                 made = [\"2020-02-28\", \"2020-02-28\"]"
            )),
        ] {
            assert!(parse("interceptors/some.toml", &text).is_err(), "{text}");
        }
    }

    #[test]
    fn periods_are_months_days_or_moments() {
        let period = |from: &str, until: Option<&str>| Period {
            from: from.into(),
            until: until.map(str::to_owned),
        };
        for (period, day, covered) in [
            (period("2011-07", Some("2011-08-30")), "2011-07-01", true),
            (period("2011-07", Some("2011-08-30")), "2011-08-30", true),
            (period("2011-07", Some("2011-08-30")), "2011-08-31", false),
            (period("2011-07", Some("2011-08")), "2011-08-31", true),
            (period("2011-07", Some("2011-08")), "2011-06-30", false),
            (period("2022-02-03T01:04:18Z", None), "2022-02-03", true),
            (period("2022-02-03T01:04:18Z", None), "2022-02-04", false),
        ] {
            assert_eq!(period.covers(day), covered, "{day} in {period:?}");
        }
    }

    #[test]
    fn suffixes_end_at_a_dot() {
        let key = BASE64.encode(&kua_mint::Key::ecdsa_p256().spki());
        let text = least(&format!("subject = \"CN=R\"\npublic_key = \"{key}\""));
        let text = text.replace("[[key]]", "chosen_by = [\"ru\"]\n[[key]]");
        let dossier = parse("interceptors/some.toml", &text).unwrap();
        for (host, chosen) in [("bank.ru", true), ("BANK.RU", true), ("ru", true), ("guru", false)]
        {
            assert_eq!(dossier.chosen_for(host), chosen, "{host}");
        }
    }
}
