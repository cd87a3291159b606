//! Rows of a name, taken together: who saw what, where and when.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{Network, Row, RowKey};
use crate::chain::KeyHash;

/// Some of the rows of one name.
pub type Rows<'a> = Vec<(&'a RowKey, &'a Row)>;

/// Those that `of` is true of, and the others.
pub(crate) fn split<'a>(
    rows: &Rows<'a>,
    of: impl Fn(&RowKey, &Row) -> bool,
) -> (Rows<'a>, Rows<'a>) {
    rows.iter().copied().partition(|(key, row)| of(key, row))
}

/// Those of the rest that were seen on the days of `some`.
pub(crate) fn near<'a>(some: &Rows<'a>, rest: &Rows<'a>) -> Rows<'a> {
    let days = some.iter().flat_map(|(_, row)| row.days.keys().copied()).collect();
    rest.iter().filter(|(key, row)| key.leaf.is_some() && row.is_near(&days)).copied().collect()
}

/// Trusted rows by the key of their leaf.
pub(crate) fn by_key<'a>(rows: &Rows<'a>) -> BTreeMap<KeyHash, Rows<'a>> {
    let mut by_key: BTreeMap<KeyHash, Rows<'a>> = BTreeMap::new();
    for (key, row) in rows.iter().filter(|(_, row)| row.trusted > 0) {
        if let Some(leaf) = key.leaf {
            by_key.entry(leaf).or_default().push((key, row));
        }
    }
    by_key
}

/// The key that most networks see.
pub(crate) fn most<'m, 'a>(
    by_key: &'m BTreeMap<KeyHash, Rows<'a>>,
) -> Option<(KeyHash, &'m Rows<'a>)> {
    let most = by_key.iter().max_by_key(|(_, rows)| networks(rows).len());
    most.map(|(key, rows)| (*key, rows))
}

/// Networks that are known.
pub(crate) fn networks<'a>(rows: &Rows<'a>) -> BTreeSet<&'a Network> {
    let known = rows.iter().filter(|(key, _)| key.network.asn != 0);
    known.map(|(key, _)| &key.network).collect()
}

/// Networks of `others` that were asked as `some` were.
pub(crate) fn alike(some: &Rows<'_>, others: &Rows<'_>) -> usize {
    let versions = |row: &Row| -> BTreeSet<bool> {
        row.addresses.keys().map(std::net::IpAddr::is_ipv4).collect()
    };
    let like = |(key, row): &(&RowKey, &Row)| {
        some.iter().any(|(own, here)| {
            key.client == own.client && !versions(row).is_disjoint(&versions(here))
        })
    };
    networks(&others.iter().copied().filter(like).collect()).len()
}

/// First and last moment, in seconds since 1970.
pub(crate) fn span(rows: &Rows<'_>) -> (Option<i64>, Option<i64>) {
    let spans = rows.iter().filter_map(|(_, row)| row.span);
    (spans.clone().map(|(first, _)| first).min(), spans.map(|(_, last)| last).max())
}
