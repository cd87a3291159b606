//! Rows as a person or a program reads them: a table, JSON lines, CSV. Bytes are lower-case hexadecimal,
//! moments RFC 3339 in UTC.

mod table;

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use table::Rows;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns; what is too wide is cut, and so is what is more than so many rows.
    Table {
        /// Most rows.
        rows: usize,
    },
    /// One JSON object a line; a column without a value is `null`.
    Json,
    /// A line with the columns' names, then one line a row; without a value: nothing between the commas.
    Csv,
}

/// Writes rows as they come.
pub struct Printer<W: Write> {
    out: W,
    form: Form,
    rows: u64,
}

enum Form {
    Table(Box<Rows>),
    Json,
    Csv,
}

impl<W: Write> Printer<W> {
    /// Begins to write rows of these columns.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, format: Format, schema: &SchemaRef) -> io::Result<Self> {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let form = match format {
            Format::Table { rows } => Form::Table(Box::new(Rows::new(schema, rows))),
            Format::Json => Form::Json,
            Format::Csv => {
                let mut line = csv::Writer::from_writer(Vec::new());
                line.write_record(names)?;
                out.write_all(&line.into_inner().map_err(csv::IntoInnerError::into_error)?)?;
                Form::Csv
            }
        };
        Ok(Self { out, form, rows: 0 })
    }

    /// Writes the rows of a batch. Gives `false` where no more are wanted: a table is full.
    ///
    /// # Errors
    /// Those of `out`, and [`io::ErrorKind::Other`] for a type of column that cannot be written.
    pub fn add(&mut self, batch: &RecordBatch) -> io::Result<bool> {
        let batch = in_utc(batch).map_err(io::Error::other)?;
        self.rows += batch.num_rows() as u64;
        match &mut self.form {
            Form::Table(rows) => return rows.add(&batch).map_err(io::Error::other),
            Form::Json => {
                let mut text = Vec::new();
                let mut lines = WriterBuilder::new()
                    .with_explicit_nulls(true)
                    .build::<_, LineDelimited>(&mut text);
                lines.write(&batch).and_then(|()| lines.finish()).map_err(io::Error::other)?;
                self.out.write_all(&text)?;
            }
            Form::Csv => {
                let options = FormatOptions::new();
                let columns = texts(&batch, &options).map_err(io::Error::other)?;
                let mut lines = csv::Writer::from_writer(Vec::new());
                for row in 0..batch.num_rows() {
                    for column in &columns {
                        lines.write_field(column.value(row).to_string())?;
                    }
                    lines.write_record(None::<&[u8]>)?;
                }
                // Errors of the output stay what they are: a closed pipe is none of ours.
                let text = lines.into_inner().map_err(csv::IntoInnerError::into_error)?;
                self.out.write_all(&text)?;
            }
        }
        Ok(true)
    }

    /// Writes what is held back, and gives what was left out.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<Written> {
        let mut written = Written { rows: self.rows, more: false, cut: 0 };
        if let Form::Table(rows) = &self.form {
            written = rows.write(&mut self.out)?;
        }
        self.out.flush()?;
        Ok(written)
    }
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows that were written.
    pub rows: u64,
    /// There were more.
    pub more: bool,
    /// Cells that were too wide, and cut.
    pub cut: u64,
}

fn texts<'a>(
    batch: &'a RecordBatch,
    options: &FormatOptions<'a>,
) -> Result<Vec<ArrayFormatter<'a>>, ArrowError> {
    batch.columns().iter().map(|column| ArrayFormatter::try_new(column, options)).collect()
}

