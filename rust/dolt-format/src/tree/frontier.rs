//! `Frontier`: the nodes that a traversal wants, with what their parents promise of them.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::message::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// What a parent says of a child: a fed node has to keep it, so that levels fall strictly and a
/// walk ends whatever it is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) level: u8,
    pub(crate) count: u64,
}

impl Promise {
    /// What `node`, an inner node, promises of a child.
    pub(crate) fn of_child(node: &Node, item: usize) -> Self {
        Self {
            level: node.level().saturating_sub(1),
            count: node.subtree_count(item),
        }
    }
}

/// Nodes of one tree that are wanted, and those asked for.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    wanted: VecDeque<(Address, Option<Promise>)>,
    asked: HashMap<Address, Option<Promise>>,
    /// A map never has one subtree twice, as its keys differ. A tree that claims it could make
    /// few chunks look like endless entries.
    seen: HashSet<Address>,
}

impl Frontier {
    /// Wants a node.
    pub(crate) fn want(
        &mut self,
        address: Address,
        promise: Option<Promise>,
    ) -> Result<(), FormatError> {
        if !self.seen.insert(address) {
            return Err(FormatError::corrupt(
                format!("node {address}"),
                "it stands twice in one tree",
            ));
        }
        self.wanted.push_back((address, promise));
        Ok(())
    }

    /// Wants the children of an inner node, in order.
    pub(crate) fn want_children(&mut self, node: &Node) -> Result<(), FormatError> {
        (0..node.len())
            .try_for_each(|item| self.want(node.address(item), Some(Promise::of_child(node, item))))
    }

    /// The next addresses to ask for.
    pub(crate) fn needs(&mut self, limit: usize) -> Vec<Address> {
        let count = limit.min(self.wanted.len());
        let batch: Vec<_> = self.wanted.drain(..count).collect();
        self.asked.extend(batch.iter().copied());
        batch.into_iter().map(|(address, _)| address).collect()
    }

    /// The node in a chunk that was asked for.
    pub(crate) fn take(&mut self, kind: Kind, chunk: &Chunk) -> Result<Node, FormatError> {
        let address = chunk.address();
        let promise = self.asked.remove(&address).ok_or_else(|| {
            FormatError::corrupt(format!("chunk {address}"), "it was not asked for")
        })?;
        let node =
            Node::decode(kind, chunk.contents().clone()).map_err(|error| error.at(address))?;
        if let Some(promise) = promise {
            node.expect(address, promise.level, promise.count)?;
        }
        Ok(node)
    }

    /// Whether nothing is wanted and nothing outstanding.
    pub(crate) fn is_done(&self) -> bool {
        self.wanted.is_empty() && self.asked.is_empty()
    }

    /// Fails unless the traversal is done.
    pub(crate) fn check_done(&self) -> Result<(), FormatError> {
        if self.is_done() {
            return Ok(());
        }
        Err(FormatError::corrupt(
            "traversal",
            "its result was asked for before it was fed to its end",
        ))
    }
}
