//! The schemas of Dolt's own tables that a user may fill.

use std::collections::BTreeSet;

use super::data_type::stored_kind;
use super::tags;
use crate::FormatError;
use crate::message::schema::{Column, TableSchema};
use crate::message::schema_codec::{COLLATION_DEFAULT, TARGET_ROW_SIZE_DEFAULT};
use crate::value::encoding as e;

/// The columns that dolt gives a table of its own when the first row comes; none of them is NULL,
/// and the first is the key (dolt: `doltcore/sqle/dtables`).
fn columns(table: &str) -> Option<[(&'static str, &'static str, u8); 2]> {
    Some(match table {
        "dolt_docs" => [
            ("doc_name", "varchar(1023)", e::STRING),
            ("doc_text", "longtext", e::STRING_ADAPTIVE),
        ],
        "dolt_ignore" => [
            ("pattern", "text", e::STRING_ADAPTIVE),
            ("ignored", "tinyint(1)", e::INT8),
        ],
        _ => return None,
    })
}

/// The schema of Dolt's own `table`, where it is one that is made by filling it. `taken` are the tags
/// of all columns of the database.
pub fn system_schema(
    table: &str,
    taken: &BTreeSet<u64>,
) -> Result<Option<TableSchema>, FormatError> {
    let Some(columns) = columns(table) else {
        return Ok(None);
    };
    let mut kinds = Vec::new();
    for (_, sql_type, _) in columns {
        kinds.push(stored_kind(sql_type)?);
    }
    let names = columns.iter().map(|(name, ..)| *name);
    let tags = tags::choose_all(taken, table, names.zip(kinds))?;
    let columns = columns.iter().zip(tags);
    let columns = columns.map(|((name, sql_type, encoding), tag)| Column {
        name: (*name).to_owned(),
        sql_type: (*sql_type).to_owned(),
        encoding: *encoding,
        tag,
        ..Column::default()
    });
    Ok(Some(TableSchema {
        columns: columns.collect(),
        primary_key: vec![0],
        collation: COLLATION_DEFAULT,
        target_row_size: TARGET_ROW_SIZE_DEFAULT,
        ..TableSchema::default()
    }))
}
