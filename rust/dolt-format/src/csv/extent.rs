//! `TextLayout`: which leaf each byte of a table's text lies in, as far as it is known.
//!
//! A text is read in pieces: the texts of so many leaves each, counted from the first one. Where a
//! piece lies is known once all leaves before its end have been measured.

use std::collections::{HashMap, HashSet};

use super::measure::Measure;
use super::render::Renderer;
use crate::tree::{Kind, Node};
use crate::value::sql_type::SqlType;
use crate::{Address, Chunk, FormatError, TextFormat, jsonl};

/// A size no file reaches; what a table with boundless columns may at most have.
const SIZE_BOUND: u64 = 1 << 62;
/// Leaves of a piece, the unit in which a text is rendered to be read: about 128 KiB.
pub const PIECE_LEAVES: usize = 32;
/// Bytes of text in a leaf: what 4 KiB of stored rows come to, more or less.
const LEAF_TEXT_GUESS: u64 = 4096;
/// Children that an inner node has on average, for estimates.
const FAN_OUT: u64 = 150;

/// Where the rows of one piece lie in a table's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The piece: so many leaves of [`PIECE_LEAVES`] before it.
    pub piece: usize,
    /// Offset of its first byte in the text.
    pub start: u64,
    /// Bytes of its rows.
    pub length: u64,
}

/// What has to be known to place a part of a text: inner nodes, or else the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    /// Inner nodes to expand.
    pub nodes: Vec<Address>,
    /// Pieces to measure.
    pub pieces: Vec<usize>,
    /// Leaves to measure, of pieces of which some are measured.
    pub leaves: Vec<Address>,
}

impl Frontier {
    /// How many there are of all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len() + self.pieces.len() + self.leaves.len()
    }

    /// Whether nothing is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Subtree {
    pub(super) address: Address,
    level: u8,
    count: u64,
}

impl Subtree {
    /// Leaves below it, or an estimate that is rarely too small.
    fn leaf_count_max(&self) -> u64 {
        FAN_OUT
            .saturating_pow(u32::from(self.level))
            .min(self.count.max(1))
    }
}

/// Which leaf each byte of a table's text lies in.
#[derive(Debug)]
pub struct TextLayout {
    header_len: u64,
    row_len_max: u64,
    /// The table from left to right: leaves, and inner nodes not expanded yet.
    subtrees: Vec<Subtree>,
    /// Every subtree there ever was. A table never has one twice, as its keys differ; one that
    /// claims it could make few nodes look like endless leaves.
    seen: HashSet<Address>,
    measures: HashMap<Address, Measure>,
    /// Leaves that were measured here and not recalled, until they are remembered.
    fresh: HashSet<Address>,
    /// What was looked up already: leaves that groups begin with, and those that they end with.
    asked: HashSet<(Address, bool)>,
    /// Where each of the leading leaves starts, as far as lengths are known without a gap, and
    /// where the first one behind them starts.
    starts: Vec<u64>,
}

impl TextLayout {
    /// The layout of a table's text, of which only the root node is known.
    pub fn new(root: &Node, renderer: &Renderer) -> Result<Self, FormatError> {
        let header = renderer.header();
        let columns = renderer.columns();
        let row_len_max = match renderer.format() {
            TextFormat::Csv | TextFormat::Tsv => columns
                .shown
                .iter()
                .map(|column| field_len_max(&column.sql_type).saturating_add(1))
                .fold(0, u64::saturating_add),
            TextFormat::Jsonl => jsonl::render::row_len_max(columns),
        };
        if root.kind() != Kind::Tuples {
            return Err(FormatError::corrupt(
                "table",
                "its rows are another kind of node",
            ));
        }
        let mut subtrees = Vec::new();
        if root.is_leaf() {
            if !root.is_empty() {
                let address = Address::of(root.message());
                subtrees.push(Subtree {
                    address,
                    level: 0,
                    count: root.tree_count(),
                });
            }
        } else {
            subtrees.extend(children(root));
        }
        let mut seen = HashSet::new();
        check_new(&subtrees, &mut seen)?;
        let header_len = header.len() as u64;
        let row_len_max = if columns.keyless {
            SIZE_BOUND
        } else {
            row_len_max
        };
        Ok(Self {
            header_len,
            row_len_max,
            subtrees,
            seen,
            measures: HashMap::new(),
            fresh: HashSet::new(),
            asked: HashSet::new(),
            starts: vec![header_len],
        })
    }

