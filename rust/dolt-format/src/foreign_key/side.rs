//! `Side`: the index of a table that serves a foreign key, and the key's columns in it.

use crate::build::layout::Layout;
use crate::build::push_tuple;
use crate::message::foreign_key::ForeignKey;
use crate::message::schema::{Index, TableSchema};
use crate::value::sql_type::SqlType;
use crate::value::tuple::Tuple;

/// An index whose keys begin with a foreign key's columns.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    /// Its name; `None` for the clustered index.
    pub(crate) index: Option<String>,
    /// The foreign key's columns.
    pub(crate) key: Layout,
    /// Whether at most one entry has each key.
    pub(crate) unique: bool,
    /// Where the fields of the row's own key stand in an entry.
    row_key: Vec<usize>,
}

impl Side {
    /// The side of the columns with these tags; the index called `preferred`, if it serves.
    fn new(schema: &TableSchema, tags: &[u64], preferred: &str) -> Result<Self, String> {
        let position = |tag: &u64| schema.columns.iter().position(|column| column.tag == *tag);
        let columns = tags.iter().map(position);
        let columns: Vec<usize> = columns
            .collect::<Option<_>>()
            .ok_or("one of its columns is not there")?;
        let key = Layout::new(schema, &columns)?;
        let serves = |fields: &[u16]| {
            let mut fields = fields.iter().map(|at| usize::from(*at));
            columns.iter().all(|column| fields.next() == Some(*column))
        };
        let serving = |index: &&Index| {
            let plain = !index.spatial && !index.fulltext && !index.vector;
            let whole = index.prefix_lengths.iter().all(|length| *length == 0);
            plain && whole && index.predicate.is_empty() && serves(&entry_columns(schema, index))
        };
        let mut indexes = schema.indexes.iter().filter(serving);
        let named = indexes.clone().find(|index| index.name == preferred);
        let clustered = serves(&schema.primary_key);
        let index = match named {
            None if clustered => None,
            None => Some(indexes.next().ok_or("no index begins with its columns")?),
            found => found,
        };
        let (fields, unique) = if let Some(index) = index {
            let exact = index.index_columns.len() == columns.len();
            (entry_columns(schema, index), index.unique && exact)
        } else {
            let exact = schema.primary_key.len() == columns.len();
            (schema.primary_key.clone(), exact)
        };
        let row_key = if schema.primary_key.is_empty() {
            // Behind the columns stands the hash of the row.
            vec![fields.len()]
        } else {
            let own = schema.primary_key.iter();
            let own = own.map(|at| fields.iter().position(|field| field == at));
            own.collect::<Option<_>>()
                .ok_or("the index lacks the primary key")?
        };
        Ok(Self {
            index: index.map(|index| index.name.clone()),
            key,
            unique,
            row_key,
        })
    }

    /// The row's key in the clustered index, from its entry's key.
    pub(crate) fn row_key(&self, entry: &[u8]) -> Vec<u8> {
        let tuple = Tuple::new(entry);
        let fields = self.row_key.iter();
        let fields = fields.map(|position| tuple.and_then(|tuple| tuple.field(*position)));
        let mut key = Vec::with_capacity(entry.len());
        // It is no longer than the entry that it comes from.
        push_tuple(fields, &mut key, &mut Vec::new()).unwrap_or_default();
        key
    }
}

/// The columns of an index's keys: those it names, then those of the primary key that are missing.
fn entry_columns(schema: &TableSchema, index: &Index) -> Vec<u16> {
    let missing = schema.primary_key.iter();
    let missing = missing.filter(|at| !index.index_columns.contains(at));
    index.index_columns.iter().chain(missing).copied().collect()
}

/// The child's side of a key; else why it cannot be maintained.
pub(crate) fn child(key: &ForeignKey, schema: &TableSchema) -> Result<Side, String> {
    Side::new(schema, &key.child_tags, &key.child_index)
}

/// The parent's side of a key.
pub(crate) fn parent(key: &ForeignKey, schema: &TableSchema) -> Result<Side, String> {
    Side::new(schema, &key.parent_tags, &key.parent_index)
}

/// Why pyfs cannot maintain a foreign key between tables of these schemas; `None` when it can.
#[must_use]
pub fn refusal(key: &ForeignKey, child: &TableSchema, parent: &TableSchema) -> Option<String> {
    let name = &key.name;
    if !key.is_resolved() {
        return Some(format!(
            "foreign key {name:?} is not resolved, as it was made without its parent table; \
             write a row with dolt first"
        ));
    }
    if key.match_type != 0 {
        return Some(format!("foreign key {name:?} has a MATCH clause"));
    }
    let sides = self::child(key, child).and_then(|_| self::parent(key, parent));
    let comparable = sides.and_then(|_| comparable(key, child, parent));
    comparable
        .err()
        .map(|why| format!("foreign key {name:?}: {why}"))
}

/// Fails where fields of the two columns do not tell whether they are equal.
fn comparable(key: &ForeignKey, child: &TableSchema, parent: &TableSchema) -> Result<(), String> {
    use SqlType as T;
    let column = |schema: &TableSchema, tag: u64| {
        let column = schema.columns.iter().find(|column| column.tag == tag)?;
        let sql_type = SqlType::parse(&column.sql_type).ok()?;
        Some((column.name.clone(), sql_type, column.encoding))
    };
    for (child_tag, parent_tag) in key.child_tags.iter().zip(&key.parent_tags) {
        let (Some(child), Some(parent)) = (column(child, *child_tag), column(parent, *parent_tag))
        else {
            return Err("one of its columns is not there".to_owned());
        };
        let alike = child.1 == parent.1
            || matches!(
                (&child.1, &parent.1),
                (T::Char { .. }, T::Char { .. })
                    | (
                        T::Binary(_) | T::VarBinary(_),
                        T::Binary(_) | T::VarBinary(_)
                    )
                    | (T::Enum(_), T::Enum(_))
                    | (T::Set(_), T::Set(_))
            )
            || matches!(
                (&child.1, &parent.1),
                (T::Decimal { scale, .. }, T::Decimal { scale: other, .. }) if scale == other
            );
        if !alike || child.2 != parent.2 {
            return Err(format!(
                "columns {:?} and {:?} have types that pyfs cannot compare",
                child.0, parent.0
            ));
        }
    }
    Ok(())
}
