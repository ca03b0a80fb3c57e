//! Address maps: names to addresses, and the messages that embed their root nodes.

use super::chunker::{BuiltMap, MapBuilder};
use crate::message::node::Kind;
use crate::message::root_value::RootValue;
use crate::message::store_root;
use crate::{Address, Chunk, FormatError};

/// The address map of `entries`, which are sorted by name.
pub fn build<'a>(
    entries: impl IntoIterator<Item = (&'a str, Address)>,
) -> Result<BuiltMap, FormatError> {
    let mut builder = MapBuilder::new(Kind::Addresses);
    for (name, address) in entries {
        builder.push(name.as_bytes(), address.as_bytes(), &[])?;
    }
    builder.finish()
}

/// The chunks of a store root with these datasets, which are sorted by name; it is the last.
pub fn store_root<'a>(
    datasets: impl IntoIterator<Item = (&'a str, Address)>,
) -> Result<Vec<Chunk>, FormatError> {
    let map = build(datasets)?;
    let mut chunks = map.nodes;
    chunks.push(store_root::encode(map.root.contents())?);
    Ok(chunks)
}

/// The chunks of `root` with these tables instead, which are sorted by name; it is the last.
pub fn root_value<'a>(
    root: &RootValue,
    tables: impl IntoIterator<Item = (&'a str, Address)>,
) -> Result<Vec<Chunk>, FormatError> {
    let map = build(tables)?;
    let root = RootValue {
        tables: map.root.contents().clone(),
        ..root.clone()
    };
    let mut chunks = map.nodes;
    chunks.push(root.encode()?);
    Ok(chunks)
}
