//! `ForeignKeyCollection` (`DFKC`): which tables' rows name which other tables' rows.

use super::flatbuffer::TableView;
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
    view.tables(0, 15)?
        .iter()
        .map(|key| {
            Ok(ForeignKey {
                name: key.string(0)?,
                child: key.string(1)?,
                parent: key.string(4)?,
            })
        })
        .collect()
}
