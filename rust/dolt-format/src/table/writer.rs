//! `TableWriter`: chunks in, the bytes and the name of a table file out.

use std::collections::HashSet;

use super::{FOOTER_LEN, INDEX_ENTRY_LEN, MAGIC, encode_record};
use crate::{Address, Chunk, FormatError};

/// Dolt scans table files through a buffer of this size, and breaks at a longer record.
const RECORD_LEN_MAX: usize = 4 << 20;

/// A table file, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Its base name.
    pub name: String,
    /// Chunks in it.
    pub chunk_count: u32,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// Collects chunks for one table file. An address that is there already is left out.
pub struct TableWriter {
    encoder: snap::raw::Encoder,
    data: Vec<u8>,
    /// Bytes that were taken away before those of `data`.
    drained: usize,
    uncompressed: u64,
    seen: HashSet<Address>,
    entries: Vec<(Address, u32)>,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "TableWriter({} chunks, {} bytes)",
            self.entries.len(),
            self.size()
        )
    }
}

impl Default for TableWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl TableWriter {
    /// A writer without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self {
            encoder: snap::raw::Encoder::new(),
            data: Vec::new(),
            drained: 0,
            uncompressed: 0,
            seen: HashSet::new(),
            entries: Vec::new(),
        }
    }

    /// Adds a chunk.
    pub fn add(&mut self, chunk: &Chunk) -> Result<(), FormatError> {
        if !self.seen.insert(chunk.address()) {
            return Ok(());
        }
        let len = encode_record(&mut self.encoder, chunk.contents(), &mut self.data)?;
        if len > RECORD_LEN_MAX {
            return Err(FormatError::Unsupported(format!(
                "chunk {} takes {len} bytes, dolt's fsck reads at most {RECORD_LEN_MAX}",
                chunk.address()
            )));
        }
        self.uncompressed += chunk.contents().len() as u64;
        self.entries.push((chunk.address(), len as u32));
        Ok(())
    }

    /// Bytes of the file if it were finished now.
    #[must_use]
    pub fn size(&self) -> usize {
        self.drained + self.data.len() + self.entries.len() * INDEX_ENTRY_LEN + FOOTER_LEN
    }

    /// Takes away the bytes of the file that are known by now; those of the finished file follow.
    pub fn drain(&mut self) -> Vec<u8> {
        self.drained += self.data.len();
        std::mem::take(&mut self.data)
    }

    /// The file, or `None` when no chunk was added. Its data lacks what was drained.
    #[must_use]
    pub fn finish(self) -> Option<TableFile> {
        let Self {
            mut data,
            uncompressed,
            entries,
            ..
        } = self;
        let chunk_count = u32::try_from(entries.len())
            .ok()
            .filter(|count| *count > 0)?;
        let mut prefixes: Vec<(u64, u32)> = entries
            .iter()
            .map(|(address, _)| address.prefix())
            .zip(0..)
            .collect();
        prefixes.sort_unstable();
        for (prefix, ordinal) in prefixes {
            data.extend_from_slice(&prefix.to_be_bytes());
            data.extend_from_slice(&ordinal.to_be_bytes());
        }
        for (_, len) in &entries {
            data.extend_from_slice(&len.to_be_bytes());
        }
        let suffixes = data.len();
        for (address, _) in &entries {
            data.extend_from_slice(address.suffix());
        }
        let name = Address::of(data.get(suffixes..).unwrap_or_default()).to_string();
        data.extend_from_slice(&chunk_count.to_be_bytes());
        data.extend_from_slice(&uncompressed.to_be_bytes());
        data.extend_from_slice(MAGIC);
        Some(TableFile {
            name,
            chunk_count,
            data,
        })
    }
}
