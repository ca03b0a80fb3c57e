//! Which old column each new one was, and whether the rows can stay as they are stored.

use super::draft::same_name;
use crate::FormatError;
use crate::message::schema::{Check, Column, Index, TableSchema};
use crate::value::conversion::Conversion;
use crate::value::sql_type::SqlType;

/// For each new column, the position of the old one that it was.
///
/// Columns of the same name are the same. Of the others, one that is gone and one that is new are
/// the same, renamed, if they stand between the same columns and are otherwise defined alike.
pub(super) fn find(old: &[Column], new: &[Column], kept: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut origins: Vec<Option<usize>> = new
        .iter()
        .zip(kept)
        .map(|(column, kept)| {
            kept.or_else(|| {
                old.iter()
                    .position(|old| same_name(&old.name, &column.name))
            })
        })
        .collect();
    for (at, column) in new.iter().enumerate() {
        if origins.get(at).copied().flatten().is_some() {
            continue;
        }
        let before = origins.iter().take(at).rev().find_map(|origin| *origin);
        let gone = old
            .iter()
            .enumerate()
            .skip(before.map_or(0, |before| before + 1));
        let found = gone
            .take_while(|(position, _)| !is_matched_by_name(*position, old, new))
            .find(|(position, old)| {
                !origins.contains(&Some(*position)) && defined_alike(old, column)
            });
        let followed = |position: usize| next_of(&origins, at) == next_matched(position, old, new);
        let found = found
            .map(|(position, _)| position)
            .filter(|at| followed(*at));
        if let (Some(origin), Some(found)) = (origins.get_mut(at), found) {
            *origin = Some(found);
        }
    }
    origins
}

/// Refuses what may be meant as a rename and would lose a column's values: one that is gone where
/// another one, defined otherwise, is new.
pub(super) fn check_replaced(
    old: &[Column],
    new: &[Column],
    origins: &[Option<usize>],
) -> Result<(), FormatError> {
    for (at, column) in new.iter().enumerate() {
        let own = origins.get(at).copied().flatten();
        let before = own.and_then(|own| old.get(own));
        if before.is_some_and(|before| before.sql_type == column.sql_type) {
            continue;
        }
        if let Some(taken) = may_be(at, old, new, origins).and_then(|at| old.get(at)) {
            return Err(FormatError::Unsupported(format!(
                "column {:?} stands where {:?} did, and that is another column now: rename first, \
                 and give a column its old name in another text",
                column.name, taken.name
            )));
        }
        if own.is_some() {
            continue;
        }
        let before = origins.iter().take(at).rev().find_map(|origin| *origin);
        let behind = next_of(origins, at).unwrap_or(old.len());
        let between = before.map_or(0, |before| before + 1)..behind;
        let mut gone = between.filter(|position| !origins.contains(&Some(*position)));
        if let Some(gone) = gone.find_map(|position| old.get(position)) {
            return Err(FormatError::Unsupported(format!(
                "column {:?} is gone and {:?} is new in its place: if it is renamed, change its \
                 name first and its type after; if not, drop the one and add the other in two steps",
                gone.name, column.name
            )));
        }
    }
    Ok(())
}

/// The old column that the new one at `at` may be under a new name, though one of its own name is
/// there: it stands where that did and is defined alike, and that has moved or is of another type.
fn may_be(at: usize, old: &[Column], new: &[Column], origins: &[Option<usize>]) -> Option<usize> {
    let column = new.get(at)?;
    let before = |end: usize, but: usize| {
        let earlier = origins.iter().take(end).flatten().copied();
        let mut earlier: Vec<usize> = earlier.filter(|origin| *origin != but).collect();
        earlier.sort_unstable();
        earlier
    };
    (0..old.len()).find(|position| {
        let place = origins.iter().position(|origin| *origin == Some(*position));
        let (Some(was), Some(place)) = (old.get(*position), place) else {
            return false;
        };
        let kept = (0..*position).filter(|other| origins.contains(&Some(*other)));
        let kept: Vec<usize> = kept.collect();
        let is_itself = before(place, *position) == kept
            && new
                .get(place)
                .is_some_and(|now| now.sql_type == was.sql_type && now.nullable == was.nullable);
        // A key's column is NOT NULL by that alone.
        let alike = column.sql_type == was.sql_type
            && (column.generated, column.nullable) == (was.generated, was.nullable);
        let own = origins.get(at) == Some(&Some(*position));
        alike && !own && !is_itself && before(at, *position) == kept
    })
}

fn is_matched_by_name(position: usize, old: &[Column], new: &[Column]) -> bool {
    let name = old.get(position).map(|column| &column.name);
    name.is_some_and(|name| new.iter().any(|column| same_name(&column.name, name)))
}

/// The old position of the next column behind `at` that has one.
fn next_of(origins: &[Option<usize>], at: usize) -> Option<usize> {
    origins.iter().skip(at + 1).find_map(|origin| *origin)
}