    /// Bytes of the whole text, or `None` while a length is unknown.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        (self.starts.len() == self.subtrees.len() + 1).then(|| self.placed())
    }

    /// Bytes of the text that are placed: header and leading leaves of known length.
    fn placed(&self) -> u64 {
        self.starts.last().copied().unwrap_or(self.header_len)
    }

    /// A size that is never too small.
    #[must_use]
    pub fn size_max(&self) -> u64 {
        let rest = self.subtrees.iter().skip(self.starts.len() - 1);
        let rest = rest.map(|subtree| match self.measures.get(&subtree.address) {
            Some(measure) => measure.length,
            None => subtree.count.saturating_mul(self.row_len_max),
        });
        rest.fold(self.placed(), u64::saturating_add)
            .min(SIZE_BOUND)
    }

    /// Leaves, or an estimate that is rarely too small.
    #[must_use]
    pub fn leaf_count_max(&self) -> u64 {
        let leaves = self.subtrees.iter().map(Subtree::leaf_count_max);
        leaves.fold(0, u64::saturating_add)
    }

    /// What has to be known to place `[offset, offset + length)` in whole pieces, in text order:
    /// inner nodes, or else pieces and single leaves. Both as far as the range may reach by what
    /// leaves measure on average.
    ///
    /// A piece is wanted where none of its leaves has been measured: its text will be read anyway.
    /// Where some have been, only the others are worth rendering.
    #[must_use]
    pub fn frontier(&self, offset: u64, length: u64) -> Frontier {
        let end = offset.saturating_add(length);
        let mut frontier = Frontier::default();
        let mut reached = self.placed();
        let mut last = None;
        let first = self.first_unplaced();
        let begun = self.starts.get(first - first % PIECE_LEAVES);
        if begun.is_some_and(|start| *start >= end) {
            return frontier;
        }
        let mean = (reached - self.header_len)
            .checked_div(first as u64)
            .unwrap_or(LEAF_TEXT_GUESS);
        for (at, subtree) in self.subtrees.iter().enumerate().skip(first) {
            // Behind a node that is not expanded, nothing has its place among the pieces yet.
            let between = at.is_multiple_of(PIECE_LEAVES) || !frontier.nodes.is_empty();
            if between && reached >= end {
                break;
            }
            if subtree.level > 0 {
                frontier.nodes.push(subtree.address);
                let leaves = subtree.leaf_count_max();
                reached = reached.saturating_add(leaves.saturating_mul(mean));
                continue;
            }
            let measure = self.measures.get(&subtree.address);
            reached = reached.saturating_add(measure.map_or(mean, |measure| measure.length));
            let piece = at / PIECE_LEAVES;
            if measure.is_some() || last == Some(piece) {
                continue;
            }
            let subtrees = self.piece_subtrees(piece);
            if subtrees.iter().any(|subtree| subtree.level > 0) {
                // Its last leaves are not known yet; the loop comes to that node.
            } else if subtrees
                .iter()
                .any(|leaf| self.measures.contains_key(&leaf.address))
            {
                frontier.leaves.push(subtree.address);
            } else {
                frontier.pieces.push(piece);
                last = Some(piece);
            }
        }
        if !frontier.nodes.is_empty() {
            frontier.pieces.clear();
            frontier.leaves.clear();
        }
        frontier
    }

    fn piece_subtrees(&self, piece: usize) -> &[Subtree] {
        let start = piece.saturating_mul(PIECE_LEAVES).min(self.subtrees.len());
        let end = start.saturating_add(PIECE_LEAVES).min(self.subtrees.len());
        self.subtrees.get(start..end).unwrap_or_default()
    }

    /// The leaves of some pieces, all of them expanded, in text order.
    #[must_use]
    pub fn piece_leaves(&self, pieces: &[usize]) -> Vec<Address> {
        let subtrees = pieces.iter().flat_map(|piece| self.piece_subtrees(*piece));
        subtrees.map(|subtree| subtree.address).collect()
    }

    /// Replaces inner nodes by their children.
    pub fn expand(&mut self, nodes: &[Chunk]) -> Result<(), FormatError> {
        let nodes: HashMap<Address, &Chunk> =
            nodes.iter().map(|chunk| (chunk.address(), chunk)).collect();
        let mut expanded = Vec::with_capacity(self.subtrees.len() + 200 * nodes.len());
        for subtree in &self.subtrees {
            match nodes.get(&subtree.address).filter(|_| subtree.level > 0) {
                Some(chunk) => {
                    let node = Node::decode(Kind::Tuples, chunk.contents().clone())?;
                    node.expect(subtree.address, subtree.level, subtree.count)?;
                    let start = expanded.len();
                    expanded.extend(children(&node));
                    let new = expanded.get(start..).unwrap_or_default();
                    check_new(new, &mut self.seen)?;
                }
                None => expanded.push(*subtree),
            }
        }
        self.subtrees = expanded;
        self.advance();
        Ok(())
    }

    /// Sets the measures of leaves.
    pub fn set_measures(&mut self, measures: impl IntoIterator<Item = (Address, Measure)>) {
        for (leaf, measure) in measures {
            self.measures.insert(leaf, measure);
            self.fresh.insert(leaf);
        }
        self.advance();
    }

    /// Leaves that were measured and are not remembered yet.
    #[must_use]
    pub fn fresh_count(&self) -> usize {
        self.fresh.len()
    }

    /// The leaves before the first inner node that is not expanded, and whether that is all.
    pub(super) fn leading(&self) -> (&[Subtree], bool) {
        let placed = self.starts.len() - 1;
        let rest = self.subtrees.get(placed..).unwrap_or_default();
        let count = placed + rest.iter().take_while(|subtree| subtree.level == 0).count();
        let leaves = self.subtrees.get(..count).unwrap_or_default();
        (leaves, count == self.subtrees.len())
    }

    pub(super) fn first_unplaced(&self) -> usize {
        self.starts.len() - 1
    }

    /// Leading leaves whose place in the text is known.
    #[must_use]
    pub fn leaf_count_placed(&self) -> usize {
        self.first_unplaced()
    }

    pub(super) fn measure(&self, leaf: Address) -> Option<Measure> {
        self.measures.get(&leaf).copied()
    }

    pub(super) fn is_fresh(&self, leaf: Address) -> bool {
        self.fresh.contains(&leaf)
    }

    pub(super) fn note_remembered(&mut self, leaves: &[Address]) {
        for leaf in leaves {
            self.fresh.remove(leaf);
        }
    }

    /// Whether this leaf was not looked up yet.
    pub(super) fn note_asked(&mut self, leaf: Address, by_last: bool) -> bool {
        self.asked.insert((leaf, by_last))
    }

    /// Takes a measure from elsewhere, if the leaf was not measured. It may be one that is not
    /// expanded yet.
    pub(super) fn recall_measure(&mut self, leaf: Address, measure: Measure) -> bool {
        if self.measures.contains_key(&leaf) {
            return false;
        }
        self.measures.insert(leaf, measure);
        true
    }

    /// The leaves and their measures in order, if the text of each is known.
    #[must_use]
    pub fn measured(&self) -> Option<Vec<(Address, Measure)>> {
        let leaves = self.subtrees.iter().filter(|subtree| subtree.level == 0);
        let measured = leaves.map(|leaf| {
            let measure = self.measures.get(&leaf.address)?;
            measure.is_complete().then_some((leaf.address, *measure))
        });
        let measured: Vec<_> = measured.collect::<Option<_>>()?;
        (measured.len() == self.subtrees.len()).then_some(measured)
    }

    pub(super) fn advance(&mut self) {
        while let Some(subtree) = self.subtrees.get(self.starts.len() - 1) {
            let measure = self
                .measures
                .get(&subtree.address)
                .filter(|_| subtree.level == 0);
            let Some(measure) = measure else { break };
            self.starts
                .push(self.placed().saturating_add(measure.length));
        }
    }

    /// The placed pieces that hold `[offset, offset + length)`, in text order.
    #[must_use]
    pub fn extents(&self, offset: u64, length: u64) -> Vec<Extent> {
        let end = offset.saturating_add(length);
        let placed = self.starts.len() - 1;
        let first = self
            .starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        let mut extents = Vec::new();
        for piece in first / PIECE_LEAVES.. {
            let from = piece * PIECE_LEAVES;
            let to = (from + PIECE_LEAVES).min(self.subtrees.len());
            // A piece whose last leaves are not placed has no end yet.
            if from >= placed || to > placed {
                break;
            }
            let bounds = (self.starts.get(from), self.starts.get(to));
            let (Some(&start), Some(&next)) = bounds else {
                break;
            };
            if start >= end {
                break;
            }
            if next > offset {
                extents.push(Extent {
                    piece,
                    start,
                    length: next - start,
                });
            }
        }
        extents
    }
}

