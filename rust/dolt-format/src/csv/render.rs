//! Rows to text. What stands out of band is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use super::columns::{Columns, ShownColumn, Source};
use super::computed::faulty;
use super::lines::Lines;
use super::value_text::{bad_field, check_len, out_of_row, push_value, signed, unsigned};
use crate::expression::value::read_field;
use crate::expression::{Assignment, Fault, Value};
use crate::message::schema::TableSchema;
use crate::tree::{Kind, Node, Traversal};
use crate::value::adaptive::{self, Adaptive};
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;
use crate::value::time::push_datetime;
use crate::value::tuple::Tuple;
use crate::{Address, Chunk, FormatError, TextFormat, jsonl};

/// How to print the rows of one table.
#[derive(Debug, Clone)]
pub struct Renderer {
    columns: Arc<Columns>,
    /// How the values of each shown column are printed in lines.
    cells: Arc<[Cell]>,
    format: TextFormat,
}

/// How the values of a column are printed, for those of which tables have most.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// An integer of so many bytes.
    Signed(usize),
    Unsigned(usize),
    /// Text or bytes with a zero behind them.
    Text,
    /// Text or bytes that may be out of band.
    Adaptive,
    /// A datetime with so many digits of a second; one column has a memory for the last one.
    Datetime {
        precision: u8,
        memory: usize,
    },
    /// Anything else.
    Other,
}

impl Cell {
    fn of(columns: &[ShownColumn]) -> Arc<[Self]> {
        let mut memories = 0;
        let cells = columns.iter().map(|column| {
            if matches!(column.source, Source::Computed(_)) {
                return Self::Other;
            }
            match (column.encoding, &column.sql_type) {
                (e::INT8, _) => Self::Signed(1),
                (e::INT16, _) => Self::Signed(2),
                (e::INT32, _) => Self::Signed(4),
                (e::INT64, _) => Self::Signed(8),
                (e::UINT8, _) => Self::Unsigned(1),
                (e::UINT16, _) => Self::Unsigned(2),
                (e::UINT32, _) => Self::Unsigned(4),
                (e::UINT64 | e::BIT64, _) => Self::Unsigned(8),
                (_, SqlType::Json) => Self::Other,
                (e::STRING | e::BYTES, _) => Self::Text,
                (e::STRING_ADAPTIVE | e::BYTES_ADAPTIVE, _) => Self::Adaptive,
                (e::DATETIME, SqlType::Datetime { precision, .. }) => {
                    memories += 1;
                    Self::Datetime {
                        precision: *precision,
                        memory: memories - 1,
                    }
                }
                _ => Self::Other,
            }
        });
        cells.collect()
    }
}

/// The last values of columns that often have the same again, and how they are printed.
#[derive(Default)]
struct Memory {
    last: [(Option<i64>, Vec<u8>); Self::COLUMNS_MAX],
}

impl Memory {
    const COLUMNS_MAX: usize = 8;

    fn datetime(&mut self, micros: i64, precision: u8, column: usize, lines: &mut Lines<'_>) {
        let Some((last, text)) = self.last.get_mut(column) else {
            push_datetime(micros, precision, lines.flush());
            return;
        };
        if *last != Some(micros) {
            text.clear();
            push_datetime(micros, precision, text);
            *last = Some(micros);
        }
        lines.push_plain(text);
    }
}

/// The nodes of out-of-band values, by address.
pub type Values = HashMap<Address, Node>;

impl Renderer {
    /// How to print the rows of a table with this schema as Dolt exports them.
    pub fn new(schema: &TableSchema) -> Result<Self, FormatError> {
        let columns = Columns::new(schema)?;
        Ok(Self {
            cells: Cell::of(&columns.shown),
            columns: Arc::new(columns),
            format: TextFormat::Csv,
        })
    }

    /// How to print them in another format.
    #[must_use]
    pub fn in_format(&self, format: TextFormat) -> Self {
        Self {
            format,
            ..self.clone()
        }
    }

    /// The format.
    #[must_use]
    pub const fn format(&self) -> TextFormat {
        self.format
    }

