//! `Tag` (`DTAG`): a commit, who tagged it, and why.

use super::flatbuffer::TableView;
use crate::{Address, FormatError};

/// An annotated tag. Its own name is in the dataset map only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tag {
    /// The tagged commit.
    pub commit: Address,
    /// The tagger's name.
    pub name: String,
    /// The tagger's email.
    pub email: String,
    /// The message.
    pub description: String,
    /// When, in milliseconds since 1970 UTC.
    pub timestamp_ms: u64,
}

impl Tag {
    /// The tag that a chunk holds.
    pub fn decode(message: &[u8]) -> Result<Self, FormatError> {
        let view = TableView::root(message, *b"DTAG", "tag", 6)?;
        Ok(Self {
            commit: view.address(0)?,
            name: view.string(1)?,
            email: view.string(2)?,
            description: view.string(3)?,
            timestamp_ms: view.u64(4)?,
        })
    }
}
