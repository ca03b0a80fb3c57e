//! `MapBuilder`: builds a tree from sorted items, or from items and whole subtrees of another.

use bytes::Bytes;

use super::node::{Kind, LEVELS_MAX, Node};
use super::splitter::ends_node;
use crate::message::node::{Parts, encode};
use crate::{Address, Chunk, FormatError};

/// Offsets in a node are 16 bits wide.
const NODE_BYTES_MAX: usize = u16::MAX as usize;

/// The node of one level that still takes items.
#[derive(Debug, Default)]
struct Open {
    keys: Vec<u8>,
    key_offsets: Vec<u16>,
    values: Vec<u8>,
    value_offsets: Vec<u16>,
    value_addresses: Vec<u16>,
    counts: Vec<u64>,
    /// What the splitter weighs, which is not always the bytes (commit closures).
    size: usize,
    len: usize,
    tree_count: u64,
}

impl Open {
    fn clear(&mut self) {
        self.keys.clear();
        self.key_offsets.clear();
        self.values.clear();
        self.value_offsets.clear();
        self.value_addresses.clear();
        self.counts.clear();
        self.size = 0;
        self.len = 0;
        self.tree_count = 0;
    }

    fn last_key(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::Closure => {
                &self.keys[self.keys.len().saturating_sub(super::node::CLOSURE_KEY_LEN)..]
            }
            _ => {
                let start = self.key_offsets.last().copied().map_or(0, usize::from);
                &self.keys[start..]
            }
        }
    }
}

/// A finished tree.
#[derive(Debug, Clone)]
pub struct BuiltMap {
    /// The root node.
    pub root: Chunk,
    /// Every other new node, children before parents.
    pub nodes: Vec<Chunk>,
    /// The new leaves in key order. The root is among them when it is a leaf.
    pub leaves: Vec<Chunk>,
}

/// Builds the tree of items that come in key order. The tree is a function of the items alone.
#[derive(Debug)]
pub struct MapBuilder {
    kind: Kind,
    levels: Vec<Open>,
    nodes: Vec<Chunk>,
    leaves: Vec<Chunk>,
    /// A node below an only child, where the root may turn out to be a reused one.
    reused: Vec<Node>,
}

