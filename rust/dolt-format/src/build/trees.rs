//! `Trees`: the leaves of all trees of a table, as they come back hashed.

use std::collections::BTreeMap;

use super::Measured;
use super::job::{CLUSTERED, HashedBatch};
use crate::tree::chunker::BuiltMap;
use crate::tree::leaves::{HashedLeaf, tree_above};
use crate::{Chunk, FormatError};

/// The leaves of one tree, by the number of their batch: batches come back in any order.
#[derive(Debug, Default)]
struct Tree {
    batches: BTreeMap<usize, (Vec<HashedLeaf>, Measured)>,
    /// Whether the last batch has come.
    is_whole: bool,
    /// The first leaf: if it stays alone, it is the root.
    first: Option<Chunk>,
}

/// The trees of a table.
#[derive(Debug, Default)]
pub(super) struct Trees(Vec<Tree>);

impl Trees {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Tree::default()).collect())
    }

    /// Bytes that are held here.
    pub(super) fn held_bytes(&self) -> usize {
        let batches = self.0.iter().flat_map(|tree| tree.batches.values());
        let of_batch = |(leaves, measures): &(Vec<HashedLeaf>, Measured)| {
            let keys = leaves.iter().map(|leaf| leaf.last_key.len());
            keys.sum::<usize>() + size_of_val(&**leaves) + size_of_val(&**measures)
        };
        batches.map(of_batch).sum()
    }

    /// Takes a batch; returns its chunks.
    pub(super) fn give(&mut self, batch: HashedBatch) -> Vec<Chunk> {
        if let Some(tree) = self.0.get_mut(batch.tree) {
            tree.is_whole |= batch.is_last;
            if batch.number == 0 {
                tree.first = batch.chunks.first().cloned();
            }
            tree.batches
                .insert(batch.number, (batch.leaves, batch.measures));
        }
        batch.chunks
    }

    /// Each tree above its leaves, and the measures of these. Where rows have keys, there are so
    /// many of them, and so many entries of each index.
    pub(super) fn finish(
        self,
        rows: u64,
        keyless: bool,
    ) -> Result<Vec<(BuiltMap, Measured)>, FormatError> {
        let trees = self.0.into_iter().enumerate();
        let trees = trees.map(|(number, tree)| {
            if tree.is_complete(rows, keyless) {
                return tree.finish(number);
            }
            let why = format!("a batch of leaves of tree {number} was not given back");
            Err(FormatError::corrupt("table build", why))
        });
        trees.collect()
    }
}

impl Tree {
    fn is_complete(&self, rows: u64, keyless: bool) -> bool {
        if keyless {
            let numbers = self.batches.keys().copied();
            return (self.is_whole || rows == 0) && numbers.eq(0..self.batches.len());
        }
        let leaves = self.batches.values().flat_map(|(leaves, _)| leaves);
        leaves.map(|leaf| leaf.count).sum::<u64>() == rows
    }

    fn finish(self, number: usize) -> Result<(BuiltMap, Measured), FormatError> {
        let mut leaves = Vec::new();
        let mut measures = Vec::new();
        for (_, (batch, measured)) in self.batches {
            leaves.extend(batch);
            measures.extend(measured);
        }
        let only = self.first.filter(|_| leaves.len() == 1);
        let built = tree_above(leaves, only)?;
        debug_assert!(number == CLUSTERED || measures.is_empty());
        Ok((built, measures))
    }
}
