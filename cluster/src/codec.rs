//! How a client tells the scheduler of a table: as the plain values that it is made of. Executors are told
//! only of the files that they read.

use std::sync::Arc;

use ballista_core::serde::BallistaLogicalExtensionCodec;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{TableReference, exec_datafusion_err, plan_datafusion_err};
use datafusion::datasource::file_format::FileFormatFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use kua_query::{Table, TableFile};
use serde::{Deserialize, Serialize};

/// Writes the tables that it was made with; reads any.
#[derive(Debug, Default)]
pub(crate) struct TableCodec {
    tables: Vec<Table>,
    ballista: BallistaLogicalExtensionCodec,
}

impl TableCodec {
    pub(crate) fn new(tables: &[Table]) -> Self {
        Self { tables: tables.to_vec(), ballista: BallistaLogicalExtensionCodec::default() }
    }
}

/// A table without its columns' types, which the plan has: the last ones are those of its paths.
#[derive(Serialize, Deserialize)]
struct Told {
    name: String,
    partitions: usize,
    url: String,
    files: Vec<TableFile>,
}

impl LogicalExtensionCodec for TableCodec {
    fn try_encode_table_provider(
        &self,
        name: &TableReference,
        _table: Arc<dyn TableProvider>,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let known = self.tables.iter().find(|table| table.name == name.table());
        let table =
            known.ok_or_else(|| plan_datafusion_err!("{name} is no table of the archive"))?;
        let told = Told {
            name: table.name.clone(),
            partitions: table.partitions.len(),
            url: table.url.clone(),
            files: table.files.clone(),
        };
        serde_json::to_writer(buffer, &told).map_err(external)
    }

    fn try_decode_table_provider(
        &self,
        buffer: &[u8],
        _name: &TableReference,
        columns: SchemaRef,
        context: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        let told: Told = serde_json::from_slice(buffer).map_err(external)?;
        let of_files = columns.fields().len().checked_sub(told.partitions);
        let of_files =
            of_files.ok_or_else(|| exec_datafusion_err!("{} lacks columns", told.name))?;
        let (fields, partitions) = columns.fields().split_at(of_files);
        let table = Table {
            name: told.name,
            schema: Arc::new(Schema::new(fields.to_vec())),
            partitions: partitions.iter().map(|field| field.as_ref().clone()).collect(),
            url: told.url,
            files: told.files,
        };
        let options = context.session_config().options();
        table.provider(options.execution.parquet.schema_force_view_types).map_err(external)
    }

    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[LogicalPlan],
        context: &TaskContext,
    ) -> Result<Extension> {
        self.ballista.try_decode(buffer, inputs, context)
    }

    fn try_encode(&self, node: &Extension, buffer: &mut Vec<u8>) -> Result<()> {
        self.ballista.try_encode(node, buffer)
    }

    fn try_decode_file_format(
        &self,
        buffer: &[u8],
        context: &TaskContext,
    ) -> Result<Arc<dyn FileFormatFactory>> {
        self.ballista.try_decode_file_format(buffer, context)
    }

    fn try_encode_file_format(
        &self,
        buffer: &mut Vec<u8>,
        format: Arc<dyn FileFormatFactory>,
    ) -> Result<()> {
        self.ballista.try_encode_file_format(buffer, format)
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
