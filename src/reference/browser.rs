//! What clients do with a chain whose root was installed: `browsers.toml`.

use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

use super::ReferenceError;
use crate::chain::KeyHash;

/// Clients, their rules, and keys that they are known to refuse.
#[derive(Clone, Debug, Default)]
pub struct Browsers {
    /// Clients, in the order of the file.
    pub clients: Vec<Client>,
    /// Rules, in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// Keys of known interceptors.
    pub keys: Vec<KnownKey>,
    /// Block lists whose entries state the day of the block; the days of others are the first on
    /// which an entry is known to have been there.
    pub exact_days: Vec<String>,
}

/// A browser or another program that checks certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Short and stable, as rules and judgements name it.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// On which systems or with which settings; may be empty.
    pub scope: String,
    /// What its user sees of a refusal.
    pub kind: ClientKind,
    /// The day of its first version, where that is after other clients'.
    #[serde(default, deserialize_with = "day")]
    pub from: Option<Date>,
    /// The root programs that it follows.
    pub stores: Vec<Followed>,
    /// Block lists that stop even an installed root, by their names.
    pub obeys: Vec<String>,
    /// Whose policy for SCTs it is held to here.
    pub sct_policy: Option<String>,
}

/// What the user of a client sees of a refusal.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    /// A page that warns.
    Browser,
    /// A connection that fails.
    Program,
}

/// A root program that a client follows, and when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Followed {
    /// The program's name, as stores have it.
    pub program: String,
    /// First day; absent from the beginning.
    #[serde(default, deserialize_with = "day")]
    pub from: Option<Date>,
    /// First day on which it is followed no more.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<Date>,
}

/// What a client does where one thing is true of a chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable: judgements refer to it.
    pub id: String,
    /// Ids of the clients that follow it.
    pub clients: Vec<String>,
    /// What must be true of the chain.
    pub about: About,
    /// Above how many days, for [`About::Lifetime`].
    pub above: Option<i64>,
    /// Below how many bits, for [`About::RsaBelow`].
    pub below: Option<usize>,
    /// From how many bits on, for [`About::RsaBelow`].
    pub at_least: Option<usize>,
    /// Where the interceptor's root is.
    pub installed: Vec<Installed>,
    /// What the user sees.
    pub shows: Shows,
    /// Whether a warning can be clicked away, sites that forbid it (HSTS) aside; absent where not
    /// known.
    pub overridable: Option<bool>,
    /// First day; absent where nobody here knows.
    #[serde(default, deserialize_with = "day")]
    pub from: Option<Date>,
    /// First day on which it holds no more.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<Date>,
    /// A day on which it held already; before it nothing is said.
    #[serde(default, deserialize_with = "day")]
    pub known_by: Option<Date>,
    /// For leaves whose validity begins on this day or later.
    #[serde(default, deserialize_with = "day")]
    pub issued_from: Option<Date>,
    /// In words.
    pub why: String,
    /// Where that is published.
    pub source: String,
}

/// What of a chain a rule speaks of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// The leaf states no alternative name, and its common name is the target.
    CommonNameOnly,
    /// A root that the client was shipped with signed it, and is trusted for older leaves only.
    DistrustedRoot,
    /// The root of the chain was installed.
    InstalledRoot,
    /// The leaf lives for more days than the rule says.
    Lifetime,
    /// The leaf does not say that it is for servers.
    NoPurpose,
    /// Said beside an answer, and decides nothing.
    Note,
    /// A certificate of the path is expired or not yet valid.
    OutsideValidity,
    /// The name is one whose keys the client knows: not to be seen in a chain, for readers only.
    Pinned,
    /// A root that the client was shipped with accepts the chain.
    PublicRoot,
    /// The name constraints of the root exclude the target.
    RootConstraints,
    /// An RSA key on the path has fewer bits than the rule says.
    RsaBelow,
    /// SHA-1 signed a certificate of the path.
    Sha1,
    /// No root that the client was shipped with signed it.
    UnknownRoot,
    /// The leaf carries fewer SCTs than publicly trusted ones must.
    Unlogged,
    /// The leaf is for other names.
    WrongName,
}

/// Where the interceptor's root is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Installed {
    /// Nowhere but where the client was shipped with it.
    No,
    /// Where the user put it.
    ByUser,
    /// Where an administrator put it.
    ByPolicy,
}

impl Installed {
    /// All three.
    pub const ALL: [Self; 3] = [Self::No, Self::ByUser, Self::ByPolicy];
}

/// What the user of a client sees.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// Nothing: the chain is taken for genuine.
    Silence,
    /// Nobody here can say.
    Unknown,
    /// A warning, or a connection that fails.
    Warning,
}

impl Shows {
    /// As judgements write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
        }
    }
}

