//! Records that are no rows by themselves, and may be what a stored row shows.
//!
//! Dolt stores some rows that it would not take from text, and shows them: the year 99 as `99`, a
//! member of an ENUM that there is none of as the empty text. Such a line is none that was edited,
//! which shows once the old rows are read.

use super::input::Input;
use crate::FormatError;
use crate::csv::record::{KeptRecord, RecordView};

/// Which refused records are kept until the old rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defers {
    None,
    /// Those that a stored row may show.
    Shown,
    /// All: the text is that of stored rows.
    All,
}

/// A record that is refused unless it is what a stored row shows.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) record: KeptRecord,
    /// Why it is refused.
    pub(super) why: FormatError,
}

impl Deferred {
    pub(super) fn new(record: &RecordView<'_>, why: FormatError) -> Self {
        Self {
            record: record.to_kept(),
            why,
        }
    }

    /// Bytes that it takes.
    pub(super) fn byte_len(&self) -> usize {
        size_of::<Self>() + self.record.byte_len()
    }
}

impl Defers {
    /// Whether a record waits that has this text in a column that does not take it.
    pub(super) fn take(self, input: &Input, column: usize, text: Option<&[u8]>) -> bool {
        match self {
            Self::None => false,
            Self::Shown => {
                let codec = input.codec(column);
                codec
                    .zip(text)
                    .is_some_and(|(codec, text)| codec.may_be_shown(text))
            }
            Self::All => true,
        }
    }

    /// Whether a record waits that breaks a rule of the table in this way.
    pub(super) fn take_broken(self, why: &FormatError) -> bool {
        let is_refusal = matches!(
            why,
            FormatError::BadValue { .. } | FormatError::BadRecord { .. }
        );
        self != Self::None && is_refusal
    }
}
