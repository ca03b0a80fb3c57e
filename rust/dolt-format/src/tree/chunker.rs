//! `MapBuilder`: builds a tree from sorted items, or from items and whole subtrees of another.
//!
//! Each level has one open node. An item goes into the open leaf; where the splitter ends a node,
//! it is written, and its last key and address go into the open node above.

use bytes::Bytes;

use super::frontier::Promise;
use super::splitter::ends_node;
use crate::message::node::{CLOSURE_KEY_LEN, Kind, LEVELS_MAX, Node, Parts, encode};
use crate::{Address, Chunk, FormatError};

/// Offsets in a node are 16 bits wide.
pub(super) const NODE_BYTES_MAX: usize = u16::MAX as usize;

fn offset(len: usize) -> u16 {
    u16::try_from(len).expect("a node has at most NODE_BYTES_MAX bytes")
}

/// The node of one level that still takes items.
#[derive(Debug, Default)]
pub(super) struct Open {
    keys: Vec<u8>,
    key_offsets: Vec<u16>,
    values: Vec<u8>,
    value_offsets: Vec<u16>,
    value_addresses: Vec<u16>,
    counts: Vec<u64>,
    /// What the splitter weighs, which is not always the bytes (commit closures).
    pub(super) size: usize,
    pub(super) len: usize,
    pub(super) tree_count: u64,
}

impl Open {
    pub(super) fn clear(&mut self) {
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

    /// Whether an item of `len` bytes, at most [`NODE_BYTES_MAX`], fits in.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.keys.len() + self.values.len() + len <= NODE_BYTES_MAX
    }

    /// Adds an item that fits in.
    pub(super) fn add(
        &mut self,
        key: &[u8],
        value: &[u8],
        addresses: &[u16],
        count: u64,
        weight: usize,
    ) -> Result<(), FormatError> {
        let start = offset(self.values.len());
        self.key_offsets.push(offset(self.keys.len()));
        self.value_offsets.push(start);
        self.value_addresses
            .extend(addresses.iter().map(|at| start.saturating_add(*at)));
        self.keys.extend_from_slice(key);
        self.values.extend_from_slice(value);
        self.counts.push(count);
        self.size += weight;
        self.len += 1;
        self.tree_count = self
            .tree_count
            .checked_add(count)
            .ok_or_else(|| FormatError::corrupt("tree", "its entries do not fit a count"))?;
        Ok(())
    }

    /// The message of the node, which takes no more items.
    pub(super) fn encode(&mut self, kind: Kind, level: u8) -> Result<Bytes, FormatError> {
        self.key_offsets.push(offset(self.keys.len()));
        self.value_offsets.push(offset(self.values.len()));
        let mut parts = Parts {
            level,
            keys: &self.keys,
            tree_count: self.tree_count,
            ..Parts::default()
        };
        if kind != Kind::Closure {
            parts.key_offsets = &self.key_offsets;
        }
        if level > 0 {
            parts.addresses = &self.values;
            parts.counts = &self.counts;
        } else if kind == Kind::Addresses {
            parts.addresses = &self.values;
        } else if kind == Kind::Tuples {
            parts.values = &self.values;
            parts.value_offsets = &self.value_offsets;
            parts.value_addresses = &self.value_addresses;
        }
        encode(kind, &parts)
    }

