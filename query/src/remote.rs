//! A query that a cluster answers: the program `kua-cluster` asks it, so that nobody who does not need a cluster
//! carries one. Its rows come as an Arrow stream that ends with an end mark; one without is no answer.

use std::ffi::OsStr;
use std::io::{BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;

use crate::QueryError;

/// Where a stream of rows ends, in Arrow's own words.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// The rows that a cluster answers with, batch by batch. Dropping it stops the query.
pub struct Remote {
    program: Child,
    rows: Option<Whole<BufReader<ChildStdout>>>,
    schema: SchemaRef,
}

impl Remote {
    /// Asks the scheduler at `HOST:PORT` or `http://HOST:PORT` about the archive at `place`; `reference` as for
    /// [`crate::tables`]. What goes wrong there is said on standard error.
    ///
    /// # Errors
    /// [`QueryError::NoProgram`] where `kua-cluster` lies neither beside this program nor in PATH;
    /// [`QueryError::Cluster`] where it gave no answer.
    pub fn ask(
        scheduler: &str,
        place: &OsStr,
        reference: Option<&str>,
        sql: &str,
    ) -> Result<Self, QueryError> {
        let mut command = Command::new(program());
        command.args(["query", "--scheduler", scheduler, "--archive"]).arg(place);
        if let Some(version) = reference {
            command.args(["--reference-version", version]);
        }
        command.arg("-");
        Self::run(command, sql)
    }

    fn run(mut command: Command, sql: &str) -> Result<Self, QueryError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = command.spawn().map_err(QueryError::NoProgram)?;
        // It may end before it has read all; then it says why.
        if let Some(mut input) = program.stdin.take() {
            let _ = input.write_all(sql.as_bytes());
        }
        let mut remote =
            Self { program, rows: None, schema: SchemaRef::new(arrow::datatypes::Schema::empty()) };
        let output = remote.program.stdout.take();
        let rows = output.map(|output| Whole::new(BufReader::new(output)));
        match rows {
            Some(Ok(rows)) => {
                remote.schema = rows.schema();
                remote.rows = Some(rows);
                Ok(remote)
            }
            _ => Err(QueryError::Cluster),
        }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

impl Iterator for Remote {
    type Item = Result<RecordBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.as_mut()?.next() {
            Some(Ok(batch)) => return Some(Ok(batch)),
            Some(Err(_)) => {}
            None if self.program.wait().is_ok_and(|ended| ended.success()) => {
                self.rows = None;
                return None;
            }
            None => {}
        }
        self.rows = None;
        Some(Err(QueryError::Cluster))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// `kua-cluster` beside this program, or wherever the system finds it.
fn program() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name("kua-cluster"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| "kua-cluster".into())
}

/// A stream of batches that ends with its end mark and nothing after it, or with an error.
struct Whole<R: Read>(StreamReader<Tail<R>>);

impl<R: Read> Whole<R> {
    fn new(input: R) -> Result<Self, ArrowError> {
        Ok(Self(StreamReader::try_new(Tail { input, last: Vec::new() }, None)?))
    }

    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}

impl<R: Read> Iterator for Whole<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.0.next();
        if next.is_some() {
            return next;
        }
        let tail = self.0.get_mut();
        let marked = tail.last == END;
        match tail.input.read(&mut [0]) {
            Ok(0) if marked => None,
            Ok(_) => {
                Some(Err(ArrowError::IpcError("the stream does not end with its end mark".into())))
            }
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Remembers the last bytes that were read.
struct Tail<R> {
    input: R,
    last: Vec<u8>,
}

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let fresh = &buffer[..read];
        self.last.extend_from_slice(&fresh[read.saturating_sub(END.len())..]);
        let surplus = self.last.len().saturating_sub(END.len());
        self.last.drain(..surplus);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    fn stream() -> Vec<u8> {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("")]));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("w", words)]).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        writer.into_inner().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<usize, ArrowError> {
        let batches = Whole::new(bytes)?.take(100).collect::<Result<Vec<_>, _>>()?;
        Ok(batches.iter().map(RecordBatch::num_rows).sum())
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_is_no_answer() {
        let whole = stream();
        assert_eq!(read(&whole).unwrap(), 6);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut after {end} of {} bytes", whole.len());
        }
        let mut more = whole;
        more.push(0);
        assert!(read(&more).is_err(), "a byte after the end mark");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_after_a_whole_stream_gives_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows");
        std::fs::write(&file, stream()).unwrap();
        for (script, whole) in
            [("cat \"$0\"", true), ("cat \"$0\"; exit 1", false), ("exit 0", false)]
        {
            let mut command = Command::new("sh");
            command.arg("-c").arg(script).arg(&file);
            let batches =
                Remote::run(command, "SELECT 1").and_then(Iterator::collect::<Result<Vec<_>, _>>);
            assert_eq!(batches.is_ok(), whole, "{script}");
        }
        let absent = Remote::run(Command::new(folder.path().join("absent")), "");
        assert!(matches!(absent, Err(QueryError::NoProgram(_))));
    }
}