/// All moments of an archive are UTC; a moment that comes of a computation says so no longer.
fn in_utc(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| match column.data_type() {
        DataType::Timestamp(unit, None) => {
            cast(column, &DataType::Timestamp(*unit, Some("UTC".into())))
        }
        _ => Ok(column.clone()),
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(&columns).map(|(field, column)| {
        Arc::new(field.as_ref().clone().with_data_type(column.data_type().clone()))
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, Date32Array};
    use arrow::array::{
        BooleanArray, Float64Array, Int64Array, ListBuilder, StringArray, StringBuilder,
        TimestampMillisecondArray,
    };
    use arrow::datatypes::Field;

    use super::*;

    fn batch() -> RecordBatch {
        let mut names = ListBuilder::new(StringBuilder::new());
        names.values().append_value("a");
        names.values().append_value("b");
        names.append(true);
        names.append(false);
        names.append(true);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("day", Arc::new(Date32Array::from(vec![Some(19_646), None, Some(0)]))),
            (
                "at",
                Arc::new(TimestampMillisecondArray::from(vec![
                    Some(1_697_461_560_000),
                    None,
                    Some(1),
                ])),
            ),
            ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(-300)]))),
            ("share", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)]))),
            ("key", Arc::new(BinaryArray::from(vec![Some(&[0xAB, 0x01][..]), None, Some(&[])]))),
            ("whole", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            (
                "name",
                Arc::new(StringArray::from(vec![Some("a,\"b\""), None, Some("\u{1b}[2J\nx")])),
            ),
            ("names", Arc::new(names.finish())),
        ];
        let fields = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let columns = columns.iter().map(|(_, column)| column.clone()).collect();
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    fn printed(format: Format, batches: &[RecordBatch]) -> (String, Written) {
        let mut text = Vec::new();
        let mut printer = Printer::new(&mut text, format, &batches[0].schema()).unwrap();
        for batch in batches {
            if !printer.add(batch).unwrap() {
                break;
            }
        }
        let written = printer.finish().unwrap();
        (String::from_utf8(text).unwrap(), written)
    }

    #[test]
    fn json_has_one_object_a_line() {
        let (text, written) = printed(Format::Json, &[batch()]);
        assert_eq!(
            text,
            concat!(
                r#"{"day":"2023-10-16","at":"2023-10-16T13:06:00Z","n":1,"share":0.5,"key":"ab01","whole":true,"name":"a,\"b\"","names":["a","b"]}"#,
                "\n",
                r#"{"day":null,"at":null,"n":null,"share":null,"key":null,"whole":null,"name":null,"names":null}"#,
                "\n",
                r#"{"day":"1970-01-01","at":"1970-01-01T00:00:00.001Z","n":-300,"share":null,"key":"","whole":false,"name":"\u001b[2J\nx","names":[]}"#,
                "\n"
            )
        );
        assert_eq!(written, Written { rows: 3, more: false, cut: 0 });
    }

    #[test]
    fn csv_has_the_columns_first() {
        let (text, _) = printed(Format::Csv, &[batch()]);
        assert_eq!(
            text,
            "day,at,n,share,key,whole,name,names\n\
             2023-10-16,2023-10-16T13:06:00Z,1,0.5,ab01,true,\"a,\"\"b\"\"\",\"[a, b]\"\n\
             ,,,,,,,\n\
             1970-01-01,1970-01-01T00:00:00.001Z,-300,NaN,,false,\"\u{1b}[2J\nx\",[]\n"
        );
    }

    #[test]
    fn a_table_is_aligned_and_does_nothing_to_a_terminal() {
        let (text, written) = printed(Format::Table { rows: 10 }, &[batch()]);
        assert_eq!(
            text,
            [
                "day         at                           n  share  key   whole  name          names",
                "2023-10-16  2023-10-16T13:06:00Z         1    0.5  ab01  true   a,\"b\"         [a, b]",
                "",
                "1970-01-01  1970-01-01T00:00:00.001Z  -300    NaN        false  \\u{1b}[2J\\nx  []",
                "",
            ]
            .join("\n")
        );
        assert_eq!(written, Written { rows: 3, more: false, cut: 0 });
    }

    #[test]
    fn a_table_is_bounded() {
        let (text, written) = printed(Format::Table { rows: 4 }, &[batch(), batch(), batch()]);
        assert_eq!(text.lines().count(), 5);
        assert_eq!(written, Written { rows: 4, more: true, cut: 0 });
        let (_, written) = printed(Format::Table { rows: 3 }, &[batch()]);
        assert_eq!(written, Written { rows: 3, more: false, cut: 0 });

        let long = StringArray::from(vec!["é".repeat(100)]);
        let schema = Schema::new(vec![Field::new("long", DataType::Utf8, false)]);
        let wide = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(long)]).unwrap();
        let (text, written) = printed(Format::Table { rows: 4 }, &[wide]);
        assert_eq!(text.lines().nth(1).unwrap(), format!("{}…", "é".repeat(79)));
        assert_eq!(written, Written { rows: 1, more: false, cut: 1 });
    }
}
