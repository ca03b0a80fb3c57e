//! What Dolt's bytes mean: reading and writing them, without I/O, threads or a clock.
//!
//! ```text
//!   foreign_key  what rows of several tables have to keep between them
//!   schema   CREATE TABLE from a table's schema and back; a new table's schema from its rows
//!   csv      rows to text and back, leaf by leaf      jsonl   the same as JSON
//!   tree     nodes, boundaries, and the traversals that walk and build trees
//!   expression  what checks and generated columns compute
//!   packing  chunks to a storage file, in the order that reading wants
//!   message  one FlatBuffers message each        value   tuples and their fields
//!   table    table files     archive  archives   manifest  which files make a database
//!   chunk    contents proven to match            address   SHA-512, printed in base32
//! ```
//!
//! A module uses only those below it. Whatever needs chunks asks for them
//! ([`tree::Traversal`]): the caller knows where they are.

#![forbid(unsafe_code)]

pub mod address;
pub mod archive;
pub mod build;
pub mod chunk;
pub mod chunk_cache;
pub mod csv;
pub mod error;
pub mod expression;
pub mod foreign_key;
pub(crate) mod jsonl;
pub mod manifest;
pub mod message;
pub mod packing;
pub mod schema;
pub mod table;
pub mod text_format;
pub mod tree;
pub mod value;

pub use address::Address;
pub use chunk::Chunk;
pub use error::FormatError;
pub use text_format::TextFormat;
pub use tree::Traversal;
