//! How the engine reads a table: only the files that it names, fewer where paths decide a filter.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics, project_schema};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures_util::{StreamExt, TryStreamExt};

use crate::prune::{decides, kept, value};
use crate::{QueryError, Table};

/// Footers that are read at once.
const FOOTERS: usize = 32;

#[derive(Debug)]
pub(crate) struct Provider {
    columns: TableSchema,
    partitions: Vec<Field>,
    url: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
}

impl Provider {
    /// `views`: text and bytes of any length become views of a batch, which the engine groups and compares
    /// fastest; between the machines of a cluster they would take whole batches along.
    pub(crate) fn new(table: &Table, views: bool) -> Result<Self, QueryError> {
        let url = ObjectStoreUrl::parse(&table.url).map_err(QueryError::from_engine)?;
        let schema = if views { as_views(&table.schema) } else { table.schema.clone() };
        let partitions: Vec<_> = table.partitions.iter().cloned().map(Arc::new).collect();
        let columns = TableSchema::builder(schema).with_table_partition_cols(partitions).build();
        let files = table.files.iter().map(|file| {
            let bad = || QueryError::Partition { path: file.path.clone() };
            if file.values.len() != table.partitions.len() {
                return Err(bad());
            }
            let values = file.values.iter().zip(&table.partitions);
            let values: Option<Vec<_>> = values.map(|(text, column)| value(text, column)).collect();
            let mut found = PartitionedFile::new("", file.size);
            found.object_meta.location = Path::parse(&file.path).map_err(|_| bad())?;
            Ok(found.with_partition_values(values.ok_or_else(bad)?))
        });
        let files = files.collect::<Result<_, _>>()?;
        Ok(Self { columns, partitions: table.partitions.clone(), url, files })
    }

    /// The files that the filters leave. The optimizer asks for statistics, so footers are read here; the
    /// session remembers them for the scan.
    async fn left(&self, state: &dyn Session, filters: Vec<Expr>) -> Result<Vec<PartitionedFile>> {
        let values: Vec<_> = self.files.iter().map(|file| file.partition_values.clone()).collect();
        let keep = kept(state, filters, &self.partitions, &values)?;
        let files = self.files.iter().zip(keep).filter(|(_, keep)| *keep);
        let files: Vec<_> = files.map(|(file, _)| file.clone()).collect();
        if !state.config().collect_statistics() {
            return Ok(files);
        }
        let store = state.runtime_env().object_store(&self.url)?;
        let format = ParquetFormat::default();
        let known = files.into_iter().map(|mut file| {
            let (format, store) = (&format, &store);
            async move {
                let schema = self.columns.file_schema().clone();
                let known = format.infer_stats(state, store, schema, &file.object_meta).await?;
                file.statistics = Some(Arc::new(with_partitions(known, &file.partition_values)));
                Ok(file)
            }
        });
        futures_util::stream::iter(known).buffered(FOOTERS).try_collect().await
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        self.columns.table_schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let by_paths = filters.iter().map(|filter| match decides(filter, &self.partitions) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        });
        Ok(by_paths.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let deciding = filters.iter().filter(|filter| decides(filter, &self.partitions));
        let files = self.left(state, deciding.cloned().collect()).await?;
        if files.is_empty() {
            let schema = project_schema(&self.schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let schema = self.schema();
        let statistics = files.iter().map(|file| file.statistics.as_deref());
        let statistics = match statistics.collect::<Option<Vec<_>>>() {
            Some(all) => Statistics::try_merge_iter(all, &schema)?,
            None => Statistics::new_unknown(&schema),
        };
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let global = state.config_options().execution.parquet.clone();
        let options = TableParquetOptions { global, ..TableParquetOptions::default() };
        let format = ParquetFormat::default().with_options(options);
        let source = format.file_source(self.columns.clone());
        let config = FileScanConfigBuilder::new(self.url.clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        format.create_physical_plan(state, config).await
    }
}

fn as_views(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let kind = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            _ => return field.clone(),
        };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// What a file's footer says, and its path.
fn with_partitions(mut known: Statistics, values: &[ScalarValue]) -> Statistics {
    known.column_statistics.extend(values.iter().map(|value| {
        if value.is_null() {
            return ColumnStatistics { null_count: known.num_rows, ..ColumnStatistics::default() };
        }
        ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: Precision::Exact(value.clone()),
            max_value: Precision::Exact(value.clone()),
            distinct_count: Precision::Exact(1),
            ..ColumnStatistics::default()
        }
    }));
    known
}
