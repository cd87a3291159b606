//! What Apple and Microsoft refuse, from the dated copies of their lists.

use std::collections::BTreeSet;

use time::Date;

use crate::layout::{BlockList, Sha256, Why};
use crate::sources::observatory::Refused;

/// The newest list that refuses something, as far as `counts`. A certificate is refused since the
/// first copy from which on every one refuses it.
pub fn list(name: &str, refused: &Refused, counts: impl Fn(&Sha256) -> bool) -> Option<BlockList> {
    let (date, newest) = refused.iter().rev().find(|(_, certificates)| !certificates.is_empty())?;
    let until_then: Vec<_> = refused.range(..=date).rev().collect();
    let certificates = newest.iter().filter(|sha256| counts(sha256)).map(|sha256| {
        let why = Why { since: since(sha256, &until_then), ..Why::default() };
        (*sha256, why)
    });
    Some(BlockList {
        list: name.to_owned(),
        programs: vec![name.to_owned()],
        date: *date,
        issuers: Default::default(),
        keys: Default::default(),
        certificates: certificates.collect(),
    })
}

/// At the latest: where even the oldest copy refuses it, it may have been refused before.
fn since(sha256: &Sha256, newest_first: &[(&Date, &BTreeSet<Sha256>)]) -> Option<Date> {
    let refusing = newest_first.iter().take_while(|(_, refused)| refused.contains(sha256));
    refusing.last().map(|(date, _)| **date)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_refusal_begins_with_the_first_copy_that_has_it() {
        let refused = Refused::from([
            (date!(2018 - 01 - 01), [[1; 32], [2; 32]].into()),
            (date!(2020 - 01 - 01), [[1; 32], [3; 32]].into()),
            (date!(2022 - 01 - 01), [[1; 32], [2; 32], [3; 32], [4; 32]].into()),
            (date!(2024 - 01 - 01), [].into()),
        ]);
        let list = list("Some program", &refused, |sha256| *sha256 != [4; 32]).unwrap();
        assert_eq!(list.date, date!(2022 - 01 - 01));
        let since: Vec<_> = list.certificates.values().map(|why| why.since).collect();
        let expected = [date!(2018 - 01 - 01), date!(2022 - 01 - 01), date!(2020 - 01 - 01)];
        assert_eq!(since, expected.map(Some));
    }
}
