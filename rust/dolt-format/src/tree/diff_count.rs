//! `DiffCount`: how many rows differ between two maps, reading only nodes that differ.
//!
//! Leaves are read in the order of keys, some of both maps at a time, so that few are held.

use std::collections::{HashMap, VecDeque};

use super::diff::{Differing, Side, Which, arrive, entries};
use super::frontier::Promise;
use super::probe::SortKey;
use super::traversal::Traversal;
use crate::message::node::Node;
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

/// Counts the rows that differ between two maps.
///
/// Rows are matched by the bytes of their keys. Where the order of keys is not known, all leaves
/// that differ are held until the end.
pub struct DiffCount {
    keyless: bool,
    order: Option<SortKey>,
    /// Finds the leaves that differ.
    differing: Differing,
    /// Reads these, once they are found and if their order is known.
    leaves: Option<(Cursor, Cursor)>,
    asked: Vec<(Address, Which, Promise)>,
    arrived: HashMap<Address, Node>,
    counts: Counts,
}

impl std::fmt::Debug for DiffCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DiffCount({:?})", self.counts)
    }
}

/// The leaves of one side, of which some are at hand.
#[derive(Debug)]
struct Cursor {
    ahead: VecDeque<(Address, Promise)>,
    leaves: VecDeque<Node>,
    item: usize,
}

impl Cursor {
    fn new(side: &mut Side) -> Self {
        Self {
            ahead: std::mem::take(&mut side.subtrees).into(),
            leaves: std::mem::take(&mut side.leaves)
                .into_iter()
                .filter(|leaf| !leaf.is_empty())
                .collect(),
            item: 0,
        }
    }

    fn is_over(&self) -> bool {
        self.ahead.is_empty() && self.leaves.is_empty()
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        let leaf = self.leaves.front()?;
        Some((leaf.key(self.item), leaf.value(self.item)))
    }

    fn step(&mut self) {
        self.item += 1;
        if self
            .leaves
            .front()
            .is_some_and(|leaf| self.item >= leaf.len())
        {
            self.leaves.pop_front();
            self.item = 0;
        }
    }

    /// Entries of leaves that are not at hand.
    fn count_ahead(&self) -> u64 {
        let counts = self.ahead.iter().map(|(_, promise)| promise.count);
        counts.fold(0, u64::saturating_add)
    }
}

fn add(to: &mut u64, rows: u64) {
    *to = to.saturating_add(rows);
}

impl DiffCount {
    /// Compares the maps with these root nodes. In a `keyless` table's a value starts with how
    /// often the row occurs. `order` makes sort keys of the keys, if it is known how.
    #[must_use]
    pub fn new(old: Node, new: Node, keyless: bool, order: Option<SortKey>) -> Self {
        let mut count = Self {
            keyless,
            order,
            differing: Differing::new(old, new),
            leaves: None,
            asked: Vec::new(),
            arrived: HashMap::new(),
            counts: Counts::default(),
        };
        count.go_on();
        count
    }

    fn times(&self, value: &[u8]) -> u64 {
        let times = value.first_chunk().filter(|_| self.keyless);
        times.map_or(1, |raw| u64::from_le_bytes(*raw))
    }

    /// Begins with the leaves once all of them are found; counts those at hand.
    fn go_on(&mut self) {
        if self.leaves.is_none() && self.order.is_some() && self.differing.is_at_leaves() {
            let Differing { old, new, .. } = &mut self.differing;
            self.leaves = Some((Cursor::new(old), Cursor::new(new)));
        }
        let Some((mut old, mut new)) = self.leaves.take() else {
            return;
        };
        self.merge(&mut old, &mut new);
        self.leaves = Some((old, new));
    }

    fn merge(&mut self, old: &mut Cursor, new: &mut Cursor) {
        loop {
            let order = match (old.entry(), new.entry()) {
                (Some((was, before)), Some((is, after))) if was == is => {
                    self.compare(before, after);
                    old.step();
                    new.step();
                    continue;
                }
                (Some((was, _)), Some((is, _))) => match &self.order {
                    Some(sort_key) => sort_key(was).cmp(&sort_key(is)),
                    None => return,
                },
                (Some(_), None) if new.is_over() => std::cmp::Ordering::Less,
                (None, Some(_)) if old.is_over() => std::cmp::Ordering::Greater,
                _ => return,
            };
            if let Some((_, value)) = old.entry()
                && order.is_le()
            {
                let times = self.times(value);
                add(&mut self.counts.removed, times);
            }
            if let Some((_, value)) = new.entry()
                && order.is_ge()
            {
                let times = self.times(value);
                add(&mut self.counts.added, times);
            }
            if order.is_le() {
                old.step();
            }
            if order.is_ge() {
                new.step();
            }
        }
    }

    /// Counts a key that both maps have.
    fn compare(&mut self, before: &[u8], after: &[u8]) {
        if before == after {
            return;
        }
        if !self.keyless {
            self.counts.modified += 1;
            return;
        }
        let (before, after) = (self.times(before), self.times(after));
        add(&mut self.counts.added, after.saturating_sub(before));
        add(&mut self.counts.removed, before.saturating_sub(after));
    }

