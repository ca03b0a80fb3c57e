//! Primary keys and secondary indexes, as dolt lays them out.

use super::collation;
use super::column_type::ColumnType;
use super::draft::same_name;
use super::part::KeyPart;
use super::statement::Place;
use crate::FormatError;
use crate::message::schema::{Column, Index, TableSchema};
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;

/// Bytes of the longest prefix.
const PREFIX_BYTES_MAX: u32 = 3072;

/// The positions of the columns of these names.
pub(super) fn positions(
    columns: &[Column],
    names: &[String],
    at: &Place,
) -> Result<Vec<u16>, FormatError> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let position = columns
            .iter()
            .position(|column| same_name(&column.name, name));
        let position = position
            .and_then(|position| u16::try_from(position).ok())
            .ok_or_else(|| at.wrong(format!("there is no column {name:?}")))?;
        if found.contains(&position) {
            return Err(at.wrong(format!("column {name:?} stands twice in the key")));
        }
        found.push(position);
    }
    Ok(found)
}

/// Whether a column can be of the primary key.
pub(super) fn check_primary(column: &Column) -> Result<(), FormatError> {
    let refused = e::is_adaptive(column.encoding) || e::is_address(column.encoding);
    if refused || column.is_virtual {
        return Err(FormatError::Unsupported(format!(
            "column {:?} of type {} cannot be of the primary key",
            column.name, column.sql_type
        )));
    }
    Ok(())
}

/// The index that a definition asks for.
pub(super) fn index(schema: &TableSchema, part: &KeyPart) -> Result<Index, FormatError> {
    let names: Vec<String> = part.columns.iter().map(|(name, _)| name.clone()).collect();
    let index_columns = positions(&schema.columns, &names, &part.at)?;
    let mut prefix_lengths = Vec::new();
    for (position, (_, length)) in index_columns.iter().zip(&part.columns) {
        if let Some(column) = schema.columns.get(usize::from(*position)) {
            if part.spatial {
                check_spatial(column, *length, part)?;
            } else {
                check_part(column, *length, part)?;
            }
        }
        prefix_lengths.push(*length);
    }
    if prefix_lengths.iter().all(|length| *length == 0) {
        prefix_lengths.clear();
    }
    let name = match &part.name {
        Some(name) => name.clone(),
        None => free_name(schema, &names),
    };
    if same_name(&name, "primary") {
        return Err(part.at.wrong("no other key is called PRIMARY"));
    }
    Ok(Index {
        name,
        comment: part.comment.clone(),
        key_columns: key_columns(schema, &index_columns),
        index_columns,
        prefix_lengths,
        unique: part.unique,
        spatial: part.spatial,
        ..Index::default()
    })
}

/// An index that stays, over columns that may have moved.
pub(super) fn moved(
    mut index: Index,
    old: &TableSchema,
    new: &TableSchema,
    at: &Place,
) -> Result<Index, FormatError> {
    let names = super::show::named(old, &index.index_columns)?;
    index.index_columns = positions(&new.columns, &names, at)?;
    index.key_columns = key_columns(new, &index.index_columns);
    Ok(index)
}

/// Adds an index to those of a table.
pub(super) fn add(indexes: &mut Vec<Index>, made: Index, at: &Place) -> Result<(), FormatError> {
    if indexes
        .iter()
        .any(|index| same_name(&index.name, &made.name))
    {
        return Err(at.wrong(format!("key {:?} stands twice", made.name)));
    }
    indexes.push(made);
    Ok(())
}

/// The named columns, and behind them those of the primary key that are missing.
pub(super) fn key_columns(schema: &TableSchema, index_columns: &[u16]) -> Vec<u16> {
    let missing = schema
        .primary_key
        .iter()
        .filter(|at| !index_columns.contains(at));
    index_columns.iter().chain(missing).copied().collect()
}

/// The name of the first column, with a number where an index has that name.
pub(super) fn free_name(schema: &TableSchema, columns: &[String]) -> String {
    let first = columns.first().cloned().unwrap_or_default();
    let is_taken = |name: &String| {
        schema
            .indexes
            .iter()
            .any(|index| same_name(&index.name, name))
    };
    let numbered = (2u32..).map(|number| format!("{first}_{number}"));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}

fn check_spatial(column: &Column, length: u16, part: &KeyPart) -> Result<(), FormatError> {
    let at = &part.at;
    if part.columns.len() != 1 || length > 0 {
        return Err(at.wrong("a spatial key is over one column, all of it"));
    }
    if !matches!(SqlType::parse(&column.sql_type)?, SqlType::Geometry(_)) {
        let why = format!("column {:?} is not spatial", column.name);
        return Err(at.wrong(why));
    }
    if column.nullable {
        let why = format!("column {:?} of a spatial key must be NOT NULL", column.name);
        return Err(at.wrong(why));
    }
    if column.encoding != e::GEOMETRY_ADAPTIVE {
        let why = format!("column {:?} in a key: make it with dolt", column.name);
        return Err(at.unsupported(why));
    }
    Ok(())
}

fn check_part(column: &Column, length: u16, part: &KeyPart) -> Result<(), FormatError> {
    let name = &column.name;
    let at = &part.at;
    if matches!(column.encoding, e::JSON_ADAPTIVE | e::JSON_ADDR | e::JSON) {
        return Err(at.wrong(format!("column {name:?} is JSON and cannot be of a key")));
    }
    if matches!(column.encoding, e::GEOMETRY_ADAPTIVE | e::GEOMETRY_ADDR) || column.hidden_system {
        return Err(at.unsupported(format!("column {name:?} in a key: make it with dolt")));
    }
    let length = u32::from(length);
    // How long a prefix may be, and whether all of the column may be indexed.
    let (unit_bytes, most, whole) = match SqlType::parse(&column.sql_type)? {
        SqlType::Char { len, .. } => (character_bytes(column)?, len, true),
        SqlType::Text { len, .. } => {
            let unit_bytes = character_bytes(column)?;
            let len = u32::try_from(len).unwrap_or(u32::MAX);
            (unit_bytes, len / unit_bytes, false)
        }
        SqlType::Binary(len) | SqlType::VarBinary(len) => (1, len, true),
        SqlType::Blob(len) => (1, u32::try_from(len).unwrap_or(u32::MAX), false),
        _ if length > 0 => {
            return Err(at.wrong(format!("column {name:?} is no text, and has no prefix")));
        }
        _ => return Ok(()),
    };
    if !whole && length == 0 && !part.unique {
        let why = format!("column {name:?} needs the length of a prefix, such as {name}(20)");
        return Err(at.wrong(why));
    }
    if length > most || length.saturating_mul(unit_bytes) > PREFIX_BYTES_MAX {
        return Err(at.wrong(format!("the prefix of column {name:?} is too long")));
    }
    Ok(())
}

/// Bytes of the longest character.
fn character_bytes(column: &Column) -> Result<u32, FormatError> {
    let number = ColumnType::stored(&column.sql_type)?.collation;
    let name = number.and_then(collation::name).unwrap_or_default();
    Ok(match collation::character_set(name) {
        "utf8mb4" | "utf16" | "utf32" => 4,
        "utf8mb3" => 3,
        _ => 1,
    })
}
