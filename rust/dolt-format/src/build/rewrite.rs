//! `Rewrite`: a table of which the new text repeats most leaves, made by editing the old one.
//!
//! The rows of the leaves that the new text does not have go, the rows that were read come. What
//! has to be fetched for that: those leaves, and the nodes on the way to the keys that change, in
//! the clustered index and in the others.

use std::collections::HashMap;
use std::sync::Arc;

use super::arena::{Arena, RowView};
use super::building::write_table;
use super::counter::Counter;
use super::deferred::Defers;
use super::follow::{Following, Which};
use super::index::{EMPTY_TUPLE, IndexBuild, unique_prefix};
use super::input::Input;
use super::mend::{Stored, mend};
use super::rows::Rows;
use super::{BuiltTable, Lines};
use crate::build::layout::Layout;
use crate::csv::measure::Measure;
use crate::csv::render::{Render, Renderer};
use crate::message::node::{Kind, Node};
use crate::message::schema::{Index, TableSchema};
use crate::message::table::Table;
use crate::tree::address_map;
use crate::tree::chunker::BuiltMap;
use crate::tree::edit::{Change, Edit};
use crate::tree::fetch::Fetch;
use crate::tree::find::FindLeaves;
use crate::tree::phases::{Phases, Steps};
use crate::tree::probe::{Probe, SortKey};
use crate::tree::scan::AddressMapScan;
use crate::tree::together::Together;
use crate::tree::traversal::Traversal;
use crate::value::encoding as e;
use crate::{Address, Chunk, FormatError};

/// Whether tables of this schema can be rewritten: rows have keys, and every key stands in its
/// index as a whole.
pub(crate) fn is_possible(schema: &TableSchema) -> bool {
    let whole = |index: &Index| {
        let columns = index.index_columns.iter().enumerate();
        let mut columns = columns.map(|(position, column)| {
            let prefix = index.prefix_lengths.get(position).copied().unwrap_or(0);
            (schema.columns.get(usize::from(*column)), prefix)
        });
        columns.all(|(column, prefix)| {
            prefix > 0
                || index.spatial
                || column.is_some_and(|column| !e::is_adaptive(column.encoding))
        })
    };
    let mut key = schema.primary_key.iter();
    let mut key = key.by_ref().map(|at| schema.columns.get(usize::from(*at)));
    !schema.primary_key.is_empty()
        && key.all(|column| column.is_some_and(|column| !e::is_adaptive(column.encoding)))
        && schema.indexes.iter().all(whole)
}

/// A table on its way from an old version to a new one.
#[derive(Debug)]
pub(crate) struct Rewrite {
    base: Chunk,
    table: Table,
    new: Rows,
    old: Option<Rows>,
    replaced: Vec<Address>,
    /// Whether the table is built of the rows of the text, and only looks at the old ones.
    anew: bool,
    /// The roots of the secondary indexes, by name.
    indexes: Vec<(String, Address)>,
    roots: Vec<Node>,
    maps: Vec<BuiltMap>,
    /// Chunks that no store has yet.
    made: HashMap<Address, Chunk>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// In which leaves the rows stand that follow others.
    Find(FindLeaves),
    /// Where the indexes are.
    Indexes(AddressMapScan),
    /// The replaced leaves, and the roots of the indexes.
    Leaves(Fetch),
    /// Out-of-band values of the replaced leaves.
    OldText(Render),
    /// Whether keys that come are there already.
    Probes(Together<Probe>),
    Edits(Together<Edit>),
    /// Out-of-band values of the new leaves.
    Measures(Render),
    Done(Option<BuiltTable>),
}

impl Phase {
    fn steps(&mut self) -> Option<&mut dyn Steps> {
        Some(match self {
            Self::Find(steps) => steps,
            Self::Indexes(steps) => steps,
            Self::Leaves(steps) => steps,
            Self::OldText(steps) | Self::Measures(steps) => steps,
            Self::Probes(steps) => steps,
            Self::Edits(steps) => steps,
            Self::Done(_) => return None,
        })
    }
}

impl Rewrite {
    /// The table of `base` with the rows of `new` instead of those of the leaves `replaced`.
    pub(crate) fn new(base: Chunk, new: Rows, replaced: Vec<Address>) -> Result<Self, FormatError> {
        let table = Table::decode(base.contents())?;
        let phase = Phase::Indexes(AddressMapScan::new(table.indexes.clone())?);
        Ok(Self {
            base,
            table,
            new,
            old: None,
            replaced,
            anew: false,
            indexes: Vec::new(),
            roots: Vec::new(),
            maps: Vec::new(),
            made: HashMap::new(),
            phase,
        })
    }

