//! `SchemaEdit`: what a `CREATE TABLE` text makes of a table.

use std::collections::BTreeSet;

use super::collation;
use super::column_type::ColumnType;
use super::data_type::stored_kind;
use super::draft::{Against, Draft, same_name};
use super::foreign::Resolving;
use super::part::collation_of;
use super::show::Shown;
use super::statement::{Place, Statement};
use super::tags;
use crate::message::foreign_key::{Action, ForeignKey};
use crate::message::schema::{Column, Index, TableSchema};
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;
use crate::{Chunk, FormatError};

const TARGET_ROW_SIZE_DEFAULT: u16 = 2048;
/// Bytes that a row may have at most, as dolt reckons them.
const ROW_LEN_MAX: u64 = 65504;

/// The database around a table.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The tags of all columns of all tables.
    pub used_tags: &'a BTreeSet<u64>,
    /// Its tables' names and schemas, as far as foreign keys may name them.
    pub schemas: &'a [(String, TableSchema)],
    /// Its foreign keys.
    pub foreign_keys: &'a [ForeignKey],
    /// The database's collation.
    pub collation: u16,
}

/// What a text makes of a table.
#[derive(Debug, Clone)]
pub struct SchemaEdit {
    /// The new schema.
    pub schema: TableSchema,
    /// Its chunk.
    pub chunk: Chunk,
    /// For each column, its position in the old schema; `None` for a new one.
    pub origins: Vec<Option<usize>>,
    /// The foreign keys that the table declares, sorted by name.
    pub foreign_keys: Vec<ForeignKey>,
    /// The new names of columns that other tables' foreign keys may name, by tag.
    pub new_names: Vec<(u64, String)>,
    /// Whether the schema itself stays as it is.
    pub schema_stays: bool,
    /// The next number of an `AUTO_INCREMENT` column.
    pub auto_increment: u64,
    /// Whether the rows stay as they are stored.
    pub rows_stay: bool,
    /// Whether nothing differs.
    pub unchanged: bool,
}

impl SchemaEdit {
    /// A new table.
    pub fn create(table: &str, text: &[u8], around: Around<'_>) -> Result<Self, FormatError> {
        let statement = Statement::parse(text, table)?;
        let collation = table_collation(&statement, around.collation)?;
        let against = Against {
            table,
            old: None,
            collation,
        };
        let draft = Draft::new(&statement, against)?;
        let mut schema = draft.schema;
        let mut used = around.used_tags.clone();
        choose_tags(&mut schema, &[], table, &mut used)?;
        let foreign_keys = resolving(table, around).resolve(&draft.foreign_keys, &mut schema)?;
        set_options(&mut schema, &statement)?;
        let counted = schema.columns.iter().any(|column| column.auto_increment);
        let auto_increment = statement.options.auto_increment.filter(|_| counted);
        let auto_increment = auto_increment.filter(|wanted| *wanted <= counter_max(&schema));
        let mut edit = Self::new(&schema, Vec::new(), auto_increment.unwrap_or(0), true)?;
        edit.foreign_keys = foreign_keys;
        Ok(edit)
    }

    /// A change of the table that `old` is.
    pub fn alter(old: &Shown<'_>, text: &[u8], around: Around<'_>) -> Result<Self, FormatError> {
        let statement = Statement::parse(text, old.name)?;
        let collation = table_collation(&statement, around.collation)?;
        let against = Against {
            table: old.name,
            old: Some(old),
            collation,
        };
        let draft = Draft::new(&statement, against)?;
        let (mut schema, kept) = (draft.schema, draft.kept);
        let origins = super::origin::find(&old.schema.columns, &schema.columns, &kept);
        super::origin::check_replaced(&old.schema.columns, &schema.columns, &origins)?;
        take_over(&mut schema, old.schema, &origins);
        let mut used = around.used_tags.clone();
        choose_tags(&mut schema, &origins, old.name, &mut used)?;
        let resolving = resolving(old.name, around);
        let foreign_keys = resolving.resolve(&draft.foreign_keys, &mut schema)?;
        set_options(&mut schema, &statement)?;
        check_key_columns(old, &schema, &origins, &foreign_keys)?;
        super::origin::check_conversions(old.schema, &schema, &origins)?;
        let auto_increment = counter(&statement, old, counter_max(&schema))?;
        let rows_stay = super::origin::rows_stay(old.schema, &schema, &origins);
        let mut edit = Self::new(&schema, origins, auto_increment, rows_stay)?;
        let before = old.foreign_keys.iter();
        let before = before.filter(|key| same_name(&key.child, old.name));
        edit.schema_stays = edit.chunk.address() == old.schema.address
            && edit.auto_increment.max(1) == old.auto_increment.max(1);
        edit.unchanged = edit.schema_stays && before.eq(&foreign_keys);
        edit.foreign_keys = foreign_keys;
        edit.new_names = super::foreign::new_names(old, &edit.schema);
        Ok(edit)
    }

