//! `Run`: rows of one tree that are taken away, sorted, and kept elsewhere until the text ends.

use xxhash_rust::xxh3::xxh3_64;

use super::arena::Arena;
use super::lines::Lines;
use crate::FormatError;

/// Bytes that are read back together.
const BLOCK_BYTES: usize = 64 << 10;

/// Some rows of one of a table's trees, as they came.
#[derive(Debug)]
pub struct Run {
    tree: usize,
    number: usize,
    rows: Arena,
    has_lines: bool,
}

/// The same rows, in order.
#[derive(Debug)]
pub struct SortedRun {
    /// What has to be kept.
    pub data: Vec<u8>,
    /// Where the rows stand in the text; nothing for entries of an index.
    pub lines: Lines,
    tree: usize,
    number: usize,
    blocks: Vec<Block>,
}

/// Some rows of a run, where it was kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(super) offset: u64,
    pub(super) len: usize,
    checksum: u64,
}

/// Runs that were taken away, each with its blocks once it came back sorted.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Option<Vec<Block>>>);

impl Run {
    pub(super) fn new(tree: usize, number: usize, rows: Arena, has_lines: bool) -> Self {
        Self {
            tree,
            number,
            rows,
            has_lines,
        }
    }

    /// Puts the rows in order.
    #[must_use]
    pub fn sort(mut self) -> SortedRun {
        self.rows.sort();
        let lines = if self.has_lines {
            Lines::of(&self.rows)
        } else {
            Lines::default()
        };
        let (data, ends) = self.rows.blocks(BLOCK_BYTES);
        let mut start = 0;
        let blocks = ends.into_iter().map(|end| {
            let block = Block::of(start as u64, &data[start..end]);
            start = end;
            block
        });
        let blocks = blocks.collect();
        SortedRun {
            data,
            lines,
            tree: self.tree,
            number: self.number,
            blocks,
        }
    }
}

impl Block {
    fn of(offset: u64, data: &[u8]) -> Self {
        Self {
            offset,
            len: data.len(),
            checksum: xxh3_64(data),
        }
    }

    /// Fails where `data` is not what was kept.
    pub(super) fn check(&self, data: &[u8]) -> Result<(), FormatError> {
        if data.len() == self.len && xxh3_64(data) == self.checksum {
            return Ok(());
        }
        let why = "what is read back is not what was written";
        Err(FormatError::corrupt("sorted rows on local disk", why))
    }
}

impl Runs {
    /// The number of a new run.
    pub(super) fn begin(&mut self) -> usize {
        self.0.push(None);
        self.0.len() - 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The blocks of each run. Fails where one was not given back.
    pub(super) fn finish(self) -> Result<Vec<Vec<Block>>, FormatError> {
        let lost = || FormatError::corrupt("table build", "a run of rows was not given back");
        self.0.into_iter().map(|run| run.ok_or_else(lost)).collect()
    }

    pub(super) fn byte_len(&self) -> usize {
        let blocks = self.0.iter().flatten().map(Vec::len).sum::<usize>();
        blocks * size_of::<Block>()
    }
}

impl SortedRun {
    /// Notes in `runs`, which are those of each tree, that it is kept from `offset` on.
    pub(super) fn place(mut self, offset: u64, runs: &mut [Runs]) {
        for block in &mut self.blocks {
            block.offset += offset;
        }
        let slot = runs
            .get_mut(self.tree)
            .and_then(|runs| runs.0.get_mut(self.number));
        if let Some(slot) = slot {
            *slot = Some(self.blocks);
        }
    }
}
