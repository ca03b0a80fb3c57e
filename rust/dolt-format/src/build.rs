//! `TableBuild`: text in, a table out: all rows of the text and no others.

mod arena;
mod default;
pub mod edited;
pub mod follow;
mod index;
mod input;
pub(crate) mod layout;
mod lines;
mod old_text;
pub mod refusal;
mod rewrite;
mod rules;

use bytes::Bytes;

pub(crate) use self::input::push_tuple;
pub use self::lines::Lines;
use crate::csv::columns::Columns;
use crate::csv::measure::Measure;
use crate::csv::parse::{Boundary, RecordReader, RecordView, Visitor};
use crate::csv::render::{Renderer, Values};
use crate::jsonl::parse::JsonRows;
use crate::message::schema::TableSchema;
use crate::message::table::Table;
use crate::tree::address_map;
use crate::tree::chunker::{BuiltMap, MapBuilder};
use crate::tree::phases::Relay;
use crate::tree::{Kind, Node, Traversal};
use crate::{Address, Chunk, FormatError, TextFormat};
use arena::Arena;
use follow::{Following, Outcome};
use index::IndexBuild;
use input::{Input, RowBuffers, TextOf};
use old_text::OldText;
use rewrite::Rewrite;

/// A table made from text, and the chunks it is made of.
#[derive(Debug, Clone)]
pub struct BuiltTable {
    /// The table's message.
    pub table: Chunk,
    /// Every other chunk that it may need and the table it is based on lacks, a new table's schema
    /// too. Some of them may be stored already.
    pub chunks: Vec<Chunk>,
    /// Rows, equal ones of a keyless table counted each.
    pub row_count: u64,
    /// Each new leaf and the measure of its text.
    pub measures: Vec<(Address, Measure)>,
    /// The format of that text.
    pub format: TextFormat,
    /// Where the rows that were read stand in the text.
    pub lines: Lines,
}

/// Reads text against a schema and builds the table's trees.
#[derive(Debug)]
pub struct TableBuild {
    reader: RecordReader,
    base: Chunk,
    rows: Rows,
}

/// What grows while records come in.
#[derive(Debug)]
struct Rows {
    schema: TableSchema,
    input: Option<Input>,
    buffers: RowBuffers,
    arena: Arena,
    indexes: Vec<IndexBuild>,
    blobs: Vec<Chunk>,
    auto_increment: Option<(usize, u64)>,
    row_count: u64,
    old_text: Option<OldText>,
    /// For a text of another schema: the column of this one that each of its fields is of.
    carried: Option<Vec<Option<String>>>,
    /// Whether the text is that of rows that are stored already.
    stored: bool,
    format: TextFormat,
    /// What becomes of some rows, where the text is that of stored ones.
    following: Option<Following>,
}

/// The end of a build, as a traversal: it may have to read nodes of the table it is based on.
#[derive(Debug)]
pub struct TableFinish(Ending);

#[derive(Debug)]
enum Ending {
    Built(Option<BuiltTable>),
    Rewrite(Box<Relay<Rewrite>>),
}

/// The leaves of a table in order, and the measures of their texts.
pub type Measured = Vec<(Address, Measure)>;

impl TableBuild {
    /// A build for the table whose message is `base` and whose schema is `schema`.
    pub fn new(schema: TableSchema, base: Chunk) -> Result<Self, FormatError> {
        Ok(Self {
            reader: RecordReader::default(),
            rows: Rows::new(schema, &base)?,
            base,
        })
    }

    /// A build for a new table with this schema, whose chunk is among those of the result.
    pub fn create(schema: &TableSchema) -> Result<Self, FormatError> {
        let chunk = schema.encode()?;
        let schema = TableSchema::decode(&chunk)?;
        let rows = MapBuilder::new(Kind::Tuples).finish()?.root;
        let empty = rows.contents();
        let none = schema
            .indexes
            .iter()
            .map(|index| (index.name.as_str(), rows.address()));
        let indexes = address_map::build(none)?.root;
        let base = Table::encode(schema.address, empty, indexes.contents(), 0)?;
        let mut build = Self::new(schema, base)?;
        build.rows.blobs.push(chunk);
        Ok(build)
    }

    /// The same build for a text in another format.
    pub fn in_format(mut self, format: TextFormat) -> Result<Self, FormatError> {
        self.reader = match format.delimiter() {
            Some(delimiter) => RecordReader::new(delimiter),
            None => RecordReader::of_json(JsonRows::of_table(&Columns::new(&self.rows.schema)?)),
        };
        self.rows.format = format;
        Ok(self)
    }

    /// Says in errors which row is at fault, and not which line.
    pub fn count_rows(&mut self) {
        self.reader.count_rows();
    }

    /// Passes over what the new text repeats of the text of `base`, whose leaves are `old`.
    pub fn pass_over(&mut self, old: Measured) -> Result<(), FormatError> {
        if rewrite::is_possible(&self.rows.schema) {
            let header = Columns::new(&self.rows.schema)?.header(self.rows.format);
            self.rows.old_text = Some(OldText::new(header, old));
        }
        Ok(())
    }

