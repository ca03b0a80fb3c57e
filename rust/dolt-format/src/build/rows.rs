//! `Rows`: what grows while records come in.

use std::sync::Arc;

use super::BuiltTable;
use super::arena::Arena;
use super::building::Building;
use super::counter::Counter;
use super::deferred::{Deferred, Defers};
use super::follow::{Following, Outcome};
use super::index::IndexBuild;
use super::input::{Carried, Input, TextOf};
use super::job::CLUSTERED;
use super::moment::Moment;
use super::old_text::OldText;
use super::plain::PlainRows;
use super::refusal;
use super::row_buffers::RowBuffers;
use super::row_text::RowText;
use super::run::{Run, Runs};
use super::stream::Stream;
use super::trees::Trees;
use crate::csv::columns::Columns;
use crate::csv::parse::{Boundary, RecordReader, Visitor};
use crate::csv::record::RecordView;
use crate::csv::render::Values;
use crate::message::schema::TableSchema;
use crate::message::table::Table;
use crate::{Chunk, FormatError, TextFormat};

/// What grows while records come in.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) schema: TableSchema,
    pub(super) input: Option<Arc<Input>>,
    pub(super) plain: Option<PlainRows>,
    pub(super) row_text: Option<RowText>,
    pub(super) buffers: RowBuffers,
    /// Where rows go as long as they come in order; else they go to the arena.
    pub(super) stream: Option<Stream>,
    pub(super) arena: Arena,
    pub(super) indexes: Vec<IndexBuild>,
    /// Rows and entries that were taken away, by the tree that they are of.
    pub(super) runs: Vec<Runs>,
    pub(super) blobs: Vec<Chunk>,
    pub(super) auto_increment: Option<Counter>,
    pub(super) row_count: u64,
    pub(super) old_text: Option<OldText>,
    pub(super) defers: Defers,
    pub(super) deferred: Vec<Deferred>,
    /// Values out of band that are stored already.
    pub(super) stored_values: Values,
    /// For a text of another schema: the column of this one that each of its fields is of.
    pub(super) carried: Option<Vec<Option<Carried>>>,
    /// When that text gets its new form.
    pub(super) moment: Option<Moment>,
    /// Whether the text is that of rows that are stored already.
    pub(super) stored: bool,
    pub(super) format: TextFormat,
    /// What becomes of some rows, where the text is that of stored ones.
    pub(super) following: Option<Following>,
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
        let Some(input) = &self.input else {
            return Ok(());
        };
        let defers = self.defers;
        // What rows have to obey is looked at where they change.
        let mut refuse = |column: usize, text: Option<&[u8]>, why| {
            let waits = defers.take(input, column, text);
            if waits { Ok(()) } else { Err(why) }
        };
        input.encode(&record, next, &mut self.buffers, &mut refuse)
    }
}

