//! `Edit`: a map with some entries put or deleted, from the map it was.
//!
//! The result equals a tree built from scratch. Boundaries depend only on the items since the
//! boundary before, so a subtree that starts at a boundary and holds no edit is taken whole.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use super::chunker::{BuiltMap, Finished, MapBuilder};
use super::frontier::{Frontier, Promise};
use super::probe::SortKey;
use super::traversal::Traversal;
use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// A value to put under a key, or `None` to delete the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// Its sort key.
    pub sort_key: Vec<u8>,
    /// The value and the positions of chunk addresses in it; `None` deletes.
    pub value: Option<(Vec<u8>, Vec<u16>)>,
}

/// A node on the way, how far it is done, and what is still to be changed in it.
#[derive(Debug)]
struct Step {
    node: Node,
    item: usize,
    /// The changes from `first` to before `last`.
    first: usize,
    last: usize,
    /// Whether the subtree behind this node is changed.
    changed_behind: bool,
}

/// Applies changes to a map.
///
/// It first asks for the nodes that the changes lead to, a level at a time, then walks the tree
/// from left to right. There a node that turns out to be needed, because a boundary moved, is
/// asked for alone, and the walk goes on where it stopped.
pub struct Edit {
    sort_key: SortKey,
    changes: Vec<Change>,
    frontier: Frontier,
    nodes: HashMap<Address, Node>,
    root: Node,
    path: Vec<Step>,
    walking: bool,
    builder: MapBuilder,
    built: Option<BuiltMap>,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("changes", &self.changes.len())
            .finish_non_exhaustive()
    }
}

/// What stands between a walk and its end.
type Missing = Option<(Address, Promise)>;

impl Edit {
    /// Edits the map with this root, whose keys have the sort keys that `sort_key` makes.
    /// `changes` are in the order of theirs, one for a key.
    pub fn new(root: Node, sort_key: SortKey, changes: Vec<Change>) -> Result<Self, FormatError> {
        let mut edit = Self {
            sort_key,
            frontier: Frontier::default(),
            nodes: HashMap::new(),
            path: vec![Step {
                node: root.clone(),
                item: 0,
                first: 0,
                last: changes.len(),
                changed_behind: false,
            }],
            root,
            changes,
            walking: false,
            builder: MapBuilder::new(Kind::Tuples),
            built: None,
        };
        edit.advance()?;
        Ok(edit)
    }

    /// Goes on as far as the nodes at hand allow.
    fn advance(&mut self) -> Result<(), FormatError> {
        if !self.walking {
            let mut missing = Vec::new();
            let (changes, root) = (self.changes.as_slice(), &self.root);
            self.find_missing(root, (0, changes.len()), false, &mut missing);
            self.walking = missing.is_empty();
            for (address, promise) in missing {
                self.frontier.want(address, Some(promise))?;
            }
        }
        if self.walking
            && let Some((address, promise)) = self.walk()?
        {
            self.frontier.want(address, Some(promise))?;
        }
        Ok(())
    }

    /// Collects the highest nodes on the way to changes that are not at hand.
    fn find_missing(
        &self,
        node: &Node,
        (mut first, last): (usize, usize),
        changed_behind: bool,
        missing: &mut Vec<(Address, Promise)>,
    ) {
        let items = if node.is_leaf() { 0 } else { node.len() };
        for item in 0..items {
            let (here, changed_next) = self.split(node, item, (first, last), changed_behind);
            if first != here || changed_next {
                let address = node.address(item);
                match self.nodes.get(&address) {
                    Some(child) => self.find_missing(child, (first, here), changed_next, missing),
                    None => missing.push((address, Promise::of_child(node, item))),
                }
            }
            first = here;
        }
    }

    /// Where the changes below child `item` end, and whether the next subtree is changed.
    fn split(
        &self,
        node: &Node,
        item: usize,
        (first, last): (usize, usize),
        changed_behind: bool,
    ) -> (usize, bool) {
        if item + 1 == node.len() {
            return (last, changed_behind);
        }
        let changes = &self.changes[first..last];
        if changes.is_empty() {
            return (first, false);
        }
        let end = (self.sort_key)(node.key(item));
        let inside = changes.partition_point(|change| change.sort_key <= end);
        let next_is_last = item + 2 == node.len();
        let changed_next = changes.get(inside).is_some_and(|change| {
            next_is_last || change.sort_key <= (self.sort_key)(node.key(item + 1))
        });
        (first + inside, changed_next)
    }

    /// Walks on to the end, or to a node that is missing.
    fn walk(&mut self) -> Result<Missing, FormatError> {
        while let Some(step) = self.path.last() {
            if step.node.is_leaf() {
                let (node, changes) = (step.node.clone(), step.first..step.last);
                merge(
                    &node,
                    &self.changes[changes],
                    &self.sort_key,
                    &mut self.builder,
                )?;
                self.path.pop();
            } else if step.item == step.node.len() {
                self.path.pop();
            } else if let Some(missing) = self.walk_child()? {
                return Ok(Some(missing));
            }
        }
        match self.builder.try_finish()? {
            Finished::Built(built) => {
                self.built = Some(built);
                Ok(None)
            }
            Finished::Missing(address, promise) => Ok(Some((address, promise))),
        }
    }

    /// Takes the next child of the last step's node, whole or by descending into it.
    fn walk_child(&mut self) -> Result<Missing, FormatError> {
        let Some(step) = self.path.last() else {
            return Ok(None);
        };
        let (node, item, changes) = (&step.node, step.item, (step.first, step.last));
        let (here, changed_next) = self.split(node, item, changes, step.changed_behind);
        let first = step.first;
        let (address, promise) = (node.address(item), Promise::of_child(node, item));
        // A boundary can also be forced by the size of the item behind it, so the subtree before
        // a changed one is looked at again.
        let whole = first == here && !changed_next && self.builder.at_boundary(promise.level);
        let child = self.nodes.remove(&address);
        let next = if whole {
            self.builder
                .push_subtree(promise.level, node.key(item), address, promise.count)?;
            if let Some(child) = child {
                self.builder.remember(address, child);
            }
            None
        } else {
            let Some(node) = child else {
                return Ok(Some((address, promise)));
            };
            Some(Step {
                node,
                item: 0,
                first,
                last: here,
                changed_behind: changed_next,
            })
        };
        if let Some(step) = self.path.last_mut() {
            step.item += 1;
            step.first = here;
        }
        self.path.extend(next);
        Ok(None)
    }
}

/// Adds a leaf's entries, as the changes have them, to the new tree.
fn merge(
    leaf: &Node,
    changes: &[Change],
    sort_key: &SortKey,
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
        let order = changes.peek().map(|_| sort_key(key)).unwrap_or_default();
        while let Some(change) = changes.peek() {
            match change.sort_key.cmp(&order) {
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

impl Traversal for Edit {
    type Output = BuiltMap;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.frontier.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = self.frontier.take(Kind::Tuples, chunk)?;
            if self.path.is_empty() {
                self.builder.remember(chunk.address(), node);
            } else {
                self.nodes.insert(chunk.address(), node);
            }
        }
        if self.frontier.is_done() && self.built.is_none() {
            self.advance()?;
        }
        Ok(())
    }

    fn result(&mut self) -> Result<BuiltMap, FormatError> {
        self.frontier.check_done()?;
        self.built
            .take()
            .ok_or_else(|| FormatError::corrupt("edit", "its result was taken before"))
    }
}
