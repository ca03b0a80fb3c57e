//! The table file: chunk records, then an index, then a footer. All integers are big-endian.
//!
//! ```text
//!   record[0] … record[N-1]          snappy block | crc-32c of it (4)
//!   N × { address prefix u64, ordinal u32 }     sorted by prefix
//!   N × record length u32                       by ordinal
//!   N × address suffix (12)                     by ordinal
//!   N u32 | uncompressed bytes u64 | magic (8)  the footer
//! ```
//!
//! The file is named by the hash of its suffixes, so the name does not cover the records.

pub mod index;
pub mod plan;
pub mod writer;

use bytes::Bytes;

use crate::{Address, FormatError};

const CRC_LEN: usize = size_of::<u32>();
pub(crate) const PREFIX_LEN: usize = size_of::<u64>();
pub(crate) const SUFFIX_LEN: usize = Address::LEN - PREFIX_LEN;
const ORDINAL_LEN: usize = size_of::<u32>();
const LENGTH_LEN: usize = size_of::<u32>();
/// Index bytes a chunk.
pub(crate) const INDEX_ENTRY_LEN: usize = PREFIX_LEN + ORDINAL_LEN + LENGTH_LEN + SUFFIX_LEN;
pub(crate) const MAGIC: &[u8; 8] = b"\xff\xb5\xd8\xc2\x24\x63\xee\x50";
pub(crate) const FOOTER_LEN: usize = size_of::<u32>() + size_of::<u64>() + MAGIC.len();
const _: () = assert!(INDEX_ENTRY_LEN == 28 && FOOTER_LEN == 20);

/// Dolt scans table files through a buffer of this size, and breaks at a longer record.
pub(crate) const RECORD_LEN_MAX: usize = 4 << 20;
/// The longest chunk: a message has a 24-bit length and a prefix of four bytes.
pub(crate) const CHUNK_LEN_MAX: usize = (1 << 24) + 3;

/// The contents in the record of the chunk at `address`. They are not verified.
pub(crate) fn decode_record(address: Address, record: &[u8]) -> Result<Vec<u8>, FormatError> {
    let bad = |why: String| FormatError::corrupt(format!("chunk {address}"), why);
    let (compressed, crc) = record
        .split_last_chunk::<CRC_LEN>()
        .ok_or_else(|| bad(format!("a record of {} bytes", record.len())))?;
    let (stored, actual) = (u32::from_be_bytes(*crc), crc32c::crc32c(compressed));
    if stored != actual {
        return Err(bad(format!(
            "its record has checksum {actual:08x}, expected {stored:08x}"
        )));
    }
    let len = snap::raw::decompress_len(compressed).map_err(|error| bad(error.to_string()))?;
    if len > CHUNK_LEN_MAX {
        return Err(bad(format!(
            "it promises {len} bytes, the longest has {CHUNK_LEN_MAX}"
        )));
    }
    snap::raw::Decoder::new()
        .decompress_vec(compressed)
        .map_err(|error| bad(error.to_string()))
}

/// Appends the record of `contents` to `out`; returns its length.
pub(crate) fn encode_record(
    encoder: &mut snap::raw::Encoder,
    contents: &Bytes,
    out: &mut Vec<u8>,
) -> Result<usize, FormatError> {
    let start = out.len();
    out.resize(start + snap::raw::max_compress_len(contents.len()), 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let len = encoder
        .compress(contents, room)
        .map_err(|error| FormatError::Unsupported(format!("compressing a chunk: {error}")))?;
    out.truncate(start + len);
    let crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_be_bytes());
    Ok(out.len() - start)
}
