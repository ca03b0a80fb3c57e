//! `Merge`: sorted runs of rows, read back as one; and the leaves that are cut of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::arena::{Arena, RowView, head, row_at};
use super::duplicate::duplicate;
use super::index::{EMPTY_TUPLE, clash, unique_prefix};
use super::input::Input;
use super::run::Block;
use crate::FormatError;
use crate::tree::leaves::LeafBuilder;

/// What a merge has to read before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRead {
    /// The run that it is of.
    pub run: usize,
    /// Where it was kept.
    pub offset: u64,
    /// Its bytes.
    pub len: usize,
}

/// One run.
#[derive(Debug)]
struct Source {
    /// What is still to be read.
    blocks: VecDeque<Block>,
    /// The block that is being read, and where in it the next row starts and ends.
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// The first bytes of that row's sort key.
    head: u128,
}

impl Source {
    fn row(&self) -> RowView<'_> {
        row_at(&self.data, self.start).0
    }

    /// Goes to the row at `start`, if one is at hand.
    fn go(&mut self, start: usize) -> bool {
        self.start = start;
        if start >= self.data.len() {
            self.data = Vec::new();
            return false;
        }
        let (row, end) = row_at(&self.data, start);
        self.head = head(row.sort_key);
        self.end = end;
        true
    }
}

/// Rows of several runs, in the order of their sort keys; equal ones in that of the runs.
#[derive(Debug, Default)]
struct Merge {
    sources: Vec<Source>,
    /// The runs with a row at hand, that with the least row last.
    order: Vec<usize>,
    /// Runs whose next block is not at hand.
    starving: Vec<usize>,
    /// The run whose row was handed out last.
    taken: Option<usize>,
}

impl Merge {
    /// The runs that were kept, and one that was not.
    fn new(kept: Vec<Vec<Block>>, mut last: Arena) -> Self {
        let mut merge = Self::default();
        for blocks in kept {
            merge.starving.push(merge.sources.len());
            merge.add(blocks.into(), Vec::new());
        }
        last.sort();
        let at = merge.sources.len();
        merge.add(VecDeque::new(), last.blocks(usize::MAX).0);
        merge.advance(at, 0);
        merge
    }

    fn add(&mut self, blocks: VecDeque<Block>, data: Vec<u8>) {
        self.sources.push(Source {
            blocks,
            data,
            start: 0,
            end: 0,
            head: 0,
        });
    }

    /// The run goes on at `start` of its block.
    fn advance(&mut self, run: usize, start: usize) {
        let source = &mut self.sources[run];
        if source.go(start) {
            let is_behind = |other: &usize| self.is_behind(*other, run);
            let at = self.order.partition_point(is_behind);
            self.order.insert(at, run);
        } else if !source.blocks.is_empty() {
            self.starving.push(run);
        }
    }

    /// Whether the row of the run `one` comes behind that of `other`.
    fn is_behind(&self, one: usize, other: usize) -> bool {
        let (a, b) = (&self.sources[one], &self.sources[other]);
        let order = a.head.cmp(&b.head);
        let order = order.then_with(|| a.row().sort_key.cmp(b.row().sort_key));
        order.then(one.cmp(&other)).is_gt()
    }

    /// The next row; `None` at the end, and where something has to be read first.
    fn next(&mut self) -> Option<RowView<'_>> {
        self.pass();
        if !self.starving.is_empty() {
            return None;
        }
        let run = self.order.pop()?;
        self.taken = Some(run);
        Some(self.sources[run].row())
    }

    /// Goes behind the row that was handed out last.
    fn pass(&mut self) {
        if let Some(run) = self.taken.take() {
            self.advance(run, self.sources[run].end);
        }
    }

    /// Whether no row follows the one that was handed out last.
    fn is_over(&mut self) -> bool {
        self.pass();
        self.order.is_empty() && self.starving.is_empty()
    }
}

/// What rows of a merge become.
#[derive(Debug)]
pub(crate) enum MergedInto {
    /// Rows with a key.
    Keyed(Arc<Input>),
    /// Rows without: equal ones are one entry that counts them.
    Keyless,
    /// Entries of an index.
    Index {
        name: String,
        unique: bool,
        /// Whether its table has no key: equal entries are one.
        keyless: bool,
    },
}

/// Cuts merged rows into leaves.
#[derive(Debug)]
pub(crate) struct Merging {
    merge: Merge,
    into: MergedInto,
    /// The sort key and the line of the last row.
    last: Option<(Vec<u8>, u64)>,
    /// An entry of a keyless table that may not be counted to its end.
    counted: Option<Counted>,
    is_over: bool,
}

