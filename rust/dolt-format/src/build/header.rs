//! The header of a text: which column each field is of.

use super::input::Carried;
use crate::FormatError;
use crate::csv::record::RecordView;
use crate::message::schema::{Column, TableSchema};

/// The position in the header of each column of the table; `None` where it is not named.
pub(super) fn named_columns(
    schema: &TableSchema,
    header: &RecordView<'_>,
    carried: Option<&[Option<Carried>]>,
) -> Result<Vec<Option<usize>>, FormatError> {
    let bad = |why: String| FormatError::BadRecord {
        line: header.line,
        why,
    };
    let mut origins: Vec<Option<usize>> = vec![None; schema.columns.len()];
    for position in 0..header.len() {
        let name = header.field(position).unwrap_or_default();
        let name = std::str::from_utf8(name)
            .map_err(|_| bad(format!("the header's field {} is not UTF-8", position + 1)))?
            .trim_end();
        let name = match carried.map(|names| names.get(position)) {
            Some(Some(Some(field))) => &field.name,
            Some(_) => continue,
            None => name,
        };
        let named = |column: &Column| column.name == name && !column.hidden_system;
        let exact = schema.columns.iter().position(named);
        let same = |column: &Column| {
            column.name.to_lowercase() == name.to_lowercase() && !column.hidden_system
        };
        let found = exact.or_else(|| schema.columns.iter().position(same));
        let Some(slot) = found.and_then(|at| origins.get_mut(at)) else {
            let known: Vec<&str> = schema
                .columns
                .iter()
                .filter(|column| !column.hidden_system)
                .map(|column| column.name.as_str())
                .collect();
            return Err(bad(format!(
                "the header names {name:?}, which is no column of the table; its columns are {}",
                known.join(", ")
            )));
        };
        if slot.replace(position).is_some() {
            return Err(bad(format!("the header names column {name:?} twice")));
        }
    }
    Ok(origins)
}
