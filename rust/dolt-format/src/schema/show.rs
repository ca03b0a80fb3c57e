//! `CREATE TABLE` as dolt's `SHOW CREATE TABLE` prints it.

use super::collation;
use super::column_type::ColumnType;
use super::default_value;
use crate::FormatError;
use crate::message::foreign_key::{Action, ForeignKey};
use crate::message::schema::{Check, Column, Index, TableSchema};
use crate::value::sql_type::SqlType;

const TARGET_ROW_SIZE_DEFAULT: u16 = 2048;

/// A table, with what its `CREATE TABLE` says beside the schema.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its schema.
    pub schema: &'a TableSchema,
    /// The next number of its `AUTO_INCREMENT` column; 0 and 1 are not printed.
    pub auto_increment: u64,
    /// The foreign keys of the database; those of other tables are passed over.
    pub foreign_keys: &'a [ForeignKey],
    /// The schemas of the tables that its foreign keys name.
    pub parents: &'a [(String, TableSchema)],
}

/// What a definition is of, by its position in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Column(usize),
    PrimaryKey,
    Index(usize),
    ForeignKey(usize),
    Check(usize),
}

impl Shown<'_> {
    /// The statement, without a line end.
    pub fn create_table(&self) -> Result<String, FormatError> {
        let definitions = self.definitions()?.into_iter();
        let lines: Vec<String> = definitions.map(|(_, line)| line).collect();
        Ok(format!(
            "CREATE TABLE {} (\n  {}\n) {}",
            quoted(self.name),
            lines.join(",\n  "),
            self.options()?
        ))
    }

    /// What stands between the parentheses, a definition each, and what it is of.
    pub(super) fn definitions(&self) -> Result<Vec<(Item, String)>, FormatError> {
        let schema = self.schema;
        let mut lines = Vec::new();
        for (at, shown) in schema.columns.iter().enumerate() {
            if !shown.hidden_system {
                lines.push((Item::Column(at), column(shown, schema.collation)?));
            }
        }
        if !schema.primary_key.is_empty() {
            let mut key = schema.primary_key.clone();
            if schema.columns.iter().any(|column| column.is_virtual) {
                // Dolt loses the key's order here.
                key.sort_unstable();
            }
            let names = named(schema, &key)?;
            let line = format!("PRIMARY KEY ({})", list(&names));
            lines.push((Item::PrimaryKey, line));
        }
        for (at, shown) in schema.indexes.iter().enumerate() {
            lines.push((Item::Index(at), index(schema, shown)));
        }
        for (at, key) in self.foreign_keys.iter().enumerate() {
            if key.child.eq_ignore_ascii_case(self.name) {
                lines.push((Item::ForeignKey(at), self.foreign_key(key)?));
            }
        }
        for (at, shown) in schema.checks.iter().enumerate() {
            lines.push((Item::Check(at), check(shown)));
        }
        Ok(lines)
    }

    fn foreign_key(&self, key: &ForeignKey) -> Result<String, FormatError> {
        let (columns, parent_columns) =
            if key.child_columns.is_empty() || key.parent_columns.is_empty() {
                let is_parent =
                    |(name, _): &&(String, TableSchema)| name.eq_ignore_ascii_case(&key.parent);
                let (_, parent) = self.parents.iter().find(is_parent).ok_or_else(|| {
                    let why = format!("its parent {:?} is missing", key.parent);
                    FormatError::corrupt(format!("foreign key {:?}", key.name), why)
                })?;
                (
                    tagged(self.schema, &key.child_tags, &key.name)?,
                    tagged(parent, &key.parent_tags, &key.name)?,
                )
            } else {
                (key.child_columns.clone(), key.parent_columns.clone())
            };
        let line = format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            quoted(&key.name),
            list(&columns),
            quoted(&key.parent),
            list(&parent_columns)
        );
        let actions = [("DELETE", key.on_delete), ("UPDATE", key.on_update)];
        let actions = actions.iter().filter_map(|(event, action)| {
            action_words(*action).map(|words| format!(" ON {event} {words}"))
        });
        Ok(line + &actions.collect::<String>())
    }

    /// What stands behind the closing parenthesis.
    fn options(&self) -> Result<String, FormatError> {
        let schema = self.schema;
        let name = collation::name(schema.collation).ok_or_else(|| {
            FormatError::Unsupported(format!("a table of collation {}", schema.collation))
        })?;
        let mut words = vec!["ENGINE=InnoDB".to_owned()];
        if self.auto_increment > 1 && schema.columns.iter().any(|column| column.auto_increment) {
            words.push(format!("AUTO_INCREMENT={}", self.auto_increment));
        }
        let set = collation::character_set(name);
        words.push(format!("DEFAULT CHARSET={set} COLLATE={name}"));
        if !schema.comment.is_empty() {
            words.push(format!("COMMENT='{}'", escaped(&schema.comment)));
        }
        if schema.target_row_size != TARGET_ROW_SIZE_DEFAULT {
            words.push(format!("TARGET_ROW_SIZE={}", schema.target_row_size));
        }
        Ok(words.join(" "))
    }
}

