//! Blob trees: the bytes of one value, in leaves of 4000 bytes, 200 children a node.

use crate::message::node::{Kind, Parts, encode};
use crate::{Address, Chunk, FormatError};

const BLOB_LEAF_LEN: usize = 4000;
const BLOB_FAN_OUT: usize = 200;

/// The blob tree of `value`, which is not empty: its root's address and all its chunks.
pub fn build(value: &[u8]) -> Result<(Address, Vec<Chunk>), FormatError> {
    let mut chunks = Vec::new();
    let mut row: Vec<(Address, u64)> = Vec::new();
    let write = |parts: &Parts<'_>, chunks: &mut Vec<Chunk>| -> Result<Address, FormatError> {
        let chunk = Chunk::new(encode(Kind::Blob, parts)?);
        let address = chunk.address();
        chunks.push(chunk);
        Ok(address)
    };
    for payload in value.chunks(BLOB_LEAF_LEN) {
        let parts = Parts {
            values: payload,
            tree_count: 1,
            ..Parts::default()
        };
        row.push((write(&parts, &mut chunks)?, 1));
    }
    // The height comes from this division, so that at exact multiples the root has one child.
    let mut rest = if value.len() <= BLOB_LEAF_LEN {
        0
    } else {
        value.len() / BLOB_LEAF_LEN
    };
    let mut level = 0;
    while rest > 0 {
        rest /= BLOB_FAN_OUT;
        level += 1;
        let below = std::mem::take(&mut row);
        for group in below.chunks(BLOB_FAN_OUT) {
            let addresses: Vec<u8> = group
                .iter()
                .flat_map(|(address, _)| *address.as_bytes())
                .collect();
            let counts: Vec<u64> = group.iter().map(|(_, count)| *count).collect();
            let tree_count = counts.iter().sum();
            let parts = Parts {
                level,
                addresses: &addresses,
                counts: &counts,
                tree_count,
                ..Parts::default()
            };
            row.push((write(&parts, &mut chunks)?, tree_count));
        }
    }
    let root = row.first().map_or(Address::EMPTY, |(address, _)| *address);
    Ok((root, chunks))
}
