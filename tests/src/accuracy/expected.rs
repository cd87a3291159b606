//! What a judgement should say, and how it compares with what one says.

use kua::detect::Level;
use kua::reference::Actor;
use kua::verdict::{Judgement, Verdict};
use serde::Serialize;

/// What a judgement should say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) verdict: Verdict,
    pub(super) actor: Option<Actor>,
    pub(super) level: Option<Level>,
    pub(super) interceptor: Option<&'static str>,
    /// As judgements write it, in their order.
    pub(super) basis: &'static [&'static str],
    /// Detectors that should speak, whoever else does.
    pub(super) says: &'static [&'static str],
    /// What the evidence of a detector should name: detector, field, value.
    pub(super) evidence: Option<(&'static str, &'static str, &'static str)>,
}

impl Expected {
    /// Somebody intercepts.
    pub(super) const fn intercepted(
        actor: Actor,
        level: Level,
        interceptor: Option<&'static str>,
        basis: &'static [&'static str],
    ) -> Self {
        let (actor, level) = (Some(actor), Some(level));
        let verdict = Verdict::Intercepted;
        Self { verdict, actor, level, interceptor, basis, says: &[], evidence: None }
    }

    /// Wrong, and nobody is accused.
    pub(super) const fn anomaly(basis: &'static [&'static str]) -> Self {
        Self { level: Some(Level::Possible), ..Self::plain(Verdict::Anomaly, basis) }
    }

    /// A verdict that asserts nothing of anybody.
    pub(super) const fn plain(verdict: Verdict, basis: &'static [&'static str]) -> Self {
        let (actor, level, interceptor) = (None, None, None);
        Self { verdict, actor, level, interceptor, basis, says: &[], evidence: None }
    }

    pub(super) const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    pub(super) const fn evidence(
        self,
        detector: &'static str,
        field: &'static str,
        value: &'static str,
    ) -> Self {
        Self { evidence: Some((detector, field, value)), ..self }
    }

    /// In what a judgement differs; nothing where it is right.
    pub(super) fn differences(&self, found: &Judgement) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, expected: String, found: String| {
            if expected != found {
                differences.push(format!("{what} is {found}, not {expected}"));
            }
        };
        compare("verdict", self.verdict.to_string(), found.verdict.to_string());
        compare("actor", word(&self.actor), word(&found.actor));
        compare("level", word(&self.level), word(&found.level));
        let named = found.interceptor.as_deref().unwrap_or("-");
        compare("interceptor", self.interceptor.unwrap_or("-").into(), named.into());
        compare("basis", list(self.basis), basis(found));
        for detector in self.says {
            if !found.has(detector) {
                differences.push(format!("{detector} is silent"));
            }
        }
        if let Some((detector, field, value)) = self.evidence {
            let stated = found.finding(detector).and_then(|found| found.evidence.get(field));
            if stated.and_then(serde_json::Value::as_str) != Some(value) {
                differences.push(format!("{field} of {detector} is not {value}"));
            }
        }
        differences
    }
}

/// Verdict, actor, level, interceptor and basis of a judgement in one line.
pub(super) fn told(found: &Judgement) -> String {
    let mut words = vec![found.verdict.to_string()];
    words.extend(found.actor.map(|actor| word(&Some(actor))));
    words.extend(found.level.map(|level| level.to_string()));
    words.extend(found.interceptor.clone());
    let basis = basis(found);
    if basis == "-" { words.join(" ") } else { format!("{} ({basis})", words.join(" ")) }
}

fn basis(found: &Judgement) -> String {
    let words: Vec<_> = found.basis.iter().map(|basis| word(&Some(*basis))).collect();
    list(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn list(words: &[&str]) -> String {
    if words.is_empty() { "-".into() } else { words.join(", ") }
}

/// As judgements write it; `-` for nothing.
fn word<T: Serialize>(value: &Option<T>) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or("-").to_owned()
}
