//! What is true of a chain that clients have rules about.

use time::OffsetDateTime;

use super::installed::{self, Above};
use super::{Question, anchor};
use crate::chain::KeyHash;
use crate::chain::fields::{Fields, Key};
use crate::path::Top;
use crate::reference::{About, Client, Reference, Rule};
use crate::trust::fits_name;

/// Dotted OIDs of extensions.
const ALTERNATIVE_NAME: &str = "2.5.29.17";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// Signature algorithms with SHA-1: RSA, its old name, ECDSA.
const SHA1: [&str; 3] = ["1.2.840.113549.1.1.5", "1.3.14.3.2.29", "1.2.840.10045.4.1"];

/// Fewest bits of an RSA key that every client here takes.
const ENOUGH: usize = 2048;

/// What rules ask for, worked out once a chain.
pub(super) struct Facts {
    /// The keys that signed something on the path.
    pub(super) signers: Vec<KeyHash>,
    /// Why nobody can suppose that its root was installed.
    pub(super) no_root: Option<String>,
    /// What is supposed where the root is not in evidence.
    pub(super) supposed: Option<String>,
    outside_validity: bool,
    root_outside_validity: bool,
    wrong_name: bool,
    common_name_only: bool,
    sha1: bool,
    rsa_bits: Option<usize>,
    days: i64,
    begins: OffsetDateTime,
    no_purpose: bool,
    root_constraints: bool,
    /// Anything else that a strict client has against it.
    other: Option<String>,
    /// Programs whose policy for SCTs it does not meet.
    unlogged: Vec<String>,
}

/// Something wrong that a client must be known to overlook before silence is claimed.
pub(super) struct Fault {
    pub(super) about: About,
    pub(super) what: String,
}

impl Facts {
    pub(super) fn of(
        question: &Question<'_>,
        name: &str,
        at: OffsetDateTime,
        reference: &Reference,
    ) -> Self {
        let certificates = question.chain.certificates();
        let links = &question.path.links;
        let fields: Vec<&Fields> =
            links.iter().filter_map(|link| certificates[*link].fields()).collect();
        // The root that was sent stands above what clients check of dates and signatures.
        let sent_root = (question.path.top == Top::SelfSigned && fields.len() > 1)
            .then(|| fields.last().copied())
            .flatten();
        let below = &fields[..fields.len() - usize::from(sent_root.is_some())];
        // `outcomes` does not come so far with a leaf that nobody can read.
        let leaf = fields[0];
        let bits = |fields: &&Fields| match fields.key {
            Key::Rsa { bits } => Some(bits),
            _ => None,
        };
        let mut facts = Self {
            signers: question.path.signers(question.chain),
            no_root: None,
            supposed: None,
            outside_validity: below.iter().any(|fields| !fields.valid_at(at)),
            root_outside_validity: sent_root.is_some_and(|root| !root.valid_at(at)),
            wrong_name: false,
            common_name_only: false,
            sha1: below.iter().any(|link| SHA1.contains(&link.signature_algorithm.as_str())),
            rsa_bits: fields.iter().filter_map(bits).min(),
            days: (leaf.not_after - leaf.not_before).whole_days(),
            begins: leaf.not_before,
            no_purpose: leaf.extension(EXTENDED_KEY_USAGE).is_none(),
            root_constraints: false,
            other: None,
            unlogged: Vec::new(),
        };
        if fits_name(question.chain, name) != Some(true) {
            let named = leaf.extension(ALTERNATIVE_NAME).is_none() && common_name_is(leaf, name);
            facts.common_name_only = named;
            facts.wrong_name = !named;
        }
        if !reference.logs.is_empty() {
            let policies = reference.policies.iter();
            let unmet = policies.filter_map(|it| it.unmet(leaf, question.scts, &reference.logs));
            facts.unlogged = unmet.map(|asked| asked.program).collect();
        }
        facts.above(question, at, reference);
        facts
    }