    /// The table with the rows of `new`, which repeats none of the leaves of `base` as a whole.
    pub(crate) fn anew(base: Chunk, new: Rows) -> Result<Self, FormatError> {
        let mut rewrite = Self::new(base, new, Vec::new())?;
        rewrite.anew = true;
        // All leaves are found, in whatever order.
        let find = FindLeaves::new(&rewrite.table.rows, Arc::new(<[u8]>::to_vec), None)?;
        rewrite.phase = Phase::Find(find);
        Ok(rewrite)
    }

    /// The table of `base` with the stored rows that `rows` tells, as they become.
    pub(crate) fn follow(base: Chunk, rows: Rows) -> Result<Self, FormatError> {
        let mut rewrite = Self::new(base, rows, Vec::new())?;
        let following = rewrite.new.following.as_ref();
        let keys = following.filter(|following| following.which != Which::All);
        let sort_key = row_sort_key(&rewrite.new.schema)?;
        let keys = keys.map(|following| {
            let rows = following.follow.rows.iter();
            let mut keys: Vec<Vec<u8>> = rows.map(|key| sort_key(key)).collect();
            keys.sort_unstable();
            keys.dedup();
            keys
        });
        let find = FindLeaves::new(&rewrite.table.rows, sort_key, keys)?;
        rewrite.phase = Phase::Find(find);
        Ok(rewrite)
    }

    pub(crate) fn result(&mut self) -> Result<BuiltTable, FormatError> {
        let done = match &mut self.phase {
            Phase::Done(built) => built.take(),
            _ => None,
        };
        done.ok_or_else(|| {
            FormatError::corrupt(
                "rewrite",
                "its result was asked for before its end, or twice",
            )
        })
    }

    fn next_phase(&mut self) -> Result<Phase, FormatError> {
        let mut phase = std::mem::replace(&mut self.phase, Phase::Done(None));
        match &mut phase {
            Phase::Find(find) => {
                self.replaced = find.result()?;
                if self.anew {
                    return Ok(Phase::Leaves(self.fetch()));
                }
                let scan = AddressMapScan::new(self.table.indexes.clone())?;
                Ok(Phase::Indexes(scan))
            }
            Phase::Indexes(scan) => {
                self.indexes = scan.result()?.into_iter().collect();
                Ok(Phase::Leaves(self.fetch()))
            }
            Phase::Leaves(fetch) => self.read_old(fetch.result()?).map(Phase::OldText),
            Phase::OldText(render) => {
                let texts = render.result()?;
                if self.new.following.is_some() {
                    self.new.take_stored(&texts)?;
                }
                if self.follows_as_a_whole() {
                    return self.build_anew();
                }
                let mut old = self.parse_old(&texts)?;
                drop(texts);
                let stored = Stored {
                    leaves: std::mem::take(&mut render.leaves),
                    values: std::mem::take(&mut render.values),
                };
                mend(&mut self.new, &mut old, stored)?;
                if self.anew {
                    return self.build_anew();
                }
                self.old = Some(old);
                self.sort()?;
                self.probes().map(Phase::Probes)
            }
            Phase::Probes(probes) => {
                let found = probes.result()?;
                self.check_probes(&found)?;
                self.edits().map(Phase::Edits)
            }
            Phase::Edits(edits) => {
                self.maps = edits.result()?;
                self.measure().map(Phase::Measures)
            }
            Phase::Measures(render) => {
                let texts = render.result()?;
                self.complete(&texts).map(|built| Phase::Done(Some(built)))
            }
            Phase::Done(built) => Ok(Phase::Done(built.take())),
        }
    }

    /// The table of all rows of the text.
    fn build_anew(&mut self) -> Result<Phase, FormatError> {
        let schema = self.new.schema.clone();
        let rows = std::mem::replace(&mut self.new, Rows::new(schema, &self.base)?);
        Ok(Phase::Done(Some(rows.build(&self.base)?)))
    }

    /// Whether all rows are read and the table is built of them.
    fn follows_as_a_whole(&self) -> bool {
        let following = self.new.following.as_ref();
        following.is_some_and(|following| following.which == Which::All)
    }

    /// The rows of the replaced leaves, by way of their text: so both sides are made alike.
    fn parse_old(&self, texts: &[Vec<u8>]) -> Result<Rows, FormatError> {
        let mut rows = Rows::new(self.new.schema.clone(), &self.base)?;
        rows.stored = true;
        if self.new.following.is_none() {
            rows.defers = Defers::All;
        }
        rows.following = self.new.following.as_ref().map(|following| Following {
            which: Which::Before,
            ..following.clone()
        });
        rows.take_stored(texts)?;
        Ok(rows)
    }

