//! `kua-collector query`

mod ask;
mod describe;
mod fresh;
mod trouble;

use std::io::{BufWriter, Read};
use std::process::ExitCode;

use kua_archive::{Archive, Place};
use kua_console::{CommonArgs, Trouble};
use kua_query::print::Format;
use kua_query::{Limits, QueryError, session};

use super::say;
use ask::Answered;

/// The longest SQL text that is read from standard input.
const MAX_SQL: u64 = 1 << 20;

/// Ask an archive with SQL
///
/// The tables are handshakes, judgements (of the newest reference data that `judge` has used) and
/// certificates; --tables shows their columns. Hashes and keys are bytes: written X'0123', and shown in
/// hexadecimal. What no table has yet is told of, with the command that adds it. A query changes
/// nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector query --archive kz --tables\n  \
    kua-collector query --archive kz \"SELECT day, count(*) FROM handshakes GROUP BY day ORDER BY day\"\n  \
    kua-collector query --archive kz --format csv - <question.sql >answer.csv\n  \
    kua-collector query --archive s3://bucket/kz --cluster http://scheduler:50050 \\\n    \
    \"SELECT asn, count(*) FROM judgements WHERE verdict = 'intercepted' GROUP BY asn\"")]
pub(crate) struct Query {
    /// The archive: a directory, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "A")]
    archive: Place,
    /// One SELECT; - reads it from standard input
    #[arg(value_name = "SQL", required_unless_present = "tables")]
    sql: Option<String>,
    /// Show the tables and what their columns hold, instead
    #[arg(long, conflicts_with = "sql")]
    tables: bool,
    /// How rows are written
    #[arg(long, value_enum, default_value_t)]
    format: Written,
    /// Most rows of a table; json and csv give all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    rows: usize,
    /// Judgements made with this version of the reference data, instead of the newest
    #[arg(long, value_name = "VERSION")]
    reference_version: Option<String>,
    /// Memory for the rows under way, in megabytes; half of what is free, unless said
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
    /// Ask the cluster with this scheduler to do the work
    #[arg(long, value_name = "URL")]
    cluster: Option<String>,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Written {
    /// Aligned columns, for a person
    #[default]
    Table,
    /// One object a line
    Json,
    /// The columns' names, then a line a row
    Csv,
}

impl Query {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        if self.tables {
            describe::write(&mut std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        let sql = self.sql()?;
        let fails = |error: QueryError| trouble::of(error, &sql);
        let snapshot = Archive::open(&self.archive).and_then(|archive| archive.snapshot());
        let snapshot = snapshot.map_err(|error| fails(error.into()))?;
        fresh::note(&self.archive, &snapshot);
        let format = match self.format {
            Written::Table => Format::Table { rows: self.rows },
            Written::Json => Format::Json,
            Written::Csv => Format::Csv,
        };
        let reference = self.reference_version.as_deref();
        let out = BufWriter::new(std::io::stdout().lock());
        let answered = match &self.cluster {
            Some(url) => ask::cluster(url, &self.archive, reference, &sql, format, out)?,
            None => {
                let mut limits = Limits::of_this_machine();
                if let Some(megabytes) = self.memory {
                    limits.memory = (megabytes as usize).saturating_mul(1_000_000);
                }
                let session = session(&snapshot, reference, &limits).map_err(fails)?;
                ask::session(&session, &sql, format, out)?
            }
        };
        self.note(&answered, common);
        Ok(ExitCode::SUCCESS)
    }

    fn sql(&self) -> Result<String, Trouble> {
        let sql = self.sql.as_deref().unwrap_or_default();
        if sql != "-" {
            return Ok(sql.to_owned());
        }
        let mut text = String::new();
        let read = std::io::stdin().lock().take(MAX_SQL).read_to_string(&mut text);
        let read = read.map_err(|error| Trouble::new("cannot read the SQL").because(error))?;
        if read as u64 == MAX_SQL {
            let most = format!("it is longer than {MAX_SQL} bytes");
            return Err(Trouble::new("cannot read the SQL").because(most));
        }
        Ok(text)
    }

    /// What a reader of the table must know that it does not show.
    fn note(&self, answered: &Answered, common: &CommonArgs) {
        if answered.written.more {
            let rows = answered.written.rows;
            say(&format!(
                "note: only the first {rows} rows; --rows N shows more, --format csv all"
            ));
        }
        if answered.written.cut > 0 {
            let cut = answered.written.cut;
            say(&format!("note: {cut} cells were too wide and are cut; --format csv gives all"));
        }
        if common.verbose > 0 {
            let seconds = answered.seconds;
            say(&format!("{} rows in {seconds:.2} s", answered.written.rows));
        }
    }
}
