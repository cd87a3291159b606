//! What would a browser have shown: a warning or silence, by which rule, and since when?

mod facts;
mod installed;
mod shipped;

#[cfg(test)]
mod tests;

use serde::Serialize;
use time::{Date, OffsetDateTime};

use crate::blocklist::{BlockList, Entry};
use crate::chain::Chain;
use crate::ct::Checked;
use crate::path::{Path, SigningKey, Top};
use crate::reference::{About, Client, ClientKind, Installed, KnownKey, Reference, Rule, Shows};
use crate::trust::{Anchor, Refusal, TrustStore};
use facts::Facts;
use shipped::Shipped;

/// A chain that a client was shown.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The presented chain.
    pub chain: &'a Chain,
    /// Whether its first certificate is a leaf: a record may hold a lone authority.
    pub holds_leaf: bool,
    /// The host that was meant.
    pub name: Option<&'a str>,
    /// When.
    pub at: Option<OffsetDateTime>,
    /// Who signed whom.
    pub path: &'a Path,
    /// What each root program says of it.
    pub trust: &'a [(&'a TrustStore, Result<&'a Anchor, Refusal>)],
    /// The SCTs that the leaf carries, checked.
    pub scts: &'a [Checked<'a>],
}

/// What one client would have shown in one state of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The client's id.
    #[serde(rename = "browser")]
    pub client: String,
    /// Where the interceptor's root is.
    pub installed: Installed,
    /// What its user would have seen.
    pub shows: Shows,
    /// Whether a warning can be clicked away, sites that forbid it aside; `None` where not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridable: Option<bool>,
    /// The rule that decides, or `block`; `None` where nobody can say.
    pub rule: Option<String>,
    /// First day of that rule, where known.
    #[serde(serialize_with = "day")]
    pub since: Option<Date>,
    /// In words.
    pub why: String,
}

/// The rule by which a client refuses a key, whoever installed it.
pub const BLOCK: &str = "block";

/// What every client would have shown, in the order of the reference: without the interceptor's
/// root, and with it as the user or an administrator put it there. Where a client vouches for the
/// chain as it was shipped, only that is said.
///
/// Silence is what a victim suffers from: no warning is claimed that was not shown, and what
/// nobody here knows is [`Shows::Unknown`].
pub fn outcomes(question: &Question<'_>, reference: &Reference) -> Vec<Outcome> {
    let clients = &reference.browsers.clients;
    let (name, at) = match (question.holds_leaf, question.name, question.at) {
        (true, Some(name), Some(at)) => (name, at),
        (false, ..) => return nobody_knows(clients, "the record does not hold the leaf"),
        (true, None, _) => return nobody_knows(clients, "no name was asked for"),
        (true, Some(_), None) => return nobody_knows(clients, "when it was seen is not known"),
    };
    if question.path.top == Top::Unreadable {
        return nobody_knows(clients, "a certificate of the path cannot be read");
    }
    let facts = Facts::of(question, name, at, reference);
    let asked = Asked { question, facts: &facts, at, reference };
    let mut outcomes = Vec::new();
    for client in clients {
        if client.from.is_some_and(|from| at.date() < from) {
            outcomes.extend(nobody_knows(std::slice::from_ref(client), "there was none then"));
            continue;
        }
        let shipped = asked.shipped(client);
        let vouched = shipped == Shipped::Vouched;
        outcomes.push(asked.without_the_root(client, &shipped));
        if !vouched {
            for installed in [Installed::ByUser, Installed::ByPolicy] {
                outcomes.push(asked.with_the_root(client, installed, &shipped));
            }
        }
    }
    outcomes
}

/// What is said beside the answers at a time, and decides none.
pub fn notes(reference: &Reference, at: OffsetDateTime) -> Vec<&Rule> {
    let rules = reference.browsers.rules.iter();
    rules.filter(|rule| rule.about == About::Note && in_force(rule, at)).collect()
}

/// Whether a rule holds at a time.
fn in_force(rule: &Rule, at: OffsetDateTime) -> bool {
    let today = at.date();
    rule.from.or(rule.known_by).is_none_or(|from| from <= today)
        && rule.until.is_none_or(|until| today < until)
}

fn nobody_knows(clients: &[Client], why: &str) -> Vec<Outcome> {
    let of = |client: &Client| {
        let outcome = |installed| unknown(client, installed, None, why.to_owned());
        Installed::ALL.map(outcome)
    };
    clients.iter().flat_map(of).collect()
}

/// A question with all that was worked out for every client.
struct Asked<'a> {
    question: &'a Question<'a>,
    facts: &'a Facts,
    at: OffsetDateTime,
    reference: &'a Reference,
}

