//! `AddressMapScan`: all entries of an address map.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::frontier::Frontier;
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

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
            return self.frontier.want_children(node);
        }
        let bad = |why: String| FormatError::corrupt("address map", why);
        for item in 0..node.len() {
            let name = std::str::from_utf8(node.key(item))
                .map_err(|error| bad(format!("a name: {error}")))?;
            let before = self.entries.insert(name.to_owned(), node.address(item));
            if before.is_some() {
                return Err(bad(format!("the name {name:?} stands in it twice")));
            }
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
