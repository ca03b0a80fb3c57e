//! Which values of a row stand in chunks of their own.

use crate::tree::blob;
use crate::value::adaptive::{push_varint, varint_len};
use crate::value::encoding as e;
use crate::{Address, Chunk, FormatError};

/// Bytes of an out-of-band value's address, and one for good measure: what Dolt counts when it
/// weighs whether to move a value out (dolt: `go/store/val/tuple_builder.go`).
const OUT_OF_BAND_WEIGHT: usize = 21;

/// Which of a tuple's fields stand out of band (dolt: `go/store/val/tuple_builder.go`). `head` is
/// what fields before these weigh.
pub(crate) fn choose_out_of_band(
    head: usize,
    fields: &[(u8, Option<&[u8]>)],
    target: usize,
) -> Vec<bool> {
    let mut moved = vec![false; fields.len()];
    if !fields.iter().any(|(encoding, _)| e::is_adaptive(*encoding)) {
        return moved;
    }
    let mut total = head;
    let mut candidates: Vec<(isize, usize)> = Vec::new();
    for (position, (encoding, field)) in fields.iter().enumerate() {
        let Some(field) = field else { continue };
        let len = field.len();
        if !e::is_adaptive(*encoding) {
            // A year is counted as two bytes, though it takes one.
            total += if *encoding == e::YEAR { 2 } else { len };
            continue;
        }
        total += 1 + len;
        let forced = 1 + len > target;
        moved[position] = forced;
        let kept = if forced {
            varint_len(len as u64) + Address::LEN
        } else {
            OUT_OF_BAND_WEIGHT
        };
        candidates.push((1 + len as isize - kept as isize, position));
    }
    if total > target {
        candidates.retain(|(saving, _)| *saving > 0);
        candidates.sort_by_key(|(saving, _)| std::cmp::Reverse(*saving));
        for (saving, position) in candidates {
            moved[position] = true;
            total -= saving.unsigned_abs();
            if total <= target {
                break;
            }
        }
    }
    moved
}

/// Appends a field of a value tuple. `addresses` gets the position of a chunk address in it.
pub(crate) fn push_value_field(
    encoding: u8,
    field: &[u8],
    moved: bool,
    out: &mut Vec<u8>,
    addresses: &mut Vec<u16>,
    blobs: &mut Vec<Chunk>,
) -> Result<(), FormatError> {
    if !e::is_adaptive(encoding) {
        out.extend_from_slice(field);
        return Ok(());
    }
    if !moved {
        out.push(0);
        out.extend_from_slice(field);
        return Ok(());
    }
    push_varint(field.len() as u64, out);
    let (root, chunks) = blob::build(field)?;
    blobs.extend(chunks);
    addresses.push(out.len().min(usize::from(u16::MAX)) as u16);
    out.extend_from_slice(root.as_bytes());
    Ok(())
}