fn children(node: &Node) -> impl Iterator<Item = Subtree> + '_ {
    let level = node.level() - 1;
    (0..node.len()).map(move |item| Subtree {
        address: node.address(item),
        level,
        count: node.subtree_count(item),
    })
}

fn check_new(subtrees: &[Subtree], seen: &mut HashSet<Address>) -> Result<(), FormatError> {
    let twice = subtrees
        .iter()
        .find(|subtree| !seen.insert(subtree.address));
    twice.map_or(Ok(()), |subtree| {
        Err(FormatError::corrupt(
            format!("node {}", subtree.address),
            "it stands twice in one table",
        ))
    })
}

/// The longest text of a field of this type, quotes included.
fn field_len_max(sql_type: &SqlType) -> u64 {
    let quoted = |len: u64| len.saturating_mul(2).saturating_add(2);
    match sql_type {
        SqlType::Int { .. } | SqlType::Bit(_) => 20,
        SqlType::Float | SqlType::Double => 32,
        // The shortest hold "-Infinity".
        SqlType::Decimal { precision, .. } => (u64::from(*precision) + 4).max(9),
        SqlType::Char { len, .. } => quoted(4 * u64::from(*len)),
        SqlType::Text { len, .. } | SqlType::Blob(len) => quoted(*len),
        SqlType::Binary(len) | SqlType::VarBinary(len) => quoted(u64::from(*len)),
        SqlType::Date => 16,
        SqlType::Datetime { .. } => 40,
        SqlType::Time => 24,
        SqlType::Year => 4,
        SqlType::Enum(members) => quoted(
            members
                .names
                .iter()
                .map(|member| member.len() as u64)
                .max()
                .unwrap_or(0),
        ),
        SqlType::Set(members) => {
            let lens = members.names.iter().map(|member| member.len() as u64 + 1);
            quoted(lens.sum())
        }
        SqlType::Json | SqlType::Geometry(_) => quoted(4 << 30),
        SqlType::Vector(dimensions) => quoted(4 * u64::from(*dimensions)),
    }
}
