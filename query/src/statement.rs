//! One statement that asks and changes nothing.

use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as Ast;

use crate::QueryError;

/// Reads `sql` and plans it.
///
/// # Errors
/// [`QueryError::NotOne`], [`QueryError::NotAQuery`], [`QueryError::NoTable`], [`QueryError::NoColumn`], and
/// [`QueryError::Engine`] for whatever else is wrong with it.
pub async fn plan(state: &SessionState, sql: &str) -> Result<LogicalPlan, QueryError> {
    let mut statements = DFParserBuilder::new(sql)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(QueryError::from_engine)?;
    let statement = match statements.pop_front() {
        Some(statement) if statements.is_empty() => statement,
        first => {
            let statements = statements.len() + usize::from(first.is_some());
            return Err(QueryError::NotOne { statements });
        }
    };
    if !asks(&statement) {
        return Err(QueryError::NotAQuery);
    }
    let plan = state.statement_to_plan(statement).await.map_err(QueryError::from_engine)?;
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(&plan).map_err(|_| QueryError::NotAQuery)?;
    Ok(plan)
}

fn asks(statement: &Statement) -> bool {
    match statement {
        Statement::Explain(explained) => asks(&explained.statement),
        Statement::Statement(statement) => matches!(
            statement.as_ref(),
            Ast::Query(_)
                | Ast::Explain { .. }
                | Ast::ExplainTable { .. }
                | Ast::ShowTables { .. }
                | Ast::ShowColumns { .. }
        ),
        _ => false,
    }
}
