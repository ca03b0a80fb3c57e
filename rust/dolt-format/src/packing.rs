//! `Packing`: chunks in, a storage file out, of whichever kind has fewer bytes.
//!
//! ```text
//!   leaves, a kind after the other as they came, each tree's in the order of its keys
//!   inner nodes, the lowest level first
//!   whatever stands above trees: tables, root values, commits
//!   the index
//! ```
//!
//! So what leads to a leaf stands beside the index, which is read first, and a part of a table is
//! one range. Leaves of a kind are compressed with a dictionary that is trained on the first of
//! them. Few chunks go into a table file, unless many are versions of each other.

mod place;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use self::place::{Kind, Place, place_of};
use crate::archive::dictionary::{Dictionary, failed};
use crate::archive::writer::ArchiveWriter;
use crate::table::writer::{StorageFile, TableWriter};
use crate::table::{RECORD_LEN_MAX, encode_record};
use crate::{Address, Chunk, FormatError};

/// Leaves of a kind that are waited for before a dictionary is trained on them.
const TRAINING_BYTES: usize = 2 << 20;
/// Fewer leaves than these are not worth a dictionary of their own.
const DICTIONARY_PAYS_BYTES: usize = 128 << 10;
/// Chunks that are compressed in one go.
const JOB_BYTES: usize = 512 << 10;
/// An archive has to save this part of a table file: dolt opens one with six requests.
const SAVED_PART: usize = 8;

/// Puts chunks together to a storage file.
///
/// Compressing them is left to whoever calls: [`Packing::add`] returns jobs that run anywhere, in
/// any order, and [`Packing::give`] takes what they come to. The file depends on neither.
#[derive(Debug, Default)]
pub struct Packing {
    seen: HashSet<Address>,
    leaves: Vec<(Kind, Group)>,
    /// By rank, then as they came.
    upper: BTreeMap<u8, Vec<Chunk>>,
    holds_back: bool,
    /// All chunks in their order, where there are few of them.
    few: Vec<Chunk>,
    jobs: usize,
    packed: BTreeMap<usize, Packed>,
    written: usize,
    writer: ArchiveWriter,
    /// The spans of dictionaries that were written.
    spans: Vec<(Arc<Training>, u32)>,
}

/// Leaves of one kind that no job has yet.
#[derive(Debug, Default)]
struct Group {
    held: Vec<Chunk>,
    bytes: usize,
    training: Option<Arc<Training>>,
}

/// A dictionary to be, made by the first job that needs it.
#[derive(Debug)]
struct Training {
    samples: Vec<Chunk>,
    /// Bytes that there are at least to compress.
    len: usize,
    made: OnceLock<Result<Option<Dictionary>, FormatError>>,
}

impl Training {
    fn dictionary(&self) -> Result<Option<&Dictionary>, FormatError> {
        let made = self
            .made
            .get_or_init(|| Dictionary::trained(&self.samples, self.len));
        made.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }
}

/// Chunks to compress.
#[derive(Debug)]
pub struct Job {
    number: usize,
    training: Option<Arc<Training>>,
    chunks: Vec<Chunk>,
}

/// What a job came to.
#[derive(Debug)]
pub struct Packed {
    number: usize,
    training: Option<Arc<Training>>,
    data: Vec<u8>,
    records: Vec<(Address, u32)>,
}

impl Job {
    /// Bytes to compress.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.contents().len()).sum()
    }

    /// Compresses the chunks.
    pub fn run(self) -> Result<Packed, FormatError> {
        let Self {
            number,
            mut training,
            chunks,
        } = self;
        let dictionary = training.as_deref().map(Training::dictionary).transpose()?;
        let (data, records) = compress(&chunks, dictionary.flatten())?;
        if dictionary.flatten().is_none() {
            training = None;
        }
        Ok(Packed {
            number,
            training,
            data,
            records,
        })
    }
}

