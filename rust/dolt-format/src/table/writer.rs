//! `TableWriter`: chunks in, the bytes and the name of a table file out.

use std::collections::HashSet;

use super::index::FileKind;
use super::{FOOTER_LEN, INDEX_ENTRY_LEN, MAGIC, RECORD_LEN_MAX, encode_record};
use crate::{Address, Chunk, FormatError};

/// A storage file, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFile {
    /// Its base name.
    pub name: String,
    /// Which kind it is.
    pub kind: FileKind,
    /// Chunks in it.
    pub chunk_count: u32,
    /// Bytes of its index and what follows.
    pub tail_len: u64,
    /// Its bytes, in pieces that follow each other.
    pub pieces: Vec<Vec<u8>>,
}

impl StorageFile {
    /// Its bytes in one piece.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Whether it has none. A file that was made has some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Collects chunks for one table file. An address that is there already is left out.
pub struct TableWriter {
    encoder: snap::raw::Encoder,
    data: Vec<u8>,
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
        self.data.len() + self.entries.len() * INDEX_ENTRY_LEN + FOOTER_LEN
    }

    /// The file, or `None` when no chunk was added.
    #[must_use]
    pub fn finish(self) -> Option<StorageFile> {
        let Self {
            mut data,
            uncompressed,
            entries,
            ..
        } = self;
        let chunk_count = u32::try_from(entries.len())
            .ok()
            .filter(|count| *count > 0)?;
        let records = data.len();
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
        Some(StorageFile {
            name,
            kind: FileKind::Table,
            chunk_count,
            tail_len: (data.len() - records) as u64,
            pieces: vec![data],
        })
    }
}