    /// Whether all that is left is on one side, and nodes say how many rows that is. Those of
    /// keyless tables do not say how often each occurs.
    fn is_counted(&self) -> bool {
        let counted = |(old, new): &(Cursor, Cursor)| {
            let one_sided = old.is_over() || new.is_over();
            let at_hand = old.leaves.is_empty() && new.leaves.is_empty();
            one_sided && at_hand && !self.keyless
        };
        self.leaves.as_ref().is_some_and(counted)
    }

    fn count_unordered(&mut self) {
        let (old, new) = (
            std::mem::take(&mut self.differing.old.leaves),
            std::mem::take(&mut self.differing.new.leaves),
        );
        let mut old = entries(&old);
        for node in &new {
            for item in 0..node.len() {
                let value = node.value(item);
                match old.remove(node.key(item)) {
                    None => {
                        let times = self.times(value);
                        add(&mut self.counts.added, times);
                    }
                    Some(before) => self.compare(before, value),
                }
            }
        }
        for value in old.values() {
            let times = self.times(value);
            add(&mut self.counts.removed, times);
        }
    }
}

impl Traversal for DiffCount {
    type Output = Counts;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if self.is_counted() || !self.asked.is_empty() {
            return Vec::new();
        }
        let Some((old, new)) = &mut self.leaves else {
            return self.differing.needs(limit);
        };
        let both = [(Which::Old, old), (Which::New, new)];
        let hungry = both
            .into_iter()
            .filter(|(_, cursor)| cursor.leaves.is_empty() && !cursor.ahead.is_empty());
        let hungry: Vec<_> = hungry.collect();
        let each = limit.checked_div(hungry.len()).unwrap_or_default().max(1);
        for (which, cursor) in hungry {
            let some = cursor.ahead.drain(..each.min(cursor.ahead.len()));
            self.asked
                .extend(some.map(|(address, promise)| (address, which, promise)));
        }
        self.asked.iter().map(|(address, ..)| *address).collect()
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        let Some((old, new)) = &mut self.leaves else {
            self.differing.feed(chunks)?;
            self.go_on();
            return Ok(());
        };
        for chunk in chunks {
            arrive(chunk, &self.asked, &mut self.arrived)?;
        }
        if self.arrived.len() < self.asked.len() {
            return Ok(());
        }
        for (address, which, _) in self.asked.drain(..) {
            let cursor = match which {
                Which::Old => &mut *old,
                Which::New => &mut *new,
            };
            let node = self.arrived.remove(&address);
            cursor.leaves.extend(node.filter(|node| !node.is_empty()));
        }
        self.go_on();
        Ok(())
    }

    fn result(&mut self) -> Result<Counts, FormatError> {
        let is_counted = self.is_counted();
        match &mut self.leaves {
            Some((old, new)) if is_counted || (old.is_over() && new.is_over()) => {
                add(&mut self.counts.removed, old.count_ahead());
                add(&mut self.counts.added, new.count_ahead());
                old.ahead.clear();
                new.ahead.clear();
            }
            Some(_) => {
                return Err(FormatError::corrupt("diff", "it was not fed to its end"));
            }
            None => {
                self.differing.check_done()?;
                self.count_unordered();
            }
        }
        Ok(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tree::Kind;
    use crate::tree::chunker::MapBuilder;

    /// The nodes of a map of `count` rows.
    fn map(count: u32, value: u8) -> (Node, HashMap<Address, Chunk>) {
        let mut builder = MapBuilder::new(Kind::Tuples);
        for n in 0..count {
            let key = n.to_be_bytes();
            builder
                .push(&key, &[value; 30], &[])
                .expect("it takes rows");
        }
        let built = builder.finish().expect("it builds");
        let root = Node::decode(Kind::Tuples, built.root.contents().clone()).expect("a node");
        let nodes = built.nodes.into_iter().map(|node| (node.address(), node));
        (root, nodes.collect())
    }

    /// Most leaves that were held, where all of `count` rows differ.
    fn held(count: u32) -> usize {
        let ((old, mut nodes), (new, others)) = (map(count, 1), map(count, 2));
        nodes.extend(others);
        let mut diff = DiffCount::new(old, new, false, Some(Arc::new(<[u8]>::to_vec)));
        let mut most = 0;
        loop {
            let needs = diff.needs(16);
            if needs.is_empty() {
                break;
            }
            let chunks: Vec<_> = needs.iter().map(|address| nodes[address].clone()).collect();
            diff.feed(&chunks).expect("it feeds");
            if let Some((old, new)) = &diff.leaves {
                most = most.max(needs.len() + old.leaves.len() + new.leaves.len());
            }
        }
        let counts = diff.result().expect("it counts");
        assert_eq!(counts.modified, u64::from(count));
        most
    }

    #[test]
    fn few_leaves_are_held_however_many_differ() {
        for count in [5_000, 20_000, 80_000] {
            assert!(held(count) <= 3 * 16);
        }
    }
}