/// The definition of a column in a table of collation `table`.
fn column(column: &Column, table: u16) -> Result<String, FormatError> {
    let column_type = ColumnType::stored(&column.sql_type)?;
    let mut words = vec![quoted(&column.name), column_type.shown(table)];
    if !column.nullable {
        words.push("NOT NULL".to_owned());
    }
    if column.auto_increment {
        words.push("AUTO_INCREMENT".to_owned());
    }
    if let Some(srid) = column_type.srid {
        words.push(format!("/*!80003 SRID {srid} */"));
    }
    if column.generated {
        words.push(format!("GENERATED ALWAYS AS {}", column.default));
        if !column.is_virtual {
            words.push("STORED".to_owned());
        }
    } else if !column.default.is_empty() {
        let sql_type = SqlType::parse(&column.sql_type)?;
        let default = default_value::shown(&column.default, &sql_type, column.encoding);
        words.push(format!("DEFAULT {default}"));
    }
    if !column.on_update.is_empty() {
        words.push(format!("ON UPDATE {}", column.on_update));
    }
    if !column.comment.is_empty() {
        words.push(format!("COMMENT '{}'", escaped(&column.comment)));
    }
    Ok(words.join(" "))
}

/// The definition of a secondary index.
fn index(schema: &TableSchema, index: &Index) -> String {
    let mut parts = Vec::new();
    for (at, position) in index.index_columns.iter().enumerate() {
        // Positions behind the last column are those of a keyless table's hidden ones.
        let Some(column) = schema.columns.get(usize::from(*position)) else {
            continue;
        };
        let prefix = index.prefix_lengths.get(at).copied().unwrap_or(0);
        parts.push(if column.hidden_system {
            column.default.clone()
        } else if prefix == 0 {
            quoted(&column.name)
        } else {
            format!("{}({prefix})", quoted(&column.name))
        });
    }
    let kind = if index.spatial {
        "SPATIAL "
    } else if index.unique {
        "UNIQUE "
    } else if index.fulltext {
        "FULLTEXT "
    } else if index.vector {
        "VECTOR "
    } else {
        ""
    };
    let line = format!("{kind}KEY {} ({})", quoted(&index.name), parts.join(","));
    if index.comment.is_empty() {
        return line;
    }
    // Dolt escapes nothing here.
    format!("{line} COMMENT '{}'", index.comment)
}

/// The definition of a CHECK constraint.
fn check(check: &Check) -> String {
    let mut line = format!(
        "CONSTRAINT {} CHECK ({})",
        quoted(&check.name),
        check.expression
    );
    if !check.enforced {
        line.push_str(" /*!80016 NOT ENFORCED */");
    }
    line
}

/// A name in backquotes.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    quoted.join(",")
}

fn escaped(comment: &str) -> String {
    let mut text = String::with_capacity(comment.len());
    for character in comment.chars() {
        match character {
            '\'' => text.push_str("''"),
            '\\' => text.push_str(r"\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\0' => text.push_str(r"\0"),
            other => text.push(other),
        }
    }
    text
}

pub(super) fn named(schema: &TableSchema, positions: &[u16]) -> Result<Vec<String>, FormatError> {
    positions
        .iter()
        .map(|position| {
            let column = schema.columns.get(usize::from(*position));
            column.map(|column| column.name.clone()).ok_or_else(|| {
                FormatError::corrupt("table schema", format!("a key names column {position}"))
            })
        })
        .collect()
}

fn tagged(schema: &TableSchema, tags: &[u64], key: &str) -> Result<Vec<String>, FormatError> {
    tags.iter()
        .map(|tag| {
            let column = schema.columns.iter().find(|column| column.tag == *tag);
            column.map(|column| column.name.clone()).ok_or_else(|| {
                FormatError::corrupt(
                    format!("foreign key {key:?}"),
                    format!("no column has tag {tag}"),
                )
            })
        })
        .collect()
}

const fn action_words(action: Action) -> Option<&'static str> {
    match action {
        Action::Default => None,
        Action::Cascade => Some("CASCADE"),
        Action::NoAction => Some("NO ACTION"),
        Action::Restrict => Some("RESTRICT"),
        Action::SetNull => Some("SET NULL"),
        Action::SetDefault => Some("SET DEFAULT"),
    }
}
