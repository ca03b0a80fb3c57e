//! Trees: nodes, boundaries, and the traversals that walk, compare and build them.

pub mod address_map;
pub mod blob;
pub mod chunker;
pub mod closure;
pub mod diff;
pub mod diff_count;
pub mod edit;
pub mod fetch;
pub(crate) mod find;
mod frontier;
pub mod leaves;
pub(crate) mod phases;
pub mod probe;
pub mod scan;
mod splitter;
pub mod together;
pub mod traversal;

pub use crate::message::node::{self, Kind, Node};
pub use traversal::Traversal;
