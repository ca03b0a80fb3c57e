//! What follows from what was found.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Checking, Gone, Looked, Task, When, unknown};
use crate::FormatError;
use crate::build::follow::{Fate, Rule};
use crate::build::layout::Layout;
use crate::foreign_key::findings::{Missing, Referenced, shown};
use crate::message::foreign_key::Action;
use crate::value::from_text::TextCodec;
use crate::value::sql_type::SqlType;

impl Checking {
    pub(super) fn missing(
        &self,
        task: &Task,
        entries: Vec<Vec<u8>>,
    ) -> Result<Missing, FormatError> {
        let (columns, types) = self.described(&task.child, &task.child_side.key)?;
        let (parent_columns, _) = self.described(&task.parent, &task.parent_side.key)?;
        Ok(Missing {
            key: task.subject.key.clone(),
            columns,
            parent_columns,
            side: task.child_side.clone(),
            types,
            entries,
        })
    }

    /// The names and types of a key's columns.
    fn described(
        &self,
        table: &str,
        key: &Layout,
    ) -> Result<(Vec<String>, Vec<SqlType>), FormatError> {
        let version = self.version(table, When::New);
        let version = version.ok_or_else(|| unknown("a table is missing"))?;
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for column in key
            .columns()
            .filter_map(|at| version.schema.columns.get(at))
        {
            names.push(column.name.clone());
            types.push(SqlType::parse(&column.sql_type)?);
        }
        Ok((names, types))
    }

    /// The keys that the parent lacks, from its entries that went.
    pub(super) fn gone(&self, task: &Task, went: Vec<Looked>) -> Result<Vec<Gone>, FormatError> {
        let Some(old_side) = self.old_side(task, false).filter(|_| !went.is_empty()) else {
            return Ok(Vec::new());
        };
        let new_side = &task.parent_side;
        let came = task.parent_keys.come.iter();
        let came: HashMap<Vec<u8>, &Vec<u8>> =
            came.map(|entry| (new_side.row_key(entry), entry)).collect();
        let mut gone = Vec::new();
        for Looked { entries, is_there } in went {
            if is_there && new_side.unique {
                continue;
            }
            let mut of_key: Option<Gone> = None;
            for entry in &entries {
                let Some(fields) = old_side.key.fields(entry) else {
                    continue;
                };
                // A row of the clustered index whose key is another is another row.
                let same_row = new_side.index.as_ref();
                let same_row = same_row.and_then(|_| came.get(&old_side.row_key(entry)));
                let becomes = same_row.map(|entry| new_side.key.fields_or_null(entry));
                let as_before = becomes.as_ref().is_some_and(|now| {
                    let now = now.iter().map(Option::as_deref);
                    now.eq(fields.iter().map(|field| Some(*field)))
                });
                if as_before {
                    continue;
                }
                let this = Gone {
                    is_shared: is_there,
                    sort_key: task.child_side.key.sort_key(&fields),
                    fields: fields.into_iter().map(<[u8]>::to_vec).collect(),
                    becomes,
                };
                match &of_key {
                    Some(other) if other.becomes != this.becomes => {
                        return Err(FormatError::Unsupported(format!(
                            "several rows of table {:?} had one key of foreign key {:?}, and now \
                             differ: change them with dolt",
                            task.subject.key.parent, task.subject.key.name
                        )));
                    }
                    _ => of_key = Some(this),
                }
            }
            gone.extend(of_key);
        }
        gone.sort_by(|a, b| a.sort_key.cmp(&b.sort_key));
        Ok(gone)
    }

