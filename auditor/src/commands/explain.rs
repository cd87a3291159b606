//! `kua-auditor explain`

use std::io::Write;
use std::process::ExitCode;

use kua::detect::{DETECTORS, Detector};
use kua_console::Trouble;

/// Say what a finding in a report or a judgement claims, and what else could cause it
///
/// A claim is never the whole story: every innocent cause has to be ruled out before it is
/// believed, and each finding says which of them are.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  kua-auditor explain
  kua-auditor explain control-mismatch")]
pub(crate) struct Explain {
    /// The detector's name, as findings carry it [default: a table of all]
    #[arg(value_name = "DETECTOR")]
    detector: Option<String>,
}

impl Explain {
    pub(crate) fn run(self) -> Result<ExitCode, Trouble> {
        let text = match self.detector {
            None => table(),
            Some(id) => account(named(&id)?),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn named(id: &str) -> Result<&'static Detector, Trouble> {
    let found = DETECTORS.iter().find(|detector| detector.id == id);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = DETECTORS.iter().map(|detector| detector.id).collect();
        Trouble::new(format!("cannot explain {id:?}"))
            .because("no detector has this name")
            .hint(format!("the detectors are {}", known.join(", ")))
    })
}

/// A line for each detector, in the order in which judgements list their findings.
fn table() -> String {
    let widest = DETECTORS.iter().map(|detector| detector.id.len()).max().unwrap_or_default();
    let line = |id: &str, level: &str, claim: &str| format!("{id:widest$}  {level:9}  {claim}\n");
    let lines = DETECTORS
        .iter()
        .map(|detector| line(detector.id, &detector.level.to_string(), detector.claim));
    std::iter::once(line("DETECTOR", "AT MOST", "CLAIM")).chain(lines).collect()
}

fn account(detector: &Detector) -> String {
    let mut causes = detector.innocent.iter().map(|cause| cause.words());
    let mut text = String::new();
    let mut line = |label: &str, said: &str| text.push_str(&format!("{label:9}  {said}\n"));
    line("detector", detector.id);
    line("claim", detector.claim);
    line("level", &format!("{}, at most", detector.level));
    line("innocent", causes.next().unwrap_or("nothing else explains it"));
    causes.for_each(|cause| line("", cause));
    line("example", detector.example);
    line("source", detector.source);
    text
}
