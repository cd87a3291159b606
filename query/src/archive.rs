//! The tables of one moment of an archive.

use std::time::SystemTime;

use arrow::datatypes::{DataType, Field, SchemaRef};
use kua_archive::tables::{certificates, handshakes, judgements};
use kua_archive::{Snapshot, Store, judged};

use crate::{Limits, QueryError, Session, Table, TableFile};

/// The names of the tables, in the order in which they are told of.
pub const TABLES: [&str; 3] = ["handshakes", "judgements", "certificates"];

/// The tables of a snapshot; `judgements` are those of one version of reference data, of the newest where
/// none is named.
///
/// # Errors
/// [`QueryError::NoVersion`], [`QueryError::Archive`].
pub fn tables(snapshot: &Snapshot, reference: Option<&str>) -> Result<Vec<Table>, QueryError> {
    let store = snapshot.store();
    let versions = versions(store)?;
    let version = match reference {
        Some(wanted) if !versions.iter().any(|(_, version)| version == wanted) => {
            return Err(QueryError::NoVersion { version: wanted.into() });
        }
        Some(wanted) => Some(wanted),
        None => versions.iter().max().map(|(_, version)| version.as_str()),
    };
    let judged = match version {
        Some(version) => judged::files(snapshot, version)?,
        None => Vec::new(),
    };
    let judged = judged.into_iter().map(|file| (file.path, file.bytes)).collect();
    let day = Field::new("day", DataType::Date32, true);
    let country = Field::new("cc", DataType::Utf8, false);
    Ok(vec![
        table(
            store,
            TABLES[0],
            handshakes::schema(),
            vec![day, country],
            snapshot.tables("handshakes/")?,
        ),
        table(store, TABLES[1], judgements::schema(), Vec::new(), judged),
        table(
            store,
            TABLES[2],
            certificates::schema(),
            Vec::new(),
            snapshot.tables("certificates/")?,
        ),
    ])
}

/// The versions of which judgements are stored, with the moment when the last of each were.
fn versions(store: &Store) -> Result<Vec<(SystemTime, String)>, QueryError> {
    let listed = store.list("judgements/")?.into_iter().filter_map(|entry| {
        let version = entry.path.strip_prefix("judgements/")?.strip_suffix("/judged.json")?;
        Some((entry.modified, version.to_owned()))
    });
    Ok(listed.collect())
}

/// A session over the tables of a snapshot.
///
/// # Errors
/// Those of [`tables`] and of [`Session::new`].
pub fn session(
    snapshot: &Snapshot,
    reference: Option<&str>,
    limits: &Limits,
) -> Result<Session, QueryError> {
    Session::new(tables(snapshot, reference)?, &snapshot.store().object_store()?, limits)
}

fn table(
    store: &Store,
    name: &str,
    schema: SchemaRef,
    partitions: Vec<Field>,
    files: Vec<(String, u64)>,
) -> Table {
    let files = files.into_iter().map(|(path, size)| TableFile {
        values: values(&path, &partitions),
        path: store.location(&path).to_string(),
        size,
    });
    let files = files.collect();
    Table { name: name.into(), schema, partitions, url: store.url(), files }
}

/// What the folders of a path say of the columns: `day=2023-10-16/cc=KZ`.
fn values(path: &str, columns: &[Field]) -> Vec<String> {
    let said = |column: &Field| {
        let prefix = format!("{}=", column.name());
        path.split('/').find_map(|part| part.strip_prefix(&prefix).map(str::to_owned))
    };
    columns.iter().filter_map(said).collect()
}
