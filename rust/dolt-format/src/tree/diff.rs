//! `DiffCount`, `DiffKeys`: what differs between two maps, reading only nodes that differ.

use std::collections::{HashMap, HashSet};

use super::frontier::Promise;
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
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
    subtrees: Vec<(Address, Promise)>,
    leaves: Vec<Node>,
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

    fn is_empty(&self) -> bool {
        self.subtrees.is_empty() && self.leaves.is_empty()
    }

    /// Entries, as far as they are known without a look at each.
    fn count(&self) -> u64 {
        let closed = self.subtrees.iter().map(|(_, promise)| promise.count);
        let open = self.leaves.iter().map(|leaf| leaf.len() as u64);
        closed.chain(open).fold(0, u64::saturating_add)
    }

    fn addresses(&self) -> HashSet<Address> {
        self.subtrees.iter().map(|(address, _)| *address).collect()
    }
}

/// Which of the two maps a node is of.
#[derive(Debug, Clone, Copy)]
enum Which {
    Old,
    New,
}

/// Reads what differs between two maps: the leaves that only one of them has.
///
/// Equal addresses stand for equal entries, so a subtree that both sides have is never opened.
#[derive(Debug)]
struct Differing {
    old: Side,
    new: Side,
    asked: HashMap<Address, (Which, Promise)>,
}

impl Differing {
    fn new(old: Node, new: Node) -> Self {
        let mut diff = Self {
            old: Side::default(),
            new: Side::default(),
            asked: HashMap::new(),
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

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if !self.asked.is_empty() {
            return Vec::new();
        }
        // The highest level first, on both sides: below it, what they share shows up.
        let Some(level) = self.old.height().max(self.new.height()) else {
            return Vec::new();
        };
        let mut batch = Vec::new();
        for which in [Which::Old, Which::New] {
            let limit = limit.saturating_sub(batch.len());
            for (address, promise) in self.side(which).take(level, limit) {
                // A subtree that one map claims to have twice is asked for once.
                if self.asked.insert(address, (which, promise)).is_none() {
                    batch.push(address);
                }
            }
        }
        batch
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let address = chunk.address();
            let Some((which, promise)) = self.asked.remove(&address) else {
                let what = format!("chunk {address}");
                return Err(FormatError::corrupt(what, "it was not asked for"));
            };
            let node = Node::decode(Kind::Tuples, chunk.contents().clone())
                .map_err(|error| error.at(address))?;
            node.expect(address, promise.level, promise.count)?;
            self.side(which).open(node);
        }
        if self.asked.is_empty() {
            self.drop_common();
        }
        Ok(())
    }

    fn check_done(&self) -> Result<(), FormatError> {
        let open = self.old.height().max(self.new.height());
        if open.is_some() || !self.asked.is_empty() {
            return Err(FormatError::corrupt("diff", "it was not fed to its end"));
        }
        Ok(())
    }
}

/// The entries of some leaves, by key.
fn entries(leaves: &[Node]) -> HashMap<&[u8], &[u8]> {
    let items = leaves.iter().flat_map(|node| {
        let item = move |item| (node.key(item), node.value(item));
        (0..node.len()).map(item)
    });
    items.collect()
}

/// Counts the rows that differ between two maps.
///
/// Rows are matched by the bytes of their keys, whatever their order: no schema is needed.
#[derive(Debug)]
pub struct DiffCount {
    keyless: bool,
    differing: Differing,
}

impl DiffCount {
    /// Compares the maps with these root nodes. In a `keyless` table's a value starts with how
    /// often the row occurs.
    #[must_use]
    pub fn new(old: Node, new: Node, keyless: bool) -> Self {
        Self {
            keyless,
            differing: Differing::new(old, new),
        }
    }

    /// Whether all that differs is on one side: then nodes say how many rows stand below them.
    /// Those of keyless tables do not say how often each occurs.
    fn is_one_sided(&self) -> bool {
        let Differing { old, new, asked } = &self.differing;
        !self.keyless && asked.is_empty() && (old.is_empty() || new.is_empty())
    }

    fn times(&self, value: &[u8]) -> u64 {
        let times = value.first_chunk().filter(|_| self.keyless);
        times.map_or(1, |raw| u64::from_le_bytes(*raw))
    }
}

impl Traversal for DiffCount {
    type Output = Counts;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if self.is_one_sided() {
            return Vec::new();
        }
        self.differing.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        self.differing.feed(chunks)
    }

    fn result(&mut self) -> Result<Counts, FormatError> {
        if self.is_one_sided() {
            return Ok(Counts {
                added: self.differing.new.count(),
                removed: self.differing.old.count(),
                modified: 0,
            });
        }
        self.differing.check_done()?;
        let mut counts = Counts::default();
        let mut old = entries(&self.differing.old.leaves);
        let add = |to: &mut u64, rows: u64| *to = to.saturating_add(rows);
        for node in &self.differing.new.leaves {
            for item in 0..node.len() {
                let value = node.value(item);
                match old.remove(node.key(item)) {
                    None => add(&mut counts.added, self.times(value)),
                    Some(before) if before == value => {}
                    Some(before) if self.keyless => {
                        let (before, after) = (self.times(before), self.times(value));
                        add(&mut counts.added, after.saturating_sub(before));
                        add(&mut counts.removed, before.saturating_sub(after));
                    }
                    Some(_) => counts.modified += 1,
                }
            }
        }
        for value in old.values() {
            add(&mut counts.removed, self.times(value));
        }
        Ok(counts)
    }
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