    fn new(
        schema: &TableSchema,
        origins: Vec<Option<usize>>,
        auto_increment: u64,
        rows_stay: bool,
    ) -> Result<Self, FormatError> {
        check_row_len(schema)?;
        let chunk = schema.encode()?;
        // Reading it back proves that it can be read, and gives the schema its address.
        let schema = TableSchema::decode(&chunk)?;
        Ok(Self {
            schema,
            chunk,
            origins,
            foreign_keys: Vec::new(),
            new_names: Vec::new(),
            schema_stays: false,
            auto_increment,
            rows_stay,
            unchanged: false,
        })
    }
}

const fn resolving<'a>(table: &'a str, around: Around<'a>) -> Resolving<'a> {
    Resolving {
        table,
        all: around.foreign_keys,
        schemas: around.schemas,
    }
}

fn table_collation(statement: &Statement, database: u16) -> Result<u16, FormatError> {
    let options = &statement.options;
    let (set, named) = (options.character_set.as_ref(), options.collation.as_ref());
    let at = named
        .or(set)
        .map_or_else(Place::default, |said| said.at.clone());
    let said = collation_of(
        set.map(|set| set.value.as_str()),
        named.map(|named| named.value.as_str()),
        &at,
    )?;
    let number = said.unwrap_or(database);
    if collation::name(number) == Some("binary") {
        return Err(at.unsupported("a table of character set binary"));
    }
    Ok(number)
}

fn set_options(schema: &mut TableSchema, statement: &Statement) -> Result<(), FormatError> {
    schema.comment.clone_from(&statement.options.comment);
    schema.target_row_size = match &statement.options.target_row_size {
        None => TARGET_ROW_SIZE_DEFAULT,
        Some(size) => u16::try_from(size.value)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| size.at.wrong("TARGET_ROW_SIZE is 1 to 65535"))?,
    };
    Ok(())
}

/// The largest number that an `AUTO_INCREMENT` column has; dolt passes over a larger counter.
fn counter_max(schema: &TableSchema) -> u64 {
    let column = schema.columns.iter().find(|column| column.auto_increment);
    match column.map(|column| SqlType::parse(&column.sql_type)) {
        Some(Ok(SqlType::Int { bits, unsigned })) => {
            u64::MAX >> (64 - u32::from(bits) + u32::from(!unsigned))
        }
        _ => u64::MAX,
    }
}

/// The counter only grows: smaller numbers may stand in rows.
fn counter(statement: &Statement, old: &Shown<'_>, most: u64) -> Result<u64, FormatError> {
    let wanted = statement.options.auto_increment;
    let wanted = wanted
        .filter(|wanted| *wanted <= most)
        .unwrap_or(old.auto_increment);
    if wanted.max(1) < old.auto_increment.max(1) {
        return Err(FormatError::Unsupported(format!(
            "AUTO_INCREMENT={wanted}: the counter is at {} and does not go back",
            old.auto_increment
        )));
    }
    Ok(wanted)
}

/// What stays of columns and indexes that the text changes: tags, stored encodings, and whether
/// an index was made for a foreign key.
fn take_over(schema: &mut TableSchema, old: &TableSchema, origins: &[Option<usize>]) {
    for (column, origin) in schema.columns.iter_mut().zip(origins) {
        if let Some(old) = origin.and_then(|at| old.columns.get(at)) {
            column.tag = old.tag;
            if is_older_form(old.encoding, column.encoding) {
                column.encoding = old.encoding;
            }
        }
    }
    let same_columns = |new: &Index, old: &Index| {
        let came_from = |at: &u16| origins.get(usize::from(*at)).copied().flatten();
        let old_columns = old.index_columns.iter().map(|at| Some(usize::from(*at)));
        new.index_columns.iter().map(came_from).eq(old_columns)
    };
    for index in &mut schema.indexes {
        let old = old.indexes.iter().find(|old| old.name == index.name);
        if let Some(old) = old.filter(|old| {
            same_columns(index, old) && (old.unique, old.spatial) == (index.unique, index.spatial)
        }) {
            index.system_defined = old.system_defined;
        }
    }
}

/// Whether values are stored by their address only, as dolt stored them once.
const fn is_older_form(old: u8, new: u8) -> bool {
    matches!(
        (old, new),
        (e::STRING_ADDR, e::STRING_ADAPTIVE)
            | (e::BYTES_ADDR, e::BYTES_ADAPTIVE)
            | (e::JSON_ADDR, e::JSON_ADAPTIVE)
            | (e::GEOMETRY_ADDR, e::GEOMETRY_ADAPTIVE)
    )
}

/// Gives a tag to each new column. The table's other columns count as earlier ones.
fn choose_tags(
    schema: &mut TableSchema,
    origins: &[Option<usize>],
    table: &str,
    used: &mut BTreeSet<u64>,
) -> Result<(), FormatError> {
    let kind = |column: &Column| stored_kind(&column.sql_type);
    let mut present: Vec<bool> = origins.iter().map(Option::is_some).collect();
    present.resize(schema.columns.len(), false);
    for at in 0..schema.columns.len() {
        if present.get(at) != Some(&false) {
            continue;
        }
        let mut earlier = Vec::new();
        for (column, _) in schema
            .columns
            .iter()
            .zip(&present)
            .filter(|(_, present)| **present)
        {
            earlier.push(kind(column)?);
        }
        if let (Some(column), Some(present)) = (schema.columns.get_mut(at), present.get_mut(at)) {
            let kind = kind(column)?;
            column.tag = tags::choose(used, table, &earlier, &column.name, kind)?;
            used.insert(column.tag);
            *present = true;
        }
    }
    Ok(())
}

