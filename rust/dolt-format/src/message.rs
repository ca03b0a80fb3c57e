//! The messages that chunks hold: one FlatBuffers table each, behind a four-byte prefix.

pub mod commit;
pub mod flatbuffer;
pub mod foreign_key;
pub mod node;
pub mod ref_name;
pub mod root_value;
pub mod schema;
pub(crate) mod schema_codec;
pub mod store_root;
pub mod table;
pub mod tag;

/// The offset in a vtable of slot `slot`, as the `flatbuffers` crate wants it.
pub(crate) const fn field(slot: u16) -> u16 {
    4 + 2 * slot
}
