//! Commit closures: a commit's ancestors as a tree of (height, address).
//!
//! The tree depends on history. A new entry weighs 29 in the split decision, one read again from
//! a stored leaf 28; so a closure is made by editing the parent's, never from scratch
//! (dolt: `go/store/datas/commit_closure.go`).

use super::chunker::MapBuilder;
use super::frontier::{Frontier, Promise};
use super::traversal::Traversal;
use crate::message::node::{CLOSURE_KEY_LEN, Kind, Node};
use crate::{Address, Chunk, FormatError};

const NEW_ENTRY_WEIGHT: usize = CLOSURE_KEY_LEN + 1;
const STORED_ENTRY_WEIGHT: usize = CLOSURE_KEY_LEN;

fn closure_key(height: u64, commit: Address) -> [u8; CLOSURE_KEY_LEN] {
    let mut key = [0; CLOSURE_KEY_LEN];
    let (head, tail) = key.split_at_mut(8);
    head.copy_from_slice(&height.to_le_bytes());
    tail.copy_from_slice(commit.as_bytes());
    key
}

/// Closures are ordered by height as a number, then by address.
fn order(key: &[u8]) -> (u64, &[u8]) {
    let (height, address) = key.split_at(8.min(key.len()));
    (height.try_into().map_or(0, u64::from_le_bytes), address)
}

fn start(closure: Address) -> Result<Frontier, FormatError> {
    let mut frontier = Frontier::default();
    if !closure.is_empty() {
        frontier.want(closure, None)?;
    }
    Ok(frontier)
}

/// The closure of a commit with one parent, by editing the parent's.
///
/// All of the parent's ancestors are lower than the parent, so its entry goes to the end: the
/// path along the right edge is all that has to be read.
#[derive(Debug)]
pub struct ClosureEdit {
    height: u64,
    parent: Address,
    frontier: Frontier,
    /// The right edge, root first.
    edge: Vec<Node>,
}

impl ClosureEdit {
    /// The edit for a commit whose only parent is `parent` of `height` with `closure`, which is
    /// empty where the parent has no parents.
    pub fn new(parent: Address, height: u64, closure: Address) -> Result<Self, FormatError> {
        Ok(Self {
            height,
            parent,
            frontier: start(closure)?,
            edge: Vec::new(),
        })
    }
}

/// Adds what a node of the right edge holds, without the child that is the edge's next node.
fn push(builder: &mut MapBuilder, node: &Node) -> Result<(), FormatError> {
    if node.is_leaf() {
        return (0..node.len())
            .try_for_each(|item| builder.push_weighing(node.key(item), &[], STORED_ENTRY_WEIGHT));
    }
    (0..node.len() - 1).try_for_each(|item| {
        let count = node.subtree_count(item);
        builder.push_subtree(node.level() - 1, node.key(item), node.address(item), count)
    })
}

impl Traversal for ClosureEdit {
    type Output = Vec<Chunk>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.frontier.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = self.frontier.take(Kind::Closure, chunk)?;
            let Some(last) = node.len().checked_sub(1) else {
                let what = format!("closure {}", chunk.address());
                return Err(FormatError::corrupt(what, "it is empty"));
            };
            if order(node.key(last)) >= order(&closure_key(self.height, self.parent)) {
                return Err(FormatError::corrupt(
                    format!("commit {}", self.parent),
                    format!("its height {} is not above its ancestors'", self.height),
                ));
            }
            if !node.is_leaf() {
                let promise = Promise::of_child(&node, last);
                self.frontier.want(node.address(last), Some(promise))?;
            }
            self.edge.push(node);
        }
        Ok(())
    }

    /// The new chunks; the last is the root.
    fn result(&mut self) -> Result<Vec<Chunk>, FormatError> {
        self.frontier.check_done()?;
        let mut builder = MapBuilder::new(Kind::Closure);
        for node in &self.edge {
            push(&mut builder, node)?;
        }
        let key = closure_key(self.height, self.parent);
        builder.push_weighing(&key, &[], NEW_ENTRY_WEIGHT)?;
        let built = builder.finish()?;
        let mut chunks = built.nodes;
        chunks.push(built.root);
        Ok(chunks)
    }
}

/// Whether one commit is a proper ancestor of another.
#[derive(Debug)]
pub struct ClosureLookup {
    key: [u8; CLOSURE_KEY_LEN],
    frontier: Frontier,
    found: bool,
}

impl ClosureLookup {
    /// Looks for `ancestor` of `height` in the tree `closure`, which is empty for a commit
    /// without parents.
    pub fn new(closure: Address, ancestor: Address, height: u64) -> Result<Self, FormatError> {
        Ok(Self {
            key: closure_key(height, ancestor),
            frontier: start(closure)?,
            found: false,
        })
    }
}

impl Traversal for ClosureLookup {
    type Output = bool;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.frontier.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let node = self.frontier.take(Kind::Closure, chunk)?;
            let at = (0..node.len()).find(|item| order(node.key(*item)) >= order(&self.key));
            match at {
                None => {}
                Some(item) if node.is_leaf() => self.found = node.key(item) == self.key,
                Some(item) => {
                    let promise = Promise::of_child(&node, item);
                    self.frontier.want(node.address(item), Some(promise))?;
                }
            }
        }
        Ok(())
    }

    fn result(&mut self) -> Result<bool, FormatError> {
        self.frontier.check_done()?;
        Ok(self.found)
    }
}
