//! Why a query has no answer, in the words of who asked it.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// Why a query could not be run, or did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The archive could not be read.
    #[error(transparent)]
    Archive(#[from] kua_archive::ArchiveError),
    /// The cluster gave no whole answer; `kua-cluster` has said why.
    #[error("the cluster gave no whole answer")]
    Cluster,
    /// Anything else that the engine says.
    #[error("{}", in_words(.0))]
    Engine(Box<DataFusionError>),
    /// The engine broke off: on a file that is damaged in a way that it did not expect.
    #[error("the engine gave up, which it does on a damaged file")]
    GaveUp,
    /// Some of the memory was not enough, although what could go to the disk went there.
    #[error("the query needs more memory than it may take")]
    Memory(Box<DataFusionError>),
    /// No table in the query has such a column.
    #[error("there is no column {column}")]
    NoColumn {
        /// As the query has it.
        column: String,
        /// The columns there are, without their tables, in their order.
        columns: Vec<String>,
    },
    /// The program that asks clusters could not be run.
    #[error("cannot run kua-cluster")]
    NoProgram(#[source] std::io::Error),
    /// The archive has no such table.
    #[error("there is no table {table}")]
    NoTable {
        /// As the query has it.
        table: String,
    },
    /// A statement that does something else than ask.
    #[error("only a query can be run: SELECT, WITH, VALUES, EXPLAIN, SHOW, DESCRIBE")]
    NotAQuery,
    /// More than one statement, or none.
    #[error("there are {statements} statements instead of one")]
    NotOne {
        /// How many.
        statements: usize,
    },
    /// No judgements are stored of this version of the reference data.
    #[error("there are no judgements of the version {version}")]
    NoVersion {
        /// The version.
        version: String,
    },
    /// A file whose path has a value that its table's column cannot have.
    #[error("the path {path} does not name a partition of its table")]
    Partition {
        /// The file's path.
        path: String,
    },
    /// The threads that run queries could not be started.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
    /// A file could not be read: it is damaged, or gone since the session began.
    #[error("a table cannot be read: {}", in_words(.0))]
    Unreadable(Box<DataFusionError>),
}

impl QueryError {
    /// Sorts what the engine says.
    pub fn from_engine(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::Memory(Box::new(error)),
            DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) => {
                Self::Unreadable(Box::new(error))
            }
            DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    let mut columns: Vec<String> = Vec::new();
                    for column in valid_fields {
                        if !columns.contains(&column.name) {
                            columns.push(column.name.clone());
                        }
                    }
                    Self::NoColumn { column: field.flat_name(), columns }
                }
                _ => Self::Engine(Box::new(error)),
            },
            DataFusionError::Plan(text) => match missing_table(text) {
                Some(table) => Self::NoTable { table },
                None => Self::Engine(Box::new(error)),
            },
            _ => Self::Engine(Box::new(error)),
        }
    }
}

/// The table's own name, without the engine's catalogue and schema.
fn missing_table(text: &str) -> Option<String> {
    let name = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    Some(name.strip_prefix("datafusion.public.").unwrap_or(name).to_owned())
}

/// What went wrong, without the engine's names for kinds of errors.
fn in_words(error: &DataFusionError) -> String {
    let text = match error.find_root() {
        DataFusionError::SQL(inner, _) => inner.to_string(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::ParquetError(inner) => inner.to_string(),
        DataFusionError::ObjectStore(inner) => inner.to_string(),
        root => root.message().into_owned(),
    };
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = lines.join(" ");
    text.trim_start_matches("sql parser error: ").trim_end_matches('.').to_owned()
}
