//! How a forged leaf was made, told from the genuine one: the grammar of the box that made it.
//!
//! An interceptor can change its root in a day and its program in a year. What the program copies,
//! shifts, edits and drops is the same under every root.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::chain::fields::Fields;

const ALTERNATIVE_NAMES: &str = "2.5.29.17";

/// Longest shift of a validity that is still a shift, in minutes: clocks and time zones.
const LONGEST_SHIFT: i64 = 48 * 60;

/// Time zones differ by multiples of this, in minutes.
const ZONE: i64 = 15;

/// Fewest bits at the head of a serial number that are no coincidence when they agree.
const HEAD: u32 = 24;

/// How a presented leaf was made from the genuine one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grammar {
    /// Where its names are from.
    pub names: Origin,
    /// Where its subject is from.
    pub subject: Origin,
    /// What became of the dates.
    pub validity: Validity,
    /// What became of the serial number.
    pub serial: Serial,
    /// What became of the extensions.
    pub extensions: Extensions,
    /// As [`Fields::key_word`].
    pub key: String,
}

/// Where names or a subject are from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Copied from the genuine leaf.
    Origin,
    /// Only the name that the client asked for.
    Sni,
    /// The genuine leaf holds only the name that the client asked for, so nobody can tell.
    Either,
    /// From elsewhere.
    Other,
}

/// What became of the dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Validity {
    /// Both ends are the genuine ones.
    Equal,
    /// Both ends are shifted alike, by what time zones differ.
    Shifted {
        /// Negative into the past.
        minutes: i64,
    },
    /// Only the beginning is the genuine one.
    StartKept,
    /// Only the end is the genuine one.
    EndKept,
    /// Neither.
    Fresh,
}

/// What became of the serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Serial {
    /// It is the genuine one.
    Equal,
    /// It is the genuine one but for its end.
    Edited {
        /// From the first bit that differs to the last bit of the number.
        bits: u32,
    },
    /// It has nothing of the genuine one.
    Fresh,
}

/// What became of the extensions, by short names or dotted OIDs in the order of encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Extensions {
    /// Copied with their content.
    pub kept: Vec<String>,
    /// There, with another content.
    pub rewritten: Vec<String>,
    /// Only in the genuine leaf.
    pub dropped: Vec<String>,
    /// Only in the presented leaf.
    pub added: Vec<String>,
}

impl Grammar {
    /// Compares the leaf presented for `asked` with the genuine one.
    pub fn read(genuine: &Fields, presented: &Fields, asked: &str) -> Self {
        Self {
            names: names(genuine, presented, asked),
            subject: subject(genuine, presented, asked),
            validity: validity(genuine, presented),
            serial: serial(&genuine.serial, &presented.serial),
            extensions: extensions(genuine, presented),
            key: presented.key_word(),
        }
    }

    /// What can only be from the genuine leaf. Names and subject are there for everybody to copy
    /// by hand; dates and serial numbers are copied by programs.
    pub fn copied(&self) -> Vec<&'static str> {
        let mut copied = Vec::new();
        if self.names == Origin::Origin {
            copied.push("names");
        }
        if self.subject == Origin::Origin {
            copied.push("subject");
        }
        if matches!(self.validity, Validity::Equal | Validity::Shifted { .. }) {
            copied.push("validity");
        }
        if self.serial != Serial::Fresh {
            copied.push("serial");
        }
        copied
    }

    /// Whether a program made it from the genuine leaf: its dates or its serial number, and one
    /// thing more.
    pub fn is_made_from_genuine(&self) -> bool {
        let copied = self.copied();
        copied.len() > 1 && copied.iter().any(|what| ["validity", "serial"].contains(what))
    }
}

/// The feature vector in one line, by which incidents of one box meet: nothing in it depends on
/// what was drawn at random. `?` where the genuine leaf does not allow to tell.
impl std::fmt::Display for Grammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "names={} subject={} ", self.names.word(), self.subject.word())?;
        match self.validity {
            Validity::Equal => f.write_str("validity=equal")?,
            Validity::Shifted { minutes } => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "validity={sign}{}h", minutes.abs() / 60)?;
                if minutes % 60 != 0 {
                    write!(f, "{}m", minutes.abs() % 60)?;
                }
            }
            Validity::StartKept => f.write_str("validity=start-kept")?,
            Validity::EndKept => f.write_str("validity=end-kept")?,
            Validity::Fresh => f.write_str("validity=fresh")?,
        }
        match self.serial {
            Serial::Equal => f.write_str(" serial=equal")?,
            Serial::Edited { bits } => write!(f, " serial=last-{}", edited_bytes(bits))?,
            Serial::Fresh => f.write_str(" serial=fresh")?,
        }
        write!(f, " extensions={} key={}", self.extensions.word(), self.key)
    }
}

