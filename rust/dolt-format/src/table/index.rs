//! `TableIndex`: which record of a table file or an archive holds an address, and where.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use zstd::dict::DecoderDictionary;

use super::plan::{ReadPlan, join};
use super::{
    CHUNK_LEN_MAX, FOOTER_LEN, INDEX_ENTRY_LEN, LENGTH_LEN, MAGIC, PREFIX_LEN, SUFFIX_LEN,
    decode_record,
};
use crate::{Address, Chunk, FormatError};

/// What kind of file an index belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A table file.
    Table,
    /// An archive (`.darc`).
    Archive,
}

/// Where a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    /// The span of the zstd dictionary that decompresses it; 0 for a snappy record.
    pub(crate) dictionary: u32,
}

/// The longest dictionary; dolt makes them of 4 KiB.
const DICTIONARY_LEN_MAX: usize = 1 << 20;
/// Bytes of dictionaries that one archive may have loaded: those of 16,384 conjoined ones.
const DICTIONARY_BYTES_MAX: usize = 64 << 20;

/// Loaded dictionaries by span id, kept by whoever reads.
#[derive(Default, Clone)]
pub struct Dictionaries {
    by_span: HashMap<u32, Arc<DecoderDictionary<'static>>>,
    /// Bytes of all together.
    len: usize,
}

impl std::fmt::Debug for Dictionaries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionaries({:?})", self.by_span.keys())
    }
}

/// The index of one stored file.
#[derive(Debug, Clone)]
pub struct TableIndex {
    pub(crate) name: String,
    pub(crate) kind: FileKind,
    /// Sorted by address.
    entries: Vec<Entry>,
    /// Where the entries begin whose address begins with so many bits, for each such beginning.
    starts: Vec<u32>,
    /// Where each dictionary lies, by span id.
    pub(crate) dictionaries: HashMap<u32, (u64, u32)>,
}

impl TableIndex {
    /// Bytes of index and footer of a table file with `chunk_count` chunks.
    #[must_use]
    pub fn table_tail_len(chunk_count: u32) -> u64 {
        u64::from(chunk_count) * INDEX_ENTRY_LEN as u64 + FOOTER_LEN as u64
    }

    /// The name that dolt gives a table file that ends in `tail`: the hash of its suffixes.
    #[must_use]
    pub fn table_name(tail: &[u8]) -> String {
        let end = tail.len().saturating_sub(FOOTER_LEN);
        let start = end / INDEX_ENTRY_LEN * (INDEX_ENTRY_LEN - SUFFIX_LEN);
        Address::of(tail.get(start..end).unwrap_or_default()).to_string()
    }

