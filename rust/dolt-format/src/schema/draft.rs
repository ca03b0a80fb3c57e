//! `Draft`: the schema that a statement asks for, before its columns have tags.

use std::collections::{HashMap, HashSet};

use sqlparser::ast::{Expr, Value};

use super::data_type::encoding_of;
use super::default_value::{self, Target};
use super::expression_text::Printer;
use super::foreign::Declared;
use super::key;
use super::part::{CheckPart, ColumnPart, KeyPart, Part};
use super::show::{Item, Shown, named};
use super::statement::{Definition, Place, Statement};
use crate::message::schema::{Check, Column, TableSchema};
use crate::value::collation::Collation;
use crate::value::members::Members;
use crate::value::sql_type::SqlType;
use crate::{Address, FormatError};

/// Characters of the longest name.
const NAME_LEN_MAX: usize = 64;

/// The schema that a statement asks for. New columns have no tags yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Its columns, keys and checks.
    pub(super) schema: TableSchema,
    /// For each column, its position in the old schema where it stands there unchanged.
    pub(super) kept: Vec<Option<usize>>,
    /// Its foreign keys, in their order.
    pub(super) foreign_keys: Vec<Declared>,
}

/// What a definition asks for: something that is there already, or something new.
enum Wanted {
    Kept(Item, Place),
    New(Part),
}

/// What a statement is drafted against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Against<'a> {
    /// The table's name.
    pub(super) table: &'a str,
    /// The table as it is, where it exists.
    pub(super) old: Option<&'a Shown<'a>>,
    /// The collation that the statement gives the table.
    pub(super) collation: u16,
}

impl Against<'_> {
    fn old_schema(&self) -> TableSchema {
        self.old.map(|old| old.schema.clone()).unwrap_or_default()
    }

    fn wanted(&self, statement: &Statement) -> Result<Vec<Wanted>, FormatError> {
        let mut kept = HashMap::new();
        let lines = self.old.map(Shown::definitions).transpose()?;
        // In a table of another collation the same words name another type.
        let same = self
            .old
            .is_some_and(|old| old.schema.collation == self.collation);
        for (item, line) in lines.unwrap_or_default() {
            if same || !matches!(item, Item::Column(_)) {
                // What dolt prints of a key's comment may be no definition.
                if let Ok(definition) = Definition::parse(&line) {
                    kept.insert(definition.words(), item);
                }
            }
        }
        let wanted = |definition: &Definition| {
            Ok(match kept.remove(&definition.words()) {
                Some(item) => Wanted::Kept(item, definition.at.clone()),
                None => Wanted::New(Part::parse(definition, self.collation)?),
            })
        };
        statement.definitions.iter().map(wanted).collect()
    }
}

impl Draft {
    /// Drafts what `statement` asks for.
    pub(super) fn new(statement: &Statement, against: Against<'_>) -> Result<Self, FormatError> {
        let mut draft = Self::default();
        draft.schema.collation = against.collation;
        let old = against.old_schema();
        let wanted = against.wanted(statement)?;
        draft.take_columns(&wanted, &old, against.table)?;
        draft.take_primary_key(&wanted, &old)?;
        draft.keep_hidden(&wanted, &old);
        draft.take_indexes(&wanted, &old)?;
        draft.check_counted()?;
        draft.take_checks(&wanted, &old, against.table)?;
        for wanted in &wanted {
            match wanted {
                Wanted::Kept(Item::ForeignKey(at), _) => {
                    draft.foreign_keys.push(Declared::Kept(*at));
                }
                Wanted::New(Part::ForeignKey(part)) => {
                    draft.foreign_keys.push(Declared::New(part.clone()));
                }
                Wanted::New(Part::Column(part)) => {
                    let part = part.references.clone();
                    let declared = part.map(|part| Declared::New(Box::new(part)));
                    draft.foreign_keys.extend(declared);
                }
                _ => {}
            }
        }
        Ok(draft)
    }

