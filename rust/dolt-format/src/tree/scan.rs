//! `AddressMapScan`: all entries of an address map.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::node::{Kind, Node};
use super::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// Children that a parent promised: what a fed node has to match.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise {
    pub(crate) level: u8,
    pub(crate) count: u64,
}

/// Nodes wanted and asked for, with what their parents promise of them.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    wanted: Vec<(Address, Promise)>,
    asked: HashMap<Address, Promise>,
}

impl Frontier {
    /// Wants the children of an inner node, in order.
    pub(crate) fn want_children(&mut self, node: &Node) {
        let level = node.level().saturating_sub(1);
        for item in 0..node.len() {
            self.want(
                node.address(item),
                Promise {
                    level,
                    count: node.subtree_count(item),
                },
            );
        }
    }

    pub(crate) fn want(&mut self, address: Address, promise: Promise) {
        self.wanted.push((address, promise));
    }

    pub(crate) fn needs(&mut self, limit: usize) -> Vec<Address> {
        let count = limit.min(self.wanted.len());
        let batch: Vec<_> = self.wanted.drain(..count).collect();
        self.asked.extend(batch.iter().copied());
        batch.into_iter().map(|(address, _)| address).collect()
    }

    /// The node in a chunk that was asked for.
    pub(crate) fn take(&mut self, kind: Kind, chunk: &Chunk) -> Result<Node, FormatError> {
        let address = chunk.address();
        let promise = self.asked.remove(&address).ok_or_else(|| {
            FormatError::corrupt(format!("chunk {address}"), "it was not asked for")
        })?;
        let node = Node::decode(kind, chunk.contents().clone())?;
        node.expect(address, promise.level, promise.count)?;
        Ok(node)
    }

    pub(crate) fn check_done(&self) -> Result<(), FormatError> {
        if self.wanted.is_empty() && self.asked.is_empty() {
            return Ok(());
        }
        Err(FormatError::corrupt(
            "traversal",
            "its result was asked for before it was done",
        ))
    }
}

/// All entries of an address map, name to address.
#[derive(Debug)]
pub struct AddressMapScan {
    frontier: Frontier,
    entries: BTreeMap<String, Address>,
}

impl AddressMapScan {
    /// A scan of the map whose root node is `root`, a message.
    pub fn new(root: Bytes) -> Result<Self, FormatError> {
        let mut scan = Self {
            frontier: Frontier::default(),
            entries: BTreeMap::new(),
        };
        scan.visit(&Node::decode(Kind::Addresses, root)?)?;
        Ok(scan)
    }

    fn visit(&mut self, node: &Node) -> Result<(), FormatError> {
        if !node.is_leaf() {
            self.frontier.want_children(node);
            return Ok(());
        }
        for item in 0..node.len() {
            let name = std::str::from_utf8(node.key(item))
                .map_err(|error| FormatError::corrupt("address map", format!("a name: {error}")))?;
            self.entries.insert(name.to_owned(), node.address(item));
        }
        Ok(())
    }
}

impl Traversal for AddressMapScan {
    type Output = BTreeMap<String, Address>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.frontier.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = self.frontier.take(Kind::Addresses, chunk)?;
            self.visit(&node)?;
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Self::Output, FormatError> {
        self.frontier.check_done()?;
        Ok(std::mem::take(&mut self.entries))
    }
}
