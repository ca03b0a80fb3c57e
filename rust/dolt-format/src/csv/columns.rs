//! `Columns`: where each shown column's value stands in a row's tuples, and how it is printed.

use std::sync::Arc;

use super::computed;
use crate::FormatError;
use crate::TextFormat;
use crate::expression::{Assignment, ExpressionColumn};
use crate::message::schema::TableSchema;
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;

/// Where a column's value comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A field of the key tuple.
    Key(usize),
    /// A field of the value tuple.
    Value(usize),
    /// A virtual generated column: computed from others.
    Computed(Arc<Assignment>),
}

/// A column that the text shows.
#[derive(Debug, Clone)]
pub struct ShownColumn {
    /// Its position in the table.
    pub position: usize,
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub source: Source,
    /// Its type.
    pub sql_type: SqlType,
    /// How its field is encoded.
    pub encoding: u8,
}

/// How the rows of a table are laid out in tuples and shown.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The columns that the text shows, in table order.
    pub shown: Vec<ShownColumn>,
    /// Where each column of the table is stored; `None` for virtual ones.
    pub sources: Vec<Option<Source>>,
    /// Whether rows have no key, but a count.
    pub keyless: bool,
}

impl Columns {
    /// The layout of a table's rows.
    pub fn new(schema: &TableSchema) -> Result<Self, FormatError> {
        let keyless = schema.primary_key.is_empty();
        // A keyless row's value starts with how often it occurs.
        let mut next_value = usize::from(keyless);
        let mut sources = Vec::with_capacity(schema.columns.len());
        for (position, column) in schema.columns.iter().enumerate() {
            let in_key = schema
                .primary_key
                .iter()
                .position(|at| usize::from(*at) == position);
            sources.push(match in_key {
                Some(field) => Some(Source::Key(field)),
                None if column.is_virtual => None,
                None => {
                    next_value += 1;
                    Some(Source::Value(next_value - 1))
                }
            });
        }
        let described = ExpressionColumn::of_schema(schema);
        let mut shown = Vec::new();
        for (position, column) in schema.columns.iter().enumerate() {
            if column.hidden_system {
                continue;
            }
            let sql_type = SqlType::parse(&column.sql_type)?;
            let source = match sources.get(position).cloned().flatten() {
                Some(source) => source,
                None => {
                    computed::source(schema, position, described.as_ref().map_err(Clone::clone)?)?
                }
            };
            shown.push(ShownColumn {
                position,
                name: column.name.clone(),
                encoding: match source {
                    Source::Key(_) => e::in_key(column.encoding),
                    _ => column.encoding,
                },
                source,
                sql_type,
            });
        }
        Ok(Self {
            shown,
            sources,
            keyless,
        })
    }
}

impl Columns {
    /// The line that names the columns of the table's text; none in JSON, where each row does.
    #[must_use]
    pub fn header(&self, format: TextFormat) -> Vec<u8> {
        let names = self.shown.iter().map(|column| column.name.as_str());
        let delimiter = format.delimiter();
        delimiter.map_or_else(Vec::new, |delimiter| super::header_line(names, delimiter))
    }
}