    /// Takes the next bytes of the text, cut anywhere.
    pub fn feed(&mut self, text: &[u8]) -> Result<(), FormatError> {
        self.reader.feed(text, &mut self.rows)
    }

    /// The end of the text.
    pub fn end(mut self) -> Result<TableFinish, FormatError> {
        self.reader.finish(&mut self.rows)?;
        let old_text = self.rows.old_text.take();
        Ok(TableFinish(match old_text.and_then(OldText::finish) {
            Some(replaced) => {
                let rewrite = Rewrite::new(self.base, self.rows, replaced)?;
                Ending::Rewrite(Box::new(Relay::new(rewrite)?))
            }
            None => Ending::Built(Some(self.rows.finish(&self.base)?)),
        }))
    }

    /// The end of the text, where nothing was to be passed over.
    pub fn finish(self) -> Result<BuiltTable, FormatError> {
        self.end()?.result()
    }
}

impl Traversal for TableFinish {
    type Output = BuiltTable;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        match &mut self.0 {
            Ending::Built(_) => Vec::new(),
            Ending::Rewrite(rewrite) => rewrite.needs(limit),
        }
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        match &mut self.0 {
            Ending::Built(_) => Ok(()),
            Ending::Rewrite(rewrite) => rewrite.feed(chunks),
        }
    }

    fn result(&mut self) -> Result<BuiltTable, FormatError> {
        match &mut self.0 {
            Ending::Built(built) => built
                .take()
                .ok_or_else(|| FormatError::corrupt("table build", "its result was taken before")),
            Ending::Rewrite(rewrite) => rewrite.phases.result(),
        }
    }
}

impl Visitor for Rows {
    fn at_boundary(&mut self, rest: &[u8], at_end: bool) -> Boundary {
        self.old_text
            .as_mut()
            .map_or(Boundary::Record, |old| old.at_boundary(rest, at_end))
    }

    fn take(&mut self, record: RecordView<'_>) -> Result<bool, FormatError> {
        self.add(&record)
    }

    fn check(&mut self, record: RecordView<'_>) -> Result<(), FormatError> {
        let next = next_number(self.auto_increment);
        let input = self.input.as_ref();
        // What rows have to obey is looked at where they change.
        input.map_or(Ok(()), |input| {
            input.encode(&record, next, &mut self.buffers)
        })
    }
}

impl Rows {
    fn new(schema: TableSchema, base: &Chunk) -> Result<Self, FormatError> {
        if let Some(why) = refusal::refuses_writes(&schema) {
            return Err(FormatError::Unsupported(why));
        }
        let counter = Table::decode(base.contents())?.auto_increment;
        let auto_increment = schema
            .columns
            .iter()
            .position(|column| column.auto_increment)
            .map(|at| (at, counter));
        let indexes = schema
            .indexes
            .iter()
            .map(|index| IndexBuild::new(&schema, index))
            .collect();
        Ok(Self {
            schema,
            input: None,
            buffers: RowBuffers::default(),
            arena: Arena::default(),
            indexes,
            blobs: Vec::new(),
            auto_increment,
            row_count: 0,
            old_text: None,
            carried: None,
            stored: false,
            format: TextFormat::Csv,
            following: None,
        })
    }

    /// Takes the texts of some leaves of the table's stored rows.
    fn take_stored(&mut self, texts: &[Vec<u8>]) -> Result<(), FormatError> {
        let mut reader = RecordReader::default();
        let header = Columns::new(&self.schema)?.header(TextFormat::Csv);
        for text in std::iter::once(&header).chain(texts) {
            reader.feed(text, self)?;
        }
        reader.finish(self)
    }

    /// Takes a record; tells whether an empty line is a record from now on.
    fn add(&mut self, record: &RecordView<'_>) -> Result<bool, FormatError> {
        let Some(input) = &self.input else {
            let of = TextOf {
                carried: self.carried.as_deref(),
                stored: self.stored,
                // Only what users write leaves numbers to be chosen.
                numbered: !self.stored && self.following.is_none(),
            };
            let input = Input::new(&self.schema, record, of)?;
            let empty_is_null = input.empty_line_is_a_row();
            self.input = Some(input);
            return Ok(empty_is_null);
        };
        let next = next_number(self.auto_increment);
        input.encode(record, next, &mut self.buffers)?;
        let outcome = match &self.following {
            Some(following) => following.apply(input, &mut self.buffers)?,
            None => Outcome::Changed,
        };
        if outcome == Outcome::Skipped {
            return Ok(input.empty_line_is_a_row());
        }
        input.complete(record, outcome == Outcome::Changed, &mut self.buffers)?;
        if let Some((column, next)) = &mut self.auto_increment
            && let Some(value) = self.buffers.unsigned(*column)
        {
            *next = (*next).max(value.saturating_add(1));
        }
        self.row_count += 1;
        input.push_row(
            record.line,
            &mut self.buffers,
            &mut self.arena,
            &mut self.blobs,
        )?;
        for index in &mut self.indexes {
            index.push(
                input,
                &self.buffers,
                &self.arena,
                record.line,
                &mut self.blobs,
            )?;
        }
        Ok(input.empty_line_is_a_row())
    }

