//! `TextLayout`: which leaf each byte of a table's text lies in, as far as it is known.

use std::collections::{HashMap, HashSet};

use super::measure::Measure;
use super::render::Renderer;
use crate::tree::{Kind, Node};
use crate::value::sql_type::SqlType;
use crate::{Address, Chunk, FormatError, TextFormat, jsonl};

/// A size no file reaches; what a table with boundless columns may at most have.
const SIZE_BOUND: u64 = 1 << 62;
/// Children that an inner node has on average, for estimates.
const FAN_OUT: u64 = 150;

/// Where one leaf's rows lie in a table's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The leaf.
    pub leaf: Address,
    /// Offset of its first byte in the text.
    pub start: u64,
    /// Bytes of its rows.
    pub length: u64,
}

#[derive(Debug, Clone, Copy)]
struct Subtree {
    address: Address,
    level: u8,
    count: u64,
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
        let leaves = self.subtrees.iter().map(|subtree| {
            FAN_OUT
                .saturating_pow(u32::from(subtree.level))
                .min(subtree.count.max(1))
        });
        leaves.fold(0, u64::saturating_add)
    }

    /// What has to be known to place `[offset, offset + length)`: inner nodes and leaves, in text
    /// order, at most `limit` together.
    #[must_use]
    pub fn frontier(&self, offset: u64, length: u64, limit: usize) -> (Vec<Address>, Vec<Address>) {
        let end = offset.saturating_add(length);
        let (mut nodes, mut leaves) = (Vec::new(), Vec::new());
        let mut known = self.placed();
        for subtree in self.subtrees.iter().skip(self.starts.len() - 1) {
            // What is known behind a gap only moves to the right, so it may count towards the end.
            if known >= end || nodes.len() + leaves.len() >= limit {
                break;
            }
            if subtree.level > 0 {
                nodes.push(subtree.address);
            } else if let Some(measure) = self.measures.get(&subtree.address) {
                known = known.saturating_add(measure.length);
            } else {
                leaves.push(subtree.address);
            }
        }
        (nodes, leaves)
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
        self.measures.extend(measures);
        self.advance();
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

    fn advance(&mut self) {
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

    /// The leaves that hold the placed part of `[offset, offset + length)`, in text order.
    #[must_use]
    pub fn extents(&self, offset: u64, length: u64) -> Vec<Extent> {
        let end = offset.saturating_add(length);
        let first = self
            .starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        let mut extents = Vec::new();
        let leaves = self.starts.windows(2).zip(&self.subtrees).skip(first);
        for (bounds, subtree) in leaves {
            let &[start, next] = bounds else { continue };
            if start >= end {
                break;
            }
            if next > offset {
                extents.push(Extent {
                    leaf: subtree.address,
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
                .iter()
                .map(|member| member.len() as u64)
                .max()
                .unwrap_or(0),
        ),
        SqlType::Set(members) => quoted(members.iter().map(|member| member.len() as u64 + 1).sum()),
        SqlType::Json | SqlType::Geometry(_) => quoted(4 << 30),
        SqlType::Vector(dimensions) => quoted(4 * u64::from(*dimensions)),
    }
}
