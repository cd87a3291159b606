//! A table of an archive as plain values: its columns, and the Parquet files it is made of.

use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::prelude::SessionContext;
use serde::{Deserialize, Serialize};

use crate::QueryError;
use crate::provider::Provider;

/// A table: what no manifest names is not in it, whatever else lies in its directory.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name in SQL.
    pub name: String,
    /// The columns that the files hold.
    pub schema: SchemaRef,
    /// The columns that paths hold (`day=2023-10-16/cc=KZ`), after those of the files. A day may be null.
    pub partitions: Vec<Field>,
    /// The URL that the files' object store is registered by, of a scheme and an authority only.
    pub url: String,
    /// In the order in which they are read.
    pub files: Vec<TableFile>,
}

/// One Parquet file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Where it lies in its object store, as the store itself writes paths.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// One for each of the table's partition columns, as the path writes it.
    pub values: Vec<String>,
}

impl Table {
    /// The table as the engine reads it. `views`: whether text and bytes of any length become views of a
    /// batch, which are grouped and compared fastest; sent to another machine, they would take whole
    /// batches along.
    ///
    /// # Errors
    /// [`QueryError::Partition`] for a value that its column cannot have, [`QueryError::Engine`].
    pub fn provider(&self, views: bool) -> Result<Arc<dyn TableProvider>, QueryError> {
        Ok(Arc::new(Provider::new(self, views)?))
    }
}

/// Makes the tables known to a session, an embedded one or a cluster's.
///
/// # Errors
/// Those of [`Table::provider`].
pub fn register(context: &SessionContext, tables: &[Table]) -> Result<(), QueryError> {
    let views = context.copied_config().options().execution.parquet.schema_force_view_types;
    for table in tables {
        let provider = table.provider(views)?;
        context.register_table(table.name.as_str(), provider).map_err(QueryError::from_engine)?;
    }
    Ok(())
}
