//! The archive (`.darc`): spans of data, then an index, metadata and a footer. Big-endian.
//!
//! ```text
//!   span[1] … span[S]                each one chunk or one zstd dictionary, compressed
//!   S × end of span u64
//!   C × address prefix u64           sorted by address, as the next two
//!   C × { dictionary span u32, data span u32 }
//!   C × address suffix (12)
//!   metadata (M)                     JSON
//!   index length u64 (v3) or u32 | S u32 | C u32 | M u32 | 192 bytes | version (1) | "DOLTARC"
//! ```
//!
//! Dictionary 0 means that the span is a snappy record as in a table file.

pub(crate) mod dictionary;
pub(crate) mod writer;

use std::collections::HashMap;

use crate::table::index::{Entry, FileKind, TableIndex};
use crate::table::{PREFIX_LEN, SUFFIX_LEN};
use crate::{Address, FormatError};

const MAGIC: &[u8; 7] = b"DOLTARC";
const FOOTER_LEN: usize = 220;
const SPAN_END_LEN: usize = size_of::<u64>();
const REF_LEN: usize = 2 * size_of::<u32>();
const CHUNK_LEN: usize = PREFIX_LEN + REF_LEN + SUFFIX_LEN;
const _: () = assert!(CHUNK_LEN == 28);

struct Footer {
    index_len: u64,
    spans: u32,
    chunks: u32,
    metadata_len: u32,
    footer_len: u64,
}

impl Footer {
    fn tail_len(&self) -> u64 {
        self.index_len
            .saturating_add(u64::from(self.metadata_len))
            .saturating_add(self.footer_len)
    }

    /// The footer at the end of `tail`.
    fn parse(name: &str, tail: &[u8]) -> Result<Self, FormatError> {
        let bad = |why: String| FormatError::corrupt(format!("archive {name}"), why);
        let (head, magic) = tail
            .split_last_chunk::<7>()
            .ok_or_else(|| bad(format!("{} bytes are no footer", tail.len())))?;
        if magic != MAGIC {
            return Err(bad("its footer does not end in DOLTARC".to_owned()));
        }
        let version = head.last().copied().unwrap_or_default();
        let footer_len = match version {
            1 | 2 => FOOTER_LEN - 4,
            3 => FOOTER_LEN,
            _ => {
                return Err(FormatError::Unsupported(format!(
                    "archive {name} has format version {version}, pyfs knows 1 to 3: a newer dolt \
                     wrote it"
                )));
            }
        };
        let start = tail.len().checked_sub(footer_len).ok_or_else(|| {
            bad(format!(
                "{} bytes, its footer takes {footer_len}",
                tail.len()
            ))
        })?;
        let footer = tail.get(start..).unwrap_or_default();
        let (index_len, rest) = if version == 3 {
            let (raw, rest) = footer
                .split_first_chunk()
                .expect("a footer has more than 8 bytes");
            (u64::from_be_bytes(*raw), rest)
        } else {
            let (raw, rest) = footer
                .split_first_chunk()
                .expect("a footer has more than 4 bytes");
            (u64::from(u32::from_be_bytes(*raw)), rest)
        };
        let number = |at: usize| {
            rest.get(at..)
                .and_then(|raw| raw.first_chunk())
                .map_or(0, |raw| u32::from_be_bytes(*raw))
        };
        let footer = Self {
            index_len,
            spans: number(0),
            chunks: number(4),
            metadata_len: number(8),
            footer_len: footer_len as u64,
        };
        let expected = u64::from(footer.spans) * SPAN_END_LEN as u64
            + u64::from(footer.chunks) * CHUNK_LEN as u64;
        if footer.index_len != expected {
            return Err(bad(format!(
                "an index of {} bytes, its {} spans and {} chunks take {expected}",
                footer.index_len, footer.spans, footer.chunks
            )));
        }
        Ok(footer)
    }
}

