//! `Follow`: rows that follow what became of the rows that their foreign keys name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::input::{Carried, Input};
use super::row_buffers::RowBuffers;
use super::rows::Rows;
use super::{BuiltTable, rewrite};
use crate::build::layout::Layout;
use crate::csv::columns::Columns;
use crate::message::schema::TableSchema;
use crate::tree::phases::Relay;
use crate::tree::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes.
    Deleted,
    /// Its foreign key's columns get these fields; `None` is NULL.
    Set(Vec<Option<Vec<u8>>>),
}

/// What becomes of the rows whose foreign key names certain rows.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The foreign key's name.
    pub(crate) constraint: String,
    /// Its columns.
    pub(crate) key: Layout,
    /// What becomes of the rows whose key has this sort key.
    pub(crate) fates: BTreeMap<Vec<u8>, Fate>,
}

/// What becomes of the rows of a table.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    pub(crate) rules: Vec<Rule>,
    /// The keys in the clustered index of the rows that follow, each once or more.
    pub(crate) rows: Vec<Vec<u8>>,
}

/// Which rows of a text are taken, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that follow, as they were.
    Before,
    /// Those that follow, as they become.
    After,
    /// All, as they become.
    All,
}

/// Rows on their way.
#[derive(Debug, Clone)]
pub(super) struct Following {
    pub(super) follow: Arc<Follow>,
    pub(super) which: Which,
}

/// What is to be done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Skipped,
    Taken,
    /// Taken, and not as it is stored.
    Changed,
}

impl Following {
    /// What is to be done with the row that was encoded; brings it to what it becomes.
    pub(super) fn apply(
        &self,
        input: &Input,
        buffers: &mut RowBuffers,
    ) -> Result<Outcome, FormatError> {
        let mut fates = Vec::new();
        for rule in &self.follow.rules {
            let sort_key = rule.key.sort_key_of(|column| buffers.field(column));
            if let Some(fate) = sort_key.and_then(|sort_key| rule.fates.get(&sort_key)) {
                fates.push((rule, fate));
            }
        }
        if fates.is_empty() {
            return Ok(match self.which {
                Which::All => Outcome::Taken,
                Which::Before | Which::After => Outcome::Skipped,
            });
        }
        if self.which == Which::Before {
            return Ok(Outcome::Taken);
        }
        if fates.iter().any(|(_, fate)| **fate == Fate::Deleted) {
            return Ok(Outcome::Skipped);
        }
        for (rule, fate) in fates {
            let Fate::Set(fields) = fate else { continue };
            for (column, field) in rule.key.columns().zip(fields) {
                let set = input.set(column, field.as_deref(), buffers);
                set.map_err(|why| {
                    let what = &rule.constraint;
                    FormatError::Unsupported(format!(
                        "foreign key {what:?} would change a row: {why}"
                    ))
                })?;
            }
        }
        Ok(Outcome::Changed)
    }
}

/// The names of the columns of a table's text; none for those that are computed.
pub(super) fn carried(schema: &TableSchema) -> Result<Vec<Option<Carried>>, FormatError> {
    let name = |position: usize| {
        let column = schema.columns.get(position)?;
        (!column.generated).then(|| Carried {
            name: column.name.clone(),
            conversion: None,
        })
    };
    let shown = Columns::new(schema)?.shown;
    let names = shown.iter().map(|column| name(column.position));
    Ok(names.collect())
}

/// Makes a table of another in which some rows follow.
#[derive(Debug)]
pub struct FollowBuild(Relay<rewrite::Rewrite>);

impl FollowBuild {
    /// The table with this message and schema, with its rows as `follow` says.
    pub fn new(
        schema: &TableSchema,
        base: Chunk,
        follow: Arc<Follow>,
    ) -> Result<Self, FormatError> {
        let which = if rewrite::is_possible(schema) {
            Which::After
        } else {
            Which::All
        };
        let mut rows = Rows::new(schema.clone(), &base)?;
        rows.carried = Some(carried(schema)?);
        rows.following = Some(Following { follow, which });
        let rewrite = rewrite::Rewrite::follow(base, rows)?;
        Ok(Self(Relay::new(rewrite)?))
    }
}

impl Traversal for FollowBuild {
    type Output = BuiltTable;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.0.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        self.0.feed(chunks)
    }

    fn result(&mut self) -> Result<BuiltTable, FormatError> {
        self.0.phases.result()
    }
}
