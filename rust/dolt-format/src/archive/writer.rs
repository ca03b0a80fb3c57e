//! `ArchiveWriter`: compressed records and dictionaries in, an archive out.

use super::MAGIC;
use crate::table::index::FileKind;
use crate::table::writer::StorageFile;
use crate::{Address, FormatError};

const VERSION: u8 = 3;
/// Readers want an object of strings.
const METADATA: &[u8] = b"{}";

/// An archive that grows. What was added is not moved again.
#[derive(Debug, Default)]
pub(crate) struct ArchiveWriter {
    pieces: Vec<Vec<u8>>,
    /// Where each span ends.
    ends: Vec<u64>,
    /// Address, dictionary, span.
    entries: Vec<(Address, u32, u32)>,
}

impl ArchiveWriter {
    /// Adds a compressed dictionary; returns its span.
    pub(crate) fn add_dictionary(&mut self, frame: &[u8]) -> Result<u32, FormatError> {
        self.end(frame.len())?;
        self.pieces.push(frame.to_vec());
        Ok(self.ends.len() as u32)
    }

    /// Adds records that lie one after the other in `data`, each an address and a length.
    /// `dictionary` is the span of that which they were compressed with; 0 for snappy records.
    pub(crate) fn add(
        &mut self,
        data: Vec<u8>,
        records: &[(Address, u32)],
        dictionary: u32,
    ) -> Result<(), FormatError> {
        for (address, len) in records {
            self.end(*len as usize)?;
            self.entries
                .push((*address, dictionary, self.ends.len() as u32));
        }
        self.pieces.push(data);
        Ok(())
    }

    fn end(&mut self, len: usize) -> Result<(), FormatError> {
        if self.ends.len() >= u32::MAX as usize {
            let why = "an archive of more than 4,294,967,295 chunks".to_owned();
            return Err(FormatError::Unsupported(why));
        }
        let before = self.ends.last().copied().unwrap_or_default();
        self.ends.push(before + len as u64);
        Ok(())
    }

    /// Takes away the bytes that are there; those of the finished archive follow.
    pub(crate) fn drain(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.pieces)
    }

    /// The archive, less what was drained; `None` when nothing was added.
    pub(crate) fn finish(mut self) -> Option<StorageFile> {
        if self.entries.is_empty() {
            return None;
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable();
        let mut tail = Vec::new();
        for end in &self.ends {
            tail.extend_from_slice(&end.to_be_bytes());
        }
        for (address, ..) in &entries {
            tail.extend_from_slice(&address.prefix().to_be_bytes());
        }
        for (_, dictionary, data) in &entries {
            tail.extend_from_slice(&dictionary.to_be_bytes());
            tail.extend_from_slice(&data.to_be_bytes());
        }
        for (address, ..) in &entries {
            tail.extend_from_slice(address.suffix());
        }
        let index_len = tail.len() as u64;
        let (spans, chunk_count) = (self.ends.len() as u32, entries.len() as u32);
        tail.extend_from_slice(METADATA);
        tail.extend_from_slice(&index_len.to_be_bytes());
        for number in [spans, chunk_count, METADATA.len() as u32] {
            tail.extend_from_slice(&number.to_be_bytes());
        }
        // Three hashes that nobody writes or reads.
        tail.extend_from_slice(&[0; 192]);
        tail.push(VERSION);
        tail.extend_from_slice(MAGIC);
        let tail_len = tail.len() as u64;
        // As dolt names those that it joined: to hash all would take as long as to compress it.
        let name = Address::of(&tail).to_string();
        self.pieces.push(tail);
        Some(StorageFile {
            name,
            kind: FileKind::Archive,
            chunk_count,
            tail_len,
            pieces: self.pieces,
        })
    }
}
