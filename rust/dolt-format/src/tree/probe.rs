//! `Probe`: which entries of a map have keys that begin as some others do.

use std::sync::Arc;

use super::frontier::{Frontier, Promise};
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// A key as bytes whose plain order is the order of keys.
pub type SortKey = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// Finds the entries of a map whose sort keys begin with one of some prefixes.
pub struct Probe {
    sort_key: SortKey,
    /// Sorted.
    prefixes: Vec<Vec<u8>>,
    frontier: Frontier,
    /// The prefix of each found entry, by its number in order, and the entry's key.
    found: Vec<(usize, Vec<u8>)>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe")
            .field("prefixes", &self.prefixes.len())
            .finish_non_exhaustive()
    }
}

impl Probe {
    /// Probes the map with this root for `prefixes`, which are sorted.
    pub fn new(
        root: &Node,
        sort_key: SortKey,
        prefixes: Vec<Vec<u8>>,
    ) -> Result<Self, FormatError> {
        let mut probe = Self {
            sort_key,
            prefixes,
            frontier: Frontier::default(),
            found: Vec::new(),
        };
        probe.visit(root)?;
        Ok(probe)
    }

    fn visit(&mut self, node: &Node) -> Result<(), FormatError> {
        let mut first = 0;
        for item in 0..node.len() {
            let key = (self.sort_key)(node.key(item));
            // Those below the keys of this item that are no prefixes of it lie before it.
            let passed = self.prefixes.get(first..).unwrap_or_default();
            if node.is_leaf() {
                first += passed.partition_point(|p| *p < key && !key.starts_with(p));
                let here = self.prefixes.iter().enumerate().skip(first);
                let here = here.take_while(|(_, p)| **p <= key);
                let found = here.filter(|(_, p)| key.starts_with(p));
                let found: Vec<usize> = found.map(|(number, _)| number).collect();
                self.found
                    .extend(found.into_iter().map(|at| (at, node.key(item).to_vec())));
                continue;
            }
            // A child may hold what is not above its last key, and what goes on behind it.
            if passed.first().is_some_and(|p| *p <= key) {
                let promise = Promise::of_child(node, item);
                self.frontier.want(node.address(item), Some(promise))?;
            }
            first += passed.partition_point(|p| *p < key && !key.starts_with(p));
        }
        Ok(())
    }
}

impl Traversal for Probe {
    type Output = Vec<(usize, Vec<u8>)>;

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

    fn result(&mut self) -> Result<Self::Output, FormatError> {
        self.frontier.check_done()?;
        Ok(std::mem::take(&mut self.found))
    }
}
