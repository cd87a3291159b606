//! What a running lab leaves in a directory for those who measure it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::hosts::HOSTS;
use crate::pki::Pki;
use crate::reference;

/// Its presence says that the lab runs and that every other file is whole.
const READY: &str = "ready";

/// Takes back what a lab before this one said; the directory need not exist.
pub(crate) fn withdraw(out: &Path) -> Result<(), LabError> {
    let path = out.join(READY);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::Write { path, source })
        }
        _ => Ok(()),
    }
}

/// Writes reference data, suite and arguments, and last of all the file `ready`.
pub(crate) fn write(
    out: &Path,
    pki: &Pki,
    date: &str,
    clean: SocketAddr,
    national: SocketAddr,
) -> Result<(), LabError> {
    for (path, content) in reference::files(pki, date) {
        write_file(out.join("reference").join(path), &content)?;
    }
    write_file(out.join("suite.toml"), &suite(date))?;
    write_file(out.join("clean.args"), &arguments(clean))?;
    write_file(out.join("national.args"), &arguments(national))?;

    // Renamed into place, so that whoever waits for it never sees half of it.
    let unready = out.join("ready.partial");
    write_file(unready.clone(), &format!("clean {clean}\nnational {national}\n"))?;
    let path = out.join(READY);
    fs::rename(unready, &path).map_err(|source| LabError::Write { path, source })
}

fn suite(date: &str) -> String {
    let mut suite = format!(
        "name = \"lab\"\n\
         title = \"Every name of the lab\"\n\
         source = \"kua-lab\"\n\
         date = \"{date}\"\n"
    );
    for host in HOSTS {
        suite.push_str(&format!(
            "\n[[target]]\nhost = \"{}\"\ncategory = \"{}\"\nreason = \"{}\"\n",
            host.name,
            host.category,
            host.fate.reason()
        ));
    }
    suite
}

fn arguments(entry: SocketAddr) -> String {
    HOSTS.iter().map(|host| format!("--connect-to {}:443:{entry}\n", host.name)).collect()
}

fn write_file(path: PathBuf, content: &str) -> Result<(), LabError> {
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(&path, content)),
        None => fs::write(&path, content),
    };
    written.map_err(|source| LabError::Write { path, source })
}
