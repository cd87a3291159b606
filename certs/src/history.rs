//! When a program trusted a root, from dated states of its list: the widest interval they allow,
//! because to call a root untrusted too early would make a genuine chain look forged.

use std::collections::BTreeSet;

use time::Date;

use crate::layout::{Anchor, Purpose, Sha256, Snapshot};

/// A program's list on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The day and where the list was read.
    pub snapshot: Snapshot,
    /// What it means that a root is not in it.
    pub lack: Lack,
    /// What it holds.
    pub held: BTreeSet<Sha256>,
    /// What it says that the program refuses; that is no doubtful lack.
    pub refused: BTreeSet<Sha256>,
}

impl State {
    fn lack_of(&self, root: &Sha256) -> Lack {
        if self.refused.contains(root) { Lack::Untrusted } else { self.lack }
    }
}

/// What it means that a root is not in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The program did not trust it.
    Untrusted,
    /// So too, unless a later state has it: some copies drop a root once the program refuses its new
    /// certificates, while older ones are still trusted, and some have gaps.
    Doubtful,
    /// Nothing: the copy leaves roots out for reasons of its own.
    Nothing,
}

/// The times in which each root was trusted, by states sorted by day.
pub fn anchors(states: &[State]) -> Vec<Anchor> {
    let roots: BTreeSet<Sha256> = states.iter().flat_map(|state| &state.held).copied().collect();
    roots.into_iter().flat_map(|root| times(root, states)).collect()
}

fn times(root: Sha256, states: &[State]) -> Vec<Anchor> {
    let held: Vec<usize> =
        (0..states.len()).filter(|index| states[*index].held.contains(&root)).collect();
    let mut times: Vec<Anchor> = Vec::new();
    for (position, first) in held.iter().copied().enumerate() {
        let before = position.checked_sub(1).map_or(0, |previous| held[previous] + 1);
        let gap = &states[before..first];
        let continues =
            position > 0 && !gap.iter().any(|state| state.lack_of(&root) == Lack::Untrusted);
        if !continues {
            times.push(Anchor { from: last_without(&root, gap), ..trusted(root) });
        }
        let next = held.get(position + 1).copied().unwrap_or(states.len());
        if let Some(time) = times.last_mut() {
            time.until = first_without(&root, &states[first + 1..next], next == states.len());
        }
    }
    times
}

fn last_without(root: &Sha256, gap: &[State]) -> Option<Date> {
    let lacking = gap.iter().rev().find(|state| state.lack_of(root) != Lack::Nothing);
    lacking.map(|state| state.snapshot.date)
}

fn first_without(root: &Sha256, gap: &[State], newest: bool) -> Option<Date> {
    let day = |lack| {
        let state = gap.iter().find(|state| state.lack_of(root) == lack);
        state.map(|state| state.snapshot.date)
    };
    day(Lack::Untrusted).or_else(|| newest.then(|| day(Lack::Doubtful)).flatten())
}

fn trusted(sha256: Sha256) -> Anchor {
    Anchor {
        sha256,
        from: None,
        until: None,
        tls: Purpose::Tls,
        name_constraints: None,
        issued_after: None,
        sct_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Sha256 = [1; 32];

    type Years = (Option<i32>, Option<i32>);

    /// States one a year from 2018 on: `+` has the root, `-` lacks it, `?` lacks it but may only
    /// have dropped it, `r` too and refuses it, `.` says nothing.
    fn states(drawn: &str) -> Vec<State> {
        let years = 2018..;
        let state = |(year, letter): (i32, char)| State {
            snapshot: Snapshot { date: day(year), source: "some list".to_owned() },
            lack: match letter {
                '-' => Lack::Untrusted,
                '.' => Lack::Nothing,
                _ => Lack::Doubtful,
            },
            held: (letter == '+').then_some(ROOT).into_iter().collect(),
            refused: (letter == 'r').then_some(ROOT).into_iter().collect(),
        };
        years.zip(drawn.chars()).map(state).collect()
    }

    fn day(year: i32) -> Date {
        Date::from_ordinal_date(year, 1).unwrap()
    }

    #[test]
    fn a_root_is_trusted_from_the_last_state_without_it_until_the_first_without_it() {
        let table: &[(&str, &[Years])] = &[
            ("++++", &[(None, None)]),
            ("-+++", &[(Some(2018), None)]),
            ("--++", &[(Some(2019), None)]),
            ("++--", &[(None, Some(2020))]),
            ("+-++", &[(None, Some(2019)), (Some(2019), None)]),
            ("+--+", &[(None, Some(2019)), (Some(2020), None)]),
            ("+?++", &[(None, None)]),
            ("+??-", &[(None, Some(2021))]),
            ("+??", &[(None, Some(2019))]),
            ("+?-+", &[(None, Some(2020)), (Some(2020), None)]),
            ("+-?+", &[(None, Some(2019)), (Some(2020), None)]),
            ("?+", &[(Some(2018), None)]),
            ("+?r+", &[(None, Some(2020)), (Some(2020), None)]),
            ("+?r", &[(None, Some(2020))]),
            (".+.", &[(None, None)]),
            ("+.-", &[(None, Some(2020))]),
            ("---", &[]),
        ];
        for (drawn, expected) in table {
            let found: Vec<_> = anchors(&states(drawn))
                .into_iter()
                .map(|anchor| (anchor.from.map(Date::year), anchor.until.map(Date::year)))
                .collect();
            assert_eq!(found, *expected, "{drawn}");
        }
    }
}
