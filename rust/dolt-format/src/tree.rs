//! Trees: nodes, boundaries, and the traversals that walk, compare and build them.

pub mod traversal;

pub use traversal::Traversal;
