//! Which tables cannot be written, and why.

use super::rules::Rules;
use crate::message::schema::{Index, TableSchema};
use crate::value::collation::Collation;
use crate::value::encoding as e;
use crate::value::from_text::TextCodec;
use crate::value::sql_type::SqlType;

/// Why rows of a table with this schema cannot be written: what it has that cannot be
/// maintained here. `None` when they can. Foreign keys and triggers are not of the schema.
#[must_use]
pub fn refuses_writes(schema: &TableSchema) -> Option<String> {
    for column in &schema.columns {
        let name = &column.name;
        let Ok(sql_type) = SqlType::parse(&column.sql_type) else {
            return Some(format!(
                "column {name:?} has the unknown type {}",
                column.sql_type
            ));
        };
        if TextCodec::new(&sql_type, column.encoding).is_none() {
            return Some(format!(
                "column {name:?} has type {} in encoding {}",
                column.sql_type, column.encoding
            ));
        }
    }
    if let Err(error) = Rules::new(schema) {
        return Some(error.to_string());
    }
    for index in &schema.indexes {
        let kind = if index.fulltext {
            "a full-text"
        } else if index.vector {
            "a vector"
        } else if !index.predicate.is_empty() {
            "a partial"
        } else {
            continue;
        };
        return Some(format!("it has {kind} index {:?}", index.name));
    }
    if let Some(why) = key_prefix(schema) {
        return Some(why);
    }
    let indexed = schema.indexes.iter().flat_map(|index| &index.index_columns);
    for position in schema.primary_key.iter().chain(indexed) {
        let Some(column) = schema.columns.get(usize::from(*position)) else {
            return Some(format!("an index names column {position}"));
        };
        let sql_type = SqlType::parse(&column.sql_type).ok();
        let collation = sql_type.as_ref().map_or("", SqlType::collation);
        if Collation::named(collation).is_none() {
            return Some(format!(
                "column {:?} is a key in collation {collation}, whose order pyfs does not know",
                column.name
            ));
        }
        if column.encoding == e::JSON_ADAPTIVE {
            return Some(format!("column {:?} is a key of type JSON", column.name));
        }
        let in_index = |index: &Index| index.index_columns.contains(position);
        if schema.primary_key.contains(position)
            && e::in_key(column.encoding) != column.encoding
            && schema.indexes.iter().any(in_index)
        {
            return Some(format!(
                "column {:?} of the primary key has type {} and another index",
                column.name, column.sql_type
            ));
        }
    }
    None
}

/// An index of a prefix of a key's column. Dolt leaves the rest of that column out of the index's
/// keys, so that rows share an entry, which goes with the first of them that is deleted.
fn key_prefix(schema: &TableSchema) -> Option<String> {
    for index in &schema.indexes {
        for (position, prefix) in index.index_columns.iter().zip(&index.prefix_lengths) {
            if *prefix > 0 && schema.primary_key.contains(position) {
                let column = schema.columns.get(usize::from(*position))?;
                return Some(format!(
                    "index {:?} has only a prefix of the key's column {:?}: what dolt keeps there \
                     depends on the order of the changes",
                    index.name, column.name
                ));
            }
        }
    }
    None
}
