//! `Rules`: what a schema computes of a row, and demands of it.

use super::row_buffers::RowBuffers;
use crate::FormatError;
use crate::expression::value::read_field;
use crate::expression::{Assignment, Expression, ExpressionColumn, Fault, Value};
use crate::message::schema::{Check, Column, Index, TableSchema};
use crate::value::encoding as e;

/// A column that an expression computes.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    pub(super) column: usize,
    pub(super) assignment: Assignment,
}

/// A CHECK constraint.
#[derive(Debug, Clone)]
struct Condition {
    name: String,
    text: String,
    expression: Expression,
}

/// The generated columns and the CHECK constraints of a table.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    columns: Vec<(ExpressionColumn, u8)>,
    /// In table order: each needs only those before it.
    pub(super) generated: Vec<Computed>,
    conditions: Vec<Condition>,
}

impl Rules {
    /// The rules of a schema; `Unsupported` names what cannot be evaluated.
    pub(super) fn new(schema: &TableSchema) -> Result<Self, FormatError> {
        let described = ExpressionColumn::of_schema(schema)?;
        let mut generated = Vec::new();
        for (position, column) in schema.columns.iter().enumerate() {
            if column.generated {
                let computed = computed(schema, position, column, &described);
                generated.push(computed.map_err(|why| {
                    let what = if column.hidden_system {
                        "it has a functional index".to_owned()
                    } else {
                        format!("column {:?} is generated", column.name)
                    };
                    FormatError::Unsupported(format!("{what}: {why}"))
                })?);
            }
        }
        let enforced = schema.checks.iter().filter(|check| check.enforced);
        let conditions = enforced
            .map(|check| condition(check, &described))
            .collect::<Result<_, _>>()?;
        let encodings = (0..schema.columns.len()).map(|at| field_encoding(schema, at));
        Ok(Self {
            columns: described.into_iter().zip(encodings).collect(),
            generated,
            conditions,
        })
    }

    /// Demands nothing of rows that are stored already, and computes what is not stored of them.
    pub(super) fn trust_stored(&mut self, schema: &TableSchema) {
        self.conditions.clear();
        let column = |computed: &Computed| schema.columns.get(computed.column);
        self.generated
            .retain(|computed| column(computed).is_some_and(|column| column.is_virtual));
    }

    /// The default of a column that is an expression: computed where the header lacks the column.
    pub(super) fn default(&self, position: usize, column: &Column) -> Result<Computed, String> {
        let described: Vec<_> = self
            .columns
            .iter()
            .map(|(column, _)| column.clone())
            .collect();
        let expression =
            Expression::parse(&column.default, &described).map_err(|error| error.to_string())?;
        if expression.columns().iter().any(|at| *at >= position) {
            return Err("it needs a later column".to_owned());
        }
        let described = self.columns.get(position);
        let (sql_type, encoding) = described
            .map(|(column, encoding)| (&column.sql_type, *encoding))
            .ok_or("the column is unknown")?;
        let assignment = Assignment::new(expression, sql_type, encoding, true)?;
        Ok(Computed {
            column: position,
            assignment,
        })
    }

    /// The value of a column, once its field is known.
    pub(super) fn value(&self, position: usize, buffers: &RowBuffers) -> Result<Value, Fault> {
        let bad = || Fault::Unsupported(format!("the column at {position} cannot be read"));
        let (column, encoding) = self.columns.get(position).ok_or_else(bad)?;
        read_field(&column.sql_type, *encoding, buffers.field(position)).ok_or_else(bad)
    }

    /// Whether there are conditions.
    pub(super) fn demands(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Fails for a row that breaks a CHECK constraint.
    pub(super) fn check(&self, line: u64, buffers: &RowBuffers) -> Result<(), FormatError> {
        for condition in &self.conditions {
            let Condition { name, text, .. } = condition;
            let held = condition.expression.holds(&|at| self.value(at, buffers));
            let why = match held {
                Ok(true) => continue,
                Ok(false) => format!("it breaks the CHECK constraint {name:?}: {text}"),
                Err(Fault::Refused(why)) => {
                    format!("the CHECK constraint {name:?}, {text}, cannot be evaluated: {why}")
                }
                Err(Fault::Unsupported(why)) => {
                    return Err(FormatError::Unsupported(format!(
                        "line {line}: the CHECK constraint {name:?}, {text}: {why}"
                    )));
                }
            };
            return Err(FormatError::BadRecord { line, why });
        }
        Ok(())
    }
}

/// The encoding of a column's field: in a primary key, long values stand plain.
pub(super) fn field_encoding(schema: &TableSchema, position: usize) -> u8 {
    let encoding = schema.columns.get(position).map_or(0, |c| c.encoding);
    let in_key = schema
        .primary_key
        .iter()
        .any(|at| usize::from(*at) == position);
    if in_key {
        e::in_key(encoding)
    } else {
        encoding
    }
}

fn computed(
    schema: &TableSchema,
    position: usize,
    column: &Column,
    described: &[ExpressionColumn],
) -> Result<Computed, String> {
    let expression =
        Expression::parse(&column.default, described).map_err(|error| error.to_string())?;
    for named in expression.columns() {
        let later = schema
            .columns
            .get(*named)
            .is_none_or(|other| other.generated);
        if later && *named >= position {
            return Err("it needs a later column".to_owned());
        }
    }
    let sql_type = described.get(position).map(|column| &column.sql_type);
    let sql_type = sql_type.ok_or("the column is unknown")?;
    let indexed = |index: &Index| {
        index
            .index_columns
            .iter()
            .any(|at| usize::from(*at) == position)
    };
    let stored = !column.is_virtual || schema.indexes.iter().any(indexed);
    Ok(Computed {
        column: position,
        assignment: Assignment::new(
            expression,
            sql_type,
            field_encoding(schema, position),
            stored,
        )?,
    })
}

fn condition(check: &Check, described: &[ExpressionColumn]) -> Result<Condition, FormatError> {
    let unsupported = |why: String| {
        FormatError::Unsupported(format!(
            "it has the CHECK constraint {:?}: {why}",
            check.name
        ))
    };
    if check.is_not_valid {
        return Err(unsupported("it is NOT VALID".to_owned()));
    }
    let expression = Expression::parse(&check.expression, described)
        .map_err(|error| unsupported(error.to_string()))?;
    if !expression.is_condition() {
        return Err(unsupported("it is no condition".to_owned()));
    }
    Ok(Condition {
        name: check.name.clone(),
        text: check.expression.clone(),
        expression,
    })
}
