//! sslyze: dated copies of the programs' lists, as trust_stores_observatory gathered them. Only
//! facts are taken: which certificates, on which day.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use time::Date;

use crate::history::{Lack, State};
use crate::layout::{Roots, Sha256, Snapshot};
use crate::packages::{add, broken, day, pem_file, versions};

/// What a program refused, by day.
pub type Refused = BTreeMap<Date, BTreeSet<Sha256>>;

/// Every dated copy of a list that is there under one of `names`: releases repeat a copy until there
/// is a newer one.
///
/// # Errors
/// When a copy is not as expected, or there is none.
pub fn states(
    packages: &Path,
    names: &[&str],
    lack: Lack,
    roots: &mut Roots,
) -> io::Result<(Vec<State>, Refused)> {
    let (mut states, mut refused) = (BTreeMap::new(), Refused::new());
    for (version, folder) in versions(&packages.join("sslyze"))? {
        for name in names {
            let index = folder.join(format!("{name}.yaml"));
            if !index.exists() {
                continue;
            }
            let copy =
                copy(&fs::read_to_string(&index)?).ok_or_else(|| broken(&index, "unread"))?;
            let mut certificates = pem_file(&folder.join(format!("{name}.pem")))?;
            certificates.retain(|sha256, _| copy.held.contains(sha256));
            if certificates.len() != copy.held.len() {
                return Err(broken(&index, "not every certificate is there"));
            }
            add(roots, certificates)?;
            refused.insert(copy.date, copy.refused.clone());
            states.entry(copy.date).or_insert_with(|| State {
                snapshot: Snapshot { date: copy.date, source: format!("sslyze {version}") },
                lack,
                held: copy.held,
                refused: copy.refused,
            });
        }
    }
    match states.is_empty() {
        true => Err(broken(packages, &format!("no copy of {names:?}"))),
        false => Ok((states.into_values().collect(), refused)),
    }
}

struct Copy {
    date: Date,
    held: BTreeSet<Sha256>,
    refused: BTreeSet<Sha256>,
}

fn copy(text: &str) -> Option<Copy> {
    let (_, date) = text.split_once("date_fetched: ")?;
    let (held, refused) = text.split_once("\nblocked_certificates:")?;
    let held = fingerprints(held)?;
    // One copy repeats all that is trusted among the refused.
    let refused = fingerprints(refused)?.difference(&held).copied().collect();
    Some(Copy { date: day(date.lines().next()?).ok()?, held, refused })
}

fn fingerprints(text: &str) -> Option<BTreeSet<Sha256>> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("fingerprint: "))
        .map(|hex| HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_trusted_counts_before_what_is_refused() {
        let [one, two] =
            ["01", "02"].map(|byte| format!("- x\n  fingerprint: {}\n", byte.repeat(32)));
        let text = format!(
            "date_fetched: 2023-12-11\ntrusted_certificates:\n{one}blocked_certificates_count: 2\n\
             blocked_certificates:\n{one}{two}"
        );
        let copy = copy(&text).unwrap();
        assert_eq!(copy.date.to_string(), "2023-12-11");
        assert_eq!((copy.held, copy.refused), ([[1; 32]].into(), [[2; 32]].into()));
    }
}
