//! `FormatError`: every way in which stored bytes, or text to be stored, can be wrong.

use crate::Address;

/// Why bytes or text could not be understood.
///
/// Messages start with a small letter and end without a full stop, so that they compose after a
/// colon. They name the thing, the expected and the actual.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The contents are not those that the address promises.
    #[error("chunk {expected} hashes to {actual}")]
    WrongAddress {
        /// The address asked for.
        expected: Address,
        /// The address of what came.
        actual: Address,
    },
    /// Text that is not an address.
    #[error("{text:?} is not an address (32 characters of 0-9 and a-v)")]
    NotAnAddress {
        /// The text, cut after 64 characters.
        text: String,
    },
    /// Stored bytes that break the format. `what` names the object, `why` the rule.
    #[error("{what}: {why}")]
    Corrupt {
        /// What was being read, with its address or file name where one is known.
        what: String,
        /// Which rule it breaks, with expected and actual values.
        why: String,
    },
    /// Something valid that this version cannot read or maintain.
    #[error("{0}")]
    Unsupported(String),
    /// A value of the text does not fit its column. Lines and columns count from 1.
    #[error("line {line}, column {column:?}: {value:?}: {why}")]
    BadValue {
        /// Line of the text on which the record starts.
        line: u64,
        /// Name of the column.
        column: String,
        /// The field as it stood in the text, cut after 64 characters.
        value: String,
        /// Why it does not fit.
        why: String,
    },
    /// A record or header of the text is wrong as a whole.
    #[error("line {line}: {why}")]
    BadRecord {
        /// Line of the text on which the record starts.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Two rows of the text have the same primary key.
    #[error("line {line}: {why}")]
    DuplicateKey {
        /// Line of the text on which the later of the two starts.
        line: u64,
        /// Which key, and where the other one is.
        why: String,
    },
    /// Rows that came before were taken away on the understanding that keys rise.
    #[error("line {line}: its key is below that of a row before, which is stored already")]
    OutOfOrder {
        /// Line of the text on which the row starts.
        line: u64,
    },
}

impl FormatError {
    /// A `Corrupt` error.
    pub fn corrupt(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupt {
            what: what.into(),
            why: why.into(),
        }
    }

    /// The same error, with the address of the chunk it is of where it names none.
    #[must_use]
    pub fn at(self, address: Address) -> Self {
        match self {
            Self::Corrupt { what, why } => Self::Corrupt {
                what: format!("{what} {address}"),
                why,
            },
            Self::Unsupported(why) => Self::Unsupported(format!("chunk {address}: {why}")),
            other => other,
        }
    }
}
