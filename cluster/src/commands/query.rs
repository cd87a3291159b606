//! `kua-cluster query`: an Arrow stream on standard output, which ends with its end mark only when the answer is
//! whole.

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use arrow::ipc::writer::StreamWriter;
use kua_archive::{Archive, Place};
use kua_cluster::{Client, ClusterError, Patience};
use kua_console::Trouble;
use kua_query::QueryError;

use super::trouble;
use crate::signals::asked_to_end;

/// The longest query.
const LONGEST: u64 = 1 << 20;

/// Ask a cluster, and write an Arrow IPC stream; for people: kua-collector query --cluster
#[derive(clap::Args)]
pub(crate) struct Query {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: String,
    /// The archive: a directory at the same path on every machine, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "A", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    /// The query; - or nothing: from standard input
    sql: Option<String>,
    /// Judgements made with this version of the reference data, instead of the newest
    #[arg(long, value_name = "VERSION")]
    reference_version: Option<String>,
    /// Give up when no executor is there for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
    /// Cancel the query when it is not done after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    at_most: u64,
    /// Into how many parts to split each step: at least the cores of all executors together
    #[arg(long, value_name = "N", default_value = "16")]
    partitions: std::num::NonZeroUsize,
}

impl Query {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        if std::io::stdout().is_terminal() {
            return Err(Trouble::new("an Arrow stream is no text for a terminal")
                .hint("for a table: kua-collector query --cluster; or redirect the output"));
        }
        let sql = match self.sql.as_deref() {
            Some(sql) if sql != "-" => sql.to_owned(),
            _ => read_query()?,
        };
        let failed = |error| trouble("the cluster did not answer the query", error);
        let patience = Patience {
            executors: Duration::from_secs(self.wait),
            query: Duration::from_secs(self.at_most),
            partitions: usize::from(self.partitions),
        };
        let unread = |error| Trouble::new("cannot read the archive").because(error);
        let (place, reference) = (self.archive, self.reference_version);
        // It waits for files, with threads of its own.
        let tables = tokio::task::spawn_blocking(move || {
            let snapshot = Archive::open(&place)?.snapshot()?;
            kua_query::tables(&snapshot, reference.as_deref())
        });
        let tables = tables.await.map_err(|error| unread(QueryError::Threads(error.into())))?;
        let tables = tables.map_err(unread)?;
        let client = Client::new(&self.scheduler, &tables, patience).map_err(failed)?;
        tokio::select! {
            written = write(&client, &sql) => written,
            () = asked_to_end() => Err(failed(ClusterError::Stopped)),
        }
    }
}

async fn write(client: &Client, sql: &str) -> Result<ExitCode, Trouble> {
    let failed = |error| trouble("the cluster did not answer the query", error);
    let mut answer = client.query(sql).await.map_err(failed)?;
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut stream = StreamWriter::try_new(out, &answer.schema()).map_err(unwritten)?;
    while let Some(batch) = answer.next().await {
        stream.write(&batch.map_err(failed)?).map_err(unwritten)?;
    }
    // The end mark: without it, whoever reads must not take what came for the answer.
    stream.finish().map_err(unwritten)?;
    stream.into_inner().map_err(unwritten)?.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn unwritten(error: arrow::error::ArrowError) -> Trouble {
    match error {
        arrow::error::ArrowError::IoError(_, error) => error.into(),
        error => Trouble::new("cannot write the answer").because(error),
    }
}

fn read_query() -> Result<String, Trouble> {
    let mut sql = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut sql);
    let read = read.map_err(|error| Trouble::new("cannot read the query").because(error))?;
    match read as u64 {
        LONGEST => {
            Err(Trouble::new("cannot read the query").because("it is longer than a megabyte"))
        }
        _ => Ok(sql),
    }
}
