//! Rows to text. What stands out of band is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use super::columns::{Columns, ShownColumn, Source};
use super::computed::faulty;
use super::lines::Lines;
use super::steps::{Cell, Place, Step};
use super::value_text::{bad_field, check_len, out_of_row, push_value};
use crate::expression::value::read_field;
use crate::expression::{Fault, Value};
use crate::message::schema::TableSchema;
use crate::tree::{Kind, Node, Traversal};
use crate::value::adaptive::{self, Adaptive};
use crate::value::encoding as e;
use crate::value::time::Datetimes;
use crate::value::tuple::{Fields, NoTuple, Tuple};
use crate::{Address, Chunk, FormatError, TextFormat, jsonl};

/// How to print the rows of one table.
#[derive(Debug, Clone)]
pub struct Renderer {
    columns: Arc<Columns>,
    /// How the values of each shown column are found and printed in lines.
    steps: Arc<[Step]>,
    datetime_columns: usize,
    format: TextFormat,
}

/// The nodes of out-of-band values, by address.
pub type Values = HashMap<Address, Node>;

impl Renderer {
    /// How to print the rows of a table with this schema as Dolt exports them.
    pub fn new(schema: &TableSchema) -> Result<Self, FormatError> {
        let columns = Columns::new(schema)?;
        let (steps, datetime_columns) = Step::of(&columns);
        Ok(Self {
            steps,
            datetime_columns,
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
        let mut datetimes = vec![Datetimes::default(); self.datetime_columns];
        for (item, (key, value)) in leaf.entries().enumerate() {
            let start = if self.columns.keyless {
                lines.flush().len()
            } else {
                0
            };
            let source = RowSource {
                leaf,
                item,
                key,
                value,
                values,
            };
            self.push_row(&source, &mut datetimes, &mut lines)?;
            // Without columns a row is an empty line.
            if self.steps.is_empty() {
                lines.push_null();
            }
            lines.end_line();
            if self.columns.keyless {
                repeat(&Row::new(leaf, item)?, start, lines.flush())?;
            }
            check_len(lines.text_len() as u64)?;
        }
        lines.flush();
        Ok(())
    }

    /// Appends the fields of a row. It is small, so that what it needs stays in registers.
    #[inline(never)]
    fn push_row(
        &self,
        source: &RowSource<'_>,
        datetimes: &mut [Datetimes],
        lines: &mut Lines<'_>,
    ) -> Result<(), FormatError> {
        let no_tuple = |NoTuple| no_tuple(source.item);
        let mut fields = Fields::new(source.value).map_err(no_tuple)?;
        for step in &*self.steps {
            let field = match step.place {
                Place::Next => fields.next_field().map_err(no_tuple)?,
                Place::Hidden => {
                    fields.next_field().map_err(no_tuple)?;
                    continue;
                }
                Place::Key(field) => source.key_field(field).map_err(no_tuple)?,
                Place::Computed => {
                    self.push_computed(step, source, lines)?;
                    continue;
                }
            };
            let Some(field) = field else {
                lines.push_null();
                continue;
            };
            let bad = || self.bad_field(step);
            let number = match step.cell {
                Cell::Int8 => fixed(field, i8::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Int16 => fixed(field, i16::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Int32 => fixed(field, i32::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Int64 => fixed(field, i64::from_le_bytes).ok_or_else(bad)?,
                Cell::Uint8 => fixed(field, u8::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Uint16 => fixed(field, u16::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Uint32 => fixed(field, u32::from_le_bytes).ok_or_else(bad)?.into(),
                Cell::Uint64 => {
                    lines.push_number(false, fixed(field, u64::from_le_bytes).ok_or_else(bad)?);
                    continue;
                }
                Cell::Text => {
                    lines.push_field(field.split_last().ok_or_else(bad)?.1);
                    continue;
                }
                Cell::Datetime { precision, number } => {
                    let micros = fixed(field, i64::from_le_bytes).ok_or_else(bad)?;
                    lines.push_datetime(micros, precision, &mut datetimes[number]);
                    continue;
                }
                Cell::Adaptive if field.first() == Some(&0) => {
                    lines.push_field(field.get(1..).unwrap_or_default());
                    continue;
                }
                Cell::Adaptive | Cell::Other => {
                    self.push_other(step, field, source.values, lines)?;
                    continue;
                }
            };
            lines.push_number(number < 0, number.unsigned_abs());
        }
        Ok(())
    }

    #[cold]
    fn bad_field(&self, step: &Step) -> FormatError {
        bad_field(&self.columns.shown[step.column])
    }

    /// Appends a value of a type that few tables have most of.
    #[inline(never)]
    fn push_other(
        &self,
        step: &Step,
        field: &[u8],
        values: &Values,
        lines: &mut Lines<'_>,
    ) -> Result<(), FormatError> {
        let column = &self.columns.shown[step.column];
        lines.push_with(|delimiter, out| push_value(column, field, values, delimiter, out))
    }

    /// Appends the value of a computed column.
    #[inline(never)]
    fn push_computed(
        &self,
        step: &Step,
        source: &RowSource<'_>,
        lines: &mut Lines<'_>,
    ) -> Result<(), FormatError> {
        let column = &self.columns.shown[step.column];
        let Source::Computed(assignment) = &column.source else {
            return Ok(());
        };
        let row = Row::new(source.leaf, source.item)?;
        // An adaptive value stands inline.
        let mut computed: Vec<u8> = e::is_adaptive(column.encoding)
            .then_some(0)
            .into_iter()
            .collect();
        let found = assignment.push(&|at| self.value_at(&row, at, source.values), &mut computed);
        if found.map_err(|fault| faulty(&column.name, fault))? {
            return self.push_other(step, &computed, source.values, lines);
        }
        lines.push_null();
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

/// A row as a leaf has it.
struct RowSource<'a> {
    leaf: &'a Node,
    item: usize,
    key: &'a [u8],
    value: &'a [u8],
    values: &'a Values,
}

impl<'a> RowSource<'a> {
    #[inline(never)]
    fn key_field(&self, field: usize) -> Result<Option<&'a [u8]>, NoTuple> {
        Ok(Tuple::new(self.key).ok_or(NoTuple)?.field(field))
    }
}

#[cold]
fn no_tuple(item: usize) -> FormatError {
    FormatError::corrupt("table leaf", format!("row {item} is no tuple"))
}

/// The number of a field of `N` bytes.
#[inline]
fn fixed<const N: usize, T>(field: &[u8], from_bytes: fn([u8; N]) -> T) -> Option<T> {
    field.try_into().ok().map(from_bytes)
}

pub(crate) struct Row<'a> {
    key: Tuple<'a>,
    value: Tuple<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(leaf: &'a Node, item: usize) -> Result<Self, FormatError> {
        let tuple = |raw| Tuple::new(raw).ok_or_else(|| no_tuple(item));
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