    /// The index of the table file `name`. `tail` is exactly its index and footer.
    pub fn table(name: &str, tail: &[u8], file_len: u64) -> Result<Self, FormatError> {
        let bad = |why: String| FormatError::corrupt(format!("table file {name}"), why);
        let (body, footer) = tail.split_last_chunk::<FOOTER_LEN>().ok_or_else(|| {
            bad(format!(
                "{} bytes, its footer alone takes {FOOTER_LEN}",
                tail.len()
            ))
        })?;
        let (count, rest) = footer.split_first_chunk::<4>().expect("FOOTER_LEN > 4");
        if !rest.ends_with(MAGIC) {
            return Err(bad(
                "its footer does not end in a table file's magic number".to_owned(),
            ));
        }
        let count = u32::from_be_bytes(*count);
        if Self::table_tail_len(count) != tail.len() as u64 {
            return Err(bad(format!(
                "its footer says {count} chunks, the manifest promises {}",
                body.len() / INDEX_ENTRY_LEN
            )));
        }
        let data_len = file_len.checked_sub(tail.len() as u64).ok_or_else(|| {
            bad(format!(
                "{file_len} bytes, its index alone takes {}",
                tail.len()
            ))
        })?;
        let count = count as usize;
        let (prefixes, rest) = body.split_at(count * (PREFIX_LEN + 4));
        let (lengths, suffixes) = rest.split_at(count * LENGTH_LEN);
        let mut offsets = Vec::with_capacity(count);
        let mut offset = 0u64;
        for raw in lengths.chunks_exact(LENGTH_LEN) {
            let len = raw.first_chunk().map_or(0, |raw| u32::from_be_bytes(*raw));
            offsets.push((offset, len));
            offset += u64::from(len);
        }
        if offset != data_len {
            return Err(bad(format!(
                "records of {offset} bytes, the file has room for {data_len}"
            )));
        }
        let mut entries = Vec::with_capacity(count);
        for raw in prefixes.chunks_exact(PREFIX_LEN + 4) {
            let (prefix, ordinal) = raw.split_at(PREFIX_LEN);
            let ordinal = ordinal
                .first_chunk()
                .map_or(0, |raw| u32::from_be_bytes(*raw)) as usize;
            let suffix = suffixes
                .get(ordinal * SUFFIX_LEN..)
                .and_then(|s| s.get(..SUFFIX_LEN));
            let (Some(suffix), Some((offset, len))) = (suffix, offsets.get(ordinal)) else {
                return Err(bad(format!("its index names record {ordinal} of {count}")));
            };
            let address = Address::try_from([prefix, suffix].concat().as_slice())?;
            entries.push(Entry {
                address,
                offset: *offset,
                len: *len,
                dictionary: 0,
            });
        }
        if !entries.is_sorted_by_key(|entry| entry.address.prefix()) {
            return Err(bad("its index is not sorted".to_owned()));
        }
        Ok(Self::new(name, FileKind::Table, entries, HashMap::new()))
    }

    /// The index of a file of at most `u32::MAX` chunks.
    pub(crate) fn new(
        name: &str,
        kind: FileKind,
        mut entries: Vec<Entry>,
        dictionaries: HashMap<u32, (u64, u32)>,
    ) -> Self {
        entries.sort_unstable_by_key(|entry| entry.address);
        let mut starts = vec![0; (1 << bits(entries.len())) + 1];
        for entry in &entries {
            let after = bucket(entry.address, bits(entries.len())) + 1;
            if let Some(count) = starts.get_mut(after) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            name: name.to_owned(),
            kind,
            entries,
            starts,
            dictionaries,
        }
    }

