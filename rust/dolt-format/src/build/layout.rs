//! `Layout`: how the columns of a key are encoded and ordered in an index.

use std::sync::Arc;

use crate::message::schema::TableSchema;
use crate::tree::probe::SortKey;
use crate::value::collation::Collation;
use crate::value::encoding as e;
use crate::value::sort_key::push_sort_key;
use crate::value::sql_type::SqlType;
use crate::value::tuple::Tuple;

/// One column of a key.
#[derive(Debug, Clone)]
struct Part {
    column: usize,
    encoding: u8,
    collation: Collation,
}

/// The columns of a key in its order.
#[derive(Debug, Clone)]
pub(crate) struct Layout(Vec<Part>);

impl Layout {
    /// The key of the columns at these positions; else why they have none.
    pub(crate) fn new(schema: &TableSchema, columns: &[usize]) -> Result<Self, String> {
        let part = |column: &usize| {
            let described = schema.columns.get(*column);
            let described = described.ok_or("one of its columns is not there")?;
            let unknown = |_| format!("column {:?} has an unknown type", described.name);
            let sql_type = SqlType::parse(&described.sql_type).map_err(unknown)?;
            let named = sql_type.collation();
            let collation = Collation::named(named).ok_or_else(|| {
                format!(
                    "column {:?} has collation {named}, whose order pyfs does not know",
                    described.name
                )
            })?;
            Ok(Part {
                column: *column,
                encoding: e::in_key(described.encoding),
                collation,
            })
        };
        columns.iter().map(part).collect::<Result<_, _>>().map(Self)
    }

    /// The positions of the columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|part| part.column)
    }

    /// The encodings of the columns.
    pub(crate) fn encodings(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(|part| part.encoding)
    }

    /// The sort key of the fields that `field` has of the columns; `None` where one is NULL.
    pub(crate) fn sort_key_of<'a>(
        &self,
        field: impl Fn(usize) -> Option<&'a [u8]>,
    ) -> Option<Vec<u8>> {
        let fields = self.0.iter().map(|part| field(part.column));
        let fields: Vec<&[u8]> = fields.collect::<Option<_>>()?;
        Some(self.sort_key(&fields))
    }

    /// The sort key of some fields.
    pub(crate) fn sort_key(&self, fields: &[&[u8]]) -> Vec<u8> {
        let mut sort_key = Vec::new();
        for (part, field) in self.0.iter().zip(fields) {
            push_sort_key(part.encoding, part.collation, Some(field), &mut sort_key);
        }
        sort_key
    }

    /// Makes sort keys of tuples that begin with these columns: of as much as they have of them.
    pub(crate) fn sort_keys(&self) -> SortKey {
        let parts = self.0.clone();
        Arc::new(move |key| {
            let tuple = Tuple::new(key);
            let mut sort_key = Vec::with_capacity(2 * key.len());
            for (position, part) in parts.iter().enumerate() {
                let field = tuple.and_then(|tuple| tuple.field(position));
                push_sort_key(part.encoding, part.collation, field, &mut sort_key);
            }
            sort_key
        })
    }

    /// The fields of these columns in a tuple that begins with them, `None` for NULL.
    pub(crate) fn fields_or_null(&self, key: &[u8]) -> Vec<Option<Vec<u8>>> {
        let tuple = Tuple::new(key);
        let field = |position| {
            tuple
                .and_then(|tuple| tuple.field(position))
                .map(<[u8]>::to_vec)
        };
        (0..self.0.len()).map(field).collect()
    }

    /// The fields of these columns in a tuple that begins with them; `None` where one is NULL.
    pub(crate) fn fields<'a>(&self, key: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let tuple = Tuple::new(key)?;
        (0..self.0.len())
            .map(|position| tuple.field(position))
            .collect()
    }
}

/// Makes the sort keys of a table's rows; `None` where pyfs does not know their order.
#[must_use]
pub fn row_order(schema: &TableSchema) -> Option<SortKey> {
    if schema.primary_key.is_empty() {
        // The hash of a row is its key.
        return Some(Arc::new(<[u8]>::to_vec));
    }
    let columns: Vec<usize> = schema.primary_key.iter().map(|at| (*at).into()).collect();
    Some(Layout::new(schema, &columns).ok()?.sort_keys())
}
