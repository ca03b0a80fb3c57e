//! `DiffKeys`: what differs between two maps, reading only nodes that differ.

use std::collections::{HashMap, HashSet};

use super::frontier::Promise;
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// One side of the comparison: the subtrees not yet opened, and the leaves that were.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// In the order of keys.
    pub(super) subtrees: Vec<(Address, Promise)>,
    pub(super) leaves: Vec<Node>,
}

impl Side {
    fn open(&mut self, node: Node) {
        if node.is_leaf() {
            self.leaves.push(node);
        } else {
            let children =
                (0..node.len()).map(|item| (node.address(item), Promise::of_child(&node, item)));
            self.subtrees.extend(children);
        }
    }

    fn height(&self) -> Option<u8> {
        self.subtrees.iter().map(|(_, promise)| promise.level).max()
    }

    /// Takes out at most `limit` subtrees whose root is at `level`, in order.
    fn take(&mut self, level: u8, limit: usize) -> Vec<(Address, Promise)> {
        let mut taken = Vec::new();
        self.subtrees.retain(|subtree| {
            let fits = subtree.1.level == level && taken.len() < limit;
            if fits {
                taken.push(*subtree);
            }
            !fits
        });
        taken
    }

    fn addresses(&self) -> HashSet<Address> {
        self.subtrees.iter().map(|(address, _)| *address).collect()
    }
}

/// Which of the two maps a node is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    Old,
    New,
}

/// Reads what differs between two maps: the leaves that only one of them has.
///
/// Equal addresses stand for equal entries, so a subtree that both sides have is never opened.
#[derive(Debug)]
pub(super) struct Differing {
    pub(super) old: Side,
    pub(super) new: Side,
    /// What was asked for, in order, and what of it has come.
    asked: Vec<(Address, Which, Promise)>,
    arrived: HashMap<Address, Node>,
}

impl Differing {
    pub(super) fn new(old: Node, new: Node) -> Self {
        let mut diff = Self {
            old: Side::default(),
            new: Side::default(),
            asked: Vec::new(),
            arrived: HashMap::new(),
        };
        if old.message() != new.message() {
            diff.old.open(old);
            diff.new.open(new);
            diff.drop_common();
        }
        diff
    }

    fn drop_common(&mut self) {
        let old = self.old.addresses();
        let common: HashSet<_> = self.new.addresses().intersection(&old).copied().collect();
        for side in [&mut self.old, &mut self.new] {
            side.subtrees
                .retain(|(address, _)| !common.contains(address));
        }
    }

    fn side(&mut self, which: Which) -> &mut Side {
        match which {
            Which::Old => &mut self.old,
            Which::New => &mut self.new,
        }
    }

    pub(super) fn needs(&mut self, limit: usize) -> Vec<Address> {
        if !self.asked.is_empty() {
            return Vec::new();
        }
        // The highest level first, on both sides: below it, what they share shows up.
        let Some(level) = self.old.height().max(self.new.height()) else {
            return Vec::new();
        };
        let mut seen = HashSet::new();
        for which in [Which::Old, Which::New] {
            let limit = limit.saturating_sub(seen.len());
            for (address, promise) in self.side(which).take(level, limit) {
                // A subtree that one map claims to have twice is asked for once.
                if seen.insert(address) {
                    self.asked.push((address, which, promise));
                }
            }
        }
        self.asked.iter().map(|(address, ..)| *address).collect()
    }

    pub(super) fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            arrive(chunk, &self.asked, &mut self.arrived)?;
        }
        if self.arrived.len() == self.asked.len() {
            for (address, which, _) in std::mem::take(&mut self.asked) {
                if let Some(node) = self.arrived.remove(&address) {
                    self.side(which).open(node);
                }
            }
            self.drop_common();
        }
        Ok(())
    }

    /// Whether nothing but leaves is left to be read.
    pub(super) fn is_at_leaves(&self) -> bool {
        let open = self.old.height().max(self.new.height());
        self.asked.is_empty() && open.is_none_or(|level| level == 0)
    }

    pub(super) fn check_done(&self) -> Result<(), FormatError> {
        let open = self.old.height().max(self.new.height());
        if open.is_some() || !self.asked.is_empty() {
            return Err(FormatError::corrupt("diff", "it was not fed to its end"));
        }
        Ok(())
    }
}

/// Takes a chunk that was asked for.
pub(super) fn arrive(
    chunk: &Chunk,
    asked: &[(Address, Which, Promise)],
    arrived: &mut HashMap<Address, Node>,
) -> Result<(), FormatError> {
    let address = chunk.address();
    let promise = asked.iter().find(|(asked, ..)| *asked == address);
    let Some((_, _, promise)) = promise.filter(|_| !arrived.contains_key(&address)) else {
        let what = format!("chunk {address}");
        return Err(FormatError::corrupt(what, "it was not asked for"));
    };
    let node =
        Node::decode(Kind::Tuples, chunk.contents().clone()).map_err(|error| error.at(address))?;
    node.expect(address, promise.level, promise.count)?;
    arrived.insert(address, node);
    Ok(())
}

/// The entries of some leaves, by key.
pub(super) fn entries(leaves: &[Node]) -> HashMap<&[u8], &[u8]> {
    let items = leaves.iter().flat_map(|node| {
        let item = move |item| (node.key(item), node.value(item));
        (0..node.len()).map(item)
    });
    items.collect()
}

/// The keys that one of two maps has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Those that only the new map has, in its order.
    pub come: Vec<Vec<u8>>,
    /// Those that only the old map had, in its order.
    pub gone: Vec<Vec<u8>>,
}

/// Finds the keys that come and go between two maps.
#[derive(Debug)]
pub struct DiffKeys(Differing);

impl DiffKeys {
    /// Compares the maps with these root nodes.
    #[must_use]
    pub fn new(old: Node, new: Node) -> Self {
        Self(Differing::new(old, new))
    }
}

/// The keys of `leaves` that `others` lack.
fn missing_keys(leaves: &[Node], others: &[Node]) -> Vec<Vec<u8>> {
    let others = entries(others);
    let keys = leaves
        .iter()
        .flat_map(|node| (0..node.len()).map(|item| node.key(item)));
    keys.filter(|key| !others.contains_key(key))
        .map(<[u8]>::to_vec)
        .collect()
}

impl Traversal for DiffKeys {
    type Output = Keys;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.0.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        self.0.feed(chunks)
    }

    fn result(&mut self) -> Result<Keys, FormatError> {
        self.0.check_done()?;
        let (old, new) = (&self.0.old.leaves, &self.0.new.leaves);
        Ok(Keys {
            come: missing_keys(new, old),
            gone: missing_keys(old, new),
        })
    }
}
