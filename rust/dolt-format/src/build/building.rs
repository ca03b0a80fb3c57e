//! `Building`: a build whose text has ended, on its way to a table.

use std::sync::Arc;

use bytes::Bytes;

use super::counter::Counter;
use super::job::{CLUSTERED, Entries, Rendering, TreeJob};
use super::merge::{MergedInto, Merging};
use super::rows::Rows;
use super::trees::Trees;
use super::{BuiltTable, Lines};
use crate::csv::render::{Renderer, Values};
use crate::message::table::Table;
use crate::tree::{Kind, Node, address_map};
use crate::{Address, Chunk, FormatError};

/// A build whose text has ended.
#[derive(Debug)]
pub(super) struct Building {
    pub(super) base: Chunk,
    pub(super) rows: Rows,
    pub(super) trees: Trees,
    pub(super) jobs: Vec<TreeJob>,
    pub(super) chunks: Vec<Chunk>,
    pub(super) lines: Lines,
    pub(super) is_over: bool,
}

impl Building {
    pub(super) fn new(base: Chunk, mut rows: Rows, mut trees: Trees) -> Result<Self, FormatError> {
        let Some(input) = &rows.input else {
            return Err(FormatError::BadRecord {
                line: 1,
                why: "an empty text is no table: its first line must name the columns".to_owned(),
            });
        };
        let mut chunks = std::mem::take(&mut rows.blobs);
        let mut jobs = Vec::new();
        let mut lines = Lines::default();
        let mut runs = std::mem::take(&mut rows.runs).into_iter();
        let of_rows = runs.next().unwrap_or_default();
        if let Some(stream) = rows.stream.take() {
            if let Some(batch) = stream.finish()? {
                let batch = batch.hash()?;
                lines = batch.lines.clone();
                chunks.extend(trees.give(batch));
            }
        } else {
            let arena = std::mem::take(&mut rows.arena);
            lines = Lines::of(&arena);
            let entries = match (of_rows.is_empty(), input.keyless()) {
                (true, true) => Entries::Keyless(arena),
                (true, false) => Entries::Keyed(arena, Arc::clone(input)),
                (false, keyless) => {
                    let into = if keyless {
                        MergedInto::Keyless
                    } else {
                        MergedInto::Keyed(Arc::clone(input))
                    };
                    Entries::Merged(Box::new(Merging::new(of_rows.finish()?, arena, into)))
                }
            };
            let mut values = std::mem::take(&mut rows.stored_values);
            values.extend(values_of(&chunks)?);
            let rendering = Rendering {
                renderer: Renderer::new(&rows.schema)?.in_format(rows.format),
                values,
            };
            jobs.push(TreeJob::new(CLUSTERED, entries).with_rendering(Arc::new(rendering)));
        }
        let indexes = std::mem::take(&mut rows.indexes).into_iter();
        for ((tree, index), runs) in (CLUSTERED + 1..).zip(indexes).zip(runs) {
            jobs.push(index.into_job(tree, runs)?);
        }
        Ok(Self {
            base,
            rows,
            trees,
            jobs,
            chunks,
            lines,
            is_over: false,
        })
    }

    pub(super) fn result(&mut self) -> Result<BuiltTable, FormatError> {
        if std::mem::replace(&mut self.is_over, true) {
            let why = "its result was taken before";
            return Err(FormatError::corrupt("table build", why));
        }
        for mut job in std::mem::take(&mut self.jobs) {
            while let Some(batch) = job.next(BATCH_BYTES)? {
                self.chunks.extend(self.trees.give(batch.hash()?));
            }
            if !job.is_over() {
                let why = "rows that were kept in runs were not read back";
                return Err(FormatError::corrupt("table build", why));
            }
        }
        let schema = &self.rows.schema;
        let mut chunks = std::mem::take(&mut self.chunks);
        let keyless = schema.primary_key.is_empty();
        let trees = std::mem::take(&mut self.trees);
        let mut trees = trees.finish(self.rows.row_count, keyless)?.into_iter();
        let (clustered, measures) = trees
            .next()
            .ok_or_else(|| FormatError::corrupt("table build", "it has no tree of rows"))?;
        let mut roots = Vec::new();
        for ((built, _), definition) in trees.zip(&schema.indexes) {
            roots.push((definition.name.as_str(), built.root.address()));
            chunks.extend(built.nodes);
            chunks.push(built.root);
        }
        // The schema has its indexes sorted by name, as address maps are.
        let indexes = address_map::build(roots)?;
        chunks.extend(indexes.nodes);
        let counter = self.rows.auto_increment.map_or(0, Counter::stored);
        let rows = clustered.root.contents();
        let table = write_table(
            &self.base,
            schema.address,
            rows,
            indexes.root.contents(),
            counter,
        )?;
        // A root that is a leaf is part of the table's message and stored nowhere else.
        if clustered.nodes.is_empty() {
            let root = clustered.root.address();
            chunks.retain(|chunk| chunk.address() != root);
        }
        chunks.extend(clustered.nodes);
        Ok(BuiltTable {
            table,
            chunks,
            row_count: self.rows.row_count,
            measures,
            format: self.rows.format,
            lines: std::mem::take(&mut self.lines),
        })
    }
}

/// Leaves that are hashed together where nobody took them away.
const BATCH_BYTES: usize = 1 << 20;

/// The table's message. Where nothing differs the old bytes stay: some of them depend on history.
pub(super) fn write_table(
    base: &Chunk,
    schema: Address,
    rows: &Bytes,
    indexes: &Bytes,
    counter: u64,
) -> Result<Chunk, FormatError> {
    let old = Table::decode(base.contents())?;
    let counter = if counter == 0 {
        old.auto_increment
    } else {
        counter
    };
    let same_counter = counter.max(1) == old.auto_increment.max(1);
    if old.schema == schema && old.rows.message() == rows && old.indexes == *indexes && same_counter
    {
        return Ok(base.clone());
    }
    Table::encode(schema, rows, indexes, counter)
}

/// The nodes of values that stand out of band.
pub(super) fn values_of(chunks: &[Chunk]) -> Result<Values, FormatError> {
    let is_blob = |chunk: &&Chunk| chunk.contents().get(8..12) == Some(b"BLOB".as_slice());
    chunks
        .iter()
        .filter(is_blob)
        .map(|chunk| {
            Ok((
                chunk.address(),
                Node::decode(Kind::Blob, chunk.contents().clone())?,
            ))
        })
        .collect()
}
