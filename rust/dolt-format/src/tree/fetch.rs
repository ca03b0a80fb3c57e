//! `Fetch`: some nodes, whatever lies below them.

use std::collections::{HashMap, HashSet};

use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// Fetches nodes of maps.
#[derive(Debug)]
pub struct Fetch {
    wanted: Vec<Address>,
    asked: HashSet<Address>,
    nodes: HashMap<Address, Node>,
}

impl Fetch {
    /// Fetches the nodes at these addresses.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = Address>) -> Self {
        let mut wanted: Vec<Address> = addresses.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            wanted,
            asked: HashSet::new(),
            nodes: HashMap::new(),
        }
    }
}

impl Traversal for Fetch {
    type Output = HashMap<Address, Node>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let rest = self.wanted.len().saturating_sub(limit);
        let batch = self.wanted.split_off(rest);
        self.asked.extend(&batch);
        batch
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let address = chunk.address();
            if !self.asked.remove(&address) {
                return Err(FormatError::corrupt(
                    format!("chunk {address}"),
                    "it was not asked for",
                ));
            }
            let node = Node::decode(Kind::Tuples, chunk.contents().clone());
            self.nodes
                .insert(address, node.map_err(|error| error.at(address))?);
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Self::Output, FormatError> {
        Ok(std::mem::take(&mut self.nodes))
    }
}
