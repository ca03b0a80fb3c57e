//! `FindLeaves`: which leaves of a map hold some keys.

use super::frontier::{Frontier, Promise};
use super::probe::SortKey;
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// Finds the leaves that hold certain keys, or all. It reads none of them.
pub(crate) struct FindLeaves {
    sort_key: SortKey,
    /// Sorted; `None` for all keys.
    keys: Option<Vec<Vec<u8>>>,
    frontier: Frontier,
    leaves: Vec<Address>,
}

impl std::fmt::Debug for FindLeaves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let leaves = self.leaves.len();
        f.debug_struct("FindLeaves")
            .field("leaves", &leaves)
            .finish_non_exhaustive()
    }
}

impl FindLeaves {
    /// Looks for the sort keys `keys`, which are sorted, in the map with this root.
    pub(crate) fn new(
        root: &Node,
        sort_key: SortKey,
        keys: Option<Vec<Vec<u8>>>,
    ) -> Result<Self, FormatError> {
        let mut find = Self {
            sort_key,
            keys,
            frontier: Frontier::default(),
            leaves: Vec::new(),
        };
        if root.is_leaf() {
            find.leaves.push(Address::of(root.message()));
        } else {
            find.visit(root)?;
        }
        Ok(find)
    }

    fn visit(&mut self, node: &Node) -> Result<(), FormatError> {
        let mut first = 0;
        for item in 0..node.len() {
            if let Some(keys) = &self.keys {
                let last_key = (self.sort_key)(node.key(item));
                let rest = keys.get(first..).unwrap_or_default();
                let here = rest.partition_point(|key| *key <= last_key);
                first += here;
                if here == 0 {
                    continue;
                }
            }
            let address = node.address(item);
            if node.level() == 1 {
                self.leaves.push(address);
            } else {
                let promise = Promise::of_child(node, item);
                self.frontier.want(address, Some(promise))?;
            }
        }
        Ok(())
    }
}

impl Traversal for FindLeaves {
    type Output = Vec<Address>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.frontier.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = self.frontier.take(Kind::Tuples, chunk)?;
            self.visit(&node)?;
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<Address>, FormatError> {
        self.frontier.check_done()?;
        Ok(std::mem::take(&mut self.leaves))
    }
}