    fn fetch(&self) -> Fetch {
        // A root that is a leaf is embedded in the table.
        let leaves = self.replaced.iter().copied();
        let stored = leaves.filter(|_| !self.table.rows.is_leaf());
        Fetch::new(stored.chain(self.indexes.iter().map(|(_, root)| *root)))
    }

    fn read_old(&mut self, mut nodes: HashMap<Address, Node>) -> Result<Render, FormatError> {
        for (name, root) in &self.indexes {
            let node = nodes.get(root).ok_or_else(|| {
                FormatError::corrupt(format!("index {name:?}"), "its root is not at hand")
            })?;
            self.roots.push(node.clone());
        }
        // Indexes of the same columns have one root.
        for (_, root) in &self.indexes {
            nodes.remove(root);
        }
        let leaves = if self.table.rows.is_leaf() && !self.replaced.is_empty() {
            vec![self.table.rows.clone()]
        } else {
            nodes.into_values().collect()
        };
        Render::new(Renderer::new(&self.new.schema)?, leaves)
    }

    fn sort(&mut self) -> Result<(), FormatError> {
        for rows in [Some(&mut self.new), self.old.as_mut()]
            .into_iter()
            .flatten()
        {
            rows.arena.sort();
            for index in &mut rows.indexes {
                index.arena_mut().sort();
            }
        }
        let input = self.input()?;
        super::duplicate::check_keys(&self.new.arena, input)?;
        self.new
            .indexes
            .iter()
            .try_for_each(IndexBuild::check_unique)
    }

    fn input(&self) -> Result<&Input, FormatError> {
        let input = self.new.input.as_deref();
        input.ok_or_else(|| FormatError::corrupt("rewrite", "its text has no header"))
    }

    fn old(&self) -> Result<&Rows, FormatError> {
        let old = self.old.as_ref();
        old.ok_or_else(|| FormatError::corrupt("rewrite", "its old rows are not at hand"))
    }

    /// A probe for the keys that come to the clustered index, and one for each unique index.
    fn probes(&self) -> Result<Together<Probe>, FormatError> {
        let (input, old) = (self.input()?, self.old()?);
        let mut probes = vec![Probe::new(
            &self.table.rows,
            input.sort_key(),
            come(&old.arena, &self.new.arena)
                .map(|row| row.sort_key.to_vec())
                .collect(),
        )?];
        for ((index, was), root) in self.new.indexes.iter().zip(&old.indexes).zip(&self.roots) {
            let come = come(was.arena(), index.arena());
            let prefixes = come.filter_map(|row| unique_prefix(&row).map(<[u8]>::to_vec));
            probes.push(Probe::new(root, index.sort_key(input), prefixes.collect())?);
        }
        Ok(Together::new(probes))
    }

    /// What is there already has to go; a key of a leaf that stays may not come again.
    fn check_probes(&self, found: &[Vec<(usize, Vec<u8>)>]) -> Result<(), FormatError> {
        let (input, old) = (self.input()?, self.old()?);
        let mut found = found.iter();
        if let Some((number, _)) = found.next().and_then(|found| found.first()) {
            let row = come(&old.arena, &self.new.arena).nth(*number);
            return Err(row.map_or_else(
                || FormatError::corrupt("probe", "it found what it did not look for"),
                |row| FormatError::BadRecord {
                    line: row.line,
                    why: format!(
                        "the primary key {} stands on another line already",
                        input.describe_key(row.key)
                    ),
                },
            ));
        }
        for ((index, was), found) in self.new.indexes.iter().zip(&old.indexes).zip(found) {
            let sort_key = index.sort_key(input);
            for (number, key) in found {
                if was.arena().contains(&sort_key(key)) {
                    continue;
                }
                let come = come(was.arena(), index.arena());
                let row = come.filter(|row| unique_prefix(row).is_some()).nth(*number);
                return Err(FormatError::BadRecord {
                    line: row.map_or(0, |row| row.line),
                    why: format!(
                        "unique key {:?} has the same value on another line",
                        index.name()
                    ),
                });
            }
        }
        Ok(())
    }

    fn edits(&self) -> Result<Together<Edit>, FormatError> {
        let (input, old) = (self.input()?, self.old()?);
        let changes = changes(&old.arena, &self.new.arena, |row| row.value);
        let mut edits = vec![Edit::new(
            self.table.rows.clone(),
            input.sort_key(),
            changes,
        )?];
        for ((index, was), root) in self.new.indexes.iter().zip(&old.indexes).zip(&self.roots) {
            let changes = changes_of_index(was.arena(), index.arena());
            edits.push(Edit::new(root.clone(), index.sort_key(input), changes)?);
        }
        Ok(Together::new(edits))
    }