    pub(super) fn last_key(&self, kind: Kind) -> &[u8] {
        let start = match kind {
            Kind::Closure => self.keys.len().saturating_sub(CLOSURE_KEY_LEN),
            _ => self.key_offsets.last().copied().map_or(0, usize::from),
        };
        self.keys.get(start..).unwrap_or_default()
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

/// How a tree ended.
pub(crate) enum Finished {
    Built(BuiltMap),
    /// This node has to be remembered first: it may be the root.
    Missing(Address, Promise),
}

/// Builds the tree of items that come in key order. The tree is a function of the items alone.
#[derive(Debug)]
pub struct MapBuilder {
    kind: Kind,
    levels: Vec<Open>,
    nodes: Vec<Chunk>,
    leaves: Vec<Chunk>,
    /// Nodes of the other tree that may turn out to be the root's only child.
    remembered: Vec<(Address, Node)>,
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
            remembered: Vec::new(),
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
        self.append(level + 1, last_key, address.as_bytes(), &[], count, weight)
    }

    /// Whether no node of `level` or below is open.
    pub(crate) fn at_boundary(&self, level: u8) -> bool {
        let levels = self.levels.iter().take(usize::from(level) + 1);
        levels.into_iter().all(|open| open.len == 0)
    }

    /// Tells of a node of the other tree that may turn out to be the root's only child.
    pub(crate) fn remember(&mut self, address: Address, node: Node) {
        self.remembered.push((address, node));
    }

    fn append(
        &mut self,
        level: u8,
        key: &[u8],
        value: &[u8],
        addresses: &[u16],
        count: u64,
        weight: usize,
    ) -> Result<(), FormatError> {
        let len = key.len() + value.len();
        if level >= LEVELS_MAX || len > NODE_BYTES_MAX {
            return Err(refused(level, len));
        }
        let at = usize::from(level);
        if self.levels.len() <= at {
            self.levels.resize_with(at + 1, Open::default);
        }
        if !self.levels[at].has_room(len) {
            self.close(level)?;
        }
        let open = &mut self.levels[at];
        open.add(key, value, addresses, count, weight)?;
        // An inner node is never closed with a single child: it would only repeat it.
        if ends_node(level, key, open.size, weight) && (level == 0 || open.len > 1) {
            self.close(level)?;
        }
        Ok(())
    }

    /// Writes the open node of a level.
    fn write(&mut self, level: u8) -> Result<Chunk, FormatError> {
        let open = &mut self.levels[usize::from(level)];
        let chunk = Chunk::new(open.encode(self.kind, level)?);
        if level == 0 {
            self.leaves.push(chunk.clone());
        }
        Ok(chunk)
    }

    fn close(&mut self, level: u8) -> Result<(), FormatError> {
        let open = &self.levels[usize::from(level)];
        let key = open.last_key(self.kind).to_vec();
        let count = open.tree_count;
        let chunk = self.write(level)?;
        self.levels[usize::from(level)].clear();
        let address = chunk.address();
        self.nodes.push(chunk);
        let weight = key.len() + Address::LEN;
        self.append(level + 1, &key, address.as_bytes(), &[], count, weight)
    }

    /// Ends the tree.
    pub fn finish(mut self) -> Result<BuiltMap, FormatError> {
        match self.try_finish()? {
            Finished::Built(built) => Ok(built),
            Finished::Missing(address, _) => Err(FormatError::corrupt(
                format!("node {address}"),
                "it stands alone below its parent, so it had to be at hand",
            )),
        }
    }

    /// Ends the tree, unless a node is missing for that: then it goes on once that is remembered.
    pub(crate) fn try_finish(&mut self) -> Result<Finished, FormatError> {
        let mut level = 0;
        while self
            .levels
            .iter()
            .skip(usize::from(level) + 1)
            .any(|open| open.len > 0)
        {
            if self.levels[usize::from(level)].len > 0 {
                self.close(level)?;
            }
            level += 1;
        }
        let open = &self.levels[usize::from(level)];
        if level == 0 || open.len > 1 {
            let root = self.write(level)?;
            return Ok(Finished::Built(self.built(root)));
        }
        // One child: the root is that child, or the first below it that has two.
        let mut address = Address::try_from(open.values.as_slice())?;
        let mut promise = Promise {
            level: level - 1,
            count: open.tree_count,
        };
        let mut passed = Vec::new();
        loop {
            let Some(node) = self.find(address)? else {
                return Ok(Finished::Missing(address, promise));
            };
            passed.push(address);
            if node.is_leaf() || node.len() > 1 {
                self.nodes
                    .retain(|chunk| !passed.contains(&chunk.address()));
                let root = Chunk::new(node.message().clone());
                return Ok(Finished::Built(self.built(root)));
            }
            address = node.address(0);
            promise = Promise::of_child(&node, 0);
        }
    }

    fn built(&mut self, root: Chunk) -> BuiltMap {
        BuiltMap {
            root,
            nodes: std::mem::take(&mut self.nodes),
            leaves: std::mem::take(&mut self.leaves),
        }
    }

    fn find(&self, address: Address) -> Result<Option<Node>, FormatError> {
        let made = self.nodes.iter().rev();
        if let Some(chunk) = made.into_iter().find(|chunk| chunk.address() == address) {
            return Node::decode(self.kind, chunk.contents().clone()).map(Some);
        }
        let mut remembered = self.remembered.iter();
        Ok(remembered
            .find(|(here, _)| *here == address)
            .map(|(_, node)| node.clone()))
    }
}

pub(super) fn refused(level: u8, len: usize) -> FormatError {
    FormatError::Unsupported(if level >= LEVELS_MAX {
        format!("a tree of more than {LEVELS_MAX} levels")
    } else {
        format!("an entry of {len} bytes: key and value together may have {NODE_BYTES_MAX}")
    })
}
