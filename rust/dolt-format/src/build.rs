//! `TableBuild`: text in, a table out: all rows of the text and no others.

mod arena;
mod default;
pub mod edited;
pub mod follow;
mod index;
mod input;
pub mod job;
pub(crate) mod layout;
mod lines;
mod old_text;
mod plain;
pub mod refusal;
mod rewrite;
mod row_text;
mod rules;
mod stream;
mod trees;

use std::sync::Arc;

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
use crate::tree::chunker::MapBuilder;
use crate::tree::phases::Relay;
use crate::tree::{Kind, Node, Traversal};
use crate::{Address, Chunk, FormatError, TextFormat};
use arena::Arena;
use follow::{Following, Outcome};
use index::IndexBuild;
use input::{Input, RowBuffers, TextOf};
use job::{Batch, CLUSTERED, Entries, HashedBatch, Rendering, TreeJob};
use old_text::OldText;
use plain::PlainRows;
use rewrite::Rewrite;
use row_text::RowText;
use stream::Stream;
use trees::Trees;

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
///
/// Rows that come in the order of their keys become leaves at once. Whoever takes these away
/// ([`TableBuild::take`]) hashes and stores them while more text comes; else they stay here.
#[derive(Debug)]
pub struct TableBuild {
    reader: RecordReader,
    base: Chunk,
    rows: Rows,
    trees: Trees,
}

/// What grows while records come in.
#[derive(Debug)]
struct Rows {
    schema: TableSchema,
    input: Option<Arc<Input>>,
    plain: Option<PlainRows>,
    row_text: Option<RowText>,
    buffers: RowBuffers,
    /// Where rows go as long as they come in order; else they go to the arena.
    stream: Option<Stream>,
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
    Built(Box<Building>),
    Rewrite(Box<Relay<Rewrite>>),
}

/// A build whose text has ended.
#[derive(Debug)]
struct Building {
    base: Chunk,
    rows: Rows,
    trees: Trees,
    jobs: Vec<TreeJob>,
    chunks: Vec<Chunk>,
    lines: Lines,
    is_over: bool,
}

/// The leaves of a table in order, and the measures of their texts.
pub type Measured = Vec<(Address, Measure)>;

impl TableBuild {
    /// A build for the table whose message is `base` and whose schema is `schema`.
    pub fn new(schema: TableSchema, base: Chunk) -> Result<Self, FormatError> {
        let mut rows = Rows::new(schema, &base)?;
        if rows.can_stream() {
            rows.stream = Some(Stream::default());
        }
        Ok(Self {
            reader: RecordReader::default(),
            trees: Trees::new(1 + rows.indexes.len()),
            rows,
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
        if !self.rows.can_stream() {
            self.rows.stream = None;
        }
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
            self.rows.stream = None;
        }
        Ok(())
    }

    /// Takes the next bytes of the text, cut anywhere.
    pub fn feed(&mut self, text: &[u8]) -> Result<(), FormatError> {
        self.reader.feed(text, &mut self.rows)
    }

    /// Takes away the leaves that are done and have more than `bytes` bytes together. Each has to
    /// be given back hashed ([`TableBuild::give`], [`TableFinish::give`]).
    ///
    /// Once something was taken, a row that does not come in order is refused with
    /// [`FormatError::OutOfOrder`]: the text has to be read anew, by a build that nothing is taken
    /// from before it ends.
    pub fn take(&mut self, bytes: usize) -> Option<Batch> {
        let stream = self.rows.stream.as_mut()?;
        if stream.done_bytes() <= bytes {
            return None;
        }
        let batch = stream.take()?;
        Some(batch.with_blobs(std::mem::take(&mut self.rows.blobs)))
    }

    /// Takes back what was taken, hashed; returns its chunks.
    pub fn give(&mut self, batch: HashedBatch) -> Vec<Chunk> {
        self.trees.give(batch)
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
            None => Ending::Built(Box::new(Building::new(self.base, self.rows, self.trees)?)),
        }))
    }

    /// The end of the text, where nothing was to be passed over.
    pub fn finish(self) -> Result<BuiltTable, FormatError> {
        self.end()?.result()
    }
}

impl TableFinish {
    /// What is left to do of trees that have nothing to do with each other. Who takes it has to
    /// give every batch back hashed; else it is done when the result is asked for.
    pub fn jobs(&mut self) -> Vec<TreeJob> {
        match &mut self.0 {
            Ending::Built(building) => std::mem::take(&mut building.jobs),
            Ending::Rewrite(_) => Vec::new(),
        }
    }

