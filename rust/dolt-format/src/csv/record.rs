//! `Record`: the fields of one row of text, and what visitors see of it.

use std::ops::Range;

use crate::FormatError;
use crate::jsonl::parse::JsonRows;
use crate::jsonl::scan::Given;

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) range: Range<usize>,
    /// Whether the range is of the text itself, or of the unescaped copy.
    pub(crate) copied: bool,
    pub(crate) null: bool,
}

/// The fields of one record, valid until the next one is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) fields: Vec<Field>,
    pub(crate) unescaped: Vec<u8>,
    /// What each field is in JSON; empty where the text is no JSON.
    pub(crate) given: Vec<Given>,
}

impl Record {
    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.unescaped.clear();
        self.given.clear();
    }

    /// Adds a field that the record does not have.
    pub(crate) fn push_absent(&mut self) {
        self.fields.push(Field {
            range: 0..0,
            copied: false,
            null: true,
        });
        self.given.push(Given::Absent);
    }
}

/// What was found at the start of a text.
pub(crate) enum Found {
    /// A record; this many bytes and lines are done with.
    Record(usize, u64),
    /// An empty line of this many bytes.
    Nothing(usize),
    /// The record goes on behind the end of the text.
    Unfinished,
}

/// A record handed to the visitor.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    pub(super) text: &'a [u8],
    pub(super) record: &'a Record,
    pub(super) json: Option<&'a JsonRows>,
    /// The line on which it starts, from 1.
    pub line: u64,
}

/// A copy of a record of a table whose columns are known.
#[derive(Debug)]
pub(crate) struct KeptRecord {
    text: Vec<u8>,
    record: Record,
    /// The line on which it starts.
    pub(crate) line: u64,
}

impl KeptRecord {
    /// The record.
    pub(crate) const fn view(&self) -> RecordView<'_> {
        RecordView {
            text: self.text.as_slice(),
            record: &self.record,
            json: None,
            line: self.line,
        }
    }

    /// Bytes that it takes.
    pub(crate) fn byte_len(&self) -> usize {
        self.text.len() + self.record.unescaped.len() + size_of_val(&*self.record.fields)
    }
}

impl<'a> RecordView<'a> {
    /// Fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.fields.len()
    }

    /// Whether there are none: never, in a record that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.fields.is_empty()
    }

    /// An error unless it has as many fields as the header, *expected*.
    pub(crate) fn check_len(&self, expected: usize) -> Result<(), FormatError> {
        match self.len() {
            found if found == expected => Ok(()),
            found => Err(FormatError::BadRecord {
                line: self.line,
                why: format!(
                    "{found} field{}, the header has {expected}",
                    if found == 1 { "" } else { "s" }
                ),
            }),
        }
    }

    /// A field's text, `None` for NULL or where there is no such field.
    #[must_use]
    pub fn field(&self, position: usize) -> Option<&'a [u8]> {
        let field = self
            .record
            .fields
            .get(position)
            .filter(|field| !field.null)?;
        let text = if field.copied {
            &self.record.unescaped
        } else {
            self.text
        };
        text.get(field.range.clone())
    }

    /// Whether fields may be absent.
    pub(crate) const fn is_json(&self) -> bool {
        self.json.is_some()
    }

    /// What a field is in JSON.
    pub(crate) fn given(&self, position: usize) -> Given {
        let given = self.record.given.get(position);
        given.copied().unwrap_or(Given::Absent)
    }

    /// Whether the record lacks this field, which is not for it to be NULL.
    pub(crate) fn is_absent(&self, position: usize) -> bool {
        self.record.given.get(position) == Some(&Given::Absent)
    }

    /// A copy, to be read again when the text is gone.
    pub(crate) fn to_kept(self) -> KeptRecord {
        let in_text = self.record.fields.iter().filter(|field| !field.copied);
        let end = in_text.map(|field| field.range.end).max().unwrap_or(0);
        KeptRecord {
            text: self.text.get(..end).unwrap_or_default().to_vec(),
            record: self.record.clone(),
            line: self.line,
        }
    }

    /// The name by which JSON calls a field.
    pub(crate) fn name(&self, position: usize) -> Option<&'a str> {
        self.json.and_then(|rows| rows.name(position))
    }
}
