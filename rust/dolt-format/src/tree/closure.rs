//! Commit closures: a commit's ancestors as a tree of (height, address).
//!
//! The tree depends on history. A new entry weighs 29 in the split decision, one read again from
//! a stored leaf 28; so a closure is made by editing the parent's, never from scratch
//! (`prolly.md` section 8.6).

use super::chunker::MapBuilder;
use super::node::{CLOSURE_KEY_LEN, Kind, Node};
use super::scan::Promise;
use super::traversal::Traversal;
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

/// The closure of a commit with one parent, by editing the parent's.
///
/// All of the parent's ancestors are lower than the parent, so its entry goes to the end: the
/// path along the right edge is all that has to be read.
#[derive(Debug)]
pub struct ClosureEdit {
    height: u64,
    parent: Address,
    next: Option<(Address, Option<Promise>)>,
    asked: bool,
    /// The right edge, root first.
    edge: Vec<Node>,
}

impl ClosureEdit {
    /// The edit for a commit whose only parent is `parent` of `height` with `closure`, which is
    /// empty where the parent has no parents.
    #[must_use]
    pub fn new(parent: Address, height: u64, closure: Address) -> Self {
        let next = (!closure.is_empty()).then_some((closure, None));
        Self {
            height,
            parent,
            next,
            asked: false,
            edge: Vec::new(),
        }
    }
}

impl Traversal for ClosureEdit {
    type Output = Vec<Chunk>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if self.asked || limit == 0 {
            return Vec::new();
        }
        self.asked = self.next.is_some();
        self.next.iter().map(|(address, _)| *address).collect()
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let Some((address, promise)) = self.next.take_if(|(at, _)| *at == chunk.address())
            else {
                let what = format!("chunk {}", chunk.address());
                return Err(FormatError::corrupt(what, "it was not asked for"));
            };
            let node = Node::decode(Kind::Closure, chunk.contents().clone())?;
            if let Some(promise) = promise {
                node.expect(address, promise.level, promise.count)?;
            }
            if node.is_empty() {
                return Err(FormatError::corrupt(
                    format!("closure {address}"),
                    "it is empty",
                ));
            }
            if !node.is_leaf() {
                let last = node.len() - 1;
                let promise = Promise {
                    level: node.level() - 1,
                    count: node.subtree_count(last),
                };
                self.next = Some((node.address(last), Some(promise)));
            }
            self.edge.push(node);
            self.asked = false;
        }
        Ok(())
    }

    /// The new chunks; the last is the root.
    fn result(&mut self) -> Result<Vec<Chunk>, FormatError> {
        if self.next.is_some() {
            return Err(FormatError::corrupt(
                "closure edit",
                "it was not fed to its end",
            ));
        }
        let key = closure_key(self.height, self.parent);
        let mut builder = MapBuilder::new(Kind::Closure);
        for node in &self.edge {
            let below = if node.is_leaf() {
                node.len()
            } else {
                node.len() - 1
            };
            for item in 0..below {
                if node.is_leaf() {
                    builder.push_weighing(node.key(item), &[], STORED_ENTRY_WEIGHT)?;
                } else {
                    builder.push_subtree(
                        node.level() - 1,
                        node.key(item),
                        node.address(item),
                        node.subtree_count(item),
                    )?;
                }
            }
            if let (true, Some(last)) = (node.is_leaf(), node.len().checked_sub(1))
                && order(node.key(last)) >= order(&key)
            {
                return Err(FormatError::corrupt(
                    format!("commit {}", self.parent),
                    format!("height {} is not above its ancestors'", self.height),
                ));
            }
        }
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
    next: Option<(Address, Option<Promise>)>,
    asked: bool,
    found: bool,
}

impl ClosureLookup {
    /// Looks for `ancestor` of `height` in the tree `closure`, which is empty for a commit
    /// without parents.
    #[must_use]
    pub fn new(closure: Address, ancestor: Address, height: u64) -> Self {
        Self {
            key: closure_key(height, ancestor),
            next: (!closure.is_empty()).then_some((closure, None)),
            asked: false,
            found: false,
        }
    }
}

impl Traversal for ClosureLookup {
    type Output = bool;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        if self.asked || limit == 0 {
            return Vec::new();
        }
        self.asked = self.next.is_some();
        self.next.iter().map(|(address, _)| *address).collect()
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let Some((address, promise)) = self.next.take_if(|(at, _)| *at == chunk.address())
            else {
                let what = format!("chunk {}", chunk.address());
                return Err(FormatError::corrupt(what, "it was not asked for"));
            };
            let node = Node::decode(Kind::Closure, chunk.contents().clone())?;
            if let Some(promise) = promise {
                node.expect(address, promise.level, promise.count)?;
            }
            self.asked = false;
            let at = (0..node.len()).find(|item| order(node.key(*item)) >= order(&self.key));
            if let Some(item) = at {
                if node.is_leaf() {
                    self.found = node.key(item) == self.key;
                } else {
                    let promise = Promise {
                        level: node.level() - 1,
                        count: node.subtree_count(item),
                    };
                    self.next = Some((node.address(item), Some(promise)));
                }
            }
        }
        Ok(())
    }

    fn result(&mut self) -> Result<bool, FormatError> {
        Ok(self.found)
    }
}
