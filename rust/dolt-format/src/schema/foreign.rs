//! The foreign keys that a statement asks for, as dolt resolves them.

use sqlparser::ast::{ForeignKeyConstraint, Ident, ObjectNamePart, ReferentialAction};

use super::collation;
use super::draft::same_name;
use super::key;
use super::show::Shown;
use super::statement::Place;
use crate::FormatError;
use crate::expression::{Expression, ExpressionColumn};
use crate::foreign_key::side;
use crate::message::foreign_key::{Action, ForeignKey};
use crate::message::schema::{Column, Index, TableSchema};
use crate::value::sql_type::SqlType;

/// A foreign key, as its definition has it.
#[derive(Debug, Clone)]
pub(super) struct ForeignPart {
    name: Option<String>,
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
    on_delete: Action,
    on_update: Action,
    pub(super) at: Place,
}

/// A foreign key that a statement asks for: one that is there already, by its number, or a new one.
#[derive(Debug, Clone)]
pub(super) enum Declared {
    Kept(usize),
    New(Box<ForeignPart>),
}

impl ForeignPart {
    pub(super) fn new(parsed: ForeignKeyConstraint, at: &Place) -> Result<Self, FormatError> {
        if parsed.match_kind.is_some() || parsed.characteristics.is_some() {
            return Err(at.wrong("dolt knows no MATCH and no DEFERRABLE"));
        }
        let parent = match parsed.foreign_table.0.as_slice() {
            [ObjectNamePart::Identifier(name)] => name.value.clone(),
            _ => return Err(at.unsupported("a foreign key to a table of another database")),
        };
        let names = |names: Vec<Ident>| names.into_iter().map(|name| name.value).collect();
        Ok(Self {
            name: parsed.name.map(|name| name.value),
            columns: names(parsed.columns),
            parent,
            parent_columns: names(parsed.referred_columns),
            on_delete: action(parsed.on_delete, at)?,
            on_update: action(parsed.on_update, at)?,
            at: at.clone(),
        })
    }

    /// The key of one column that its definition has.
    pub(super) fn of_column(
        column: &str,
        parsed: ForeignKeyConstraint,
        at: &Place,
    ) -> Result<Self, FormatError> {
        let part = Self::new(parsed, at)?;
        if part.on_delete != Action::Default || part.on_update != Action::Default {
            let why = "dolt takes no ON DELETE and ON UPDATE in a column's definition: write a \
                       FOREIGN KEY by itself";
            return Err(at.wrong(why));
        }
        Ok(Self {
            name: None,
            columns: vec![column.to_owned()],
            ..part
        })
    }

    /// Whether this is `key`, whose columns may have new names.
    fn is_of(&self, key: &ForeignKey, child: &TableSchema, parent: &TableSchema) -> bool {
        let tags = |schema: &TableSchema, names: &[String]| {
            let tag = |name: &String| {
                let mut columns = schema.columns.iter();
                let column = columns.find(|column| same_name(&column.name, name));
                column.map(|column| column.tag)
            };
            names.iter().map(tag).collect::<Option<Vec<u64>>>()
        };
        self.name.as_ref() == Some(&key.name)
            && same_name(&self.parent, &key.parent)
            && (self.on_delete, self.on_update) == (key.on_delete, key.on_update)
            && tags(child, &self.columns).as_ref() == Some(&key.child_tags)
            && tags(parent, &self.parent_columns).as_ref() == Some(&key.parent_tags)
    }
}

fn action(action: Option<ReferentialAction>, at: &Place) -> Result<Action, FormatError> {
    Ok(match action {
        None => Action::Default,
        Some(ReferentialAction::Restrict) => Action::Restrict,
        Some(ReferentialAction::Cascade) => Action::Cascade,
        Some(ReferentialAction::SetNull) => Action::SetNull,
        Some(ReferentialAction::NoAction) => Action::NoAction,
        Some(ReferentialAction::SetDefault) => {
            return Err(at.wrong("dolt knows no SET DEFAULT"));
        }
    })
}