    /// The base name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of file it is.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        self.kind
    }

    /// Chunks in the file.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the file has no chunks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The addresses of all chunks, in order.
    #[must_use]
    pub fn addresses(&self) -> Vec<Address> {
        self.entries.iter().map(|entry| entry.address).collect()
    }

    /// Addresses are as good as random, so few of them begin alike.
    fn find(&self, address: Address) -> Option<usize> {
        let bucket = bucket(address, bits(self.entries.len()));
        let start = *self.starts.get(bucket)? as usize;
        let end = *self.starts.get(bucket + 1)? as usize;
        let alike = self.entries.get(start..end)?;
        let at = alike.binary_search_by_key(&address, |entry| entry.address);
        Some(start + at.ok()?)
    }

    /// Whether the file holds the chunk.
    #[must_use]
    pub fn contains(&self, address: Address) -> bool {
        self.find(address).is_some()
    }

    /// Bytes that the chunk's record takes; 0 where it is not here.
    #[must_use]
    pub fn stored_len(&self, address: Address) -> u64 {
        let entry = self.find(address).and_then(|at| self.entries.get(at));
        entry.map_or(0, |entry| u64::from(entry.len))
    }

    /// The reads for those of `addresses` that are here. Neighbours are joined over gaps of at
    /// most `gap_max` bytes, up to `len_max` bytes a read.
    #[must_use]
    pub fn plan(&self, addresses: &[Address], gap_max: u64, len_max: u64) -> Vec<ReadPlan> {
        let found = addresses.iter().filter_map(|address| self.find(*address));
        let items = found.filter_map(|at| {
            let entry = self.entries.get(at)?;
            Some((entry.offset, entry.len, u32::try_from(at).ok()?))
        });
        join(items.collect(), false, gap_max, len_max)
    }

    /// The reads of those of `addresses` whose records lie within one of `ranges` (start and end
    /// in the file), each with the number of its range, and the addresses that lie in none.
    #[must_use]
    pub fn plan_within(
        &self,
        addresses: &[Address],
        ranges: &[(u64, u64)],
    ) -> (Vec<(usize, ReadPlan)>, Vec<Address>) {
        let mut order: Vec<usize> = (0..ranges.len()).collect();
        order.sort_unstable_by_key(|at| ranges.get(*at));
        // Of the ranges up to each one: the start of the last, and the one that reaches furthest.
        let mut reach: Vec<(u64, u64, usize)> = Vec::with_capacity(order.len());
        for at in order {
            let (start, end) = ranges.get(at).copied().unwrap_or_default();
            reach.push(match reach.last() {
                Some(&(_, furthest, by)) if furthest >= end => (start, furthest, by),
                _ => (start, end, at),
            });
        }
        let mut within: BTreeMap<usize, Vec<(u64, u32, u32)>> = BTreeMap::new();
        let mut left = Vec::new();
        for address in addresses {
            let found = self.find(*address);
            let entry = found.and_then(|at| Some((self.entries.get(at)?, u32::try_from(at).ok()?)));
            let range = entry.and_then(|(entry, _)| {
                let before = reach.partition_point(|(start, ..)| *start <= entry.offset);
                let (_, end, at) = reach.get(before.checked_sub(1)?)?;
                (entry.offset + u64::from(entry.len) <= *end).then_some(*at)
            });
            match (entry, range) {
                (Some((entry, item)), Some(range)) => {
                    let items = within.entry(range).or_default();
                    items.push((entry.offset, entry.len, item));
                }
                _ => left.push(*address),
            }
        }
        let plans = within.into_iter().flat_map(|(range, items)| {
            let joined = join(items, false, u64::MAX, u64::MAX);
            joined.into_iter().map(move |plan| (range, plan))
        });
        (plans.collect(), left)
    }

    /// The reads of dictionaries that `addresses` need and `loaded` lacks.
    #[must_use]
    pub fn dictionary_plans(&self, addresses: &[Address], loaded: &Dictionaries) -> Vec<ReadPlan> {
        let found = addresses
            .iter()
            .filter_map(|address| self.entries.get(self.find(*address)?));
        let mut spans: Vec<u32> = found
            .map(|entry| entry.dictionary)
            .filter(|span| *span != 0 && !loaded.by_span.contains_key(span))
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let items = spans.iter().filter_map(|span| {
            self.dictionaries
                .get(span)
                .map(|(offset, len)| (*offset, *len, *span))
        });
        join(items.collect(), true, 4096, 1 << 20)
    }

    /// Adds the dictionaries that `plan` read as `data` to `loaded`.
    pub fn load_dictionaries(
        &self,
        plan: &ReadPlan,
        data: &[u8],
        loaded: &mut Dictionaries,
    ) -> Result<(), FormatError> {
        for span in &plan.items {
            let bad = |why: String| {
                FormatError::corrupt(format!("archive {}, dictionary {span}", self.name), why)
            };
            let (offset, len) = self
                .dictionaries
                .get(span)
                .filter(|_| plan.dictionary)
                .ok_or_else(|| bad("the plan is not of this archive".to_owned()))?;
            let raw = plan.slice(data, *offset, *len).ok_or_else(|| {
                bad(format!(
                    "{} bytes were read, not {}",
                    data.len(),
                    plan.length
                ))
            })?;
            let raw =
                decompress(&mut plain_decompressor()?, raw, DICTIONARY_LEN_MAX).map_err(bad)?;
            if loaded.len + raw.len() > DICTIONARY_BYTES_MAX {
                return Err(bad(format!(
                    "with it the dictionaries take more than {DICTIONARY_BYTES_MAX} bytes"
                )));
            }
            let made = DecoderDictionary::try_copy(&raw);
            let made = Arc::new(made.map_err(|error| bad(error.to_string()))?);
            if loaded.by_span.insert(*span, made).is_none() {
                loaded.len += raw.len();
            }
        }
        Ok(())
    }

    /// The chunks that `plan` describes, each verified.
    pub fn decode(
        &self,
        plan: &ReadPlan,
        data: &[u8],
        loaded: &Dictionaries,
    ) -> Result<Vec<Chunk>, FormatError> {
        let file = || match self.kind {
            FileKind::Table => format!("table file {}", self.name),
            FileKind::Archive => format!("archive {}", self.name),
        };
        if data.len() as u64 != plan.length {
            return Err(FormatError::corrupt(
                file(),
                format!("{} bytes came, {} were asked for", data.len(), plan.length),
            ));
        }
        let mut decompressors = HashMap::new();
        let mut addresses = Vec::with_capacity(plan.items.len());
        let mut chunks: Vec<Bytes> = Vec::with_capacity(plan.items.len());
        for item in &plan.items {
            let entry = self
                .entries
                .get(*item as usize)
                .filter(|_| !plan.dictionary);
            let entry = entry.ok_or_else(|| {
                FormatError::corrupt(file(), "the plan is not of this file".to_owned())
            })?;
            let record = plan.slice(data, entry.offset, entry.len).ok_or_else(|| {
                FormatError::corrupt(file(), format!("chunk {} lies outside", entry.address))
            })?;
            addresses.push(entry.address);
            if entry.dictionary == 0 {
                chunks.push(decode_record(entry.address, record)?.into());
                continue;
            }
            let bad = |why: String| FormatError::corrupt(format!("chunk {}", entry.address), why);
            let decompressor = match decompressors.entry(entry.dictionary) {
                std::collections::hash_map::Entry::Occupied(slot) => slot.into_mut(),
                std::collections::hash_map::Entry::Vacant(slot) => {
                    let dictionary = loaded.by_span.get(&entry.dictionary).ok_or_else(|| {
                        bad(format!("its dictionary {} is not loaded", entry.dictionary))
                    })?;
                    let made = zstd::bulk::Decompressor::with_prepared_dictionary(dictionary);
                    slot.insert(made.map_err(|error| bad(error.to_string()))?)
                }
            };
            let contents = decompress(decompressor, record, CHUNK_LEN_MAX).map_err(bad)?;
            chunks.push(contents.into());
        }
        Chunk::verify_each(&addresses, chunks)
    }
}