/// Whether a client refuses a key of the path.
enum Blocked {
    /// From a day on, where that is known.
    Yes(Option<Date>, String),
    /// It does today; nobody here knows since when.
    SinceUnknown(String),
    /// A list that it obeys is not here, and the key is an interceptor's.
    NoList(String),
    No,
}

impl Asked<'_> {
    fn without_the_root(&self, client: &Client, shipped: &Shipped) -> Outcome {
        let state = Installed::No;
        let holds = |about: About| match about {
            About::UnknownRoot => *shipped == Shipped::Unknown,
            About::PublicRoot => *shipped == Shipped::Vouched,
            About::DistrustedRoot => *shipped == Shipped::Distrusted,
            About::Unlogged => *shipped == Shipped::Vouched && self.facts.unlogged(client),
            About::InstalledRoot => false,
            _ => true,
        };
        let blocked = match (shipped, self.blocked(client)) {
            (Shipped::Blocked(since, whose), _) => Blocked::Yes(*since, whose.clone()),
            (Shipped::Vouched, found @ (Blocked::Yes(..) | Blocked::SinceUnknown(_))) => found,
            _ => Blocked::No,
        };
        let cannot_say = match shipped {
            Shipped::CannotSay(why) => Some(why.clone()),
            _ => None,
        };
        self.decide(client, state, blocked, holds, cannot_say)
    }

    fn with_the_root(&self, client: &Client, state: Installed, shipped: &Shipped) -> Outcome {
        let doubt = matches!(shipped, Shipped::CannotSay(_));
        let holds = |about: About| match about {
            About::UnknownRoot | About::PublicRoot | About::DistrustedRoot => false,
            // A client that trusts no such root answers as if there were none.
            About::InstalledRoot => !(doubt && self.trusts_none(client, state)),
            About::Unlogged => self.facts.unlogged(client),
            _ => true,
        };
        let cannot_say = match shipped {
            Shipped::CannotSay(why) if self.trusts_none(client, state) => Some(why.clone()),
            _ => self.facts.no_root.clone(),
        };
        self.decide(client, state, self.blocked(client), holds, cannot_say)
    }

    /// Whether a client trusts no root that was put there.
    fn trusts_none(&self, client: &Client, state: Installed) -> bool {
        self.reference.browsers.rules.iter().any(|rule| {
            rule.about == About::InstalledRoot
                && rule.shows == Shows::Warning
                && rule.clients.contains(&client.id)
                && rule.installed.contains(&state)
                && in_force(rule, self.at)
        })
    }

    /// Warnings first, then what nobody knows, then silence.
    fn decide(
        &self,
        client: &Client,
        installed: Installed,
        blocked: Blocked,
        holds: impl Fn(About) -> bool,
        cannot_say: Option<String>,
    ) -> Outcome {
        let rules: Vec<_> = self
            .reference
            .browsers
            .rules
            .iter()
            .filter(|rule| rule.clients.contains(&client.id) && rule.installed.contains(&installed))
            .filter(|rule| in_force(rule, self.at) && holds(rule.about) && self.facts.meet(rule))
            .collect();
        if let Blocked::Yes(since, whose) = blocked {
            return Outcome {
                client: client.id.clone(),
                installed,
                shows: Shows::Warning,
                overridable: None,
                rule: Some(BLOCK.into()),
                since,
                why: format!("it refuses the key of {whose}, whoever installed it"),
            };
        }
        let first = |shows: Shows| rules.iter().find(|rule| rule.shows == shows);
        if let Some(rule) = first(Shows::Warning) {
            return by_rule(client, installed, rule);
        }
        if let Some(why) = cannot_say {
            return unknown(client, installed, None, why);
        }
        match blocked {
            Blocked::SinceUnknown(whose) => {
                let why = format!("it refuses the key of {whose}; since when is not known");
                return unknown(client, installed, Some(BLOCK), why);
            }
            Blocked::NoList(whose) => {
                let why = format!("whether it refuses the key of {whose} is not known here");
                return unknown(client, installed, None, why);
            }
            Blocked::Yes(..) | Blocked::No => {}
        }
        if let Some(rule) = first(Shows::Unknown) {
            return by_rule(client, installed, rule);
        }
        if let Some(fault) = self.facts.faults().find(|fault| {
            !rules.iter().any(|rule| rule.shows == Shows::Silence && rule.about == fault.about)
        }) {
            return unknown(
                client,
                installed,
                None,
                format!("no rule here says what it does with {}", fault.what),
            );
        }
        let base = [About::PublicRoot, About::InstalledRoot];
        match rules.iter().find(|rule| base.contains(&rule.about)) {
            Some(rule) => {
                let mut outcome = by_rule(client, installed, rule);
                if let Some(supposed) = &self.facts.supposed {
                    outcome.why = format!("{}; {supposed}", outcome.why);
                }
                outcome
            }
            None => {
                let why = "no rule here says what it does with such a root".to_owned();
                unknown(client, installed, None, why)
            }
        }
    }

    fn blocked(&self, client: &Client) -> Blocked {
        let today = self.at.date();
        let mut undated = None;
        for (key, block) in self.keys().flat_map(|key| key.blocks.iter().map(move |it| (key, it))) {
            if !block.clients.contains(&client.id) {
                continue;
            }
            match (block.since, block.known_by) {
                (Some(since), _) if since <= today => {
                    return Blocked::Yes(Some(since), key.name.clone());
                }
                (Some(_), _) => return Blocked::No,
                (None, Some(by)) if by <= today => return Blocked::Yes(None, key.name.clone()),
                (None, _) => undated = Some(key.name.clone()),
            }
        }
        for list in &self.reference.blocklists {
            let Some((entry, whose)) = self.listed(list, client) else { continue };
            match entry.since {
                Some(since) if since <= today => return Blocked::Yes(Some(since), whose),
                Some(_) if self.reference.browsers.exact_days.contains(&list.list) => {}
                None if list.date.is_some_and(|newest| newest <= today) => {
                    return Blocked::Yes(None, whose);
                }
                _ => undated = undated.or(Some(whose)),
            }
        }
        if let Some(whose) = undated {
            return Blocked::SinceUnknown(whose);
        }
        // Without a list that a client obeys, nothing is known of an interceptor's key.
        let here = |name: &String| self.reference.blocklists.iter().any(|list| list.list == *name);
        let known = || {
            let certificates = self.question.chain.certificates();
            let links = self.question.path.links.iter().filter_map(|at| certificates[*at].fields());
            let keys = links.map(|link| link.key_hash).chain(self.facts.signers.iter().copied());
            keys.filter_map(|key| self.reference.dossier_with(key)).map(|(_, key)| key).next()
        };
        match (client.obeys.iter().all(here), known()) {
            (false, Some(key)) => Blocked::NoList(key.subject.clone()),
            _ => Blocked::No,
        }
    }

    /// What a list that the client obeys says of the path, at whatever time, and whose it is.
    fn listed<'b>(&self, list: &'b BlockList, client: &Client) -> Option<(&'b Entry, String)> {
        if !client.obeys.contains(&list.list) {
            return None;
        }
        let question = self.question;
        let certificates = question.chain.certificates();
        let mut links = question.path.links.iter().map(|link| &certificates[*link]);
        let found = links.find_map(|link| {
            let subject = link.fields().map(|fields| fields.subject.to_string());
            Some((list.blocks(link, None)?, subject.unwrap_or_default()))
        });
        found.or_else(|| {
            // A root that was not sent, under the name that its issuer has in the last link.
            let key = anchor(question)?;
            let last = certificates[*question.path.links.last()?].fields()?;
            let entry = list.blocks_anchor(key.key_hash, last.issuer.der(), None, None)?;
            Some((entry, key.subject))
        })
    }

    /// Keys of known interceptors that signed on the path.
    fn keys(&self) -> impl Iterator<Item = &KnownKey> {
        let signed = |key: &&KnownKey| self.facts.signers.contains(&key.key_hash);
        self.reference.browsers.keys.iter().filter(signed)
    }
}

fn by_rule(client: &Client, installed: Installed, rule: &Rule) -> Outcome {
    Outcome {
        client: client.id.clone(),
        installed,
        shows: rule.shows,
        // What an app or a program does about a refusal is its own affair.
        overridable: rule.overridable.filter(|_| client.kind == ClientKind::Browser),
        rule: Some(rule.id.clone()),
        since: rule.from,
        why: rule.why.clone(),
    }
}

fn unknown(client: &Client, installed: Installed, rule: Option<&str>, why: String) -> Outcome {
    Outcome {
        client: client.id.clone(),
        installed,
        shows: Shows::Unknown,
        overridable: None,
        rule: rule.map(str::to_owned),
        since: None,
        why,
    }
}

/// The key that the chain leads up to.
fn anchor(question: &Question<'_>) -> Option<SigningKey> {
    question.path.anchor(question.chain)
}

fn day<S: serde::Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&date.map(|date| date.to_string()))
}
