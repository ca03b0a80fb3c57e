//! `RowBuffers`: the fields of one row on its way, and its tuples.

use super::stream::NewRow;

/// The encoded fields of one row, one for each column, and what is made of them.
#[derive(Debug, Default)]
pub(crate) struct RowBuffers {
    pub(super) bytes: Vec<u8>,
    pub(super) computed: Vec<u8>,
    /// Where each column's field lies; `None` for NULL. Adaptive values are plain.
    pub(super) fields: Vec<Option<(usize, usize)>>,
    pub(super) sort_key: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) ends: Vec<u16>,
    pub(super) addresses: Vec<u16>,
}

impl RowBuffers {
    /// A column's field; `None` for NULL.
    pub(crate) fn field(&self, column: usize) -> Option<&[u8]> {
        let (start, end) = self.fields.get(column).copied().flatten()?;
        self.bytes.get(start..end)
    }

    /// Forgets the fields.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
    }

    /// Adds the field of the next column; `None` for NULL.
    pub(super) fn push_field(&mut self, field: Option<&[u8]>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(field.unwrap_or_default());
        self.fields.push(field.map(|_| (start, self.bytes.len())));
    }

    /// Puts another field in the place of a column's.
    pub(super) fn replace_field(&mut self, column: usize, field: Option<&[u8]>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(field.unwrap_or_default());
        if let Some(slot) = self.fields.get_mut(column) {
            *slot = field.map(|_| (start, self.bytes.len()));
        }
    }

    /// Sets the key, where the row is stored already.
    pub(super) fn set_key(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
    }

    /// The key of the row that was made.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The row that was made.
    pub(super) fn row(&self, line: u64) -> NewRow<'_> {
        NewRow {
            sort_key: &self.sort_key,
            key: &self.key,
            value: &self.value,
            addresses: &self.addresses,
            line,
        }
    }
}
