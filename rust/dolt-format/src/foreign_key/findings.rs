//! `Findings`: what follows from a change.

use std::collections::BTreeMap;

use super::side::Side;
use crate::build::follow::Follow;
use crate::build::layout::Layout;
use crate::csv::value_text::field_text;
use crate::message::foreign_key::ForeignKey;
use crate::value::sql_type::SqlType;

/// Rows without the parent that a foreign key demands.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The foreign key.
    pub key: ForeignKey,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The names of the parent's columns.
    pub parent_columns: Vec<String>,
    pub(super) side: Side,
    pub(super) types: Vec<SqlType>,
    pub(super) entries: Vec<Vec<u8>>,
}

impl Missing {
    /// The rows' keys in the clustered index.
    pub fn rows(&self) -> impl Iterator<Item = Vec<u8>> {
        self.entries.iter().map(|entry| self.side.row_key(entry))
    }

    /// The values of the key's columns in one of the rows, as the text shows them.
    #[must_use]
    pub fn value(&self, row: usize) -> String {
        let entry = self.entries.get(row);
        let fields = entry.and_then(|entry| self.side.key.fields(entry));
        shown(&self.types, &self.side.key, &fields.unwrap_or_default())
    }
}

/// A row that has to stay, as others name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referenced {
    /// The foreign key's name.
    pub constraint: String,
    /// The table whose rows name others.
    pub child: String,
    /// The table of the row.
    pub parent: String,
    /// The parent's columns.
    pub columns: Vec<String>,
    /// Their values in the row, as the text shows them.
    pub value: String,
    /// How many rows name it.
    pub count: usize,
    /// Whether the row is there with other values.
    pub changed: bool,
}

/// What follows from a change.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Rows whose parent is missing, by foreign key.
    pub missing: Vec<Missing>,
    /// Rows that may not go.
    pub referenced: Vec<Referenced>,
    /// For each table by name, what becomes of rows that name others which went.
    pub follow: BTreeMap<String, Follow>,
}

/// Values as the text shows them, with commas between.
pub(super) fn shown(types: &[SqlType], key: &Layout, fields: &[&[u8]]) -> String {
    let values = types.iter().zip(key.encodings()).zip(fields);
    let values = values.map(|((sql_type, encoding), field)| field_text(sql_type, encoding, field));
    values.collect::<Vec<_>>().join(",")
}
