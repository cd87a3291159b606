//! ca-certificates: what Debian installs, which is Mozilla's list for servers and mail together.
//! Programs on Debian trust all of it for TLS.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::history::{Lack, State};
use crate::layout::{Roots, Snapshot};
use crate::packages::{Certificates, add, broken, day, pem_file, versions};

/// Every version that is there.
///
/// # Errors
/// When a version is not as expected.
pub fn states(packages: &Path, roots: &mut Roots) -> io::Result<Vec<State>> {
    let package = packages.join("ca-certificates");
    let mut states = Vec::new();
    for (version, folder) in versions(&package)? {
        let mut certificates = Certificates::new();
        for file in fs::read_dir(&folder)? {
            certificates.append(&mut pem_file(&file?.path())?);
        }
        let date = made(&version).ok_or_else(|| broken(&folder, "a version without a day"))?;
        states.push(State {
            snapshot: Snapshot { date, source: format!("ca-certificates {version}") },
            lack: Lack::Untrusted,
            held: certificates.keys().copied().collect(),
            refused: BTreeSet::new(),
        });
        add(roots, certificates)?;
    }
    Ok(states)
}

/// Versions begin with a day: `20250419~deb12u2`.
fn made(version: &str) -> Option<time::Date> {
    let (year, month, number) = (version.get(..4)?, version.get(4..6)?, version.get(6..8)?);
    day(&format!("{year}-{month}-{number}")).ok()
}