/// The database that foreign keys are resolved in.
pub(super) struct Resolving<'a> {
    /// The child's name.
    pub(super) table: &'a str,
    /// All foreign keys of the database, as they are.
    pub(super) all: &'a [ForeignKey],
    /// The schemas of its tables.
    pub(super) schemas: &'a [(String, TableSchema)],
}

impl Resolving<'_> {
    /// The foreign keys of the table with `schema`, which gets the indexes that they lack.
    pub(super) fn resolve(
        &self,
        declared: &[Declared],
        schema: &mut TableSchema,
    ) -> Result<Vec<ForeignKey>, FormatError> {
        let own = self.all.iter().enumerate();
        let own: Vec<usize> = own
            .filter(|(_, key)| same_name(&key.child, self.table))
            .map(|(at, _)| at)
            .collect();
        let mut kept: Vec<ForeignKey> = Vec::new();
        let mut new = Vec::new();
        for declared in declared {
            let part = match declared {
                Declared::Kept(at) => {
                    kept.extend(self.all.get(*at).cloned());
                    continue;
                }
                Declared::New(part) => part,
            };
            let is_this = |at: &&usize| {
                let key = self.all.get(**at);
                let parent = self.parent(part, schema).ok();
                key.zip(parent)
                    .is_some_and(|(key, (_, parent))| part.is_of(key, schema, &parent))
            };
            match own.iter().find(is_this) {
                Some(at) => kept.extend(self.all.get(*at).cloned()),
                None => new.push(part),
            }
        }
        for key in &mut kept {
            rename_columns(key, self.table, schema);
        }
        for part in new {
            let key = self.resolve_new(part, &kept, schema)?;
            kept.push(key);
        }
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(kept)
    }

    /// The exact name and the schema of a key's parent.
    fn parent(
        &self,
        part: &ForeignPart,
        child: &TableSchema,
    ) -> Result<(String, TableSchema), FormatError> {
        if same_name(&part.parent, self.table) {
            return Ok((self.table.to_owned(), child.clone()));
        }
        if part.parent.to_lowercase().starts_with("dolt_") {
            let why = "a foreign key to a table of Dolt's own: make it with dolt";
            return Err(part.at.unsupported(why));
        }
        let exact = self.schemas.iter().find(|(name, _)| *name == part.parent);
        let found = exact.or_else(|| {
            let mut schemas = self.schemas.iter();
            schemas.find(|(name, _)| same_name(name, &part.parent))
        });
        found.cloned().ok_or_else(|| {
            let why = format!("there is no table {:?}", part.parent);
            part.at.wrong(why)
        })
    }

    fn resolve_new(
        &self,
        part: &ForeignPart,
        others: &[ForeignKey],
        schema: &mut TableSchema,
    ) -> Result<ForeignKey, FormatError> {
        let at = &part.at;
        let (parent_name, parent) = self.parent(part, schema)?;
        if part.columns.len() != part.parent_columns.len() {
            return Err(at.wrong("it has to name as many columns of the parent as of the table"));
        }
        let child_columns = key::positions(&schema.columns, &part.columns, at)?;
        let parent_columns = key::positions(&parent.columns, &part.parent_columns, at)?;
        check_columns(part, schema, &child_columns, &parent, &parent_columns)?;
        if !has_index(&parent, &parent_columns, true) {
            return Err(at.wrong(format!(
                "no key of table {parent_name:?} begins with the columns that it names"
            )));
        }
        let name = match &part.name {
            Some(name) => {
                self.check_name(name, others, at)?;
                name.clone()
            }
            None => self.next_name(others),
        };
        if !has_index(schema, &child_columns, false) {
            let index = new_index(part, &name, schema, &child_columns)?;
            key::add(&mut schema.indexes, index, at)?;
            schema.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let parent = if same_name(&parent_name, self.table) {
            &*schema
        } else {
            &parent
        };
        let names = |schema: &TableSchema, columns: &[u16]| super::show::named(schema, columns);
        let key = ForeignKey {
            name,
            child: self.table.to_owned(),
            child_index: index_name(schema, &child_columns),
            child_tags: tags(schema, &child_columns),
            parent_index: index_name(parent, &parent_columns),
            parent_tags: tags(parent, &parent_columns),
            child_columns: names(schema, &child_columns)?,
            parent_columns: names(parent, &parent_columns)?,
            parent: parent_name,
            on_update: part.on_update,
            on_delete: part.on_delete,
            is_not_valid: false,
            match_type: 0,
        };
        match side::refusal(&key, schema, parent) {
            Some(why) => Err(at.unsupported(format!("{why}; make it with dolt"))),
            None => Ok(key),
        }
    }

    /// Names are unique in the database.
    fn check_name(&self, name: &str, others: &[ForeignKey], at: &Place) -> Result<(), FormatError> {
        let elsewhere = self.all.iter();
        let elsewhere = elsewhere.filter(|key| !same_name(&key.child, self.table));
        let mut taken = elsewhere.chain(others);
        if taken.any(|key| same_name(&key.name, name)) {
            let why = format!("there is a foreign key {name:?} already; names are of the database");
            return Err(at.wrong(why));
        }
        Ok(())
    }

    /// `<table>_ibfk_<n>`, one above the highest number there is.
    fn next_name(&self, others: &[ForeignKey]) -> String {
        let prefix = format!("{}_ibfk_", self.table.to_lowercase());
        let number = |key: &ForeignKey| key.name.strip_prefix(&prefix)?.parse::<u32>().ok();
        let highest = others.iter().filter_map(number).max().unwrap_or(0);
        format!("{prefix}{}", highest.saturating_add(1))
    }
}