impl MapBuilder {
    /// A builder of an empty tree.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            levels: vec![Open::default()],
            nodes: Vec::new(),
            leaves: Vec::new(),
            reused: Vec::new(),
        }
    }

    /// Adds an entry. `addresses` are the positions in `value` of chunk addresses, in the order
    /// in which Dolt lists them.
    pub fn push(&mut self, key: &[u8], value: &[u8], addresses: &[u16]) -> Result<(), FormatError> {
        let weight = key.len() + value.len();
        self.append(0, key, value, addresses, 1, weight)
    }

    /// Adds an entry that weighs something else than its bytes.
    pub(crate) fn push_weighing(
        &mut self,
        key: &[u8],
        value: &[u8],
        weight: usize,
    ) -> Result<(), FormatError> {
        self.append(0, key, value, &[], 1, weight)
    }

    /// Adds a whole subtree of another tree in place of its entries.
    ///
    /// Right only where a boundary lies before it ([`Self::at_boundary`]) and its own end is one.
    pub(crate) fn push_subtree(
        &mut self,
        level: u8,
        last_key: &[u8],
        address: Address,
        count: u64,
    ) -> Result<(), FormatError> {
        let weight = last_key.len() + Address::LEN;
        self.append(
            usize::from(level) + 1,
            last_key,
            address.as_bytes(),
            &[],
            count,
            weight,
        )
    }

    /// Whether no node of `level` or below is open.
    pub(crate) fn at_boundary(&self, level: u8) -> bool {
        self.levels
            .iter()
            .take(usize::from(level) + 1)
            .all(|open| open.len == 0)
    }

    /// Tells of a node that may turn out to be the root's only child.
    pub(crate) fn remember(&mut self, node: Node) {
        self.reused.push(node);
    }

    fn append(
        &mut self,
        level: usize,
        key: &[u8],
        value: &[u8],
        addresses: &[u16],
        count: u64,
        weight: usize,
    ) -> Result<(), FormatError> {
        if level >= usize::from(LEVELS_MAX) {
            return Err(FormatError::Unsupported(format!(
                "a tree of more than {LEVELS_MAX} levels"
            )));
        }
        if key.len() + value.len() > NODE_BYTES_MAX {
            return Err(FormatError::Unsupported(format!(
                "an entry of {} bytes: key and value together may have {NODE_BYTES_MAX}",
                key.len() + value.len()
            )));
        }
        while self.levels.len() <= level {
            self.levels.push(Open::default());
        }
        let open = &self.levels[level];
        if open.keys.len() + open.values.len() + key.len() + value.len() > NODE_BYTES_MAX {
            self.close(level)?;
        }
        let kind = self.kind;
        let open = &mut self.levels[level];
        // Both ends fit 16 bits: their sum was just checked.
        open.key_offsets.push(open.keys.len() as u16);
        open.value_offsets.push(open.values.len() as u16);
        open.value_addresses
            .extend(addresses.iter().map(|at| open.values.len() as u16 + at));
        open.keys.extend_from_slice(key);
        open.values.extend_from_slice(value);
        open.counts.push(count);
        open.size += weight;
        open.len += 1;
        open.tree_count += count;
        debug_assert_eq!(open.last_key(kind), key);
        // An inner node is never closed with a single child: it would only repeat it.
        let splits = ends_node(level as u8, key, open.size, weight);
        if splits && (level == 0 || open.len > 1) {
            self.close(level)?;
        }
        Ok(())
    }

    /// Writes the open node of a level.
    fn write(&mut self, level: usize) -> Result<Chunk, FormatError> {
        let open = &mut self.levels[level];
        let leaf = level == 0;
        let kind = self.kind;
        let has_key_offsets = kind != Kind::Closure;
        if has_key_offsets {
            open.key_offsets.push(open.keys.len() as u16);
        }
        let values_are_addresses = !leaf || kind == Kind::Addresses;
        if leaf && kind == Kind::Tuples {
            open.value_offsets.push(open.values.len() as u16);
        }
        let (values, addresses): (&[u8], &[u8]) = if values_are_addresses {
            (&[], &open.values)
        } else {
            (&open.values, &[])
        };
        let parts = Parts {
            level: level as u8,
            keys: &open.keys,
            key_offsets: if has_key_offsets {
                &open.key_offsets
            } else {
                &[]
            },
            values: if kind == Kind::Closure { &[] } else { values },
            value_offsets: if leaf && kind == Kind::Tuples {
                &open.value_offsets
            } else {
                &[]
            },
            value_addresses: &open.value_addresses,
            addresses,
            counts: if leaf { &[] } else { &open.counts },
            tree_count: open.tree_count,
        };
        let chunk = Chunk::new(encode(kind, &parts)?);
        if leaf {
            self.leaves.push(chunk.clone());
        }
        Ok(chunk)
    }

    fn close(&mut self, level: usize) -> Result<(), FormatError> {
        let open = &self.levels[level];
        let key = open.last_key(self.kind).to_vec();
        let count = open.tree_count;
        let chunk = self.write(level)?;
        self.levels[level].clear();
        let address = chunk.address();
        self.nodes.push(chunk);
        let weight = key.len() + Address::LEN;
        self.append(level + 1, &key, address.as_bytes(), &[], count, weight)
    }

    /// Ends the tree.
    pub fn finish(self) -> Result<BuiltMap, FormatError> {
        self.finish_or_missing()?.map_err(|address| {
            FormatError::corrupt(
                format!("node {address}"),
                "a tree's only child is not at hand",
            )
        })
    }

    /// Ends the tree, or tells which reused node is needed for that: the root may be one.
    pub(crate) fn finish_or_missing(mut self) -> Result<Result<BuiltMap, Address>, FormatError> {
        let mut level = 0;
        while self.levels.iter().skip(level + 1).any(|open| open.len > 0) {
            if self.levels[level].len > 0 {
                self.close(level)?;
            }
            level += 1;
        }
        if level == 0 || self.levels[level].len > 1 {
            let root = self.write(level)?;
            return Ok(Ok(BuiltMap {
                root,
                nodes: self.nodes,
                leaves: self.leaves,
            }));
        }
        // One child: the root is that child, or the first below it that has two.
        let mut address = Address::try_from(self.levels[level].values.as_slice())?;
        loop {
            let Some(node) = self.find(address)? else {
                return Ok(Err(address));
            };
            self.nodes.retain(|chunk| chunk.address() != address);
            if node.is_leaf() || node.len() > 1 {
                let root = Chunk::new(node.message().clone());
                return Ok(Ok(BuiltMap {
                    root,
                    nodes: self.nodes,
                    leaves: self.leaves,
                }));
            }
            address = node.address(0);
        }
    }

    fn find(&self, address: Address) -> Result<Option<Node>, FormatError> {
        if let Some(chunk) = self
            .nodes
            .iter()
            .rev()
            .find(|chunk| chunk.address() == address)
        {
            return Node::decode(self.kind, chunk.contents().clone()).map(Some);
        }
        Ok(self
            .reused
            .iter()
            .find(|node| Address::of(node.message()) == address)
            .cloned())
    }
}