    /// Takes back what was taken, hashed; returns its chunks.
    pub fn give(&mut self, batch: HashedBatch) -> Vec<Chunk> {
        match &mut self.0 {
            Ending::Built(building) => building.trees.give(batch),
            Ending::Rewrite(_) => Vec::new(),
        }
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
            Ending::Built(building) => building.result(),
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

    fn take_plain(&mut self, rest: &[u8], line: u64) -> Result<(usize, u64), FormatError> {
        self.add_plain(rest, line)
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
            plain: None,
            row_text: None,
            buffers: RowBuffers::default(),
            stream: None,
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
            let columns = Columns::new(&self.schema)?;
            self.plain = match self.following {
                None => PlainRows::new(&self.schema, &input, &columns, self.format),
                Some(_) => None,
            };
            self.row_text = RowText::new(columns, self.format);
            self.input = Some(Arc::new(input));
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
        input.make_row(record.line, &mut self.buffers, &mut self.blobs)?;
        let empty_is_null = input.empty_line_is_a_row();
        self.store(record.line, None)?;
        Ok(empty_is_null)
    }

    /// Takes records that can be read in one pass; returns their bytes and lines.
    fn add_plain(&mut self, text: &[u8], line: u64) -> Result<(usize, u64), FormatError> {
        let (mut done, mut lines) = (0, 0);
        while let (Some(plain), Some(input)) = (&mut self.plain, &self.input) {
            let rest = text.get(done..).unwrap_or_default();
            let Some(record) = plain.read(rest, &mut self.buffers) else {
                break;
            };
            let line = line + lines;
            input.check(line, &self.buffers)?;
            plain.make_row(input, line, &mut self.buffers)?;
            let shown = record
                .as_shown
                .then(|| rest.get(..record.len).unwrap_or_default());
            self.store(line, shown)?;
            done += record.len;
            lines += 1;
            // What comes next may have to be passed over.
            if self.old_text.is_some() {
                break;
            }
        }
        Ok((done, lines))
    }

    /// Stores the row in the buffers, whose text is `shown`, if that is known.
    fn store(&mut self, line: u64, shown: Option<&[u8]>) -> Result<(), FormatError> {
        let Some(input) = &self.input else {
            return Ok(());
        };
        if let Some((column, next)) = &mut self.auto_increment
            && let Some(value) = self.buffers.unsigned(*column)
        {
            *next = (*next).max(value.saturating_add(1));
        }
        self.row_count += 1;
        for index in &mut self.indexes {
            index.push(input, &self.buffers, line, &mut self.blobs)?;
        }
        if let Some(stream) = &mut self.stream {
            let text = match (shown, &mut self.row_text) {
                (Some(text), _) => text,
                (None, Some(text)) => text.of(&self.buffers)?,
                (None, None) => &[],
            };
            let row = self.buffers.row(line);
            if stream.push(&row, text, input)? {
                return Ok(());
            }
            let stream = self.stream.take().unwrap_or_default();
            self.arena = stream
                .into_arena(input)?
                .ok_or(FormatError::OutOfOrder { line })?;
        }
        let row = self.buffers.row(line);
        self.arena
            .push(row.sort_key, row.key, row.value, row.addresses, line);
        Ok(())
    }

    /// The table of these rows.
    fn build(self, base: &Chunk) -> Result<BuiltTable, FormatError> {
        let trees = Trees::new(1 + self.indexes.len());
        Building::new(base.clone(), self, trees)?.result()
    }

    /// Whether rows can become leaves as they come.
    fn can_stream(&self) -> bool {
        // A virtual column's text is computed from the stored row.
        self.format.delimiter().is_some()
            && !self.schema.primary_key.is_empty()
            && !self.schema.columns.iter().any(|column| column.is_virtual)
    }
}

impl Building {
    fn new(base: Chunk, mut rows: Rows, mut trees: Trees) -> Result<Self, FormatError> {
        let Some(input) = &rows.input else {
            return Err(FormatError::BadRecord {
                line: 1,
                why: "an empty text is no table: its first line must name the columns".to_owned(),
            });
        };
        let mut chunks = std::mem::take(&mut rows.blobs);
        let mut jobs = Vec::new();
        let lines;
        if let Some(mut stream) = rows.stream.take() {
            lines = stream.lines()?;
            if let Some(batch) = stream.finish()? {
                chunks.extend(trees.give(batch.hash()?));
            }
        } else {
            let arena = std::mem::take(&mut rows.arena);
            lines = Lines::of(&arena);
            let entries = if input.keyless() {
                Entries::Keyless(arena)
            } else {
                Entries::Keyed(arena, Arc::clone(input))
            };
            let rendering = Rendering {
                renderer: Renderer::new(&rows.schema)?.in_format(rows.format),
                values: values(&chunks)?,
            };
            jobs.push(TreeJob::new(CLUSTERED, entries).with_rendering(Arc::new(rendering)));
        }
        let indexes = std::mem::take(&mut rows.indexes).into_iter();
        jobs.extend(
            indexes
                .zip(CLUSTERED + 1..)
                .map(|(index, tree)| index.into_job(tree)),
        );
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

    fn result(&mut self) -> Result<BuiltTable, FormatError> {
        if std::mem::replace(&mut self.is_over, true) {
            let why = "its result was taken before";
            return Err(FormatError::corrupt("table build", why));
        }
        for mut job in std::mem::take(&mut self.jobs) {
            while let Some(batch) = job.next(BATCH_BYTES)? {
                self.chunks.extend(self.trees.give(batch.hash()?));
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
        let counter = self.rows.auto_increment.map_or(0, |(_, next)| next);
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

/// Fails where two rows of the sorted `arena` have one key.
fn check_keys(arena: &Arena, input: &Input) -> Result<(), FormatError> {
    let mut last: Option<(&[u8], u64)> = None;
    for row in arena.rows() {
        if let Some((sort_key, line)) = last
            && sort_key == row.sort_key
        {
            return Err(duplicate(input, row.key, row.line, line));
        }
        last = Some((row.sort_key, row.line));
    }
    Ok(())
}

/// The error for a key that stands on two lines.
fn duplicate(input: &Input, key: &[u8], one: u64, other: u64) -> FormatError {
    FormatError::DuplicateKey {
        line: one.max(other),
        why: format!(
            "the primary key {} stands on line {} already",
            input.describe_key(key),
            one.min(other)
        ),
    }
}

/// The nodes of values that stand out of band.
fn values(chunks: &[Chunk]) -> Result<Values, FormatError> {
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
