//! `StoreRoot` (`STRT`): the map of datasets (branches, tags, working sets).

use bytes::Bytes;

use super::field;
use super::flatbuffer::{Builder, TableView, finish};
use crate::{Chunk, FormatError};

/// The root node of the dataset map that a store root embeds.
pub fn decode(message: &Bytes) -> Result<Bytes, FormatError> {
    let view = TableView::root(message, *b"STRT", "store root", 1)?;
    Ok(message.slice_ref(view.bytes(0)?))
}

/// The store root that embeds this root node of a dataset map.
pub fn encode(datasets: &Bytes) -> Result<Chunk, FormatError> {
    let mut b = Builder::new();
    let embedded = b.create_vector(datasets.as_ref());
    let table = b.start_table();
    b.push_slot_always(field(0), embedded);
    let table = b.end_table(table);
    finish(b, table, "STRT").map(Chunk::new)
}