/// The key of a known interceptor.
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// The subject that goes with it.
    pub name: String,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key_hash: KeyHash,
    /// Why no root program ever held it.
    pub never_public: Option<String>,
    /// Clients that refuse it.
    pub blocks: Vec<Block>,
}

/// Clients that refuse a key whoever installed it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Their ids.
    pub clients: Vec<String>,
    /// First day, by the list or the announcement.
    #[serde(default, deserialize_with = "day")]
    pub since: Option<Date>,
    /// A day on which they did already, where the first is not known.
    #[serde(default, deserialize_with = "day")]
    pub known_by: Option<Date>,
    /// Where that is published.
    pub source: String,
}

/// A rule for a client that is not described, or a block without a day, is an error.
pub(super) fn parse(path: &str, text: &str) -> Result<Browsers, ReferenceError> {
    let written: Written = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let bad = |reason: String| ReferenceError::BadBrowsers { path: path.into(), reason };
    let known = |id: &String| written.client.iter().any(|client| client.id == *id);
    for rule in &written.rule {
        if let Some(stranger) = rule.clients.iter().find(|id| !known(id)) {
            return Err(bad(format!("rule {}: no client {stranger:?} is described", rule.id)));
        }
        let limited = match rule.about {
            About::Lifetime => rule.above.is_some(),
            About::RsaBelow => rule.below.is_some(),
            _ => true,
        };
        if !limited {
            return Err(bad(format!("rule {}: it has no limit", rule.id)));
        }
        if written.rule.iter().filter(|other| other.id == rule.id).count() > 1 {
            return Err(bad(format!("rule {} is there twice", rule.id)));
        }
    }
    let mut keys = Vec::with_capacity(written.key.len());
    for key in written.key {
        for block in &key.blocks {
            if block.since.is_none() == block.known_by.is_none() {
                return Err(bad(format!("{}: a block has either since or known_by", key.name)));
            }
            if let Some(stranger) =
                block.clients.iter().find(|id| !written.client.iter().any(|it| it.id == **id))
            {
                return Err(bad(format!("{}: no client {stranger:?} is described", key.name)));
            }
        }
        let key_hash = key.spki_sha256.parse();
        let key_hash = key_hash.map_err(|_| bad(format!("{}: no hash of a key", key.name)))?;
        let (name, never_public, blocks) = (key.name, key.never_public, key.blocks);
        keys.push(KnownKey { name, key_hash, never_public, blocks });
    }
    let (clients, rules, exact_days) = (written.client, written.rule, written.exact_days);
    Ok(Browsers { clients, rules, keys, exact_days })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    exact_days: Vec<String>,
    #[serde(default)]
    client: Vec<Client>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    key: Vec<WrittenKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    name: String,
    spki_sha256: String,
    never_public: Option<String>,
    #[serde(default)]
    blocks: Vec<Block>,
}

fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = Date::parse(&text, format_description!("[year]-[month]-[day]"));
    date.map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "[[client]]\nid = \"one\"\nname = \"One\"\nscope = \"\"\nkind = \"browser\"\n\
                          stores = [{ program = \"Some\", from = \"2020-01-01\" }]\nobeys = []\n";
    const RULE: &str = "[[rule]]\nid = \"r\"\nclients = [\"one\"]\nabout = \"sha1\"\n\
                        installed = [\"by-user\"]\nshows = \"warning\"\nfrom = \"2017-01-01\"\n\
                        why = \"w\"\nsource = \"s\"\n";

    #[test]
    fn a_client_and_its_rule() {
        let read = parse("browsers.toml", &format!("{CLIENT}{RULE}")).unwrap();
        assert_eq!(read.rules[0].from.unwrap().to_string(), "2017-01-01");
        assert_eq!(read.rules[0].about, About::Sha1);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let key = format!("[[key]]\nname = \"k\"\nspki_sha256 = \"{}\"\n", "a".repeat(64));
        let block = "blocks = [{ clients = [\"one\"], source = \"s\" }]\n";
        for text in [
            RULE.to_owned(),
            format!("{CLIENT}{RULE}{RULE}"),
            format!("{CLIENT}{}", RULE.replace("sha1", "sha2")),
            format!("{CLIENT}{}", RULE.replace("sha1", "lifetime")),
            format!("{CLIENT}{}", RULE.replace("2017-01-01", "January")),
            format!("{CLIENT}{}", RULE.replace("from", "form")),
            format!("{CLIENT}{key}{block}"),
            format!("{CLIENT}{}", key.replace('a', "x")),
            format!("{CLIENT}{key}{}", block.replace("source", "since = \"2019-08-21\", source"))
                .replace("[\"one\"], since", "[\"two\"], since"),
        ] {
            assert!(parse("browsers.toml", &text).is_err(), "{text}");
        }
    }
}