    /// Renders the new leaves, to measure their texts.
    fn measure(&mut self) -> Result<Render, FormatError> {
        let blobs = std::mem::take(&mut self.new.blobs);
        self.made = blobs
            .into_iter()
            .map(|chunk| (chunk.address(), chunk))
            .collect();
        let leaves = self
            .maps
            .first()
            .map(|map| map.leaves.as_slice())
            .unwrap_or_default();
        let nodes = leaves
            .iter()
            .map(|leaf| Node::decode(Kind::Tuples, leaf.contents().clone()));
        let nodes = nodes.collect::<Result<_, _>>()?;
        Render::new(
            Renderer::new(&self.new.schema)?.in_format(self.new.format),
            nodes,
        )
    }

    fn complete(&mut self, texts: &[Vec<u8>]) -> Result<BuiltTable, FormatError> {
        let mut maps = std::mem::take(&mut self.maps).into_iter();
        let clustered = maps
            .next()
            .ok_or_else(|| FormatError::corrupt("rewrite", "it has no clustered index"))?;
        let mut chunks: Vec<Chunk> = std::mem::take(&mut self.made).into_values().collect();
        let mut roots = Vec::new();
        for ((name, _), built) in self.indexes.iter().zip(maps) {
            roots.push((name.as_str(), built.root.address()));
            chunks.extend(built.nodes);
            chunks.push(built.root);
        }
        let indexes = address_map::build(roots)?;
        chunks.extend(indexes.nodes);
        let counter = self.new.auto_increment.map_or(0, Counter::stored);
        let table = write_table(
            &self.base,
            self.new.schema.address,
            clustered.root.contents(),
            indexes.root.contents(),
            counter,
        )?;
        let leaves = clustered.leaves.iter().map(Chunk::address);
        let measures = leaves
            .zip(texts.iter().map(|text| Measure::of(text)))
            .collect();
        chunks.extend(clustered.nodes);
        let rows = Node::decode(Kind::Tuples, clustered.root.contents().clone())?;
        Ok(BuiltTable {
            table,
            chunks,
            row_count: rows.tree_count(),
            measures,
            format: self.new.format,
            lines: Lines::of(&self.new.arena),
        })
    }
}

impl Phases for Rewrite {
    fn steps(&mut self) -> Option<&mut dyn Steps> {
        self.phase.steps()
    }

    fn advance(&mut self) -> Result<(), FormatError> {
        self.phase = self.next_phase()?;
        Ok(())
    }

    fn at_hand(&self, address: &Address) -> Option<Chunk> {
        self.made.get(address).cloned()
    }
}

/// The sort keys of a table's rows.
fn row_sort_key(schema: &TableSchema) -> Result<SortKey, FormatError> {
    let columns: Vec<usize> = schema.primary_key.iter().map(|at| (*at).into()).collect();
    let layout = Layout::new(schema, &columns).map_err(FormatError::Unsupported)?;
    Ok(layout.sort_keys())
}

/// The rows of `new` whose keys `old` lacks.
fn come<'a>(old: &'a Arena, new: &'a Arena) -> impl Iterator<Item = RowView<'a>> {
    let mut old = old.rows().peekable();
    new.rows().filter(move |row| {
        while old.next_if(|was| was.sort_key < row.sort_key).is_some() {}
        old.peek().is_none_or(|was| was.sort_key != row.sort_key)
    })
}

/// What turns `old` into `new`.
fn changes(
    old: &Arena,
    new: &Arena,
    value: impl for<'a> Fn(&RowView<'a>) -> &'a [u8],
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut old = old.rows().peekable();
    let gone = |row: &RowView<'_>| Change {
        key: row.key.to_vec(),
        sort_key: row.sort_key.to_vec(),
        value: None,
    };
    for row in new.rows() {
        while let Some(was) = old.next_if(|was| was.sort_key < row.sort_key) {
            changes.push(gone(&was));
        }
        let was = old.next_if(|was| was.sort_key == row.sort_key);
        if was.is_some_and(|was| was.key == row.key && value(&was) == value(&row)) {
            continue;
        }
        changes.push(Change {
            key: row.key.to_vec(),
            sort_key: row.sort_key.to_vec(),
            value: Some((value(&row).to_vec(), row.addresses())),
        });
    }
    changes.extend(old.map(|was| gone(&was)));
    changes
}

/// The values of index entries are empty tuples.
fn changes_of_index(old: &Arena, new: &Arena) -> Vec<Change> {
    changes(old, new, |_| EMPTY_TUPLE)
}
