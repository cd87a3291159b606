//! What clients say of a chain with the roots that they were shipped with, and no other.

use time::{Date, OffsetDateTime};

use super::facts::was_never_public;
use super::{Asked, Question};
use crate::path::Top;
use crate::reference::{Client, Followed, Reference};
use crate::trust::{History, Refusal, TrustStore};

/// The answer of all root programs that a client follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shipped {
    /// They accept it.
    Vouched,
    /// Their roots signed it, and they refuse it all the same.
    Refused,
    /// None of their roots signed it.
    Unknown,
    /// Their roots signed it, and they trust those for older leaves only.
    Distrusted,
    /// A list that they follow refuses a certificate or key of it, since a day where that is known.
    Blocked(Option<Date>, String),
    /// Nobody here knows, and why.
    CannotSay(String),
}

impl Asked<'_> {
    pub(super) fn shipped(&self, client: &Client) -> Shipped {
        let today = self.at.date();
        let follows = |followed: &&Followed| {
            followed.from.is_none_or(|from| from <= today)
                && followed.until.is_none_or(|until| today < until)
        };
        let mut answers = client.stores.iter().filter(follows).map(|followed| {
            let program = &followed.program;
            let found = self.question.trust.iter().find(|(store, _)| store.program == *program);
            match found {
                Some((store, accepted)) => {
                    let refusal = accepted.as_ref().err();
                    said(self.question, store, refusal, self.at, self.reference)
                }
                None if was_never_public(self.question, self.reference) => Shipped::Unknown,
                None => Shipped::CannotSay(format!("the reference holds no store of {program}")),
            }
        });
        let Some(first) = answers.next() else {
            return Shipped::CannotSay("no root program is known for that time".into());
        };
        answers.fold(first, |first, answer| match (first, answer) {
            (first, answer) if first == answer => first,
            (doubt @ Shipped::CannotSay(_), _) | (_, doubt @ Shipped::CannotSay(_)) => doubt,
            _ => Shipped::CannotSay("the roots of its platforms differ in this".into()),
        })
    }
}

fn said(
    question: &Question<'_>,
    store: &TrustStore,
    refusal: Option<&Refusal>,
    at: OffsetDateTime,
    reference: &Reference,
) -> Shipped {
    let known = history_is_known(store, at);
    match refusal {
        // An anchor of another day vouches for nothing.
        None => return if known { Shipped::Vouched } else { older(store) },
        Some(Refusal::Blocked { list, subject, since }) => {
            let dated = store.blocked.iter().find(|known| known.list == *list);
            let newest = dated.and_then(|list| list.date);
            return match since {
                Some(_) => Shipped::Blocked(*since, subject.clone()),
                None if newest.is_some_and(|newest| newest <= at.date()) => {
                    Shipped::Blocked(None, subject.clone())
                }
                None => {
                    Shipped::CannotSay(format!("{list} refuses {subject}; since when is not known"))
                }
            };
        }
        Some(Refusal::Distrusted { .. }) if known => return Shipped::Distrusted,
        Some(refusal @ Refusal::PurposeUnknown { .. }) => {
            return Shipped::CannotSay(refusal.to_string());
        }
        Some(_) => {}
    }
    let signers = question.path.signers(question.chain);
    let holds = |key| store.anchors_at(at).any(|anchor| anchor.key_hash == key);
    if signers.into_iter().any(holds) {
        return if known { Shipped::Refused } else { older(store) };
    }
    if question.path.top == Top::Unknown {
        return Shipped::CannotSay(
            "what signed it was not sent, and clients can find a missing certificate".into(),
        );
    }
    if known || was_never_public(question, reference) { Shipped::Unknown } else { older(store) }
}

/// Whether the state of a root program at that time is known here. The newest one stands for later
/// days, and a file that states no day is taken at its word, as everywhere.
fn history_is_known(store: &TrustStore, at: OffsetDateTime) -> bool {
    !matches!(store.history(at), History::Before(_))
}

fn older(store: &TrustStore) -> Shipped {
    Shipped::CannotSay(format!("the roots of {} at that time are not known here", store.program))
}