    fn finish(mut self, base: &Chunk) -> Result<BuiltTable, FormatError> {
        let Some(input) = &self.input else {
            return Err(FormatError::BadRecord {
                line: 1,
                why: "an empty text is no table: its first line must name the columns".to_owned(),
            });
        };
        self.arena.sort();
        let clustered = if input.keyless() {
            build_keyless(&self.arena)?
        } else {
            build_keyed(&self.arena, input)?
        };
        let mut chunks = std::mem::take(&mut self.blobs);
        let mut roots = Vec::new();
        for (index, definition) in self.indexes.into_iter().zip(&self.schema.indexes) {
            let built = index.finish()?;
            roots.push((definition.name.as_str(), built.root.address()));
            chunks.extend(built.nodes);
            chunks.push(built.root);
        }
        // The schema has its indexes sorted by name, as address maps are.
        let indexes = address_map::build(roots)?;
        chunks.extend(indexes.nodes);
        let measures = measures(&self.schema, self.format, &clustered, &chunks)?;
        let counter = self.auto_increment.map_or(0, |(_, next)| next);
        let lines = Lines::of(&self.arena);
        let rows = clustered.root.contents();
        let table = write_table(
            base,
            self.schema.address,
            rows,
            indexes.root.contents(),
            counter,
        )?;
        chunks.extend(clustered.nodes);
        Ok(BuiltTable {
            table,
            chunks,
            row_count: self.row_count,
            measures,
            format: self.format,
            lines,
        })
    }
}

/// The next number of an `AUTO_INCREMENT` column with this counter.
fn next_number(counter: Option<(usize, u64)>) -> u64 {
    counter.map_or(1, |(_, next)| next.max(1))
}

/// The table's message. Where nothing differs the old bytes stay: some of them depend on history.
fn write_table(
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

fn build_keyed(arena: &Arena, input: &Input) -> Result<BuiltMap, FormatError> {
    check_keys(arena, input)?;
    let mut builder = MapBuilder::new(Kind::Tuples);
    for row in arena.rows() {
        builder.push(row.key, row.value, row.addresses)?;
    }
    builder.finish()
}

/// Fails where two rows of the sorted `arena` have one key.
fn check_keys(arena: &Arena, input: &Input) -> Result<(), FormatError> {
    let mut last: Option<(&[u8], u64)> = None;
    for row in arena.rows() {
        if let Some((sort_key, line)) = last
            && sort_key == row.sort_key
        {
            return Err(FormatError::DuplicateKey {
                line: row.line.max(line),
                why: format!(
                    "the primary key {} stands on line {} already",
                    input.describe_key(row.key),
                    row.line.min(line)
                ),
            });
        }
        last = Some((row.sort_key, row.line));
    }
    Ok(())
}

/// Equal rows of a keyless table are one entry that counts them.
fn build_keyless(arena: &Arena) -> Result<BuiltMap, FormatError> {
    let mut builder = MapBuilder::new(Kind::Tuples);
    let mut rows = arena.rows().peekable();
    let mut value = Vec::new();
    while let Some(row) = rows.next() {
        let mut times = 1u64;
        while rows.next_if(|next| next.sort_key == row.sort_key).is_some() {
            times += 1;
        }
        value.clear();
        value.extend_from_slice(&times.to_le_bytes());
        value.extend_from_slice(row.value.get(8..).unwrap_or_default());
        builder.push(row.key, &value, row.addresses)?;
    }
    builder.finish()
}

/// The measure of each leaf's text.
fn measures(
    schema: &TableSchema,
    format: TextFormat,
    clustered: &BuiltMap,
    blobs: &[Chunk],
) -> Result<Measured, FormatError> {
    let renderer = Renderer::new(schema)?.in_format(format);
    let is_blob = |chunk: &&Chunk| chunk.contents().get(8..12) == Some(b"BLOB".as_slice());
    let values = blobs
        .iter()
        .filter(is_blob)
        .map(|chunk| {
            Ok((
                chunk.address(),
                Node::decode(Kind::Blob, chunk.contents().clone())?,
            ))
        })
        .collect::<Result<Values, FormatError>>()?;
    let mut text = Vec::new();
    let mut measures = Vec::with_capacity(clustered.leaves.len());
    for leaf in &clustered.leaves {
        text.clear();
        let node = Node::decode(Kind::Tuples, leaf.contents().clone())?;
        renderer.render(&node, &values, &mut text)?;
        measures.push((leaf.address(), Measure::of(&text)));
    }
    Ok(measures)
}
