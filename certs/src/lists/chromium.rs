//! Chromium's built-in lists of keys, found in the program: two arrays of SHA-256 values, one after
//! the other, of keys that it refuses and of keys that it knows to intercept.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use time::Date;
use time::macros::date;

use crate::layout::{BlockList, BlockedKey, Sha256, Why};
use crate::packages::broken;

/// Day of the package's build, chromium 156.0.8078.79-1~deb12u1.
const DATE: Date = date!(2026 - 11 - 1);

/// First of the refused keys: of MCS Holdings, made with CNNIC's help in 2015.
const FIRST_REFUSED: &str = "04dde9aa9a79f61498682325fa0870276707fb9ca95384120b46893268494fc9";

/// First of the keys known to intercept: one of Kazakhstan's.
const FIRST_KNOWN: &str = "b13fa2e6131a888a01f3d62056fb0efbe999eb6b6e14927613e02ba8b8fb046e";

/// Eight zero bytes side by side are in no hash: they are what follows the arrays.
const NO_HASH: [u8; 8] = [0; 8];

/// The lists in the program at `file`. Programs do not say since when a key is listed: it is since
/// the day of this one, unless `seen` knows an earlier day.
///
/// # Errors
/// When the arrays are not there as they were in version 156.
pub fn read(file: &Path, seen: &BTreeMap<Sha256, Date>) -> io::Result<BlockList> {
    list(&std::fs::read(file)?, seen).ok_or_else(|| broken(file, "the lists of keys are not in it"))
}

fn list(program: &[u8], seen: &BTreeMap<Sha256, Date>) -> Option<BlockList> {
    let start = find(program, FIRST_REFUSED)?;
    let arrays: Vec<Sha256> = program[start..]
        .chunks_exact(32)
        .map_while(|row| Sha256::try_from(row).ok())
        .take_while(|row| !row.windows(NO_HASH.len()).any(|bytes| bytes == NO_HASH))
        .collect();
    let known = hash(FIRST_KNOWN)?;
    // It is among the refused too.
    let second = arrays.iter().rposition(|row| *row == known)?;
    let (refused, known) = arrays.split_at(second);
    let refused: BTreeSet<&Sha256> = refused.iter().collect();
    let known: BTreeSet<&Sha256> = known.iter().collect();
    let keys = refused.union(&known).map(|spki_sha256| {
        let why = Why {
            since: Some(seen.get(*spki_sha256).copied().unwrap_or(DATE)),
            interception: known.contains(spki_sha256),
            words: (!refused.contains(spki_sha256))
                .then(|| "the browser warns and does not refuse".to_owned()),
        };
        (BlockedKey { spki_sha256: **spki_sha256, subject: None }, why)
    });
    Some(BlockList {
        list: "Chromium".to_owned(),
        programs: vec!["Chrome".to_owned()],
        date: DATE,
        issuers: Default::default(),
        keys: keys.collect(),
        certificates: Default::default(),
    })
}

fn find(program: &[u8], hex: &str) -> Option<usize> {
    let hash = hash(hex)?;
    program.windows(hash.len()).position(|bytes| bytes == hash)
}

fn hash(hex: &str) -> Option<Sha256> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrays_end_where_no_hash_follows() {
        let (first, known) = (hash(FIRST_REFUSED).unwrap(), hash(FIRST_KNOWN).unwrap());
        let arrays = [first, known, [7; 32], known, [9; 32]].concat();
        let program = [&[0; 5][..], &arrays, &[1, 0, 0, 0, 0, 0, 0, 0], &[0; 40]].concat();
        let seen = BTreeMap::from([([7; 32], Date::MIN)]);
        let list = list(&program, &seen).unwrap();
        let found: Vec<_> = list
            .keys
            .iter()
            .map(|(key, why)| {
                (key.spki_sha256[0], why.since == Some(DATE), why.interception, why.words.is_some())
            })
            .collect();
        let expected = [
            (4, true, false, false),
            (7, false, false, false),
            (9, true, true, true),
            (0xB1, true, true, false),
        ];
        assert_eq!(found, expected);
        assert_eq!(super::list(&program[40..], &seen), None);
    }
}
