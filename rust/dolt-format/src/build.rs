//! `TableBuild`: text in, a table out: all rows of the text and no others.

mod arena;
mod building;
mod counter;
mod default;
mod deferred;
mod duplicate;
pub mod edited;
pub mod follow;
mod header;
mod index;
mod input;
pub mod job;
mod key;
pub(crate) mod layout;
mod lines;
mod load;
mod mend;
mod merge;
pub mod moment;
mod old_text;
mod out_of_band;
mod plain;
pub mod refusal;
mod rewrite;
mod row_buffers;
mod row_text;
mod rows;
mod rules;
pub mod run;
mod stream;
mod target;
mod trees;

pub(crate) use self::key::push_tuple;
pub use self::layout::row_order;
pub use self::lines::Lines;
use crate::csv::columns::Columns;
use crate::csv::measure::Measure;
use crate::csv::parse::RecordReader;
use crate::jsonl::parse::JsonRows;
use crate::message::schema::TableSchema;
use crate::message::table::Table;
use crate::tree::address_map;
use crate::tree::chunker::MapBuilder;
use crate::tree::phases::Relay;
use crate::tree::{Kind, Traversal};
use crate::value::sql_type::SqlType;
use crate::{Address, Chunk, FormatError, TextFormat};
use building::Building;
use deferred::Defers;
use job::{Batch, HashedBatch, TreeJob};
use old_text::OldText;
use rewrite::Rewrite;
use rows::Rows;
use run::{Run, SortedRun};
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

/// The end of a build, as a traversal: it may have to read nodes of the table it is based on.
#[derive(Debug)]
pub struct TableFinish(Ending);

#[derive(Debug)]
enum Ending {
    Built(Box<Building>),
    Rewrite(Box<Relay<Rewrite>>),
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

    /// Keeps the rows of `base` of which the new text says the same. Passes over what it repeats of
    /// the old text as a whole, if that is known: `old` are its leaves.
    pub fn pass_over(&mut self, old: Option<Measured>) -> Result<(), FormatError> {
        let schema = &self.rows.schema;
        let old = match old {
            Some(old) if !old.is_empty() && rewrite::is_possible(schema) => {
                OldText::new(Columns::new(schema)?.header(self.rows.format), old)
            }
            _ if shows_all(schema) || !is_small(&self.base)? => return Ok(()),
            old => OldText::read_whole(old.unwrap_or_default()),
        };
        self.rows.old_text = Some(old);
        self.rows.defers = Defers::Shown;
        self.rows.stream = None;
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

    /// Takes rows away that are to be sorted, or entries of an index, if there are more than
    /// `bytes` bytes of all of them together. They have to be given back sorted before the end
    /// ([`TableBuild::give_run`]).
    pub fn take_run(&mut self, bytes: usize) -> Option<Run> {
        self.rows.take_run(bytes)
    }

    /// Takes back a run, whose data is kept from `offset` on, where [`TreeJob::needs`] says.
    pub fn give_run(&mut self, run: SortedRun, offset: u64) {
        run.place(offset, &mut self.rows.runs);
    }

    /// Lets rows come in any order, though some will have been taken away.
    pub fn sort_all(&mut self) {
        self.rows.stream = None;
    }

    /// Bytes of what differs from the text of `base`, where that is passed over: all of it is held
    /// until the end. `at_end` says that no more text comes, and what was not repeated is gone.
    #[must_use]
    pub fn differing_bytes(&self, at_end: bool) -> u64 {
        let old = self.rows.old_text.as_ref();
        old.map_or(0, |old| {
            old.replaced_bytes(at_end) + self.rows.unsorted_bytes() as u64
        })
    }

    /// Bytes of rows, leaves and what else grows with the text that are held here.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.rows.held_bytes() + self.trees.held_bytes()
    }

    /// The end of the text.
    pub fn end(mut self) -> Result<TableFinish, FormatError> {
        self.reader.finish(&mut self.rows)?;
        let old_text = self.rows.old_text.take();
        let looks_back = old_text.is_some() && self.rows.may_say_less();
        let rewrite = match old_text.and_then(OldText::finish) {
            Some(replaced) => Rewrite::new(self.base, self.rows, replaced)?,
            None if looks_back => Rewrite::anew(self.base, self.rows)?,
            None => {
                let building = Building::new(self.base, self.rows, self.trees)?;
                return Ok(TableFinish(Ending::Built(Box::new(building))));
            }
        };
        let rewrite = Box::new(Relay::new(rewrite)?);
        Ok(TableFinish(Ending::Rewrite(rewrite)))
    }

    /// The end of the text, where nothing was to be passed over.
    pub fn finish(self) -> Result<BuiltTable, FormatError> {
        self.end()?.result()
    }
}

/// Inner nodes right above leaves, 4 KiB each, up to which a table is read to keep rows of it.
const READ_NODES_MAX: usize = 12;

/// Whether a table has rows, and so few that all of them can be held.
fn is_small(base: &Chunk) -> Result<bool, FormatError> {
    let rows = Table::decode(base.contents())?.rows;
    let is_small = rows.level() < 2 || rows.level() == 2 && rows.len() <= READ_NODES_MAX;
    Ok(is_small && rows.tree_count() > 0)
}

/// Whether text says all of every row that dolt stores in a table, and is taken.
fn shows_all(schema: &TableSchema) -> bool {
    let mut columns = schema.columns.iter();
    schema.checks.is_empty()
        && columns.all(|column| {
            let sql_type = SqlType::parse(&column.sql_type);
            sql_type.is_ok_and(|sql_type| {
                matches!(
                    sql_type,
                    SqlType::Int { .. }
                        | SqlType::Bit(_)
                        | SqlType::Binary(_)
                        | SqlType::VarBinary(_)
                        | SqlType::Blob(_)
                        | SqlType::Set(_)
                        | SqlType::Time
                        | SqlType::Year
                )
            })
        })
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
