//! `DiffCount`: how many rows differ between two maps, reading only nodes that differ.

use std::collections::{HashMap, HashSet};

use super::node::{Kind, Node};
use super::scan::Promise;
use super::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// Rows added, removed and modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that only the new map has.
    pub added: u64,
    /// Rows that only the old map has.
    pub removed: u64,
    /// Keys with another value.
    pub modified: u64,
}

/// One side of the comparison: the subtrees not yet opened, and the leaves that were.
#[derive(Debug, Default)]
struct Side {
    subtrees: HashMap<Address, Promise>,
    leaves: Vec<Node>,
}

impl Side {
    fn open(&mut self, node: Node) {
        if node.is_leaf() {
            self.leaves.push(node);
            return;
        }
        for item in 0..node.len() {
            let promise = Promise {
                level: node.level() - 1,
                count: node.subtree_count(item),
            };
            self.subtrees.insert(node.address(item), promise);
        }
    }

    fn height(&self) -> Option<u8> {
        self.subtrees.values().map(|promise| promise.level).max()
    }
}

/// Counts the rows that differ between two maps.
///
/// Equal addresses stand for equal entries, so a subtree that both sides have is never opened.
#[derive(Debug)]
pub struct DiffCount {
    keyless: bool,
    old: Side,
    new: Side,
    asked: HashSet<Address>,
}

impl DiffCount {
    /// Compares the maps with these root nodes. In a `keyless` table's a value starts with how
    /// often the row occurs.
    #[must_use]
    pub fn new(old: Node, new: Node, keyless: bool) -> Self {
        let mut diff = Self {
            keyless,
            old: Side::default(),
            new: Side::default(),
            asked: HashSet::new(),
        };
        if old.message() != new.message() {
            diff.old.open(old);
            diff.new.open(new);
            diff.drop_common();
        }
        diff
    }

    fn drop_common(&mut self) {
        self.old
            .subtrees
            .retain(|address, _| self.new.subtrees.remove(address).is_none());
    }

    fn times(&self, value: &[u8]) -> u64 {
        if !self.keyless {
            return 1;
        }
        value
            .first_chunk()
            .map_or(1, |raw| u64::from_le_bytes(*raw))
    }
}

impl Traversal for DiffCount {
    type Output = Counts;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if !self.asked.is_empty() {
            return Vec::new();
        }
        // The highest level first, on both sides: below it, what they share shows up.
        let height = self.old.height().max(self.new.height());
        let of_height = |side: &Side| -> Vec<Address> {
            side.subtrees
                .iter()
                .filter(|(_, promise)| Some(promise.level) == height)
                .map(|(address, _)| *address)
                .collect()
        };
        let mut batch = of_height(&self.old);
        batch.extend(of_height(&self.new));
        batch.truncate(limit);
        self.asked = batch.iter().copied().collect();
        batch
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let address = chunk.address();
            if !self.asked.remove(&address) {
                return Err(FormatError::corrupt(
                    format!("chunk {address}"),
                    "not asked for",
                ));
            }
            let node = Node::decode(Kind::Tuples, chunk.contents().clone())?;
            for side in [&mut self.old, &mut self.new] {
                if let Some(promise) = side.subtrees.remove(&address) {
                    node.expect(address, promise.level, promise.count)?;
                    side.open(node.clone());
                }
            }
        }
        if self.asked.is_empty() {
            self.drop_common();
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Counts, FormatError> {
        if !self.old.subtrees.is_empty() || !self.new.subtrees.is_empty() {
            return Err(FormatError::corrupt("diff", "it was not fed to its end"));
        }
        let mut counts = Counts::default();
        let mut old: HashMap<&[u8], &[u8]> = HashMap::new();
        for node in &self.old.leaves {
            old.extend((0..node.len()).map(|item| (node.key(item), node.value(item))));
        }
        for node in &self.new.leaves {
            for item in 0..node.len() {
                let value = node.value(item);
                match old.remove(node.key(item)) {
                    None => counts.added += self.times(value),
                    Some(before) if before == value => {}
                    Some(before) if self.keyless => {
                        let (before, after) = (self.times(before), self.times(value));
                        counts.added += after.saturating_sub(before);
                        counts.removed += before.saturating_sub(after);
                    }
                    Some(_) => counts.modified += 1,
                }
            }
        }
        counts.removed += old.values().map(|value| self.times(value)).sum::<u64>();
        Ok(counts)
    }
}