    fn take_columns(
        &mut self,
        wanted: &[Wanted],
        old: &TableSchema,
        table: &str,
    ) -> Result<(), FormatError> {
        let name_of = |wanted: &Wanted| match wanted {
            Wanted::Kept(Item::Column(at), place) => {
                let column = old.columns.get(*at)?;
                Some((column.name.clone(), place.clone()))
            }
            Wanted::New(Part::Column(part)) => Some((part.name.clone(), part.at.clone())),
            _ => None,
        };
        let (names, places): (Vec<String>, Vec<Place>) = wanted.iter().filter_map(name_of).unzip();
        for (at, (name, place)) in names.iter().zip(&places).enumerate() {
            check_name(name, place)?;
            let earlier = names.iter().take(at);
            if earlier.into_iter().any(|other| same_name(other, name)) {
                return Err(place.wrong(format!("column {name:?} stands twice")));
            }
        }
        if names.is_empty() {
            let why = "a table has at least one column".to_owned();
            return Err(FormatError::BadRecord { line: 1, why });
        }
        for wanted in wanted {
            match wanted {
                Wanted::Kept(Item::Column(at), _) => {
                    self.schema.columns.extend(old.columns.get(*at).cloned());
                    self.kept.push(Some(*at));
                }
                Wanted::New(Part::Column(part)) => {
                    let printer = Printer {
                        columns: &names,
                        table,
                        at: &part.at,
                    };
                    self.schema.columns.push(column(part, &printer)?);
                    self.kept.push(None);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks the `AUTO_INCREMENT` column, if there is one.
    fn check_counted(&self) -> Result<(), FormatError> {
        let schema = &self.schema;
        let mut counted = (0..).zip(&schema.columns);
        let mut counted = counted.by_ref().filter(|(_, column)| column.auto_increment);
        let Some((position, column)) = counted.next() else {
            return Ok(());
        };
        let is_key = schema.primary_key.contains(&position)
            || schema
                .indexes
                .iter()
                .any(|index| index.index_columns.contains(&position));
        let why = if counted.next().is_some() {
            "a table has at most one AUTO_INCREMENT column".to_owned()
        } else if !is_key {
            format!("the AUTO_INCREMENT column {:?} is of no key", column.name)
        } else {
            return Ok(());
        };
        Err(FormatError::BadRecord { line: 1, why })
    }

    fn take_primary_key(
        &mut self,
        wanted: &[Wanted],
        old: &TableSchema,
    ) -> Result<(), FormatError> {
        let mut found: Option<Vec<u16>> = None;
        for wanted in wanted {
            let (names, at) = match wanted {
                Wanted::Kept(Item::PrimaryKey, at) => (named(old, &old.primary_key)?, at),
                Wanted::New(Part::PrimaryKey(part)) => {
                    if part.columns.iter().any(|(_, length)| *length > 0) {
                        return Err(part.at.unsupported("a primary key over prefixes"));
                    }
                    let names = part.columns.iter().map(|(name, _)| name.clone());
                    (names.collect(), &part.at)
                }
                Wanted::New(Part::Column(part)) if part.primary => {
                    (vec![part.name.clone()], &part.at)
                }
                _ => continue,
            };
            let positions = key::positions(&self.schema.columns, &names, at)?;
            if found.replace(positions).is_some() {
                return Err(at.wrong("the primary key stands twice"));
            }
        }
        for position in found.iter().flatten() {
            if let Some(column) = self.schema.columns.get_mut(usize::from(*position)) {
                key::check_primary(column)?;
                column.nullable = false;
            }
        }
        self.schema.primary_key = found.unwrap_or_default();
        Ok(())
    }

    /// The hidden columns of functional indexes stay as long as the indexes do.
    fn keep_hidden(&mut self, wanted: &[Wanted], old: &TableSchema) {
        for wanted in wanted {
            let Wanted::Kept(Item::Index(at), _) = wanted else {
                continue;
            };
            for position in old
                .indexes
                .get(*at)
                .iter()
                .flat_map(|index| &index.index_columns)
            {
                let at = usize::from(*position);
                if let Some(column) = old.columns.get(at).filter(|column| column.hidden_system) {
                    self.schema.columns.push(column.clone());
                    self.kept.push(Some(at));
                }
            }
        }
    }

    fn take_indexes(&mut self, wanted: &[Wanted], old: &TableSchema) -> Result<(), FormatError> {
        let inline = |wanted: &Wanted| match wanted {
            // The primary key is unique by itself.
            Wanted::New(Part::Column(part)) if part.unique && !part.primary => Some(KeyPart {
                name: None,
                columns: vec![(part.name.clone(), 0)],
                unique: true,
                spatial: false,
                comment: String::new(),
                at: part.at.clone(),
            }),
            _ => None,
        };
        for wanted in wanted {
            let made = match wanted {
                Wanted::Kept(Item::Index(at), place) => {
                    let index = old.indexes.get(*at).cloned().unwrap_or_default();
                    key::moved(index, old, &self.schema, place)?
                }
                Wanted::New(Part::Index(part)) => key::index(&self.schema, part)?,
                _ => continue,
            };
            key::add(&mut self.schema.indexes, made, wanted_place(wanted))?;
        }
        // Dolt makes these after those that stand for themselves.
        for part in wanted.iter().filter_map(inline) {
            let made = key::index(&self.schema, &part)?;
            key::add(&mut self.schema.indexes, made, &part.at)?;
        }
        self.schema.indexes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// Those that are there already stay in their order; new ones follow.
    fn take_checks(
        &mut self,
        wanted: &[Wanted],
        old: &TableSchema,
        table: &str,
    ) -> Result<(), FormatError> {
        let columns = self.schema.columns.iter();
        let names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        let mut kept = Vec::new();
        let mut made = Vec::new();
        for wanted in wanted {
            let parts: &[CheckPart] = match wanted {
                Wanted::Kept(Item::Check(at), _) => {
                    kept.push(*at);
                    &[]
                }
                Wanted::New(Part::Check(part)) => std::slice::from_ref(part.as_ref()),
                Wanted::New(Part::Column(part)) => &part.checks,
                _ => &[],
            };
            for part in parts {
                let printer = Printer {
                    columns: &names,
                    table,
                    at: &part.at,
                };
                let check = check(part, &printer)?;
                match old.checks.iter().position(|old| *old == check) {
                    Some(at) => kept.push(at),
                    None => made.push((check, part.name.is_some(), &part.at)),
                }
            }
        }
        kept.sort_unstable();
        let kept = kept.iter().filter_map(|at| old.checks.get(*at)).cloned();
        self.schema.checks = kept.collect();
        for (mut check, named, at) in made {
            let is_taken = |name: &str| {
                let mut others = self.schema.checks.iter();
                others.any(|other| same_name(&other.name, name))
            };
            if is_taken(&check.name) {
                if named {
                    return Err(at.wrong(format!("constraint {:?} stands twice", check.name)));
                }
                let numbered = (0..).map(|number: u32| format!("{}_{number}", check.name));
                check.name = { numbered }
                    .find(|name| !is_taken(name))
                    .unwrap_or_default();
            }
            self.schema.checks.push(check);
        }
        Ok(())
    }
}

fn wanted_place(wanted: &Wanted) -> &Place {
    match wanted {
        Wanted::Kept(_, at) => at,
        Wanted::New(Part::ForeignKey(part)) => &part.at,
        Wanted::New(Part::Column(part)) => &part.at,
        Wanted::New(Part::PrimaryKey(part) | Part::Index(part)) => &part.at,
        Wanted::New(Part::Check(part)) => &part.at,
    }
}

/// Whether dolt takes two names for one.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn check_name(name: &str, at: &Place) -> Result<(), FormatError> {
    if name.is_empty() || name.ends_with(' ') || name.chars().count() > NAME_LEN_MAX {
        let why = format!("a name has 1 to {NAME_LEN_MAX} characters and no space at its end");
        return Err(at.wrong(why));
    }
    Ok(())
}

/// The column that a definition asks for, without a tag.
fn column(part: &ColumnPart, printer: &Printer<'_>) -> Result<Column, FormatError> {
    let at = &part.at;
    let sql_type = part.column_type.to_stored();
    let encoding = encoding_of(&part.column_type.base)
        .ok_or_else(|| at.unsupported(format!("the type {sql_type}")))?;
    let parsed = SqlType::parse(&sql_type)?;
    if let SqlType::Enum(members) | SqlType::Set(members) = &parsed {
        check_members(members, at)?;
    }
    if part.auto_increment && (!matches!(parsed, SqlType::Int { .. }) || part.default.is_some()) {
        let why = "an AUTO_INCREMENT column is a whole number without a default";
        return Err(at.wrong(why));
    }
    let target = Target {
        sql_type: &parsed,
        encoding,
        nullable: part.nullable,
        at,
    };
    let default = match (&part.generated, &part.default) {
        (Some((expression, _)), _) => format!("({})", printer.text(expression)?),
        (None, Some(default)) => default_value::stored(default, &target, printer)?,
        (None, None) => String::new(),
    };
    let on_update = part.on_update.as_ref();
    let on_update = on_update.map(|value| default_value::now(value, &target));
    Ok(Column {
        name: part.name.clone(),
        sql_type,
        default,
        comment: part.comment.clone(),
        on_update: on_update.transpose()?.unwrap_or_default(),
        tag: 0,
        encoding,
        nullable: part.nullable,
        auto_increment: part.auto_increment,
        generated: part.generated.is_some(),
        is_virtual: matches!(part.generated, Some((_, false))),
        hidden_system: false,
    })
}

/// Checks that the members of an ENUM or a SET are told apart by their collation.
fn check_members(members: &Members, at: &Place) -> Result<(), FormatError> {
    let Some(collation) = Collation::named(&members.collation) else {
        // Any collation tells these apart: the letters of ASCII, whatever their case.
        let folded = members.names.iter().map(|name| name.to_ascii_lowercase());
        let distinct: HashSet<String> = folded.filter(|name| name.is_ascii()).collect();
        if distinct.len() == members.names.len() {
            return Ok(());
        }
        let why = format!("these members in collation {}", members.collation);
        return Err(at.unsupported(why));
    };
    let mut seen = HashSet::new();
    let twin = members.names.iter().find(|name| {
        let mut key = Vec::new();
        if !collation.push_ranks(name.as_bytes(), &mut key) {
            key.extend_from_slice(name.as_bytes());
        }
        !seen.insert(key)
    });
    twin.map_or(Ok(()), |twin| {
        let why = format!("the member {twin:?} is equal to one before it");
        Err(at.wrong(why))
    })
}

fn check(part: &CheckPart, printer: &Printer<'_>) -> Result<Check, FormatError> {
    let expression = match &part.expression {
        // A truth value that stands alone is no number.
        Expr::Value(value) if matches!(value.value, Value::Boolean(_)) => value.value.to_string(),
        expression => printer.text(expression)?,
    };
    let name = part.name.clone().unwrap_or_else(|| {
        let hash = Address::of(expression.as_bytes()).to_string();
        let hash: String = hash.chars().take(8).collect();
        format!("{}_chk_{hash}", printer.table)
    });
    check_name(&name, &part.at)?;
    Ok(Check {
        name,
        expression,
        enforced: part.enforced,
        is_not_valid: false,
    })
}
