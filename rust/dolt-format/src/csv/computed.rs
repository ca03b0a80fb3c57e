//! Virtual generated columns: stored nowhere, computed for each row.

use std::sync::Arc;

use super::columns::Source;
use crate::FormatError;
use crate::expression::{Assignment, Expression, ExpressionColumn, Fault};
use crate::message::schema::TableSchema;

/// Where the value of the virtual column at `position` comes from.
pub(super) fn source(
    schema: &TableSchema,
    position: usize,
    columns: &[ExpressionColumn],
) -> Result<Source, FormatError> {
    let (Some(column), Some(described)) = (schema.columns.get(position), columns.get(position))
    else {
        return Err(FormatError::corrupt("schema", "it lacks a column"));
    };
    let unsupported = |why: String| {
        FormatError::Unsupported(format!("the generated column {:?}: {why}", column.name))
    };
    let expression = Expression::parse(&column.default, columns)?;
    // So that computing one column from another ends.
    let generated = |at: usize| {
        schema
            .columns
            .get(at)
            .is_none_or(|column| column.is_virtual)
    };
    if expression
        .columns()
        .iter()
        .any(|at| *at >= position && generated(*at))
    {
        return Err(unsupported("it is computed from a later column".to_owned()));
    }
    let assignment = Assignment::new(expression, &described.sql_type, column.encoding, false);
    Ok(Source::Computed(Arc::new(assignment.map_err(unsupported)?)))
}

/// What is wrong with a row whose virtual column has no value. Dolt refuses such rows when they
/// are written.
pub(crate) fn faulty(column: &str, fault: Fault) -> FormatError {
    let (Fault::Refused(why) | Fault::Unsupported(why)) = fault;
    FormatError::Unsupported(format!("the generated column {column:?}: {why}"))
}
