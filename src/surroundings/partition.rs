//! Which facts tell those who saw one key from those who saw another.

use std::collections::BTreeSet;

use serde::Serialize;

use super::row::{Row, RowKey};

/// Something that is true of everybody on one side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fact {
    /// `country`, `network`, `resolver`, `address`, `ip-version`, `program` or `day`.
    pub what: &'static str,
    /// Its value.
    pub value: String,
}

/// The kinds of facts, the plainest first.
const KINDS: [&str; 7] =
    ["country", "network", "resolver", "address", "ip-version", "program", "day"];

/// What is known of one row for one kind of fact.
struct Known {
    values: BTreeSet<String>,
    /// Nothing else can be true of it.
    whole: bool,
}

impl Known {
    fn may_be(&self, value: &str) -> bool {
        !self.whole || self.values.contains(value)
    }
}

/// The smallest sets of facts that are true of all of `some` and of none of `others`: each of one
/// fact, or where no single one does, of two. Empty where nothing that is known tells them apart.
pub fn separating(some: &[(&RowKey, &Row)], others: &[(&RowKey, &Row)]) -> Vec<Vec<Fact>> {
    if some.is_empty() || others.is_empty() {
        return Vec::new();
    }
    let facts: Vec<_> = (0..KINDS.len()).filter_map(|kind| shared(some, kind)).collect();
    let others: Vec<Vec<Known>> = others
        .iter()
        .map(|(key, row)| (0..KINDS.len()).map(|kind| known(key, row, kind)).collect())
        .collect();
    let of_none = |facts: &[&(usize, String)]| {
        let all = |known: &Vec<Known>| facts.iter().all(|(kind, value)| known[*kind].may_be(value));
        !others.iter().any(all)
    };
    let fact = |(kind, value): &(usize, String)| Fact { what: KINDS[*kind], value: value.clone() };
    let single = facts.iter().filter(|found| of_none(&[found]));
    let single: Vec<_> = single.map(|found| vec![fact(found)]).collect();
    if !single.is_empty() {
        return single;
    }
    let mut pairs = Vec::new();
    for (position, first) in facts.iter().enumerate() {
        for second in &facts[position + 1..] {
            if of_none(&[first, second]) {
                pairs.push(vec![fact(first), fact(second)]);
            }
        }
    }
    pairs
}

/// The one value that is true of all rows.
fn shared(rows: &[(&RowKey, &Row)], kind: usize) -> Option<(usize, String)> {
    let mut values = rows.iter().map(|(key, row)| {
        let known = known(key, row, kind);
        (known.whole && known.values.len() == 1).then(|| known.values.into_iter().next()).flatten()
    });
    let first = values.next()??;
    values.all(|value| value.as_ref() == Some(&first)).then_some((kind, first))
}

fn known(key: &RowKey, row: &Row, kind: usize) -> Known {
    let (values, whole): (BTreeSet<String>, bool) = match KINDS[kind] {
        "country" => {
            let unknown = key.network.country.is_empty() || key.network.country == "ZZ";
            ([key.network.country.clone()].into(), !unknown)
        }
        "network" => ([key.network.to_string()].into(), key.network.asn != 0),
        "resolver" => (row.resolvers.keys().cloned().collect(), row.resolvers.is_whole()),
        "address" => {
            (row.addresses.keys().map(ToString::to_string).collect(), row.addresses.is_whole())
        }
        "ip-version" => {
            let version = |v4: bool| if v4 { "IPv4" } else { "IPv6" };
            let versions = row.addresses.keys().map(|address| version(address.is_ipv4()).into());
            (versions.collect(), row.addresses.is_whole())
        }
        "program" => {
            let unknown = key.client.program.is_empty();
            ([key.client.to_string()].into(), !unknown)
        }
        _ => {
            let date = |day: &i32| time::Date::from_julian_day(*day).ok();
            let days = row.days.keys().filter_map(date).map(|date| date.to_string());
            (days.collect(), row.days.is_whole())
        }
    };
    let whole = whole && !values.is_empty();
    Known { values, whole }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Client, Network};
    use super::*;

    fn row(country: &str, asn: u32, address: &str, version: &str) -> (RowKey, Row) {
        let network = Network { country: country.into(), asn };
        let client =
            Client { program: "probe".into(), version: version.into(), ..Client::default() };
        let mut row = Row::default();
        row.addresses.insert(address.parse().unwrap());
        row.days.insert(2_460_000);
        (RowKey { network, client, ..RowKey::default() }, row)
    }

    #[test]
    fn table() {
        let here = || row("QZ", 64500, "192.0.2.1", "1");
        for (case, some, others, expected) in [
            (
                "one network of the same country",
                vec![here()],
                vec![row("QZ", 64501, "192.0.2.1", "1")],
                vec!["network=QZ AS64500"],
            ),
            (
                "two networks of one country, others abroad",
                vec![here(), row("QZ", 64501, "192.0.2.1", "1")],
                vec![row("XA", 64502, "192.0.2.1", "1")],
                vec!["country=QZ"],
            ),
            (
                "one address in the same network",
                vec![here()],
                vec![row("QZ", 64500, "192.0.2.2", "1")],
                vec!["address=192.0.2.1"],
            ),
            (
                "by address and IP version alike",
                vec![here()],
                vec![row("QZ", 64500, "2001:db8::1", "1")],
                vec!["address=192.0.2.1", "ip-version=IPv4"],
            ),
            (
                "by two facts together",
                vec![here()],
                vec![row("QZ", 64500, "192.0.2.1", "2"), row("QZ", 64501, "192.0.2.1", "1")],
                vec!["network=QZ AS64500 program=probe 1"],
            ),
            ("by nothing that is known", vec![here()], vec![here()], vec![]),
            ("nobody on the other side", vec![here()], vec![], vec![]),
        ] {
            let lent = |rows: &'static [(RowKey, Row)]| -> Vec<(&'static RowKey, &'static Row)> {
                rows.iter().map(|(key, row)| (key, row)).collect()
            };
            let sets = separating(&lent(some.leak()), &lent(others.leak()));
            let word = |facts: &Vec<Fact>| {
                let words = facts.iter().map(|fact| format!("{}={}", fact.what, fact.value));
                words.collect::<Vec<_>>().join(" ")
            };
            assert_eq!(sets.iter().map(word).collect::<Vec<_>>(), expected, "{case}");
        }
    }

    #[test]
    fn what_is_not_known_separates_nobody() {
        let (mut key, mut other) = row("QZ", 64500, "192.0.2.1", "1");
        other.addresses = Default::default();
        key.network.asn = 0;
        key.client.program.clear();
        let here = row("QZ", 64500, "192.0.2.1", "1");
        assert_eq!(separating(&[(&here.0, &here.1)], &[(&key, &other)]), Vec::<Vec<Fact>>::new());
    }
}
