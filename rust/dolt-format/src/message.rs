//! The messages that chunks hold: one FlatBuffers table each, behind a four-byte prefix.

pub mod schema;