    /// What the table's text starts with.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        self.columns.header(self.format)
    }

    /// The layout of the rows.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether the text of a leaf may be much longer than what the leaf stores: by values that are
    /// stored beside it, or by rows that occur often.
    #[must_use]
    pub fn may_be_long(&self) -> bool {
        let beside = |encoding| e::is_adaptive(encoding) || e::is_address(encoding);
        let mut shown = self.columns.shown.iter();
        self.columns.keyless || shown.any(|column| beside(column.encoding))
    }

    /// The roots of the out-of-band values of a leaf, with the length each promises.
    fn out_of_band(&self, leaf: &Node) -> Result<Vec<Address>, FormatError> {
        let columns: Vec<&ShownColumn> = self
            .columns
            .shown
            .iter()
            .filter(|column| e::is_adaptive(column.encoding) || e::is_address(column.encoding))
            .collect();
        let mut roots = Vec::new();
        if columns.is_empty() {
            return Ok(roots);
        }
        for item in 0..leaf.len() {
            let row = Row::new(leaf, item)?;
            for column in &columns {
                let Some(field) = row.field(&column.source) else {
                    continue;
                };
                if e::is_adaptive(column.encoding) {
                    match adaptive::decode(field) {
                        Some(Adaptive::Inline(_)) => {}
                        Some(Adaptive::OutOfBand(len, root)) => {
                            check_len(len)?;
                            roots.push(root);
                        }
                        None => return Err(bad_field(column)),
                    }
                } else {
                    let root = Address::try_from(field)?;
                    roots.extend((!root.is_empty()).then_some(root));
                }
            }
        }
        Ok(roots)
    }

    /// Appends the text of all rows of a leaf.
    pub fn render(
        &self,
        leaf: &Node,
        values: &Values,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        if !leaf.is_leaf() || leaf.kind() != Kind::Tuples {
            return Err(FormatError::corrupt(
                "table leaf",
                "it is another kind of node",
            ));
        }
        let Some(delimiter) = self.format.delimiter() else {
            return jsonl::render::render(self, leaf, values, out);
        };
        let mut lines = Lines::new(delimiter, out);
        let mut memory = Memory::default();
        for item in 0..leaf.len() {
            let row = Row::new(leaf, item)?;
            let start = if self.columns.keyless {
                lines.flush().len()
            } else {
                0
            };
            // Columns mostly come in the order in which their values are stored.
            let (mut fields, mut upcoming) = (row.value.fields(), 0);
            for (position, (column, cell)) in
                self.columns.shown.iter().zip(&*self.cells).enumerate()
            {
                if position > 0 {
                    lines.push_delimiter();
                }
                let bad = || bad_field(column);
                let field = match column.source {
                    Source::Value(at) if at == upcoming => {
                        upcoming += 1;
                        fields.next_field()
                    }
                    _ => row.field(&column.source),
                };
                let Some(field) = field else {
                    if let Source::Computed(assignment) = &column.source {
                        let push = |out: &mut Vec<u8>| {
                            self.push_computed(column, assignment, &row, values, delimiter, out)
                        };
                        lines.push_with(push)?;
                    }
                    continue;
                };
                match *cell {
                    Cell::Signed(len) => lines.push_signed(signed(field, len).ok_or_else(bad)?),
                    Cell::Unsigned(len) => {
                        lines.push_unsigned(unsigned(field, len).ok_or_else(bad)?);
                    }
                    Cell::Text => lines.push_field(field.split_last().ok_or_else(bad)?.1),
                    Cell::Datetime {
                        precision,
                        memory: number,
                    } => {
                        let micros = signed(field, 8).ok_or_else(bad)?;
                        memory.datetime(micros, precision, number, &mut lines);
                    }
                    Cell::Adaptive if field.first() == Some(&0) => {
                        lines.push_field(field.get(1..).unwrap_or_default());
                    }
                    Cell::Adaptive | Cell::Other => {
                        let push =
                            |out: &mut Vec<u8>| push_value(column, field, values, delimiter, out);
                        lines.push_with(push)?;
                    }
                }
            }
            lines.push_byte(b'\n');
            if self.columns.keyless {
                repeat(&row, start, lines.flush())?;
            }
            check_len(lines.text_len() as u64)?;
        }
        lines.flush();
        Ok(())
    }

    /// Appends the value of a computed column.
    fn push_computed(
        &self,
        column: &ShownColumn,
        assignment: &Assignment,
        row: &Row<'_>,
        values: &Values,
        delimiter: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        // An adaptive value stands inline.
        let mut computed: Vec<u8> = e::is_adaptive(column.encoding)
            .then_some(0)
            .into_iter()
            .collect();
        let found = assignment.push(&|at| self.value_at(row, at, values), &mut computed);
        if found.map_err(|fault| faulty(&column.name, fault))? {
            push_value(column, &computed, values, delimiter, out)?;
        }
        Ok(())
    }

    /// The value of the column at `position`, for an expression.
    pub(crate) fn value_at(
        &self,
        row: &Row<'_>,
        position: usize,
        values: &Values,
    ) -> Result<Value, Fault> {
        let bad = || Fault::Unsupported(format!("the column at {position} cannot be read"));
        let mut shown = self.columns.shown.iter();
        let column = shown.find(|column| column.position == position);
        let column = column.ok_or_else(bad)?;
        let mut plain = Vec::new();
        if let Source::Computed(assignment) = &column.source {
            // Only from columns before it, so this ends.
            let found = assignment.push(&|at| self.value_at(row, at, values), &mut plain)?;
            let field = found.then_some(plain.as_slice());
            return read_field(&column.sql_type, column.encoding, field).ok_or_else(bad);
        }
        let field = row.field(&column.source);
        let Some(stored) =
            field.filter(|_| e::is_adaptive(column.encoding) || e::is_address(column.encoding))
        else {
            return read_field(&column.sql_type, column.encoding, field).ok_or_else(bad);
        };
        let mut scratch = Vec::new();
        let value = out_of_row(column, stored, values, &mut scratch).map_err(|_| bad())?;
        read_field(&column.sql_type, column.encoding, Some(value)).ok_or_else(bad)
    }
}