impl Rows {
    pub(super) fn new(schema: TableSchema, base: &Chunk) -> Result<Self, FormatError> {
        if let Some(why) = refusal::refuses_writes(&schema) {
            return Err(FormatError::Unsupported(why));
        }
        let counter = Table::decode(base.contents())?.auto_increment;
        let auto_increment = Counter::new(&schema, counter);
        let indexes: Vec<IndexBuild> = schema
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
            runs: std::iter::repeat_with(Runs::default)
                .take(CLUSTERED + 1 + indexes.len())
                .collect(),
            indexes,
            blobs: Vec::new(),
            auto_increment,
            row_count: 0,
            old_text: None,
            defers: Defers::None,
            deferred: Vec::new(),
            stored_values: Values::new(),
            carried: None,
            moment: None,
            stored: false,
            format: TextFormat::Csv,
            following: None,
        })
    }

    /// Takes the texts of some leaves of the table's stored rows.
    pub(super) fn take_stored(&mut self, texts: &[Vec<u8>]) -> Result<(), FormatError> {
        let mut reader = RecordReader::default();
        reader.count_rows();
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
                moment: self.moment,
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
        let input = Arc::clone(input);
        let empty_is_null = input.empty_line_is_a_row();
        let next = next_number(self.auto_increment);
        let (defers, mut refused) = (self.defers, None);
        let mut refuse = |column: usize, text: Option<&[u8]>, why| {
            if !defers.take(&input, column, text) {
                return Err(why);
            }
            refused.get_or_insert(why);
            Ok(())
        };
        input.encode(record, next, &mut self.buffers, &mut refuse)?;
        if let Some(why) = refused {
            self.defer(record, why);
            return Ok(empty_is_null);
        }
        let outcome = match &self.following {
            Some(following) => following.apply(&input, &mut self.buffers)?,
            None => Outcome::Changed,
        };
        if outcome == Outcome::Skipped {
            return Ok(empty_is_null);
        }
        let checked = outcome == Outcome::Changed;
        match input.complete(record.line, Some(record), checked, &mut self.buffers) {
            Ok(()) => {}
            Err(why) if defers.take_broken(&why) => {
                self.defer(record, why);
                return Ok(empty_is_null);
            }
            Err(why) => return Err(why),
        }
        input.make_row(record.line, &mut self.buffers, &mut self.blobs)?;
        self.store(record.line, None)?;
        Ok(empty_is_null)
    }

    /// Keeps a record that may be what a stored row shows.
    fn defer(&mut self, record: &RecordView<'_>, why: FormatError) {
        if let Some(counter) = &mut self.auto_increment {
            counter.see(&self.buffers);
        }
        self.deferred.push(Deferred::new(record, why));
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
            match input.check(line, &self.buffers) {
                Ok(()) => {}
                // The record is to be kept.
                Err(why) if self.defers.take_broken(&why) => break,
                Err(why) => return Err(why),
            }
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
        if let Some(counter) = &mut self.auto_increment {
            counter.see(&self.buffers);
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
        self.arena.push_new(&row);
        Ok(())
    }

    /// The table of these rows.
    pub(super) fn build(self, base: &Chunk) -> Result<BuiltTable, FormatError> {
        let trees = Trees::new(1 + self.indexes.len());
        Building::new(base.clone(), self, trees)?.result()
    }

    /// Whether stored rows may have more than the text that was read says of them.
    pub(super) fn may_say_less(&self) -> bool {
        let input = self.input.as_ref();
        !self.deferred.is_empty() || input.is_some_and(|input| !input.is_exact())
    }

    /// Bytes of the rows and entries that are to be sorted.
    pub(super) fn unsorted_bytes(&self) -> usize {
        let indexes = self.indexes.iter().map(|index| index.arena().byte_len());
        let deferred = self.deferred.iter().map(Deferred::byte_len);
        self.arena.byte_len() + indexes.sum::<usize>() + deferred.sum::<usize>()
    }

    /// Takes away the rows or entries of a tree that are to be sorted, if there are more than
    /// `bytes` bytes of all of them.
    pub(super) fn take_run(&mut self, bytes: usize) -> Option<Run> {
        // Changes are told from the rows that were there before by both as a whole.
        if self.old_text.is_some() || self.unsorted_bytes() <= bytes {
            return None;
        }
        let indexes = self.indexes.iter_mut().map(IndexBuild::arena_mut);
        let arenas = std::iter::once(&mut self.arena).chain(indexes);
        let all = arenas.zip(&mut self.runs).enumerate();
        let (tree, (arena, runs)) = all.max_by_key(|(_, (arena, _))| arena.byte_len())?;
        let rows = std::mem::take(arena);
        Some(Run::new(tree, runs.begin(), rows, tree == CLUSTERED))
    }

    /// Bytes that are held here.
    pub(super) fn held_bytes(&self) -> usize {
        let blobs = self.blobs.iter().map(|blob| blob.contents().len());
        let runs = self.runs.iter().map(Runs::byte_len);
        self.stream.as_ref().map_or(0, Stream::held_bytes)
            + self.unsorted_bytes()
            + blobs.sum::<usize>()
            + runs.sum::<usize>()
    }

    /// Whether rows can become leaves as they come.
    pub(super) fn can_stream(&self) -> bool {
        // A virtual column's text is computed from the stored row.
        self.format.delimiter().is_some()
            && !self.schema.primary_key.is_empty()
            && !self.schema.columns.iter().any(|column| column.is_virtual)
    }
}

/// The next number of an `AUTO_INCREMENT` column with this counter.
pub(super) fn next_number(counter: Option<Counter>) -> u64 {
    counter.map_or(1, Counter::next)
}
