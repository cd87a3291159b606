//! The same questions to DuckDB and chdb, as Python packages where `tests/engines` can install them.

use std::path::Path;
use std::process::Command;

use crate::Result;

use super::question::{Answer, Dialect, of_figures};

/// Asks both questions twice; prints the seconds of both times and the two rows, on standard error.
const DUCKDB: &str = "
import sys, time, duckdb
engine = duckdb.connect()
engine.execute(\"SET TimeZone = 'UTC'\")
engine.execute('SET enable_progress_bar = false')
for _ in range(2):
    began = time.time()
    rows = [engine.execute(question).fetchall()[0] for question in sys.argv[1:]]
    print(time.time() - began, file=sys.stderr)
for row in rows:
    print(*row, file=sys.stderr)
";

const CHDB: &str = "
import sys, time, chdb
for _ in range(2):
    began = time.time()
    rows = [str(chdb.query(question, 'TabSeparated')) for question in sys.argv[1:]]
    print(time.time() - began, file=sys.stderr)
for row in rows:
    print(row.strip(), file=sys.stderr)
";

/// Seconds of the first and of the second time, and the answers; `None` where the engine is not installed.
pub(crate) fn ask(engine: Dialect, dir: &Path) -> Result<Option<(f64, f64, [Answer; 2])>> {
    let files = dir.join("judgements/bench/*.parquet");
    let (script, table) = match engine {
        Dialect::DuckDb => (DUCKDB, format!("read_parquet('{}')", files.display())),
        _ => (CHDB, format!("file('{}', Parquet)", files.display())),
    };
    let Some(python) = python() else { return Ok(None) };
    let said = Command::new(&python).args(["-c", script]).args(engine.texts(&table)).output()?;
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        return Err(format!("{}: {error}", engine.name()).into());
    }
    // Standard output is where an engine tells of its progress.
    let text = String::from_utf8(said.stderr)?;
    let mut lines = text.lines();
    let mut line = || lines.next().ok_or("the other engine printed too little");
    let (cold, warm) = (line()?.parse()?, line()?.parse()?);
    let mut answer = || -> Result<Answer> {
        let figures: std::result::Result<Vec<i64>, _> =
            line()?.split_whitespace().map(str::parse).collect();
        of_figures(&figures?)
    };
    Ok(Some((cold, warm, [answer()?, answer()?])))
}

/// A Python that has both.
fn python() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/engines");
    let installed = Command::new(script).output().ok()?;
    let path = String::from_utf8(installed.stdout).ok()?;
    installed.status.success().then(|| path.trim().to_owned())
}