    /// Supposes that the root of the chain was installed, and asks what a strict client then says.
    fn above(&mut self, question: &Question<'_>, at: OffsetDateTime, reference: &Reference) {
        let above = match installed::above(question, reference) {
            Ok(above) => above,
            Err(why) => {
                self.no_root = Some(why.into());
                return;
            }
        };
        if let Above::Issuer(name) = &above {
            self.supposed = Some(format!(
                "the root is not in evidence: supposed is that of {name}, unconstrained"
            ));
        } else if let Above::Key { .. } = &above {
            self.supposed =
                Some("the root was not sent: supposed is its known key, unconstrained".into());
        }
        // What is refused for its dates is refused whatever else is wrong with it.
        if self.outside_validity {
            return;
        }
        let weak = self.sha1 || self.rsa_bits.is_some_and(|bits| bits < ENOUGH);
        match installed::refusal(question, &above, at, true) {
            None => {}
            Some(_) if installed::refusal(question, &above, at, false).is_none() => {
                self.root_constraints = true;
            }
            // A strict client stops at the first weak signature: the rest is looked at here.
            Some(_) if weak && installed::is_well_formed(question) => {}
            Some(reason) => self.other = Some(reason),
        }
    }

    /// Whether it carries fewer SCTs than the client asks of publicly trusted leaves.
    pub(super) fn unlogged(&self, client: &Client) -> bool {
        client.sct_policy.as_ref().is_some_and(|policy| self.unlogged.contains(policy))
    }

    /// Whether what a rule is about is true of the chain; of its root and its SCTs the caller knows.
    pub(super) fn meet(&self, rule: &Rule) -> bool {
        let issued = rule.issued_from.is_none_or(|from| self.begins.date() >= from);
        issued
            && match rule.about {
                About::CommonNameOnly => self.common_name_only,
                About::Lifetime => rule.above.is_some_and(|above| self.days > above),
                About::NoPurpose => self.no_purpose,
                About::OutsideValidity => self.outside_validity,
                About::RootConstraints => self.root_constraints,
                About::RsaBelow => self.rsa_bits.is_some_and(|bits| {
                    rule.below.is_some_and(|below| bits < below)
                        && rule.at_least.is_none_or(|least| bits >= least)
                }),
                About::Sha1 => self.sha1,
                About::WrongName => self.wrong_name,
                About::Note | About::Pinned => false,
                About::DistrustedRoot
                | About::InstalledRoot
                | About::PublicRoot
                | About::UnknownRoot
                | About::Unlogged => true,
            }
    }

    /// What no silence may be claimed over unless a rule says that the client overlooks it.
    pub(super) fn faults(&self) -> impl Iterator<Item = Fault> {
        let weak = self.rsa_bits.filter(|bits| *bits < ENOUGH);
        let named = [
            (self.outside_validity, About::OutsideValidity, "a certificate outside its validity"),
            (self.wrong_name, About::WrongName, "a leaf for other names"),
            (self.common_name_only, About::CommonNameOnly, "a leaf without alternative names"),
            (self.sha1, About::Sha1, "SHA-1"),
            (self.root_constraints, About::RootConstraints, "name constraints of a root"),
            // No rule is about it: what clients do with an installed root past its day differs.
            (self.root_outside_validity, About::Note, "an installed root outside its validity"),
        ];
        let named = named.into_iter().filter(|(there, ..)| *there);
        let named = named.map(|(_, about, what)| Fault { about, what: what.to_owned() });
        let weak = weak.map(|bits| Fault {
            about: About::RsaBelow,
            what: format!("an RSA key of {bits} bits"),
        });
        let other = self.other.as_ref();
        let other = other.map(|what| Fault { about: About::Note, what: format!("this: {what}") });
        named.chain(weak).chain(other)
    }
}

/// Whether the common name, perhaps with a wildcard for its first label, is the host.
fn common_name_is(leaf: &Fields, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    leaf.subject.attribute("CN").is_some_and(|stated| {
        let beyond = host.split_once('.').map(|(_, beyond)| beyond);
        stated.eq_ignore_ascii_case(host)
            || stated
                .strip_prefix("*.")
                .zip(beyond)
                .is_some_and(|(suffix, beyond)| suffix.eq_ignore_ascii_case(beyond))
    })
}

/// Whether the chain leads to a key that no root program ever held.
pub(super) fn was_never_public(question: &Question<'_>, reference: &Reference) -> bool {
    let Some(key) = anchor(question) else { return false };
    let known = reference.browsers.keys.iter();
    known.filter(|known| known.never_public.is_some()).any(|known| known.key_hash == key.key_hash)
}
