//! The same question to DuckDB and chdb, as Python packages where `tests/engines` can install them.

use std::path::Path;
use std::process::Command;

use crate::Result;

use super::question::{Answer, Dialect, of_figures};

/// Asks twice; prints the seconds of both and the row.
const DUCKDB: &str = "
import sys, time, duckdb
engine = duckdb.connect()
engine.execute(\"SET TimeZone = 'UTC'\")
for _ in range(2):
    began = time.time()
    row = engine.execute(sys.argv[1]).fetchall()[0]
    print(time.time() - began)
print(*row)
";

const CHDB: &str = "
import sys, time, chdb
for _ in range(2):
    began = time.time()
    row = str(chdb.query(sys.argv[1], 'TabSeparated'))
    print(time.time() - began)
print(row.strip())
";

/// Seconds of the first and of the second time, and the answer; `None` where the engine is not installed.
pub(crate) fn ask(engine: Dialect, dir: &Path) -> Result<Option<(f64, f64, Answer)>> {
    let files = dir.join("judgements/bench/*.parquet");
    let (script, table) = match engine {
        Dialect::DuckDb => (DUCKDB, format!("read_parquet('{}')", files.display())),
        _ => (CHDB, format!("file('{}', Parquet)", files.display())),
    };
    let Some(python) = python() else { return Ok(None) };
    let said = Command::new(&python).args(["-c", script, &engine.text(&table)]).output()?;
    if !said.status.success() {
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        return Err(format!("{}: {error}", engine.name()).into());
    }
    let text = String::from_utf8(said.stdout)?;
    let mut lines = text.lines();
    let mut line = || lines.next().ok_or("the other engine printed too little");
    let (cold, warm) = (line()?.parse()?, line()?.parse()?);
    let figures: std::result::Result<Vec<i64>, _> =
        line()?.split_whitespace().map(str::parse).collect();
    Ok(Some((cold, warm, of_figures(&figures?)?)))
}

/// A Python that has both.
fn python() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/engines");
    let installed = Command::new(script).output().ok()?;
    let path = String::from_utf8(installed.stdout).ok()?;
    installed.status.success().then(|| path.trim().to_owned())
}
