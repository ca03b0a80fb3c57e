//! `TreeJob`: rows or entries that were collected, sorted and cut into leaves, some at a time.
//!
//! The trees of a table have nothing to do with each other, nor have the leaves of one: jobs can
//! run side by side, and so can the hashing of what they give.

use std::sync::Arc;

use super::Measured;
use super::arena::{Arena, ROWS_TOGETHER};
use super::index::{EMPTY_TUPLE, IndexBuild};
use super::input::Input;
use super::lines::Lines;
pub use super::merge::BlockRead;
use super::merge::Merging;
use crate::csv::measure::Measure;
use crate::csv::render::{Renderer, Values};
use crate::tree::leaves::{HashedLeaf, Leaf, LeafBuilder};
use crate::tree::{Kind, Node};
use crate::{Chunk, FormatError};

/// The tree of the rows; the others are the indexes, in the schema's order, from 1.
pub(crate) const CLUSTERED: usize = 0;

/// Some leaves of one of a table's trees, not hashed yet.
#[derive(Debug)]
pub struct Batch {
    tree: usize,
    number: usize,
    is_last: bool,
    leaves: Vec<Leaf>,
    blobs: Vec<Chunk>,
    render: Option<Arc<Rendering>>,
    /// Where the rows stand in the text, if that is told here.
    lines: Vec<u64>,
}

/// How the text of a leaf is found that did not come with it.
#[derive(Debug)]
pub(crate) struct Rendering {
    pub(crate) renderer: Renderer,
    pub(crate) values: Values,
}

/// A batch that was hashed.
#[derive(Debug)]
pub struct HashedBatch {
    /// Its leaves, and values that stand out of band.
    pub chunks: Vec<Chunk>,
    /// Where the rows stand in the text, if they came in order.
    pub lines: Lines,
    pub(crate) tree: usize,
    pub(crate) number: usize,
    /// Whether it is known to be the last of its tree.
    pub(crate) is_last: bool,
    pub(crate) leaves: Vec<HashedLeaf>,
    pub(crate) measures: Measured,
}

impl Batch {
    pub(crate) fn new(tree: usize, number: usize, leaves: Vec<Leaf>) -> Self {
        Self {
            tree,
            number,
            is_last: false,
            leaves,
            blobs: Vec::new(),
            render: None,
            lines: Vec::new(),
        }
    }

    /// With the line on which each row starts.
    pub(crate) fn with_lines(mut self, lines: Vec<u64>) -> Self {
        self.lines = lines;
        self
    }

    /// With values that stand out of band.
    pub(crate) fn with_blobs(mut self, blobs: Vec<Chunk>) -> Self {
        self.blobs = blobs;
        self
    }

    /// With a way to find the texts of leaves of rows.
    pub(crate) fn with_rendering(mut self, render: Arc<Rendering>) -> Self {
        self.render = Some(render);
        self
    }

    /// Hashes the leaves, and measures their texts if they are of rows.
    pub fn hash(self) -> Result<HashedBatch, FormatError> {
        let contents = self.leaves.iter().map(|leaf| leaf.contents.clone());
        let mut chunks = Chunk::new_each(contents.collect());
        let mut leaves = Vec::with_capacity(chunks.len());
        let mut measures = Vec::new();
        let mut rendered = Vec::new();
        let mut lines = Lines::default();
        let mut starts = self.lines.into_iter();
        for (chunk, leaf) in chunks.iter().zip(self.leaves) {
            let address = chunk.address();
            if starts.len() > 0 {
                let node = Node::decode(Kind::Tuples, leaf.contents.clone())?;
                for (item, line) in (0..node.len()).zip(&mut starts) {
                    lines.push(node.key(item), line);
                }
            }
            if let Some(text) = &leaf.text {
                measures.push((address, Measure::of(text)));
            } else if let Some(render) = &self.render {
                rendered.clear();
                let node = Node::decode(Kind::Tuples, leaf.contents)?;
                render
                    .renderer
                    .render(&node, &render.values, &mut rendered)?;
                measures.push((address, Measure::of(&rendered)));
            }
            leaves.push(HashedLeaf {
                address,
                last_key: leaf.last_key,
                count: leaf.count,
            });
        }
        chunks.extend(self.blobs);
        Ok(HashedBatch {
            chunks,
            lines,
            tree: self.tree,
            number: self.number,
            is_last: self.is_last,
            leaves,
            measures,
        })
    }
}

/// What a job sorts.
#[derive(Debug)]
pub(crate) enum Entries {
    /// Rows with a key.
    Keyed(Arena, Arc<Input>),
    /// Rows without: equal ones are one entry that counts them.
    Keyless(Arena),
    Index(IndexBuild),
    /// Any of these, some of which are kept in runs that are sorted.
    Merged(Box<Merging>),
}

impl Entries {
    fn arena(&self) -> Option<&Arena> {
        match self {
            Self::Keyed(arena, _) | Self::Keyless(arena) => Some(arena),
            Self::Index(index) => Some(index.arena()),
            Self::Merged(_) => None,
        }
    }

