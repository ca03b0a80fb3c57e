//! `LeafBuilder`: the leaves of a tree of tuples, before they have addresses.
//!
//! Where a leaf ends depends on its items alone. So leaves can be hashed later, many at once and
//! elsewhere, and the nodes above them are made when all are known.

use bytes::Bytes;

use super::chunker::{BuiltMap, MapBuilder, NODE_BYTES_MAX, Open, refused};
use super::splitter::ends_node;
use crate::message::node::Kind;
use crate::{Address, Chunk, FormatError};

/// A leaf that is done.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Its message.
    pub contents: Bytes,
    /// The key of its last entry.
    pub last_key: Vec<u8>,
    /// Its entries.
    pub count: u64,
    /// The text of its rows, if it is known.
    pub text: Option<Vec<u8>>,
}

/// What is known of a leaf that was hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedLeaf {
    /// Where it is found.
    pub address: Address,
    /// The key of its last entry.
    pub last_key: Vec<u8>,
    /// Its entries.
    pub count: u64,
}

/// Cuts entries that come in key order into leaves.
#[derive(Debug, Default)]
pub struct LeafBuilder {
    open: Open,
    text: Vec<u8>,
    /// Whether an entry of the open leaf came without its text.
    lacks_text: bool,
    done: Vec<Leaf>,
    done_bytes: usize,
}

impl LeafBuilder {
    /// Adds an entry. `addresses` are the positions in `value` of chunk addresses, in the order in
    /// which Dolt lists them; `text` is the row as it is shown.
    pub fn push(
        &mut self,
        key: &[u8],
        value: &[u8],
        addresses: &[u16],
        text: Option<&[u8]>,
    ) -> Result<(), FormatError> {
        let len = key.len() + value.len();
        if len > NODE_BYTES_MAX {
            return Err(refused(0, len));
        }
        if !self.open.has_room(len) {
            self.close()?;
        }
        self.open.add(key, value, addresses, 1, len)?;
        match text {
            Some(text) => self.text.extend_from_slice(text),
            None => self.lacks_text = true,
        }
        if ends_node(0, key, self.open.size, len) {
            self.close()?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), FormatError> {
        let last_key = self.open.last_key(Kind::Tuples).to_vec();
        let count = self.open.tree_count;
        let contents = self.open.encode(Kind::Tuples, 0)?;
        self.open.clear();
        let text = std::mem::take(&mut self.text);
        // The next leaf's text will be about as long.
        self.text.reserve(text.len());
        self.done_bytes += contents.len() + text.len();
        self.done.push(Leaf {
            contents,
            last_key,
            count,
            text: (!self.lacks_text).then_some(text),
        });
        self.lacks_text = false;
        Ok(())
    }

    /// Bytes of the leaves that are done and not taken.
    #[must_use]
    pub const fn done_bytes(&self) -> usize {
        self.done_bytes
    }

    /// Bytes that are held here: leaves that are done, and the open one.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.done_bytes + self.open.size + self.text.len()
    }

    /// Takes the leaves that are done.
    pub fn take(&mut self) -> Vec<Leaf> {
        self.done_bytes = 0;
        std::mem::take(&mut self.done)
    }

    /// Ends the last leaf, whatever its size. A tree without entries has no leaf here.
    pub fn finish(&mut self) -> Result<(), FormatError> {
        if self.open.len > 0 {
            self.close()?;
        }
        Ok(())
    }
}

/// The tree above `leaves`; `only` is the leaf's chunk where there is one leaf. Its nodes are those
/// above the leaves.
pub fn tree_above(
    leaves: impl IntoIterator<Item = HashedLeaf>,
    only: Option<Chunk>,
) -> Result<BuiltMap, FormatError> {
    if let Some(root) = only {
        return Ok(BuiltMap {
            leaves: vec![root.clone()],
            root,
            nodes: Vec::new(),
        });
    }
    let mut builder = MapBuilder::new(Kind::Tuples);
    for leaf in leaves {
        builder.push_subtree(0, &leaf.last_key, leaf.address, leaf.count)?;
    }
    builder.finish()
}
