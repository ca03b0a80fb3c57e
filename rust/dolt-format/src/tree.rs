//! Trees: nodes, boundaries, and the traversals that walk, compare and build them.

pub mod chunker;
pub mod closure;
pub mod diff;
pub mod edit;
pub mod node;
pub mod scan;
mod splitter;
pub mod traversal;

pub use node::{Kind, Node};
pub use traversal::Traversal;