fn tags(schema: &TableSchema, columns: &[u16]) -> Vec<u64> {
    let columns = columns.iter();
    let columns = columns.filter_map(|at| schema.columns.get(usize::from(*at)));
    columns.map(|column| column.tag).collect()
}

/// Gives the columns of `table` that a key names the names that they have in `schema`.
fn rename_columns(key: &mut ForeignKey, table: &str, schema: &TableSchema) {
    let rename = |tags: &[u64], names: &mut Vec<String>| {
        for (tag, name) in tags.iter().zip(names) {
            let mut columns = schema.columns.iter();
            if let Some(column) = columns.find(|column| column.tag == *tag) {
                name.clone_from(&column.name);
            }
        }
    };
    rename(&key.child_tags, &mut key.child_columns);
    if same_name(&key.parent, table) {
        rename(&key.parent_tags, &mut key.parent_columns);
    }
}

/// Fails where dolt refuses a key of these columns.
fn check_columns(
    part: &ForeignPart,
    child: &TableSchema,
    child_columns: &[u16],
    parent: &TableSchema,
    parent_columns: &[u16],
) -> Result<(), FormatError> {
    let at = &part.at;
    let column = |schema: &TableSchema, at: &u16| schema.columns.get(usize::from(*at)).cloned();
    let acts = |action| matches!(action, Action::Cascade | Action::SetNull);
    let sets_null = [part.on_delete, part.on_update].contains(&Action::SetNull);
    for (own, other) in child_columns.iter().zip(parent_columns) {
        let (Some(own), Some(other)) = (column(child, own), column(parent, other)) else {
            continue;
        };
        let (one, two) = (
            SqlType::parse(&own.sql_type)?,
            SqlType::parse(&other.sql_type)?,
        );
        if matches!(one, SqlType::Text { .. } | SqlType::Blob(_)) {
            return Err(at.wrong(format!("column {:?} is TEXT or BLOB", own.name)));
        }
        if !are_comparable(&one, &two) {
            return Err(at.wrong(format!(
                "columns {:?} and {:?} are of different types",
                own.name, other.name
            )));
        }
        if sets_null && !own.nullable {
            return Err(at.wrong(format!("column {:?} is NOT NULL", own.name)));
        }
        if own.generated || other.generated {
            return Err(at.unsupported("a foreign key of a generated column: make it with dolt"));
        }
        if acts(part.on_delete) || acts(part.on_update) {
            check_not_a_base(child, &own, at)?;
        }
    }
    Ok(())
}