pub(crate) struct Row<'a> {
    key: Tuple<'a>,
    value: Tuple<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(leaf: &'a Node, item: usize) -> Result<Self, FormatError> {
        let tuple = |raw| {
            Tuple::new(raw).ok_or_else(|| {
                FormatError::corrupt("table leaf", format!("row {item} is no tuple"))
            })
        };
        Ok(Self {
            key: tuple(leaf.key(item))?,
            value: tuple(leaf.value(item))?,
        })
    }

    pub(crate) fn field(&self, source: &Source) -> Option<&'a [u8]> {
        match source {
            Source::Key(field) => self.key.field(*field),
            Source::Value(field) => self.value.field(*field),
            Source::Computed(_) => None,
        }
    }
}

/// Equal rows of a keyless table are stored once, with how often they occur.
pub(crate) fn repeat(row: &Row<'_>, start: usize, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let times = row
        .value
        .field(0)
        .and_then(|raw| raw.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    let line = out.get(start..).unwrap_or_default().to_vec();
    if times == 0 {
        let why = "a row of a keyless table that occurs 0 times";
        return Err(FormatError::corrupt("table leaf", why));
    }
    check_len(times.saturating_mul(line.len() as u64))?;
    for _ in 1..times {
        out.extend_from_slice(&line);
    }
    Ok(())
}

/// The text of some leaves, each without the header. Fetches only out-of-band values.
#[derive(Debug)]
pub struct Render {
    pub(super) renderer: Renderer,
    pub(crate) leaves: Vec<Node>,
    pub(crate) values: Values,
    /// Roots and children not asked for yet; what a parent promises of a child's level.
    wanted: Vec<(Address, Option<u8>)>,
    asked: HashMap<Address, Option<u8>>,
}

impl Render {
    /// Renders `leaves`.
    pub fn new(renderer: Renderer, leaves: Vec<Node>) -> Result<Self, FormatError> {
        let mut wanted = Vec::new();
        for leaf in &leaves {
            let roots = renderer.out_of_band(leaf)?;
            wanted.extend(roots.into_iter().map(|root| (root, None)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.reverse();
        Ok(Self {
            renderer,
            leaves,
            values: HashMap::new(),
            wanted,
            asked: HashMap::new(),
        })
    }
}

impl Traversal for Render {
    type Output = Vec<Vec<u8>>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some((address, level)) = self.wanted.pop()
        {
            if !self.values.contains_key(&address) && self.asked.insert(address, level).is_none() {
                batch.push(address);
            }
        }
        batch
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let address = chunk.address();
            let bad = |why: String| FormatError::corrupt(format!("value {address}"), why);
            let promised = self
                .asked
                .remove(&address)
                .ok_or_else(|| bad("it was not asked for".to_owned()))?;
            let node = Node::decode_any(chunk.contents().clone())?;
            if promised.is_some_and(|level| level != node.level()) {
                return Err(bad(format!(
                    "level {}, its parent promises {promised:?}",
                    node.level()
                )));
            }
            match node.kind() {
                Kind::Blob if node.is_leaf() => {}
                Kind::Blob | Kind::Addresses if !node.is_leaf() => {
                    let level = Some(node.level() - 1);
                    let children = (0..node.len()).rev();
                    self.wanted
                        .extend(children.map(|item| (node.address(item), level)));
                }
                kind => return Err(bad(format!("a {} node holds no value", kind.file_id()))),
            }
            self.values.insert(address, node);
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Self::Output, FormatError> {
        let mut texts = Vec::with_capacity(self.leaves.len());
        for leaf in &self.leaves {
            let mut text = Vec::with_capacity(2 * leaf.message().len());
            self.renderer.render(leaf, &self.values, &mut text)?;
            texts.push(text);
        }
        Ok(texts)
    }
}
