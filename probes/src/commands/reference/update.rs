//! `kua reference update`: refresh the reference data from the programs' own public reports.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use kua::reference::File;
use kua_console::{Trouble, files_below, now, refreshed_directory};

use super::reports::Reports;
use super::{directory, refresh};

/// Refresh the reference data from the programs' own public reports
///
/// Asks the publishers of root programs, block lists and lists of logs for their newest reports, over
/// TLS, and says first which hosts these are. Signatures are checked where the publishers sign. A report
/// that is refused, cut, unsigned, older than what is known or implausible changes nothing; the others
/// go on. History stays: a root that a program removed is still known for the time in which it was held.
///
/// Every later `kua probe`, `kua inspect`, `kua-collector judge` and `kua-auditor report` of this user
/// judges with the result.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Update {
    /// Read reports that were already downloaded from DIR, and contact nobody
    ///
    /// A report that is not in DIR leaves its file as it is. What a report says is dated by the day on
    /// which its file was last changed.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Keep the result in DIR instead of the user's own directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  kua reference update                   Ask the publishers, keep the result for this user
  kua reference update --from reports    The same from files on a machine without the Internet
  kua reference update --dir ./newer     Keep it elsewhere: KUA_REFERENCE_DIR=./newer kua probe

The user's own directory is $KUA_REFERENCE_DIR, else kua/reference below $XDG_DATA_HOME or
~/.local/share. What it held before stays beside it as reference.previous.
Exit status: 0 done, 1 something could not be refreshed, 2 bad command line.";

impl Update {
    pub(super) fn run(self) -> Result<ExitCode, Trouble> {
        let now = now(None)?;
        let dir = self.dir.or_else(refreshed_directory).ok_or_else(|| {
            Trouble::new("cannot tell where to keep reference data")
                .because("neither KUA_REFERENCE_DIR nor HOME names a directory")
                .hint("name one with --dir")
        })?;
        if let Some(from) = self.from.as_ref().filter(|from| !from.is_dir()) {
            return Err(Trouble::new(format!("cannot read {}", from.display()))
                .because("it is not a directory")
                .hint("a directory of reports that were downloaded from their publishers"));
        }
        let before = before(&dir)?;
        let reports = Reports::new(self.from, now);
        announce(&reports)?;
        let outcome = refresh::refresh(&reports, &before);
        for file in &outcome.left {
            writeln!(anstream::stderr(), "{file} stays as it is: its report is not there")?;
        }
        if outcome.refreshed.is_empty() {
            let trouble = Trouble::new("cannot refresh the reference data");
            return Err(
                trouble.because(format!("no report could be used; {} is as it was", dir.display()))
            );
        }
        directory::replace(&dir, &outcome.files).map_err(|error| {
            Trouble::new(format!("cannot write {}", dir.display()))
                .because(error)
                .hint("it is as it was; name another directory with --dir")
        })?;
        let mut out = anstream::stdout().lock();
        for file in &outcome.refreshed {
            writeln!(out, "refreshed {file}")?;
        }
        writeln!(
            anstream::stderr(),
            "kept in {}; `kua reference show` tells what it holds",
            dir.display()
        )?;
        Ok(if outcome.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The files of the directory so far. One that no program could judge with is begun anew.
fn before(dir: &Path) -> Result<Vec<File>, Trouble> {
    let Some(current) = directory::current(dir) else { return Ok(Vec::new()) };
    let unusable = match files_below(&current) {
        Ok(files) => match refresh::valid(&files) {
            Ok(()) => return Ok(files),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    writeln!(
        anstream::stderr(),
        "warning: {} is not used any more, what was built in is: {unusable}",
        current.display()
    )?;
    Ok(Vec::new())
}

fn announce(reports: &Reports) -> Result<(), Trouble> {
    let hosts = reports.hosts();
    if !hosts.is_empty() {
        let mut err = anstream::stderr().lock();
        writeln!(err, "contacting over TLS, and the hosts that they redirect to:")?;
        for host in hosts {
            writeln!(err, "  {host}")?;
        }
    }
    Ok(())
}
