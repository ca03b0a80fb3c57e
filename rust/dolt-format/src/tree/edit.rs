//! `Edit`: a map with some entries put or deleted, from the map it was.
//!
//! The result equals a tree built from scratch. Boundaries depend only on the items since the
//! boundary before, so a subtree that starts at a boundary and holds no edit is taken whole.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::chunker::{BuiltMap, MapBuilder};
use super::node::{Kind, Node};
use super::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// How keys of a map compare.
pub type Compare = fn(&[u8], &[u8]) -> Ordering;

/// A value to put under a key, or `None` to delete the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// The value and the positions of chunk addresses in it; `None` deletes.
    pub value: Option<(Vec<u8>, Vec<u16>)>,
}

/// Applies changes to a map.
#[derive(Debug)]
pub struct Edit {
    root: Node,
    compare: Compare,
    changes: Vec<Change>,
    nodes: HashMap<Address, Node>,
    wanted: Vec<Address>,
    asked: usize,
    built: Option<BuiltMap>,
}

/// Why an attempt ended: for want of a node, or for good.
enum Stop {
    Missing(Address),
    Failed(FormatError),
}

impl From<FormatError> for Stop {
    fn from(error: FormatError) -> Self {
        Self::Failed(error)
    }
}

impl Edit {
    /// Edits the map with this root. `changes` are sorted by `compare`, one for a key.
    pub fn new(root: Node, compare: Compare, changes: Vec<Change>) -> Result<Self, FormatError> {
        let mut edit = Self {
            root,
            compare,
            changes,
            nodes: HashMap::new(),
            wanted: Vec::new(),
            asked: 0,
            built: None,
        };
        edit.advance()?;
        Ok(edit)
    }

    /// Wants the nodes that the changes lead to; tries to finish once all of them are here.
    fn advance(&mut self) -> Result<(), FormatError> {
        let mut wanted = Vec::new();
        self.find_missing(&self.root, &self.changes, false, &mut wanted);
        self.wanted = wanted;
        if self.wanted.is_empty() {
            self.attempt()
        } else {
            Ok(())
        }
    }

    fn find_missing(
        &self,
        node: &Node,
        changes: &[Change],
        edited_behind: bool,
        wanted: &mut Vec<Address>,
    ) {
        if node.is_leaf() {
            return;
        }
        let mut rest = changes;
        for item in 0..node.len() {
            let (inside, behind, edited_next) = self.split(node, item, rest, edited_behind);
            rest = behind;
            if inside.is_empty() && !edited_next {
                continue;
            }
            match self.nodes.get(&node.address(item)) {
                Some(child) => self.find_missing(child, inside, edited_next, wanted),
                None => wanted.push(node.address(item)),
            }
        }
    }

    /// The changes below child `item`, those behind it, and whether the next subtree is edited.
    fn split<'a>(
        &self,
        node: &Node,
        item: usize,
        changes: &'a [Change],
        edited_behind: bool,
    ) -> (&'a [Change], &'a [Change], bool) {
        if item + 1 == node.len() {
            return (changes, &[], edited_behind);
        }
        let not_above = |change: &Change, item: usize| {
            (self.compare)(&change.key, node.key(item)) != Ordering::Greater
        };
        let (inside, behind) =
            changes.split_at(changes.partition_point(|change| not_above(change, item)));
        let next_is_last = item + 2 == node.len();
        let edited_next = behind
            .first()
            .is_some_and(|change| next_is_last || not_above(change, item + 1));
        (inside, behind, edited_next)
    }

    /// Tries to finish with the nodes at hand; on the way it learns which one is missing.
    fn attempt(&mut self) -> Result<(), FormatError> {
        let mut builder = MapBuilder::new(Kind::Tuples);
        match self.apply(&self.root, &self.changes, false, &mut builder) {
            Ok(()) => match builder.finish_or_missing()? {
                Ok(built) => self.built = Some(built),
                Err(address) => self.wanted.push(address),
            },
            Err(Stop::Missing(address)) => self.wanted.push(address),
            Err(Stop::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    fn apply(
        &self,
        node: &Node,
        changes: &[Change],
        edited_behind: bool,
        builder: &mut MapBuilder,
    ) -> Result<(), Stop> {
        if node.is_leaf() {
            return self.merge(node, changes, builder).map_err(Stop::Failed);
        }
        let mut rest = changes;
        for item in 0..node.len() {
            // A boundary can also be forced by the size of the item behind it, so the subtree
            // before an edited one is looked at again.
            let (inside, behind, edited_next) = self.split(node, item, rest, edited_behind);
            rest = behind;
            let below = node.level() - 1;
            if inside.is_empty() && !edited_next && builder.at_boundary(below) {
                let address = node.address(item);
                if let Some(child) = self.nodes.get(&address) {
                    builder.remember(child.clone());
                }
                builder.push_subtree(below, node.key(item), address, node.subtree_count(item))?;
                continue;
            }
            let address = node.address(item);
            let child = self.nodes.get(&address).ok_or(Stop::Missing(address))?;
            child.expect(address, below, node.subtree_count(item))?;
            self.apply(child, inside, edited_next, builder)?;
        }
        Ok(())
    }

    fn merge(
        &self,
        leaf: &Node,
        changes: &[Change],
        builder: &mut MapBuilder,
    ) -> Result<(), FormatError> {
        let mut changes = changes.iter().peekable();
        let put = |change: &Change, builder: &mut MapBuilder| match &change.value {
            Some((value, addresses)) => builder.push(&change.key, value, addresses),
            None => Ok(()),
        };
        for item in 0..leaf.len() {
            let key = leaf.key(item);
            let mut replaced = false;
            while let Some(change) = changes.peek() {
                match (self.compare)(&change.key, key) {
                    Ordering::Greater => break,
                    Ordering::Equal => replaced = true,
                    Ordering::Less => {}
                }
                put(change, builder)?;
                changes.next();
            }
            if !replaced {
                builder.push(key, leaf.value(item), &leaf.value_addresses(item))?;
            }
        }
        changes.try_for_each(|change| put(change, builder))
    }
}

impl Traversal for Edit {
    type Output = BuiltMap;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let count = limit.min(self.wanted.len());
        self.asked += count;
        self.wanted.drain(..count).collect()
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = Node::decode(Kind::Tuples, chunk.contents().clone())?;
            self.nodes.insert(chunk.address(), node);
            self.asked = self.asked.saturating_sub(1);
        }
        if self.asked == 0 && self.wanted.is_empty() && self.built.is_none() {
            self.advance()?;
        }
        Ok(())
    }

    fn result(&mut self) -> Result<BuiltMap, FormatError> {
        self.built
            .take()
            .ok_or_else(|| FormatError::corrupt("edit", "it was not fed to its end"))
    }
}
