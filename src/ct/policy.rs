//! How many SCTs a program asks of a certificate: data, not opinion.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::{Checked, LogList, Outcome};
use crate::chain::fields::Fields;

/// What one program asks of the SCTs that a certificate carries, by the day on which its validity
/// begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The program's name, such as `Chrome`.
    pub program: String,
    /// The root programs under whose roots it holds; a root of nobody's program is asked nothing.
    pub stores: Vec<String>,
    /// The first moment for which it holds.
    pub from: OffsetDateTime,
    /// The first moment for which it holds no more.
    pub until: Option<OffsetDateTime>,
    /// By lifetime, shortest first; the last has no limit.
    pub rules: Vec<Rule>,
}

/// What is asked of certificates up to a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Longest lifetime in days; `None` without a limit.
    pub days: Option<i64>,
    /// From how many logs.
    pub scts: usize,
    /// Run by how many operators.
    pub operators: usize,
}

/// A rule that a certificate does not meet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// Whose rule.
    pub program: String,
    /// SCTs that it asks for.
    pub scts: usize,
    /// Operators that it asks for.
    pub operators: usize,
}

impl Policy {
    /// The rule for a certificate; `None` where the policy does not hold for it.
    pub fn rule(&self, leaf: &Fields) -> Option<Rule> {
        let begins = leaf.not_before;
        let holds = self.from <= begins && self.until.is_none_or(|until| begins < until);
        let days = (leaf.not_after - leaf.not_before).whole_days();
        let fits = |rule: &&Rule| rule.days.is_none_or(|limit| days <= limit);
        holds.then(|| self.rules.iter().find(fits).copied()).flatten()
    }

    /// The rule where the certificate's SCTs do not meet it. In doubt they do: an SCT of a log that
    /// no list knows, or under an unknown issuer, counts, and every unknown log has its own operator.
    pub fn unmet(&self, leaf: &Fields, scts: &[Checked<'_>], lists: &[LogList]) -> Option<Asked> {
        let rule = self.rule(leaf)?;
        let counted = || scts.iter().filter(|sct| may_count(sct, lists));
        let logs: BTreeSet<_> = counted().filter_map(|sct| sct.log_id).collect();
        let operators: BTreeSet<_> = counted()
            .map(|sct| match sct.log {
                Some(log) => (Some(log.operator.as_str()), None),
                None => (None, sct.log_id),
            })
            .collect();
        let met = logs.len() >= rule.scts && operators.len() >= rule.operators;
        (!met).then(|| Asked {
            program: self.program.clone(),
            scts: rule.scts,
            operators: rule.operators,
        })
    }
}

/// Whether an SCT may have counted for some program when it was made.
fn may_count(sct: &Checked<'_>, lists: &[LogList]) -> bool {
    let (Some(id), Some(at)) = (sct.log_id, sct.timestamp) else { return false };
    match sct.outcome {
        Outcome::BadSignature | Outcome::Unparsable => false,
        Outcome::IssuerUnknown | Outcome::UnknownLog => true,
        Outcome::Valid => {
            let mut known = lists.iter().filter_map(|list| list.log(id));
            known.any(|log| !log.counts_for_nothing_at(at))
        }
    }
}
