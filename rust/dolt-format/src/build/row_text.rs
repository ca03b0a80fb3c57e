//! `RowText`: a row as it will be shown, from its encoded fields.

use super::row_buffers::RowBuffers;
use crate::csv::columns::Columns;
use crate::csv::value_text::push_plain_value;
use crate::{FormatError, TextFormat};

/// Makes the texts of rows of tables without virtual columns.
#[derive(Debug)]
pub(super) struct RowText {
    columns: Columns,
    delimiter: u8,
    text: Vec<u8>,
}

impl RowText {
    /// `None` for a format without fields between delimiters.
    pub(super) fn new(columns: Columns, format: TextFormat) -> Option<Self> {
        Some(Self {
            columns,
            delimiter: format.delimiter()?,
            text: Vec::new(),
        })
    }

    /// The text of the row whose fields are in `buffers`, with its line end.
    pub(super) fn of(&mut self, buffers: &RowBuffers) -> Result<&[u8], FormatError> {
        self.text.clear();
        for (position, column) in self.columns.shown.iter().enumerate() {
            if position > 0 {
                self.text.push(self.delimiter);
            }
            if let Some(field) = buffers.field(column.position) {
                push_plain_value(column, field, self.delimiter, &mut self.text)?;
            }
        }
        self.text.push(b'\n');
        Ok(&self.text)
    }
}
