//! `ForeignKeyCollection` (`DFKC`): which tables' rows name which other tables' rows.

use super::flatbuffer::{Budget, TableView};
use crate::FormatError;

/// A foreign key, as far as it is needed to know whom a write concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name, unique in the database.
    pub name: String,
    /// The table whose rows name others.
    pub child: String,
    /// The table whose rows are named.
    pub parent: String,
}

/// The foreign keys that a chunk holds.
pub fn decode(message: &[u8]) -> Result<Vec<ForeignKey>, FormatError> {
    let view = TableView::root(message, *b"DFKC", "foreign key collection", 1)?;
    let mut budget = Budget::of(message, "foreign key collection");
    view.tables(0, 15)?
        .map(|key| {
            let key = budget.table(key)?;
            Ok(ForeignKey {
                name: budget.string(&key, 0)?,
                child: budget.string(&key, 1)?,
                parent: budget.string(&key, 4)?,
            })
        })
        .collect()
}
