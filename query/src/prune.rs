//! Which files a filter leaves, by the values that stand in their paths.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;

/// What a path writes for a day that is not known.
const UNKNOWN: &str = "unknown";

/// The value that a path's text stands for; `None` where the column cannot have it.
pub(crate) fn value(text: &str, column: &Field) -> Option<ScalarValue> {
    match column.data_type() {
        DataType::Date32 if text == UNKNOWN => Some(ScalarValue::Date32(None)),
        kind => ScalarValue::try_from_string(text.to_owned(), kind).ok(),
    }
}

/// Whether paths alone decide the filter.
pub(crate) fn decides(filter: &Expr, partitions: &[Field]) -> bool {
    let names: Vec<_> = partitions.iter().map(|column| column.name().as_str()).collect();
    !names.is_empty() && expr_applicable_for_cols(&names, filter)
}

/// For each row of `values` (one a file), whether all filters hold there. What is neither true nor false
/// leaves nothing, as in a `WHERE`.
pub(crate) fn kept(
    state: &dyn Session,
    filters: Vec<Expr>,
    partitions: &[Field],
    values: &[Vec<ScalarValue>],
) -> Result<Vec<bool>> {
    let Some(filter) = conjunction(filters).filter(|_| !values.is_empty()) else {
        return Ok(vec![true; values.len()]);
    };
    let schema = Schema::new(partitions.to_vec());
    let columns = (0..partitions.len()).map(|column| {
        ScalarValue::iter_to_array(values.iter().map(|of_file| of_file[column].clone()))
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
    let schema = DFSchema::try_from(schema)?;
    let batch = RecordBatch::try_new(schema.inner().clone(), columns)?;
    let holds = state.create_physical_expr(filter, &schema)?.evaluate(&batch)?;
    let holds = holds.into_array(values.len())?;
    Ok(holds.as_boolean().iter().map(|holds| holds == Some(true)).collect())
}
