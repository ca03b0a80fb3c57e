//! `StoreRoot` (`STRT`): the map of datasets (branches, tags, working sets).

use bytes::Bytes;

use super::field;
use super::flatbuffer::{Builder, TableView, finish};
use crate::tree::chunker::build_address_map;
use crate::{Address, Chunk, FormatError};

/// The root node of the dataset map that a store root embeds.
pub fn decode(message: &Bytes) -> Result<Bytes, FormatError> {
    let view = TableView::root(message, *b"STRT", "store root", 1)?;
    Ok(Bytes::copy_from_slice(view.bytes(0)?))
}

/// The chunks of a store root with these datasets, which are sorted by name; it is the last.
pub fn encode<'a>(
    datasets: impl IntoIterator<Item = (&'a str, Address)>,
) -> Result<Vec<Chunk>, FormatError> {
    let map = build_address_map(datasets)?;
    let mut b = Builder::new();
    let embedded = b.create_vector(map.root.contents().as_ref());
    let table = b.start_table();
    b.push_slot_always(field(0), embedded);
    let table = b.end_table(table);
    let mut chunks = map.nodes;
    chunks.push(Chunk::new(finish(b, table, "STRT")?));
    Ok(chunks)
}