/// Whether dolt takes columns of these types for a key (`gms/sql/plan/alter_foreign_key.go`,
/// `foreignKeyComparableTypes`).
fn are_comparable(one: &SqlType, two: &SqlType) -> bool {
    use SqlType as T;
    let character_set = |sql_type: &SqlType| {
        match sql_type.collation() {
            "" => "utf8mb4",
            name => collation::character_set(name),
        }
        .to_owned()
    };
    one == two
        || match (one, two) {
            (T::Char { .. }, T::Char { .. }) => character_set(one) == character_set(two),
            _ => matches!(
                (one, two),
                (
                    T::Binary(_) | T::VarBinary(_),
                    T::Binary(_) | T::VarBinary(_)
                ) | (
                    T::Date | T::Datetime { .. } | T::Time,
                    T::Date | T::Datetime { .. } | T::Time
                ) | (T::Enum(_), T::Enum(_))
                    | (T::Set(_), T::Set(_))
                    | (T::Decimal { .. }, T::Decimal { .. })
            ),
        }
}

/// Fails where a stored generated column is computed from `column`, as that may be changed by the
/// key.
fn check_not_a_base(schema: &TableSchema, column: &Column, at: &Place) -> Result<(), FormatError> {
    let described = ExpressionColumn::of_schema(schema)?;
    let position = schema.columns.iter().position(|other| other == column);
    for generated in &schema.columns {
        if generated.generated && !generated.is_virtual {
            let expression = Expression::parse(&generated.default, &described)?;
            if expression.columns().iter().any(|at| Some(*at) == position) {
                return Err(at.wrong(format!(
                    "the stored column {:?} is computed from column {:?}",
                    generated.name, column.name
                )));
            }
        }
    }
    Ok(())
}

/// Whether a key begins with these columns in their order; `extended` by the primary key that
/// stands behind each (`gms/sql/plan/alter_foreign_key.go`, `FindFKIndexWithPrefix`).
fn has_index(schema: &TableSchema, columns: &[u16], extended: bool) -> bool {
    let serves = |index: &Index| {
        let whole = index.prefix_lengths.is_empty();
        let columns_of = if extended {
            &index.key_columns
        } else {
            &index.index_columns
        };
        whole && !index.spatial && !index.fulltext && columns_of.starts_with(columns)
    };
    schema.primary_key.starts_with(columns) || schema.indexes.iter().any(serves)
}

/// The index that dolt notes for a key: of those that begin with its columns in any order. Empty
/// for the primary key (dolt: `LDC/sqle/tables.go`, `FindIndexWithPrefix`).
fn index_name(schema: &TableSchema, columns: &[u16]) -> String {
    let serves = |index: &&Index| {
        let head = index.index_columns.get(..columns.len());
        head.is_some_and(|head| columns.iter().all(|column| head.contains(column)))
    };
    let rank = |index: &&Index| {
        let len = index.index_columns.len();
        let longer = if len == columns.len() {
            (false, 0)
        } else {
            (true, usize::MAX - len)
        };
        (longer, !index.unique, index.name.clone())
    };
    let found = schema.indexes.iter().filter(serves).min_by_key(rank);
    found.map(|index| index.name.clone()).unwrap_or_default()
}

/// The index that dolt makes where none serves: called as the key, or as its first column where
/// the key was not named.
fn new_index(
    part: &ForeignPart,
    name: &str,
    schema: &TableSchema,
    columns: &[u16],
) -> Result<Index, FormatError> {
    let names = super::show::named(schema, columns)?;
    let name = match part.name {
        Some(_) => name.to_owned(),
        None => key::free_name(schema, &names),
    };
    Ok(Index {
        name,
        key_columns: key::key_columns(schema, columns),
        index_columns: columns.to_vec(),
        system_defined: true,
        ..Index::default()
    })
}

/// The names of columns that were renamed, by their tags: keys of other tables name them too.
pub(super) fn new_names(old: &Shown<'_>, schema: &TableSchema) -> Vec<(u64, String)> {
    let before = |column: &&Column| {
        let mut columns = old.schema.columns.iter();
        columns.any(|old| old.tag == column.tag && old.name != column.name)
    };
    let renamed = schema.columns.iter().filter(before);
    renamed
        .map(|column| (column.tag, column.name.clone()))
        .collect()
}