impl Origin {
    fn word(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Sni => "sni",
            Self::Either => "?",
            Self::Other => "other",
        }
    }

    /// Whether this can be what a rule says.
    fn can_be(self, rule: Self) -> bool {
        self == rule || (self == Self::Either && [Self::Origin, Self::Sni].contains(&rule))
    }
}

impl Extensions {
    fn word(&self) -> String {
        let presented = self.kept.len() + self.rewritten.len() + self.added.len();
        let genuine = self.kept.len() + self.rewritten.len() + self.dropped.len();
        let san = self.kept.iter().chain(&self.rewritten).any(|name| name == "san");
        match (presented, genuine) {
            (0, 0) => "none".into(),
            (0, _) => "dropped-all".into(),
            (1, 2..) if san => "dropped-all-but-san".into(),
            // What it writes itself is its own, whatever the genuine leaf has.
            _ => {
                let all = self.kept.iter().chain(&self.rewritten).chain(&self.added);
                let all: BTreeSet<_> = all.map(String::as_str).collect();
                all.into_iter().collect::<Vec<_>>().join("+")
            }
        }
    }

    /// Whether nothing but names was left of more.
    fn are_dropped(&self) -> bool {
        self.added.is_empty()
            && !self.dropped.is_empty()
            && self.kept.iter().chain(&self.rewritten).all(|name| name == "san")
    }
}

/// Bytes at the end that a program redraws, where `bits` were seen to differ: 1, 4 or 8. Of bits
/// drawn at random the first ones agree by chance, and one bit more was measured in Kazakhstan (33).
fn edited_bytes(bits: u32) -> u32 {
    match bits {
        0..=9 => 1,
        10..=33 => 4,
        _ => 8,
    }
}

fn names(genuine: &Fields, presented: &Fields, asked: &str) -> Origin {
    let written = |leaf: &Fields| -> BTreeSet<String> {
        let common_name = leaf.subject.attribute("CN");
        let names = match leaf.extension(ALTERNATIVE_NAMES) {
            Some(_) => leaf.alternative_names.iter().map(String::as_str).collect(),
            None => common_name.into_iter().collect::<Vec<_>>(),
        };
        names.into_iter().map(str::to_ascii_lowercase).collect()
    };
    let (genuine, presented) = (written(genuine), written(presented));
    let alone = BTreeSet::from([asked.to_ascii_lowercase()]);
    if presented.is_empty() {
        return Origin::Other;
    }
    whose(genuine == presented, presented == alone)
}

fn subject(genuine: &Fields, presented: &Fields, asked: &str) -> Origin {
    // The subject of many public leaves is empty.
    if presented.subject.attributes().is_empty() {
        let both = genuine.subject.attributes().is_empty();
        return if both { Origin::Either } else { Origin::Other };
    }
    let alone = presented.subject.kinds() == ["CN"]
        && presented.subject.attribute("CN").is_some_and(|name| name.eq_ignore_ascii_case(asked));
    whose(genuine.subject == presented.subject, alone)
}

fn whose(genuine: bool, asked: bool) -> Origin {
    match (genuine, asked) {
        (true, true) => Origin::Either,
        (true, false) => Origin::Origin,
        (false, true) => Origin::Sni,
        (false, false) => Origin::Other,
    }
}

fn validity(genuine: &Fields, presented: &Fields) -> Validity {
    let from = (presented.not_before - genuine.not_before).whole_seconds();
    let until = (presented.not_after - genuine.not_after).whole_seconds();
    match (from, until) {
        (0, 0) => Validity::Equal,
        (0, _) => Validity::StartKept,
        (_, 0) => Validity::EndKept,
        _ if from == until && from % (ZONE * 60) == 0 && from.abs() <= LONGEST_SHIFT * 60 => {
            Validity::Shifted { minutes: from / 60 }
        }
        _ => Validity::Fresh,
    }
}