/// Bits by which so many entries are told apart, more or less.
fn bits(count: usize) -> u32 {
    count.checked_ilog2().unwrap_or(0)
}

/// The first so many bits.
fn bucket(address: Address, bits: u32) -> usize {
    let first = address.prefix().checked_shr(u64::BITS - bits);
    first
        .and_then(|first| usize::try_from(first).ok())
        .unwrap_or(0)
}

fn plain_decompressor() -> Result<zstd::bulk::Decompressor<'static>, FormatError> {
    zstd::bulk::Decompressor::new()
        .map_err(|error| FormatError::Unsupported(format!("zstd: {error}")))
}

/// A frame's contents. What a frame promises is checked before memory is set aside for it.
fn decompress(
    decompressor: &mut zstd::bulk::Decompressor<'_>,
    frame: &[u8],
    len_max: usize,
) -> Result<Vec<u8>, String> {
    let promised = zstd::zstd_safe::get_frame_content_size(frame)
        .map_err(|_| "no zstd frame".to_owned())?
        .unwrap_or(len_max as u64);
    if promised > len_max as u64 {
        return Err(format!(
            "it promises {promised} bytes, the longest has {len_max}"
        ));
    }
    let capacity = usize::try_from(promised).map_err(|error| error.to_string())?;
    let mut contents = decompressor
        .decompress(frame, capacity)
        .map_err(|error| format!("zstd: {error}"))?;
    // A frame that does not say its length got room for the longest.
    contents.shrink_to_fit();
    Ok(contents)
}
