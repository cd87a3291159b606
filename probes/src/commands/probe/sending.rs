//! Records that the volunteer agreed to send: kept on disk as they come, sent after the run.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Args, value_parser};
use kua::measurement::{Measurement, Vantage};
use kua::tlog::VerifyingKey;
use kua::wire;
use kua_console::{CommonArgs, Trouble};
use kua_probes::submit::{
    Collector, MAX_SPOOL, Outcome, Patience, Signer, Spool, SpoolError, key_directory, send,
    spool_directory,
};
use time::OffsetDateTime;

/// How many refusals are told.
const TOLD: usize = 5;

#[derive(Args)]
pub(super) struct SubmitArgs {
    /// Send each record to the collector at URL, once you agreed
    ///
    /// A record is kept on this disk until the collector has acknowledged it, however long that takes: what
    /// could not be sent is sent by the next `kua probe --submit` to the same URL. The collector is Kua's
    /// or OONI's.
    #[arg(long, value_name = "URL", help_heading = "Sending")]
    submit: Option<String>,
    /// Measure nothing, and send what waits from earlier runs
    #[arg(long, requires = "submit", conflicts_with_all = ["targets", "suite"], help_heading = "Sending")]
    submit_only: bool,
    /// Seconds for which a collector that fails is tried again before the rest is left for the next run
    #[arg(
        long, value_name = "S", default_value = "60", requires = "submit", help_heading = "Sending",
        value_parser = value_parser!(u64).range(0..=30 * 24 * 3600),
    )]
    submit_wait: u64,
    /// The key of the collector's log, if you know it from its operator
    ///
    /// Without it, the first key that the collector shows counts from then on.
    #[arg(long, value_name = "KEY", requires = "submit", help_heading = "Sending")]
    collector_key: Option<VerifyingKey>,
    /// Keep what waits in DIR instead of the user's own directory
    #[arg(long, value_name = "DIR", requires = "submit", help_heading = "Sending")]
    spool: Option<PathBuf>,
}

impl SubmitArgs {
    /// Whether nothing is measured.
    pub(super) fn only(&self) -> bool {
        self.submit_only
    }

    /// What is needed for sending, if it is asked for. Nothing is written yet.
    pub(super) fn open(self) -> Result<Option<Sending>, Trouble> {
        let Some(url) = self.submit else { return Ok(None) };
        let collector = Collector::at(&url)
            .map_err(|error| Trouble::new("cannot send records").because(error))?;
        let root = self.spool.or_else(spool_directory).ok_or_else(|| {
            Trouble::new("cannot tell where to keep records until they are sent")
                .because("neither XDG_STATE_HOME nor HOME names a directory")
                .hint("name one with --spool")
        })?;
        let limit = Duration::from_secs(self.submit_wait);
        Ok(Some(Sending {
            collector,
            root,
            limit,
            key: self.collector_key,
            spool: None,
            signer: None,
            left: 0,
        }))
    }
}

/// Records on their way to a collector.
pub(super) struct Sending {
    collector: Collector,
    root: PathBuf,
    limit: Duration,
    key: Option<VerifyingKey>,
    /// Once the volunteer agreed.
    spool: Option<Spool>,
    signer: Option<Signer>,
    /// Records for which there was no room.
    left: usize,
}

impl Sending {
    /// What leaves this machine, in words.
    pub(super) fn announcement(&self, vantage: &Vantage) -> String {
        let (host, dir) = (self.collector.host(), self.root.display());
        let mut text = format!(
            "each record is then sent to {host}:\n\
             \u{20} it holds the site's name and addresses, its certificates, what failed and when, and the country,\n\
             \u{20} network number and network name that you state; --out FILE shows it\n\
             \u{20} a key that changes every day and names nobody signs it\n\
             \u{20} {host}, and whoever watches your line, can see that this machine sends records\n\
             \u{20} until it is acknowledged, it waits in {dir}, for your eyes only;\n\
             \u{20} what waits there from earlier runs is sent too"
        );
        if vantage.country == "ZZ" || vantage.asn == 0 {
            text.push_str(
                "\nwarning: most collectors keep no record without country and network: give --cc and --asn",
            );
        }
        text
    }

    /// What waits from earlier runs may be sent; the volunteer agreed to that then.
    pub(super) fn resume(&mut self) -> Result<(), Trouble> {
        self.spool = Some(Spool::open(&self.root, self.collector.url()).map_err(trouble)?);
        Ok(())
    }

    /// The volunteer agreed: from now on records may be kept for sending.
    pub(super) fn begin(&mut self, vantage: &Vantage) -> Result<(), Trouble> {
        self.resume()?;
        let keys = key_directory().unwrap_or_else(|| self.root.clone());
        let signer = Signer::open(&keys, vantage, OffsetDateTime::now_utc()).map_err(|error| {
            Trouble::new(format!("cannot keep a key in {}", keys.display()))
                .because(error)
                .hint("XDG_DATA_HOME names another directory")
        })?;
        self.signer = Some(signer);
        Ok(())
    }