/// Columns and keys that foreign keys need, here or from elsewhere, stay what they are. `declared`
/// are those of the table after the change.
fn check_key_columns(
    old: &Shown<'_>,
    schema: &TableSchema,
    origins: &[Option<usize>],
    declared: &[ForeignKey],
) -> Result<(), FormatError> {
    for key in old.foreign_keys {
        let stays = |other: &ForeignKey| other.name == key.name;
        let is_own = same_name(&key.child, old.name);
        if is_own && !declared.iter().any(stays) {
            continue;
        }
        let is_parent = same_name(&key.parent, old.name);
        let sides = [
            (is_own, &key.child_tags, &key.child_index),
            (is_parent, &key.parent_tags, &key.parent_index),
        ];
        for (_, tags, index) in sides.into_iter().filter(|(is_here, ..)| *is_here) {
            check_tagged(key, tags, old, (schema, origins))?;
            check_index(key, index, old.schema, schema)?;
        }
        if is_parent && named_key(old.schema) != named_key(schema) {
            let why = format!(
                "the primary key: foreign key {:?} names this table",
                key.name
            );
            return Err(FormatError::Unsupported(why));
        }
    }
    Ok(())
}

/// Fails where a key's columns with these tags are not what they were.
fn check_tagged(
    key: &ForeignKey,
    tags: &[u64],
    old: &Shown<'_>,
    (schema, origins): (&TableSchema, &[Option<usize>]),
) -> Result<(), FormatError> {
    let sets_null = [key.on_delete, key.on_update].contains(&Action::SetNull);
    for tag in tags {
        let columns = &old.schema.columns;
        let at = columns.iter().position(|column| column.tag == *tag);
        let before = at.and_then(|at| columns.get(at));
        let mut places = origins.iter();
        let after = places.position(|origin| *origin == at && at.is_some());
        let after = after.and_then(|at| schema.columns.get(at));
        let same = before.zip(after).is_some_and(|(before, after)| {
            before.sql_type == after.sql_type
                && before.encoding == after.encoding
                && (after.nullable || !before.nullable || !sets_null)
        });
        if !same {
            return Err(FormatError::Unsupported(format!(
                "column {:?} is of foreign key {:?}: drop that key first",
                before.map_or("", |before| &before.name),
                key.name
            )));
        }
    }
    Ok(())
}

/// Fails where the index that serves a key is gone.
fn check_index(
    key: &ForeignKey,
    index: &str,
    old: &TableSchema,
    new: &TableSchema,
) -> Result<(), FormatError> {
    let is_there = |schema: &TableSchema| {
        let mut indexes = schema.indexes.iter();
        index.is_empty() || indexes.any(|known| same_name(&known.name, index))
    };
    if is_there(old) && !is_there(new) {
        return Err(FormatError::Unsupported(format!(
            "key {index:?} serves foreign key {:?}: drop that first",
            key.name
        )));
    }
    Ok(())
}

fn named_key(schema: &TableSchema) -> Vec<u64> {
    let columns = schema.primary_key.iter();
    let columns = columns.filter_map(|at| schema.columns.get(usize::from(*at)));
    columns.map(|column| column.tag).collect()
}

/// Dolt refuses tables whose rows could become too long (`LDC/schema/schema_impl.go`,
/// `MaxRowStorageSize`).
fn check_row_len(schema: &TableSchema) -> Result<(), FormatError> {
    let mut len = 0;
    for column in schema.columns.iter().filter(|column| !column.is_virtual) {
        let column_type = ColumnType::stored(&column.sql_type)?;
        let character = match column_type.collation.and_then(collation::name) {
            Some(name) => match collation::character_set(name) {
                "utf8mb4" | "utf16" | "utf32" => 4,
                "utf8mb3" => 3,
                _ => 1,
            },
            None => 1,
        };
        len += match SqlType::parse(&column.sql_type)? {
            SqlType::Char { len, .. } => u64::from(len) * character,
            SqlType::Binary(len) | SqlType::VarBinary(len) => u64::from(len),
            SqlType::Text { .. } | SqlType::Blob(_) | SqlType::Json | SqlType::Geometry(_) => 20,
            SqlType::Decimal { scale, .. } => u64::from(scale),
            SqlType::Enum(_) => 2,
            SqlType::Time => 16,
            _ => 8,
        };
    }
    if len > ROW_LEN_MAX {
        let why = format!("a row could have {len} bytes, at most {ROW_LEN_MAX} are possible");
        return Err(FormatError::BadRecord { line: 1, why });
    }
    Ok(())
}