/// The address map of `entries`, which are sorted by name. The root is last.
pub fn build_address_map<'a>(
    entries: impl IntoIterator<Item = (&'a str, Address)>,
) -> Result<BuiltMap, FormatError> {
    let mut builder = MapBuilder::new(Kind::Addresses);
    for (name, address) in entries {
        builder.push(name.as_bytes(), address.as_bytes(), &[])?;
    }
    builder.finish()
}

const BLOB_LEAF_LEN: usize = 4000;
const BLOB_FAN_OUT: usize = 200;

/// The blob tree of `value`, which is not empty: its root's address and all its chunks.
pub fn build_blob(value: &[u8]) -> Result<(Address, Vec<Chunk>), FormatError> {
    let mut chunks = Vec::new();
    let mut row: Vec<(Address, u64)> = Vec::new();
    let write = |parts: &Parts<'_>, chunks: &mut Vec<Chunk>| -> Result<Address, FormatError> {
        let chunk = Chunk::new(encode(Kind::Blob, parts)?);
        let address = chunk.address();
        chunks.push(chunk);
        Ok(address)
    };
    for payload in value.chunks(BLOB_LEAF_LEN) {
        let parts = Parts {
            values: payload,
            tree_count: 1,
            ..Parts::default()
        };
        row.push((write(&parts, &mut chunks)?, 1));
    }
    // The height comes from this division, so that at exact multiples the root has one child.
    let mut rest = if value.len() <= BLOB_LEAF_LEN {
        0
    } else {
        value.len() / BLOB_LEAF_LEN
    };
    let mut level = 0;
    while rest > 0 {
        rest /= BLOB_FAN_OUT;
        level += 1;
        let below = std::mem::take(&mut row);
        for group in below.chunks(BLOB_FAN_OUT) {
            let addresses: Vec<u8> = group
                .iter()
                .flat_map(|(address, _)| *address.as_bytes())
                .collect();
            let counts: Vec<u64> = group.iter().map(|(_, count)| *count).collect();
            let tree_count = counts.iter().sum();
            let parts = Parts {
                level,
                addresses: &addresses,
                counts: &counts,
                tree_count,
                ..Parts::default()
            };
            row.push((write(&parts, &mut chunks)?, tree_count));
        }
    }
    let root = row.first().map_or(Address::EMPTY, |(address, _)| *address);
    Ok((root, chunks))
}

/// The message of an empty address map.
pub fn empty_address_map() -> Result<Bytes, FormatError> {
    Ok(build_address_map([])?.root.contents().clone())
}
