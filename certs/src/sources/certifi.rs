//! certifi: Mozilla's roots for TLS servers, as they were on the days of its releases.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use time::Date;

use crate::history::{Lack, State};
use crate::layout::{Roots, Snapshot};
use crate::packages::{add, broken, day, pem_file, versions};

/// From this day on another source tells what Mozilla's list itself held.
const DOUBTFUL_SINCE: Date = time::macros::date!(2018 - 01 - 14);

/// Every release that is there.
///
/// # Errors
/// When a release is not as expected.
pub fn states(packages: &Path, roots: &mut Roots) -> io::Result<Vec<State>> {
    let package = packages.join("certifi");
    let mut states = Vec::new();
    for (version, folder) in versions(&package)? {
        let certificates = pem_file(&folder.join("cacert.pem"))?;
        let date = released(&version).ok_or_else(|| broken(&folder, "not a day's version"))?;
        states.push(State {
            snapshot: Snapshot { date, source: format!("certifi {version}") },
            lack: if date < DOUBTFUL_SINCE { Lack::Untrusted } else { Lack::Doubtful },
            held: certificates.keys().copied().collect(),
            refused: BTreeSet::new(),
        });
        add(roots, certificates)?;
    }
    Ok(states)
}

/// Versions are days: `2024.7.4`, sometimes with a number after.
fn released(version: &str) -> Option<Date> {
    let mut parts = version.split('.').map(str::parse::<u16>);
    let (year, month, number) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    day(&format!("{year}-{month:02}-{number:02}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_day() {
        for (version, expected) in [
            ("2024.7.4", Some("2024-07-04")),
            ("2015.9.6.2", Some("2015-09-06")),
            ("1.0.1", None),
            ("2024.7", None),
        ] {
            assert_eq!(released(version).map(|day| day.to_string()).as_deref(), expected);
        }
    }
}