/// The position of the next old column behind `position` that is there by name.
fn next_matched(position: usize, old: &[Column], new: &[Column]) -> Option<usize> {
    (position + 1..old.len()).find(|at| is_matched_by_name(*at, old, new))
}

fn defined_alike(old: &Column, new: &Column) -> bool {
    let alike = Column {
        name: old.name.clone(),
        tag: old.tag,
        encoding: old.encoding,
        ..new.clone()
    };
    alike == *old
}

/// Whether the stored rows and indexes of the old schema are those of the new one.
pub(super) fn rows_stay(old: &TableSchema, new: &TableSchema, origins: &[Option<usize>]) -> bool {
    let origin = |at: u16| origins.get(usize::from(at)).copied().flatten();
    let same_columns = |old: &[u16], new: &[u16]| {
        let new = new.iter().map(|at| origin(*at));
        new.eq(old.iter().map(|at| Some(usize::from(*at))))
    };
    let same_index = |(old, new): (&Index, &Index)| {
        old.name == new.name
            && same_columns(&old.index_columns, &new.index_columns)
            && same_columns(&old.key_columns, &new.key_columns)
            && old.prefix_lengths == new.prefix_lengths
            && old.unique == new.unique
    };
    let holds = |check: &Check| !check.enforced || old.checks.contains(check);
    old.target_row_size == new.target_row_size
        && old.indexes.len() == new.indexes.len()
        && old.indexes.iter().zip(&new.indexes).all(same_index)
        && same_columns(&old.primary_key, &new.primary_key)
        && new.checks.iter().all(holds)
        && columns_stay(old, new, origins)
}

/// Whether the stored columns are the same in the same order. New ones may follow whose values
/// are NULL: tuples leave out the NULLs at their end.
fn columns_stay(old: &TableSchema, new: &TableSchema, origins: &[Option<usize>]) -> bool {
    let mut before = old
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.is_virtual);
    for (column, origin) in new.columns.iter().zip(origins) {
        if column.is_virtual {
            continue;
        }
        let Some((position, old)) = before.next() else {
            let is_null = column.default.is_empty() || column.default == "NULL";
            if origin.is_some() || !column.nullable || !is_null {
                return false;
            }
            continue;
        };
        let computed = old.generated || column.generated;
        if *origin != Some(position)
            || !holds_all(old, column)
            || (old.nullable && !column.nullable)
            || (column.auto_increment && !old.auto_increment)
            || (computed && (old.generated, &old.default) != (column.generated, &column.default))
        {
            return false;
        }
    }
    before.next().is_none()
}

/// Whether a column holds every value of another in the same bytes and order.
fn holds_all(old: &Column, new: &Column) -> bool {
    if old.sql_type == new.sql_type {
        return old.encoding == new.encoding;
    }
    let (Ok(before), Ok(after)) = (SqlType::parse(&old.sql_type), SqlType::parse(&new.sql_type))
    else {
        return false;
    };
    old.encoding == new.encoding
        && match (before, after) {
            (
                SqlType::Char { len, collation },
                SqlType::Char {
                    len: longer,
                    collation: other,
                },
            ) => collation == other && len <= longer,
            (SqlType::VarBinary(len), SqlType::VarBinary(longer)) => len <= longer,
            (SqlType::Enum(members), SqlType::Enum(more))
            | (SqlType::Set(members), SqlType::Set(more)) => {
                more.names.starts_with(&members.names) && more.collation == members.collation
            }
            (
                SqlType::Datetime { timestamp, .. },
                // Fewer digits are shown, and all are kept.
                SqlType::Datetime {
                    timestamp: other, ..
                },
            ) => timestamp == other,
            _ => false,
        }
}

/// How the values of a column become those of another; none where they stay as they are stored.
pub(crate) fn conversion(old: &Column, new: &Column) -> Result<Option<Conversion>, FormatError> {
    let from = SqlType::parse(&old.sql_type)?;
    let to = SqlType::parse(&new.sql_type)?;
    if from != to && holds_all(old, new) {
        return Ok(None);
    }
    Conversion::new(&from, &to, new.encoding)
        .map(Some)
        .map_err(|why| {
            FormatError::Unsupported(format!(
                "column {:?} from {} to {}: {why}",
                new.name, old.sql_type, new.sql_type
            ))
        })
}

/// Checks that the values of each column can become those of its new type.
pub(crate) fn check_conversions(
    old: &TableSchema,
    new: &TableSchema,
    origins: &[Option<usize>],
) -> Result<(), FormatError> {
    for (column, origin) in new.columns.iter().zip(origins) {
        let before = origin.and_then(|at| old.columns.get(at));
        if let Some(before) = before.filter(|before| !before.generated && !column.generated) {
            conversion(before, column)?;
        }
    }
    Ok(())
}
