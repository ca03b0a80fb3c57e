//! Foreign keys: what the rows of one commit have to keep between tables.
//!
//! ```text
//!   side     which index of a table serves a key, and which columns
//!   check    what follows from a change of some tables
//!   findings  rows that are at fault, rows that follow
//! ```

pub mod check;
pub mod findings;
pub mod side;
