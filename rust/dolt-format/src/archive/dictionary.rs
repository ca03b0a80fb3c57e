//! `Dictionary`: what the chunks of an archive have in common, so that none has to repeat it.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use zstd::bulk::Compressor;
use zstd::dict::EncoderDictionary;
use zstd::zstd_safe::CParameter;

use crate::{Chunk, FormatError};

/// A trained dictionary has at most so many bytes.
const TRAINED_LEN: usize = 16 << 10;
/// Chunks that a dictionary is trained on; more take longer and gain nothing.
const SAMPLES: usize = 48;
/// The level for many chunks. They are read as fast as snappy records, and a quarter shorter; level
/// 2 makes them another sixth shorter, and takes twice as long to read.
const FAST: i32 = -1;
/// A dictionary of versions has at most so many bytes.
const VERSIONS_LEN: usize = 128 << 10;
/// The level for few chunks: matches are looked for with more care.
const THOROUGH: i32 = 9;
/// One gram of so many stands for those around it.
const GRAMS_SAMPLED: u64 = 8;
/// A chunk joins a dictionary of versions if this part of it or more is new there and shared.
const NEW_PART: usize = 2;

/// A zstd dictionary, ready to compress with.
pub(crate) struct Dictionary {
    /// The dictionary itself, compressed: what is stored.
    pub(crate) frame: Vec<u8>,
    encoder: EncoderDictionary<'static>,
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({} bytes)", self.frame.len())
    }
}

impl Dictionary {
    fn new(content: &[u8], level: i32) -> Result<Self, FormatError> {
        let frame = || {
            let mut compressor = Compressor::new(level)?;
            // Nothing else tells whether a dictionary is what was stored.
            compressor.include_checksum(true)?;
            compressor.compress(content)
        };
        Ok(Self {
            frame: frame().map_err(|error| failed(&error))?,
            encoder: EncoderDictionary::copy(content, level),
        })
    }

    /// A dictionary of what chunks like `some` have in common, for `len` bytes of them; `None`
    /// where that would gain nothing.
    pub(crate) fn trained(some: &[Chunk], len: usize) -> Result<Option<Self>, FormatError> {
        let step = some.len().div_ceil(SAMPLES).max(1);
        let samples: Vec<&[u8]> = some
            .iter()
            .step_by(step)
            .map(|c| &c.contents()[..])
            .collect();
        let size = TRAINED_LEN.min(len / 16);
        // It fails where the samples are too few or have nothing in common.
        let Ok(content) = zstd::dict::from_samples(&samples, size) else {
            return Ok(None);
        };
        let made = Self::new(&content, FAST)?;
        let mut snappy = snap::raw::Encoder::new();
        let mut compressor = made.compressor()?;
        let (mut plain, mut packed, mut tried) = (0, 0, 0);
        for sample in samples.iter().step_by(4) {
            tried += sample.len();
            plain += snappy
                .compress_vec(sample)
                .map_or(sample.len(), |out| out.len());
            packed += compressor
                .compress(sample)
                .map_err(|error| failed(&error))?
                .len();
        }
        drop(compressor);
        let gain = plain.saturating_sub(packed) as f64 / tried.max(1) as f64 * len as f64;
        Ok((gain > made.frame.len() as f64).then_some(made))
    }

    /// A dictionary of the chunks that others of `chunks` repeat large parts of; `None` where
    /// there are none.
    pub(crate) fn of_versions(chunks: &[&[u8]]) -> Result<Option<Self>, FormatError> {
        let content = shared_content(chunks);
        if content.is_empty() {
            return Ok(None);
        }
        Self::new(&content, THOROUGH).map(Some)
    }

    /// What compresses with it.
    pub(crate) fn compressor(&self) -> Result<Compressor<'_>, FormatError> {
        let made = || {
            let mut compressor = Compressor::with_prepared_dictionary(&self.encoder)?;
            // The archive says which dictionary it is.
            compressor.set_parameter(CParameter::DictIdFlag(false))?;
            Ok(compressor)
        };
        made().map_err(|error: std::io::Error| failed(&error))
    }
}

pub(crate) fn failed(error: &std::io::Error) -> FormatError {
    FormatError::Unsupported(format!("compressing a chunk: {error}"))
}

/// The contents of the chunks that cover most of what several have in common.
fn shared_content(chunks: &[&[u8]]) -> Vec<u8> {
    // In how many chunks a gram is, and which had it last.
    let mut spread: HashMap<u64, (u32, usize), Grams> = HashMap::default();
    for (at, chunk) in chunks.iter().enumerate() {
        for gram in grams(chunk) {
            let (count, last) = spread.entry(gram).or_insert((0, usize::MAX));
            if *last != at {
                *count += 1;
                *last = at;
            }
        }
    }
    spread.retain(|_, (count, _)| *count > 1);
    let mut covered: HashSet<u64, Grams> = HashSet::default();
    let new_in = |chunk: &[u8], covered: &HashSet<u64, Grams>| {
        let new = grams(chunk).filter(|gram| spread.contains_key(gram) && !covered.contains(gram));
        new.count()
    };
    // What a chunk would add only becomes less: the first that still adds what it promised is
    // the one that adds most.
    let mut promised: BinaryHeap<(usize, std::cmp::Reverse<usize>)> = chunks
        .iter()
        .enumerate()
        .map(|(at, chunk)| (new_in(chunk, &covered), std::cmp::Reverse(at)))
        .collect();
    let mut chosen: Vec<&[u8]> = Vec::new();
    let mut len = 0;
    while let Some((promise, std::cmp::Reverse(at))) = promised.pop() {
        let chunk = chunks.get(at).copied().unwrap_or_default();
        let enough = |grams: usize| grams * GRAMS_SAMPLED as usize * NEW_PART >= chunk.len();
        if promise == 0 || !enough(promise) || len + chunk.len() > VERSIONS_LEN {
            continue;
        }
        let new = new_in(chunk, &covered);
        if new < promise {
            promised.push((new, std::cmp::Reverse(at)));
            continue;
        }
        covered.extend(grams(chunk));
        len += chunk.len();
        chosen.push(chunk);
    }
    chosen.concat()
}

/// Hashes of some of the runs of eight bytes: of the same ones wherever they stand.
fn grams(chunk: &[u8]) -> impl Iterator<Item = u64> {
    chunk
        .windows(8)
        .filter_map(|run| run.first_chunk())
        .map(|run| u64::from_le_bytes(*run).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .filter(|hash| hash >> 32 & (GRAMS_SAMPLED - 1) == 0)
}

/// Grams are hashes already.
type Grams = BuildHasherDefault<Same>;

#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The low bits of a product say little.
        self.0 = number.rotate_left(26);
    }
}