impl TableIndex {
    /// Bytes from an archive's end that usually hold its index, metadata and footer.
    #[must_use]
    pub fn archive_tail_guess(chunk_count: u32) -> u64 {
        // A span a chunk and a few dictionaries; conjoined archives have long metadata.
        36 * u64::from(chunk_count) + 4096 + 8 * 64
    }

    /// Bytes of index, metadata and footer, as the footer at the end of `tail` has them.
    pub fn archive_tail_len(name: &str, tail: &[u8], file_len: u64) -> Result<u64, FormatError> {
        let len = Footer::parse(name, tail)?.tail_len();
        if len > file_len {
            return Err(FormatError::corrupt(
                format!("archive {name}"),
                format!("{file_len} bytes, its index alone takes {len}"),
            ));
        }
        Ok(len)
    }

    /// The index of the archive `name`. `tail` is at least its index, metadata and footer.
    pub fn archive(name: &str, tail: &[u8], file_len: u64) -> Result<Self, FormatError> {
        let bad = |why: String| FormatError::corrupt(format!("archive {name}"), why);
        let footer = Footer::parse(name, tail)?;
        let tail_len = Self::archive_tail_len(name, tail, file_len)?;
        let data_len = file_len - tail_len;
        let start = usize::try_from(tail_len)
            .ok()
            .and_then(|len| tail.len().checked_sub(len))
            .ok_or_else(|| bad(format!("{} bytes of its last {tail_len}", tail.len())))?;
        let index = tail.get(start..).unwrap_or_default();
        let (spans, chunks) = (footer.spans as usize, footer.chunks as usize);
        let (ends, rest) = index.split_at(spans * SPAN_END_LEN);
        let (prefixes, rest) = rest.split_at(chunks * PREFIX_LEN);
        let (refs, rest) = rest.split_at(chunks * REF_LEN);
        let suffixes = rest.get(..chunks * SUFFIX_LEN).unwrap_or_default();

        let mut bounds = Vec::with_capacity(spans + 1);
        bounds.push(0u64);
        bounds.extend(
            ends.chunks_exact(SPAN_END_LEN)
                .map(|raw| raw.first_chunk().map_or(0, |raw| u64::from_be_bytes(*raw))),
        );
        if !bounds.is_sorted() || bounds.last() != Some(&data_len) {
            return Err(bad(format!(
                "its spans do not rise to the {data_len} bytes of its data"
            )));
        }
        let span = |id: u32| -> Result<(u64, u32), FormatError> {
            let range = (id as usize)
                .checked_sub(1)
                .and_then(|at| bounds.get(at..at + 2));
            let Some([from, to]) = range else {
                return Err(bad(format!("its index names span {id} of {spans}")));
            };
            let len = u32::try_from(to - from)
                .map_err(|_| bad(format!("span {id} has {} bytes", to - from)))?;
            Ok((*from, len))
        };

        let mut entries = Vec::with_capacity(chunks);
        let mut dictionaries = HashMap::new();
        let records = prefixes
            .chunks_exact(PREFIX_LEN)
            .zip(refs.chunks_exact(REF_LEN));
        for ((prefix, spans), suffix) in records.zip(suffixes.chunks_exact(SUFFIX_LEN)) {
            let (dictionary, data) = spans.split_at(REF_LEN / 2);
            let id = |raw: &[u8]| raw.first_chunk().map_or(0, |raw| u32::from_be_bytes(*raw));
            let (dictionary, data) = (id(dictionary), id(data));
            let (offset, len) = span(data)?;
            if dictionary != 0 {
                dictionaries.insert(dictionary, span(dictionary)?);
            }
            let address = Address::try_from([prefix, suffix].concat().as_slice())?;
            entries.push(Entry {
                address,
                offset,
                len,
                dictionary,
            });
        }
        if !entries.is_sorted_by_key(|entry| entry.address) {
            return Err(bad("its index is not sorted".to_owned()));
        }
        Ok(Self::new(name, FileKind::Archive, entries, dictionaries))
    }
}