#[derive(Debug)]
struct Counted {
    key: Vec<u8>,
    value: Vec<u8>,
    addresses: Vec<u16>,
    times: u64,
}

impl Merging {
    pub(super) fn new(kept: Vec<Vec<Block>>, last: Arena, into: MergedInto) -> Self {
        Self {
            merge: Merge::new(kept, last),
            into,
            last: None,
            counted: None,
            is_over: false,
        }
    }

    /// Whether all rows are in leaves.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// What has to be read before rows go on.
    pub(super) fn needs(&self) -> Vec<BlockRead> {
        let starving = self.merge.starving.iter();
        let reads = starving.filter_map(|run| {
            let block = self.merge.sources.get(*run)?.blocks.front()?;
            Some(BlockRead {
                run: *run,
                offset: block.offset,
                len: block.len,
            })
        });
        reads.collect()
    }

    /// Takes what was read for the run.
    pub(super) fn feed(&mut self, run: usize, data: Vec<u8>) -> Result<(), FormatError> {
        let unasked = || FormatError::corrupt("table build", "rows came that were not asked for");
        let place = self.merge.starving.iter().position(|hungry| *hungry == run);
        let place = place.ok_or_else(unasked)?;
        let source = self.merge.sources.get_mut(run).ok_or_else(unasked)?;
        let block = source.blocks.pop_front().ok_or_else(unasked)?;
        block.check(&data)?;
        source.data = data;
        self.merge.starving.swap_remove(place);
        self.merge.advance(run, 0);
        Ok(())
    }

    /// Cuts leaves of `bytes` bytes or a little more, as far as rows are at hand.
    pub(super) fn cut(
        &mut self,
        bytes: usize,
        leaves: &mut LeafBuilder,
    ) -> Result<(), FormatError> {
        while leaves.done_bytes() < bytes {
            let Some(row) = self.merge.next() else { break };
            match &self.into {
                MergedInto::Keyed(input) => {
                    if let Some((sort_key, line)) = &self.last
                        && sort_key == row.sort_key
                    {
                        return Err(duplicate(input, row.key, row.line, *line));
                    }
                    leaves.push(row.key, row.value, &row.addresses(), None)?;
                    remember(&mut self.last, &row);
                }
                MergedInto::Index {
                    name,
                    unique,
                    keyless,
                } => {
                    if !unique && !keyless {
                        leaves.push(row.key, EMPTY_TUPLE, &[], None)?;
                        continue;
                    }
                    let last = self.last.as_ref();
                    if *unique
                        && let Some((sort_key, line)) = last
                        && unique_prefix(&row).is_some_and(|prefix| sort_key.starts_with(prefix))
                    {
                        return Err(clash(name, row.line, *line));
                    }
                    let again = last.is_some_and(|(sort_key, _)| sort_key == row.sort_key);
                    if !(*keyless && again) {
                        leaves.push(row.key, EMPTY_TUPLE, &[], None)?;
                    }
                    remember(&mut self.last, &row);
                }
                MergedInto::Keyless => {
                    let last = self.last.as_ref();
                    if let Some(counted) = &mut self.counted
                        && last.is_some_and(|(sort_key, _)| sort_key == row.sort_key)
                    {
                        counted.times += 1;
                        continue;
                    }
                    let next = Counted::new(&row);
                    remember(&mut self.last, &row);
                    if let Some(counted) = self.counted.replace(next) {
                        counted.push(leaves)?;
                    }
                }
            }
        }
        if self.merge.is_over() && !self.is_over {
            if let Some(counted) = self.counted.take() {
                counted.push(leaves)?;
            }
            leaves.finish()?;
            self.is_over = true;
        }
        Ok(())
    }
}

impl Counted {
    fn new(row: &RowView<'_>) -> Self {
        Self {
            key: row.key.to_vec(),
            value: row.value.to_vec(),
            addresses: row.addresses(),
            times: 1,
        }
    }

    fn push(mut self, leaves: &mut LeafBuilder) -> Result<(), FormatError> {
        if let Some(count) = self.value.first_chunk_mut::<8>() {
            *count = self.times.to_le_bytes();
        }
        leaves.push(&self.key, &self.value, &self.addresses, None)
    }
}

fn remember(last: &mut Option<(Vec<u8>, u64)>, row: &RowView<'_>) {
    let (sort_key, line) = last.get_or_insert_default();
    sort_key.clear();
    sort_key.extend_from_slice(row.sort_key);
    *line = row.line;
}
