//! `Loader`: stored rows back to the fields of their columns.

use std::sync::Arc;

use super::input::Input;
use super::row_buffers::RowBuffers;
use crate::FormatError;
use crate::csv::columns::{Columns, ShownColumn, Source};
use crate::csv::render::Values;
use crate::csv::value_text::out_of_row;
use crate::message::schema::TableSchema;
use crate::tree::probe::SortKey;
use crate::value::encoding as e;
use crate::value::tuple::Tuple;

/// Takes tuples apart.
pub(super) struct Loader {
    pub(super) input: Arc<Input>,
    columns: Columns,
    sort_key: SortKey,
}

impl Loader {
    /// Of the rows of a table. `input` is that of its stored rows.
    pub(super) fn new(schema: &TableSchema, input: Arc<Input>) -> Result<Self, FormatError> {
        let sort_key = input.sort_key();
        Ok(Self {
            columns: Columns::new(schema)?,
            sort_key,
            input,
        })
    }

    /// The sort key of a stored key.
    pub(super) fn sort_key(&self, key: &[u8]) -> Vec<u8> {
        if self.columns.keyless {
            // The hash of a row.
            return key.get(..16).unwrap_or(key).to_vec();
        }
        (self.sort_key)(key)
    }

    /// Puts the fields of a row into `buffers`, and its key. Columns that are not stored are NULL.
    pub(super) fn load(
        &self,
        key: &[u8],
        value: &[u8],
        values: &Values,
        buffers: &mut RowBuffers,
    ) -> Result<(), FormatError> {
        let tuple =
            |raw| Tuple::new(raw).ok_or_else(|| FormatError::corrupt("row", "it is no tuple"));
        let (key_tuple, value_tuple) = (tuple(key)?, tuple(value)?);
        let mut scratch = Vec::new();
        buffers.clear();
        buffers.set_key(key);
        for (column, source) in self.columns.sources.iter().enumerate() {
            let field = match source {
                Some(Source::Key(at)) => key_tuple.field(*at),
                Some(Source::Value(at)) => value_tuple.field(*at),
                Some(Source::Computed(_)) | None => None,
            };
            let is_adaptive = e::is_adaptive(self.input.encoding(column));
            let plain = match field {
                Some(field) if is_adaptive => {
                    let shown = self.shown(column)?;
                    Some(out_of_row(shown, field, values, &mut scratch)?)
                }
                field => field,
            };
            buffers.push_field(plain);
        }
        Ok(())
    }

    fn shown(&self, column: usize) -> Result<&ShownColumn, FormatError> {
        let mut shown = self.columns.shown.iter();
        shown
            .find(|shown| shown.position == column)
            .ok_or_else(|| FormatError::corrupt("row", "it has a long value that nothing shows"))
    }
}
