//! Tree nodes as messages (`TUPM`, `ADRM`, `CMCL`, `BLOB`): encoding, byte for byte as Dolt does.

use bytes::Bytes;

use super::{Kind, encode_counts};
use crate::FormatError;
use crate::message::field;
use crate::message::flatbuffer::{Builder, finish};

/// What goes into a node. Offsets have one entry more than there are items; those and the
/// counts are empty where the kind or level has none.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) level: u8,
    pub(crate) keys: &'a [u8],
    pub(crate) key_offsets: &'a [u16],
    pub(crate) values: &'a [u8],
    pub(crate) value_offsets: &'a [u16],
    /// Where chunk addresses stand in `values`, in Dolt's order.
    pub(crate) value_addresses: &'a [u16],
    pub(crate) addresses: &'a [u8],
    pub(crate) counts: &'a [u64],
    pub(crate) tree_count: u64,
}

/// Encodes a node. Vectors are written and slots pushed in dolt's order (`go/store/prolly/message`),
/// which decides the bytes and with them the address.
pub(crate) fn encode(kind: Kind, parts: &Parts<'_>) -> Result<Bytes, FormatError> {
    let size = parts.keys.len()
        + parts.values.len()
        + parts.addresses.len()
        + 2 * (parts.key_offsets.len() + parts.value_offsets.len())
        + 256;
    let mut b = Builder::with_capacity(size);
    let leaf = parts.level == 0;
    let root = match kind {
        Kind::Tuples => {
            let keys = b.create_vector(parts.keys);
            let key_offsets = b.create_vector(parts.key_offsets);
            if leaf {
                let values = b.create_vector(parts.values);
                let value_offsets = b.create_vector(parts.value_offsets);
                let addresses = (!parts.value_addresses.is_empty())
                    .then(|| b.create_vector(parts.value_addresses));
                let table = b.start_table();
                b.push_slot_always(field(0), keys);
                b.push_slot_always(field(1), key_offsets);
                b.push_slot_always(field(3), values);
                b.push_slot_always(field(4), value_offsets);
                b.push_slot(field(9), parts.tree_count, 0);
                if let Some(addresses) = addresses {
                    b.push_slot_always(field(6), addresses);
                }
                b.push_slot(field(2), 1u8, 0);
                b.push_slot(field(5), 1u8, 0);
                b.push_slot(field(10), parts.level, 0);
                b.end_table(table)
            } else {
                let addresses = b.create_vector(parts.addresses);
                let counts = b.create_vector(&encode_counts(parts.counts));
                let table = b.start_table();
                b.push_slot_always(field(0), keys);
                b.push_slot_always(field(1), key_offsets);
                b.push_slot_always(field(7), addresses);
                b.push_slot_always(field(8), counts);
                b.push_slot(field(9), parts.tree_count, 0);
                b.push_slot(field(2), 1u8, 0);
                b.push_slot(field(5), 1u8, 0);
                b.push_slot(field(10), parts.level, 0);
                b.end_table(table)
            }
        }
        Kind::Addresses => {
            let keys = b.create_vector(parts.keys);
            let key_offsets = b.create_vector(parts.key_offsets);
            let addresses = b.create_vector(parts.addresses);
            let counts = (!leaf).then(|| b.create_vector(&encode_counts(parts.counts)));
            let table = b.start_table();
            b.push_slot_always(field(0), keys);
            b.push_slot_always(field(1), key_offsets);
            b.push_slot_always(field(2), addresses);
            if let Some(counts) = counts {
                b.push_slot_always(field(3), counts);
            }
            b.push_slot(field(4), parts.tree_count, 0);
            b.push_slot(field(5), parts.level, 0);
            b.end_table(table)
        }
        Kind::Closure => {
            let keys = b.create_vector(parts.keys);
            let inner = (!leaf).then(|| {
                let addresses = b.create_vector(parts.addresses);
                (addresses, b.create_vector(&encode_counts(parts.counts)))
            });
            let table = b.start_table();
            b.push_slot_always(field(0), keys);
            if let Some((addresses, counts)) = inner {
                b.push_slot_always(field(1), addresses);
                b.push_slot_always(field(2), counts);
            }
            b.push_slot(field(3), parts.tree_count, 0);
            b.push_slot(field(4), parts.level, 0);
            b.end_table(table)
        }
        Kind::Blob => {
            if leaf {
                let payload = b.create_vector(parts.values);
                let table = b.start_table();
                b.push_slot_always(field(0), payload);
                b.push_slot(field(3), parts.tree_count, 0);
                b.push_slot(field(4), parts.level, 0);
                b.end_table(table)
            } else {
                let addresses = b.create_vector(parts.addresses);
                let counts = b.create_vector(&encode_counts(parts.counts));
                let table = b.start_table();
                b.push_slot_always(field(1), addresses);
                b.push_slot_always(field(2), counts);
                b.push_slot(field(3), parts.tree_count, 0);
                b.push_slot(field(4), parts.level, 0);
                b.end_table(table)
            }
        }
    };
    finish(b, root, kind.file_id())
}