    /// What becomes of the rows that name what went.
    pub(super) fn conclude(
        &mut self,
        found: Vec<Vec<(usize, Vec<u8>)>>,
    ) -> Result<(), FormatError> {
        let tasks = std::mem::take(&mut self.tasks);
        for (task, found) in tasks.iter().zip(found) {
            let came: HashSet<&Vec<u8>> = task.child_keys.come.iter().collect();
            let mut naming: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
            for (number, entry) in found.into_iter().filter(|(_, entry)| !came.contains(entry)) {
                naming.entry(number).or_default().push(entry);
            }
            let mut fates = BTreeMap::new();
            let mut rows = Vec::new();
            for (number, entries) in naming {
                let Some(gone) = task.gone.get(number) else {
                    continue;
                };
                if gone.is_shared {
                    return Err(FormatError::Unsupported(format!(
                        "a row of table {:?} that others name by foreign key {:?} went, and \
                         another has the same key: make the change with dolt",
                        task.subject.key.parent, task.subject.key.name
                    )));
                }
                if let Some(fate) = self.fate(task, gone)? {
                    fates.insert(gone.sort_key.clone(), fate);
                    rows.extend(entries.iter().map(|entry| task.child_side.row_key(entry)));
                } else {
                    let referenced = self.referenced(task, gone, entries.len())?;
                    self.findings.referenced.push(referenced);
                }
            }
            if !rows.is_empty() {
                let follow = self.findings.follow.entry(task.child.clone()).or_default();
                follow.rows.extend(rows);
                follow.rules.push(Rule {
                    constraint: task.subject.key.name.clone(),
                    key: task.child_side.key.clone(),
                    fates,
                });
            }
        }
        Ok(())
    }

    fn referenced(
        &self,
        task: &Task,
        gone: &Gone,
        count: usize,
    ) -> Result<Referenced, FormatError> {
        let (columns, types) = self.described(&task.parent, &task.parent_side.key)?;
        let fields: Vec<&[u8]> = gone.fields.iter().map(Vec::as_slice).collect();
        Ok(Referenced {
            constraint: task.subject.key.name.clone(),
            child: task.subject.key.child.clone(),
            parent: task.subject.key.parent.clone(),
            columns,
            value: shown(&types, &task.parent_side.key, &fields),
            count,
            changed: gone.becomes.is_some(),
        })
    }

    /// What becomes of a row that names `gone`; `None` where that may not go.
    fn fate(&self, task: &Task, gone: &Gone) -> Result<Option<Fate>, FormatError> {
        let key = &task.subject.key;
        let (action, when) = match gone.becomes {
            Some(_) => (key.on_update, "UPDATE"),
            None => (key.on_delete, "DELETE"),
        };
        Ok(match (action, &gone.becomes) {
            (Action::Default | Action::NoAction | Action::Restrict, _) => None,
            (Action::Cascade, None) => Some(Fate::Deleted),
            (Action::Cascade, Some(fields)) => {
                self.check_fits(task, fields)?;
                Some(Fate::Set(fields.clone()))
            }
            (Action::SetNull, _) => Some(Fate::Set(vec![None; key.child_tags.len()])),
            (Action::SetDefault, _) => {
                return Err(FormatError::Unsupported(format!(
                    "foreign key {:?} is ON {when} SET DEFAULT: make the change with dolt",
                    key.name
                )));
            }
        })
    }

    /// Fails where a column of the child does not take the parent's new value.
    fn check_fits(&self, task: &Task, fields: &[Option<Vec<u8>>]) -> Result<(), FormatError> {
        let (names, types) = self.described(&task.child, &task.child_side.key)?;
        let parts = names
            .iter()
            .zip(&types)
            .zip(task.child_side.key.encodings());
        for (((name, sql_type), encoding), field) in parts.zip(fields) {
            let text = matches!(
                sql_type,
                SqlType::Char { .. } | SqlType::Binary(_) | SqlType::VarBinary(_)
            );
            let Some(field) = field.as_deref().filter(|_| text) else {
                continue;
            };
            let value = field.split_last().map_or(field, |(_, value)| value);
            let mut taken = Vec::new();
            let codec = TextCodec::new(sql_type, encoding);
            let fits = codec.is_some_and(|codec| codec.push(value, &mut taken).is_ok());
            if !fits || taken != field {
                return Err(FormatError::Unsupported(format!(
                    "foreign key {:?} would change column {name:?} of table {:?} to a value that \
                     it does not hold",
                    task.subject.key.name, task.subject.key.child
                )));
            }
        }
        Ok(())
    }
}