impl Packing {
    /// Takes chunks. An address that was taken before is left out.
    pub fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) -> Vec<Job> {
        let mut jobs = Vec::new();
        for chunk in chunks {
            if !self.seen.insert(chunk.address()) {
                continue;
            }
            match place_of(chunk.contents()) {
                Place::Leaf(kind) => {
                    let at = self.leaves.iter().position(|(known, _)| *known == kind);
                    let at = at.unwrap_or_else(|| {
                        self.leaves.push((kind, Group::default()));
                        self.leaves.len() - 1
                    });
                    let Some((_, group)) = self.leaves.get_mut(at) else {
                        continue;
                    };
                    group.bytes += chunk.contents().len();
                    group.held.push(chunk);
                    let enough = match group.training {
                        Some(_) => JOB_BYTES,
                        None => TRAINING_BYTES,
                    };
                    if group.bytes >= enough && !self.holds_back {
                        group.release(&mut self.jobs, &mut jobs);
                    }
                }
                Place::Upper(rank) => self.upper.entry(rank).or_default().push(chunk),
            }
        }
        jobs
    }

    /// Holds all chunks until the end: many of them are versions of each other.
    #[must_use]
    pub fn of_versions() -> Self {
        Self {
            holds_back: true,
            ..Self::default()
        }
    }

    /// No more chunks come.
    pub fn end(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut upper = Group {
            held: std::mem::take(&mut self.upper)
                .into_values()
                .flatten()
                .collect(),
            ..Group::default()
        };
        if self.jobs == 0 {
            let leaves = self.leaves.iter().flat_map(|(_, group)| &group.held);
            self.few = leaves.chain(&upper.held).cloned().collect();
            let pays = |group: &Group| group.bytes >= DICTIONARY_PAYS_BYTES;
            if self.holds_back || !self.leaves.iter().any(|(_, group)| pays(group)) {
                return jobs;
            }
        }
        for (_, mut group) in std::mem::take(&mut self.leaves) {
            group.release(&mut self.jobs, &mut jobs);
        }
        upper.release(&mut self.jobs, &mut jobs);
        jobs
    }

    /// Takes what a job came to.
    pub fn give(&mut self, packed: Packed) -> Result<(), FormatError> {
        self.packed.insert(packed.number, packed);
        while let Some(packed) = self.packed.remove(&self.written) {
            self.written += 1;
            let span = match &packed.training {
                Some(training) => self.span_of(training)?,
                None => 0,
            };
            self.writer.add(packed.data, &packed.records, span)?;
        }
        Ok(())
    }

    /// Takes away the bytes of the file that are there, in pieces.
    pub fn drain(&mut self) -> Vec<Vec<u8>> {
        self.writer.drain()
    }

    /// The file, less what was drained, or `None` when no chunk was added. Every job's result has to be given before.
    ///
    /// A name covers the addresses in their order, and not all bytes: where another file has that
    /// name, `turn` says at which chunk to begin.
    pub fn finish(mut self, turn: usize) -> Result<Option<StorageFile>, FormatError> {
        if self.written < self.jobs {
            let why = format!("{} of its {} jobs were done", self.written, self.jobs);
            return Err(FormatError::corrupt("storage file", why));
        }
        let mut chunks = std::mem::take(&mut self.few);
        if !chunks.is_empty() {
            let turn = turn % chunks.len();
            chunks.rotate_left(turn);
        }
        let archive = if self.jobs > 0 {
            self.writer.finish()
        } else if self.holds_back {
            archive_of_versions(&chunks)?
        } else {
            None
        };
        if chunks.is_empty() {
            return Ok(archive);
        }
        if chunks
            .iter()
            .any(|chunk| chunk.contents().len() > RECORD_LEN_MAX)
        {
            return Ok(archive.or(plain_archive(&chunks)?));
        }
        let table = table_file(&chunks)?;
        let worth_it = table
            .as_ref()
            .map_or(0, |table| table.len() - table.len() / SAVED_PART);
        Ok(archive.filter(|archive| archive.len() < worth_it).or(table))
    }

    fn span_of(&mut self, training: &Arc<Training>) -> Result<u32, FormatError> {
        let known = self
            .spans
            .iter()
            .find(|(one, _)| Arc::ptr_eq(one, training));
        if let Some((_, span)) = known {
            return Ok(*span);
        }
        let Some(dictionary) = training.dictionary()? else {
            return Ok(0);
        };
        let span = self.writer.add_dictionary(&dictionary.frame)?;
        self.spans.push((Arc::clone(training), span));
        Ok(span)
    }
}

impl Group {
    /// Makes jobs of what is held.
    fn release(&mut self, numbers: &mut usize, jobs: &mut Vec<Job>) {
        if self.training.is_none() && self.bytes >= DICTIONARY_PAYS_BYTES {
            self.training = Some(Arc::new(Training {
                samples: self.held.clone(),
                len: self.bytes,
                made: OnceLock::new(),
            }));
        }
        self.bytes = 0;
        let (mut part, mut bytes) = (Vec::new(), 0);
        let mut held = std::mem::take(&mut self.held).into_iter().peekable();
        while let Some(chunk) = held.next() {
            bytes += chunk.contents().len();
            part.push(chunk);
            if bytes >= JOB_BYTES || held.peek().is_none() {
                jobs.push(Job {
                    number: *numbers,
                    training: self.training.clone(),
                    chunks: std::mem::take(&mut part),
                });
                *numbers += 1;
                bytes = 0;
            }
        }
    }
}

/// The records of `chunks` one after the other, and the length of each.
type Records = (Vec<u8>, Vec<(Address, u32)>);

fn compress(chunks: &[Chunk], dictionary: Option<&Dictionary>) -> Result<Records, FormatError> {
    let (mut data, mut records) = (Vec::new(), Vec::with_capacity(chunks.len()));
    let mut snappy = snap::raw::Encoder::new();
    let mut compressor = dictionary.map(Dictionary::compressor).transpose()?;
    for chunk in chunks {
        let start = data.len();
        match &mut compressor {
            Some(compressor) => {
                let frame = compressor.compress(chunk.contents());
                data.extend_from_slice(&frame.map_err(|error| failed(&error))?);
            }
            None => {
                encode_record(&mut snappy, chunk.contents(), &mut data)?;
            }
        }
        records.push((chunk.address(), (data.len() - start) as u32));
    }
    data.shrink_to_fit();
    Ok((data, records))
}

fn table_file(chunks: &[Chunk]) -> Result<Option<StorageFile>, FormatError> {
    let mut writer = TableWriter::new();
    chunks.iter().try_for_each(|chunk| writer.add(chunk))?;
    Ok(writer.finish())
}

/// An archive of what is too long for a table file.
fn plain_archive(chunks: &[Chunk]) -> Result<Option<StorageFile>, FormatError> {
    let mut writer = ArchiveWriter::default();
    let (data, records) = compress(chunks, None)?;
    writer.add(data, &records, 0)?;
    Ok(writer.finish())
}

/// An archive with a dictionary of what `chunks` repeat of each other; `None` where they do not.
fn archive_of_versions(chunks: &[Chunk]) -> Result<Option<StorageFile>, FormatError> {
    let contents: Vec<&[u8]> = chunks.iter().map(|chunk| &chunk.contents()[..]).collect();
    let Some(dictionary) = Dictionary::of_versions(&contents)? else {
        return Ok(None);
    };
    let mut writer = ArchiveWriter::default();
    let span = writer.add_dictionary(&dictionary.frame)?;
    let (data, records) = compress(chunks, Some(&dictionary))?;
    writer.add(data, &records, span)?;
    Ok(writer.finish())
}