    /// Keeps a record for sending; it is durable when this returns.
    pub(super) fn keep(&mut self, measurement: &Measurement) -> Result<(), Trouble> {
        let (Some(spool), Some(signer)) = (&self.spool, &self.signer) else { return Ok(()) };
        let submission = signer.sign(wire::to_line(measurement));
        if !spool.keep(&submission).map_err(trouble)? {
            self.left += 1;
        }
        Ok(())
    }

    /// What an interruption leaves.
    pub(super) fn leave(&self) -> Result<(), Trouble> {
        let Some(spool) = &self.spool else { return Ok(()) };
        let waiting = spool.waiting().map_err(trouble)?.len();
        say(&format!("{} left in {} for the next run", records(waiting), spool.dir().display()))
    }

    /// Sends what waits, until that is done, given up for now, or interrupted; says what came of it.
    pub(super) fn send(self, common: &CommonArgs) -> Result<Sent, Trouble> {
        let Some(spool) = self.spool else { return Ok(Sent::Done) };
        let dir = spool.dir().to_path_buf();
        if self.left > 0 {
            let limit = MAX_SPOOL / (1024 * 1024);
            let left = records(self.left);
            say(&format!(
                "warning: no room to keep {left} for sending: {limit} MiB wait already in {}",
                self.root.display()
            ))?;
        }
        let talkative = common.verbose > 0 || std::io::stderr().is_terminal();
        let (collector, key, limit) = (self.collector, self.key, self.limit);
        let host = collector.host().to_owned();
        let sent = interruptible(move || {
            let patience = Patience { limit, clock: OffsetDateTime::now_utc };
            let mut tell = |text: &str| {
                if talkative {
                    say(&format!("sending to {}: {text}", collector.host())).ok();
                }
            };
            send(&spool, &collector, key.as_ref(), patience, &mut tell)
        })?;
        let Some(outcome) = sent else {
            say(&format!(
                "interrupted: what was not sent waits in {} for the next run",
                dir.display()
            ))?;
            return Ok(Sent::Interrupted);
        };
        told(outcome.map_err(trouble)?, &host, &dir)
    }
}

/// How sending ended.
pub(super) enum Sent {
    Done,
    Interrupted,
}

fn told(outcome: Outcome, host: &str, dir: &std::path::Path) -> Result<Sent, Trouble> {
    let Outcome { sent, altered, refused, waiting, proved, .. } = &outcome;
    if (*sent, *waiting, proved + outcome.unproved) == (0, 0, 0) && refused.is_empty() {
        say(&format!("no record waits for {host}"))?;
    }
    let proof = match (proved, outcome.unproved) {
        (0, 0) => String::new(),
        (proved, 0) => format!("; {proved} proved to be in its log"),
        (proved, open) => format!("; {proved} proved to be in its log, {open} not yet"),
    };
    if *sent > 0 || !proof.is_empty() {
        say(&format!("{} sent to {host} and acknowledged{proof}", records(*sent)))?;
    }
    if *altered > 0 {
        say(&format!("{host} keeps {} without this machine's address", records(*altered)))?;
    }
    for refused in refused.iter().take(TOLD) {
        say(&format!("warning: {} was refused: {}", refused.name, refused.why))?;
    }
    if !refused.is_empty() {
        let folder = dir.join("refused");
        say(&format!("{} set aside in {}", records(refused.len()), folder.display()))?;
    }
    if *waiting > 0 {
        let why = match (&outcome.why, outcome.busy) {
            (_, true) => "another kua is sending".to_owned(),
            (Some(why), _) => why.clone(),
            (None, _) => "they came meanwhile".to_owned(),
        };
        let dir = dir.display();
        say(&format!("{} left in {dir} for the next run: {why}", records(*waiting)))?;
    }
    match outcome.log {
        None => Ok(Sent::Done),
        Some(error) if error.is_proof() => Err(Trouble::new(format!("{host} cannot be trusted"))
            .because(error)
            .hint("keep that directory and show it to somebody whom you trust; until it is explained, send to another collector")),
        Some(error) => {
            say(&format!("the log of {host} is checked by the next run: {error}"))?;
            Ok(Sent::Done)
        }
    }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".into() } else { format!("{count} records") }
}

/// Does `work` beside a wait for Ctrl-C; nothing where that came first. What `work` has on disk stays as it
/// is when the program ends.
fn interruptible<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Trouble> {
    let (sender, done) = tokio::sync::oneshot::channel();
    thread::spawn(move || sender.send(work()));
    let runtime = super::runtime()?;
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = done => ended.ok(),
            () = super::run::interrupted() => None,
        }
    });
    Ok(ended)
}

fn trouble(error: SpoolError) -> Trouble {
    Trouble::new("cannot keep records for sending")
        .because(error)
        .hint("name another directory with --spool")
}

fn say(text: &str) -> Result<(), Trouble> {
    Ok(writeln!(anstream::stderr(), "{text}")?)
}

/// Exit code of what was sent.
impl From<Sent> for ExitCode {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Done => Self::SUCCESS,
            Sent::Interrupted => Self::from(super::INTERRUPTED),
        }
    }
}
