//! Parquet files, laid out the same way whoever writes them: sorted, zstd, with statistics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{
    SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

/// Why a table could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Its values do not fit together.
    #[error("the table's values do not fit together")]
    Arrow(#[from] ArrowError),
    /// The file is no Parquet file, or a damaged one.
    #[error("the file is no whole Parquet file")]
    Parquet(#[from] ParquetError),
    /// The library that reads Parquet gave up on it, which it does on damage that it did not expect.
    #[error("the file is damaged in a way that its reader did not expect")]
    Unexpected,
    /// A file has other columns.
    #[error("the file has other columns than {table}")]
    Columns {
        /// The table.
        table: &'static str,
    },
}

/// How a table is written.
pub(crate) struct Layout {
    /// The order of rows within a row group.
    pub(crate) sorted_by: &'static [&'static str],
    /// Columns whose values are all different.
    pub(crate) plain: &'static [&'static str],
    /// Columns of numbers, each a little different.
    pub(crate) delta: &'static [&'static str],
    /// Columns of texts that begin alike.
    pub(crate) delta_text: &'static [&'static str],
    /// Most rows of a row group.
    pub(crate) group_rows: usize,
}

impl Layout {
    fn properties(&self) -> Result<WriterProperties, TableError> {
        let mut builder = WriterProperties::builder()
            .set_created_by("kua".into())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_max_row_group_row_count(Some(self.group_rows));
        let columns = |encoding, columns: &'static [&'static str]| {
            columns.iter().map(move |column| (encoding, ColumnPath::from(*column)))
        };
        for (encoding, column) in columns(Encoding::PLAIN, self.plain)
            .chain(columns(Encoding::DELTA_BINARY_PACKED, self.delta))
            .chain(columns(Encoding::DELTA_BYTE_ARRAY, self.delta_text))
        {
            builder = builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, encoding);
        }
        Ok(builder.build())
    }

    fn sort(&self, batch: &RecordBatch) -> Result<RecordBatch, TableError> {
        let columns = self.sorted_by.iter().filter_map(|name| batch.column_by_name(name));
        let columns: Vec<_> = columns.map(sort_column).collect();
        let order = lexsort_to_indices(&columns, None)?;
        Ok(take_record_batch(batch, &order)?)
    }
}

/// A level at which writing is still faster than reading records.
const LEVEL: i32 = 6;

fn sort_column(values: &ArrayRef) -> SortColumn {
    let options = SortOptions { descending: false, nulls_first: true };
    SortColumn { values: Arc::clone(values), options: Some(options) }
}

/// Writes batches in their order; each row group is sorted by itself.
pub(crate) fn write_sorted(
    schema: &SchemaRef,
    layout: &'static Layout,
    batches: impl IntoIterator<Item = Result<RecordBatch, TableError>>,
) -> Result<Bytes, TableError> {
    let mut sorted = Sorted::new(schema.clone(), layout)?;
    for batch in batches {
        sorted.add(batch?)?;
    }
    sorted.finish()
}

/// A file that is being written, in memory.
pub(crate) struct Sorted {
    layout: &'static Layout,
    schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
    waiting: Vec<RecordBatch>,
    rows: usize,
}

impl Sorted {
    pub(crate) fn new(schema: SchemaRef, layout: &'static Layout) -> Result<Self, TableError> {
        // Other engines need no copy of the schema in Arrow's form.
        let options = ArrowWriterOptions::new()
            .with_properties(layout.properties()?)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options)?;
        Ok(Self { layout, schema, writer, waiting: Vec::new(), rows: 0 })
    }

    pub(crate) fn add(&mut self, mut batch: RecordBatch) -> Result<(), TableError> {
        while self.rows + batch.num_rows() >= self.layout.group_rows {
            let fits = self.layout.group_rows - self.rows;
            self.waiting.push(batch.slice(0, fits));
            batch = batch.slice(fits, batch.num_rows() - fits);
            self.write()?;
        }
        if batch.num_rows() > 0 {
            self.rows += batch.num_rows();
            self.waiting.push(batch);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), TableError> {
        let group = concat_batches(&self.schema, &std::mem::take(&mut self.waiting))?;
        self.rows = 0;
        Ok(self.writer.write(&self.layout.sort(&group)?)?)
    }

    pub(crate) fn finish(mut self) -> Result<Bytes, TableError> {
        if self.rows > 0 {
            self.write()?;
        }
        Ok(self.writer.into_inner()?.into())
    }
}

/// Reads foreign bytes with a library that panics on some of them.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(TableError::Unexpected))
}

/// The batches of a file that has these columns.
pub(crate) fn read(
    schema: &SchemaRef,
    bytes: Bytes,
) -> Result<impl Iterator<Item = Result<RecordBatch, TableError>> + use<>, TableError> {
    let schema = schema.clone();
    let reader = guarded(|| Ok(ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()?))?;
    Ok(reader.map(move |batch| {
        let batch = batch?;
        Ok(RecordBatch::try_new(schema.clone(), batch.columns().to_vec())?)
    }))
}

/// How many rows a file says that it has.
pub(crate) fn count(bytes: Bytes) -> Result<u64, TableError> {
    let builder = guarded(|| Ok(ParquetRecordBatchReaderBuilder::try_new(bytes)?))?;
    let rows = builder.metadata().file_metadata().num_rows();
    Ok(rows.try_into().unwrap_or_default())
}