    fn sort(&mut self) -> Result<(), FormatError> {
        match self {
            Self::Keyed(arena, input) => {
                arena.sort();
                super::duplicate::check_keys(arena, input)
            }
            Self::Keyless(arena) => {
                arena.sort();
                Ok(())
            }
            Self::Index(index) => {
                index.arena_mut().sort();
                index.check_unique()
            }
            Self::Merged(_) => Ok(()),
        }
    }
}

/// Sorts the entries of one tree and cuts them into leaves.
#[derive(Debug)]
pub struct TreeJob {
    tree: usize,
    entries: Entries,
    is_sorted: bool,
    place: usize,
    batches: usize,
    leaves: LeafBuilder,
    render: Option<Arc<Rendering>>,
    value: Vec<u8>,
}

impl TreeJob {
    pub(crate) fn new(tree: usize, entries: Entries) -> Self {
        Self {
            tree,
            entries,
            is_sorted: false,
            place: 0,
            batches: 0,
            leaves: LeafBuilder::default(),
            render: None,
            value: Vec::new(),
        }
    }

    /// With a way to find the texts of leaves.
    pub(crate) fn with_rendering(mut self, render: Arc<Rendering>) -> Self {
        self.render = Some(render);
        self
    }

    /// What has to be read, and fed, before [`TreeJob::next`] goes on: rows that are kept in runs.
    #[must_use]
    pub fn needs(&self) -> Vec<BlockRead> {
        match &self.entries {
            Entries::Merged(merging) => merging.needs(),
            _ => Vec::new(),
        }
    }

    /// Takes the bytes that were read for this run.
    pub fn feed(&mut self, run: usize, data: Vec<u8>) -> Result<(), FormatError> {
        match &mut self.entries {
            Entries::Merged(merging) => merging.feed(run, data),
            _ => Err(FormatError::corrupt(
                "table build",
                "nothing was to be read",
            )),
        }
    }

    /// Whether all leaves were given out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.entries {
            Entries::Merged(merging) => merging.is_over(),
            entries => self.place >= entries.arena().map_or(0, Arena::len),
        }
    }

    /// The next leaves, of `bytes` bytes or a little more; `None` when there are no more, and where
    /// something has to be read first.
    pub fn next(&mut self, bytes: usize) -> Result<Option<Batch>, FormatError> {
        if !self.is_sorted {
            self.entries.sort()?;
            self.is_sorted = true;
        }
        match &mut self.entries {
            Entries::Keyless(_) => self.cut_equal(bytes)?,
            Entries::Index(index) if index.keyless() => self.cut_equal(bytes)?,
            Entries::Keyed(..) | Entries::Index(_) => self.cut(bytes)?,
            Entries::Merged(merging) => {
                merging.cut(bytes, &mut self.leaves)?;
                if !merging.is_over() && self.leaves.done_bytes() < bytes {
                    return Ok(None);
                }
            }
        }
        let is_over = self.is_over();
        if is_over {
            self.leaves.finish()?;
        }
        let leaves = self.leaves.take();
        if leaves.is_empty() {
            return Ok(None);
        }
        self.batches += 1;
        let mut batch = Batch::new(self.tree, self.batches - 1, leaves);
        batch.is_last = is_over;
        Ok(Some(match &self.render {
            Some(render) => batch.with_rendering(Arc::clone(render)),
            None => batch,
        }))
    }

    /// Cuts rows into leaves, no two of which have one key.
    fn cut(&mut self, bytes: usize) -> Result<(), FormatError> {
        let Some(arena) = self.entries.arena() else {
            return Ok(());
        };
        let is_index = matches!(self.entries, Entries::Index(_));
        let mut rows = Vec::with_capacity(ROWS_TOGETHER);
        while self.leaves.done_bytes() < bytes && self.place < arena.len() {
            arena.some_in_order(self.place, &mut rows);
            for row in &rows {
                if is_index {
                    self.leaves.push(row.key, EMPTY_TUPLE, &[], None)?;
                } else {
                    let addresses = row.addresses();
                    self.leaves.push(row.key, row.value, &addresses, None)?;
                }
            }
            self.place += rows.len();
        }
        Ok(())
    }

    /// Cuts rows of a keyless table into leaves: equal ones are one entry.
    fn cut_equal(&mut self, bytes: usize) -> Result<(), FormatError> {
        let Some(arena) = self.entries.arena() else {
            return Ok(());
        };
        let is_index = matches!(self.entries, Entries::Index(_));
        while self.leaves.done_bytes() < bytes
            && let Some(row) = arena.in_order(self.place)
        {
            let behind = (self.place + 1..).map_while(|at| arena.in_order(at));
            let equal = behind.take_while(|next| next.sort_key == row.sort_key);
            let times = 1 + equal.count();
            self.place += times;
            if is_index {
                self.leaves.push(row.key, EMPTY_TUPLE, &[], None)?;
                continue;
            }
            self.value.clear();
            self.value.extend_from_slice(&(times as u64).to_le_bytes());
            self.value
                .extend_from_slice(row.value.get(8..).unwrap_or_default());
            self.leaves
                .push(row.key, &self.value, &row.addresses(), None)?;
        }
        Ok(())
    }
}
