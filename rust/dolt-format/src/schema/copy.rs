//! The schema of a table that is a copy of another.

use std::collections::BTreeSet;

use super::data_type::stored_kind;
use super::tags;
use crate::FormatError;
use crate::message::schema::TableSchema;

impl TableSchema {
    /// This schema for a new table called `name`, as `CREATE TABLE … LIKE` makes it: with tags of
    /// its own, unless `same` says that it is the same table on another branch. `taken` are the tags
    /// of all columns of the database.
    pub fn copy_for(
        &self,
        name: &str,
        same: bool,
        taken: &BTreeSet<u64>,
    ) -> Result<Self, FormatError> {
        // What this version of pyfs does not know of a schema would be lost.
        if !self.address.is_empty() && self.encode()?.address() != self.address {
            return Err(FormatError::Unsupported(format!(
                "schema {} has something that pyfs does not know",
                self.address
            )));
        }
        if same
            && !self
                .columns
                .iter()
                .any(|column| taken.contains(&column.tag))
        {
            return Ok(self.clone());
        }
        let kinds = self
            .columns
            .iter()
            .map(|column| stored_kind(&column.sql_type));
        let kinds = kinds.collect::<Result<Vec<u8>, _>>()?;
        let names = self.columns.iter().map(|column| column.name.as_str());
        let tags = tags::choose_all(taken, name, names.zip(kinds))?;
        let mut copy = self.clone();
        for (column, tag) in copy.columns.iter_mut().zip(tags) {
            column.tag = tag;
        }
        Ok(copy)
    }
}