fn serial(genuine: &[u8], presented: &[u8]) -> Serial {
    if genuine == presented {
        return Serial::Equal;
    }
    let differs = genuine.iter().zip(presented).position(|(left, right)| left != right);
    let (true, Some(first)) = (genuine.len() == presented.len(), differs) else {
        return Serial::Fresh;
    };
    let bits = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8);
    let agree = (genuine[first] ^ presented[first]).leading_zeros();
    let edited = bits(genuine.len() - first) - agree;
    let kept = bits(genuine.len()) - edited;
    if kept >= HEAD && edited <= 65 { Serial::Edited { bits: edited } } else { Serial::Fresh }
}

fn extensions(genuine: &Fields, presented: &Fields) -> Extensions {
    let mut seen = Extensions::default();
    for (oid, body) in presented.extensions.iter().zip(&presented.extension_bodies) {
        let list = match genuine.extension(oid) {
            Some(same) if same.value == body.value => &mut seen.kept,
            Some(_) => &mut seen.rewritten,
            None => &mut seen.added,
        };
        list.push(short(oid));
    }
    let dropped = genuine.extensions.iter().filter(|oid| presented.extension(oid).is_none());
    seen.dropped = dropped.map(|oid| short(oid)).collect();
    seen
}

fn short(oid: &str) -> String {
    let name = match oid {
        "1.3.6.1.4.1.11129.2.4.2" => "scts",
        "1.3.6.1.5.5.7.1.1" => "aia",
        "2.5.29.14" => "ski",
        "2.5.29.15" => "ku",
        ALTERNATIVE_NAMES => "san",
        "2.5.29.19" => "bc",
        "2.5.29.31" => "crl",
        "2.5.29.32" => "policies",
        "2.5.29.35" => "aki",
        "2.5.29.37" => "eku",
        other => other,
    };
    name.to_owned()
}

/// What a dossier says of the grammar of its interceptor. What it does not say is not asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where names and subject are from.
    pub names: Option<Origin>,
    /// Shifts of the validity, in hours; 0 for none.
    #[serde(default)]
    pub validity_shift_hours: Vec<i64>,
    /// How many bytes at the end of the serial number change; 0 for none. One bit more may.
    pub serial_last_bytes: Option<u32>,
    /// What became of the extensions.
    pub extensions: Option<Fate>,
    /// As [`Fields::key_word`].
    #[serde(default)]
    pub keys: Vec<String>,
}

/// What became of the extensions other than the names.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// They are gone.
    Dropped,
}

impl Rule {
    /// Whether it asks for more than what strangers share: what became of dates or serial number,
    /// and two things more.
    pub fn is_distinctive(&self) -> bool {
        let dates = !self.validity_shift_hours.is_empty();
        let serial = self.serial_last_bytes.is_some();
        let others = [self.names.is_some(), self.extensions.is_some(), !self.keys.is_empty()];
        let stated = others.into_iter().chain([dates, serial]).filter(|stated| *stated).count();
        (dates || serial) && stated >= 3
    }

    /// Whether a leaf of this grammar is what the rule says, in everything that it says.
    pub fn fits(&self, grammar: &Grammar) -> bool {
        let names = self
            .names
            .is_none_or(|rule| grammar.names.can_be(rule) && grammar.subject.can_be(rule));
        let shift = match grammar.validity {
            Validity::Equal => Some(0),
            Validity::Shifted { minutes } => Some(minutes),
            _ => None,
        };
        let hours = &self.validity_shift_hours;
        let validity =
            hours.is_empty() || hours.iter().any(|hours| shift == Some(hours.saturating_mul(60)));
        let serial = self.serial_last_bytes.is_none_or(|bytes| match grammar.serial {
            Serial::Equal => bytes == 0,
            Serial::Edited { bits } => bytes > 0 && bits <= bytes.saturating_mul(8) + 1,
            Serial::Fresh => false,
        });
        let extensions =
            self.extensions.is_none_or(|Fate::Dropped| grammar.extensions.are_dropped());
        let key = self.keys.is_empty() || self.keys.contains(&grammar.key);
        names && validity && serial && extensions && key
    }
}

#[cfg(test)]
pub(crate) mod tests;
