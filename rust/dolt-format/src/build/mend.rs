//! What a text does not show of stored rows stays as it is stored.
//!
//! Dolt rounds some values when it shows them, and shows some that it does not take. A row that was
//! not edited is the stored one all the same, and so is each value of a row that was: where the
//! text says of a value just what the old text says, it stands for the stored one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::arena::{Arena, RowView};
use super::building::values_of;
use super::deferred::Deferred;
use super::input::Input;
use super::load::Loader;
use super::row_buffers::RowBuffers;
use super::rows::{Rows, next_number};
use crate::csv::render::Values;
use crate::tree::Node;
use crate::value::sort_key::push_sort_key;
use crate::{Address, Chunk, FormatError};

const CARDINALITY_LEN: usize = 8;

/// Rows as they are stored.
pub(super) struct Stored {
    pub(super) leaves: Vec<Node>,
    /// Their values out of band.
    pub(super) values: Values,
}

/// What a text says of a value.
#[derive(Debug)]
enum Cell {
    Field(Option<Vec<u8>>),
    /// Text of which there is no field.
    Text(Option<Vec<u8>>),
    /// Nothing: the value is computed.
    Computed,
}

impl Cell {
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Computed, _) | (_, Self::Computed) => true,
            (Self::Field(one), Self::Field(other)) | (Self::Text(one), Self::Text(other)) => {
                one == other
            }
            _ => false,
        }
    }
}

/// A stored row that its text does not give again.
struct Odd {
    leaf: usize,
    item: usize,
    /// Lines of the old text on which it stands.
    lines: std::ops::RangeInclusive<u64>,
    /// How many rows of the new text may still be this one.
    left: u64,
    /// What its text says.
    cells: Vec<Cell>,
    /// The sort key of the row that its text gives, if it gives one.
    read_as: Option<Vec<u8>>,
}

/// Makes rows of `new` those that are stored where they say the same, and those of `old`, which
/// were read from the text of `stored`, in its order.
pub(super) fn mend(new: &mut Rows, old: &mut Rows, stored: Stored) -> Result<(), FormatError> {
    let (Some(input), Some(old_input)) = (&new.input, &old.input) else {
        return Ok(());
    };
    let input = Arc::clone(input);
    let loader = Loader::new(&new.schema, Arc::clone(old_input))?;
    let mut mend = Mend {
        generated: new.schema.columns.iter().map(|c| c.generated).collect(),
        keyless: input.keyless(),
        input,
        loader,
        leaves: stored.leaves,
        values: stored.values,
        odd: Vec::new(),
        by_key: HashMap::new(),
        even: HashMap::new(),
        staying: HashMap::new(),
    };
    mend.find_odd(old)?;
    if mend.odd.is_empty() && new.deferred.is_empty() {
        return Ok(());
    }
    mend.values.extend(values_of(&new.blobs)?);
    mend.mend_new(new, old)?;
    mend.mend_old(old);
    for rows in [&mut *new, old] {
        keep_reachable(&mut rows.blobs, &rows.arena)?;
        mend.enter_again(rows)?;
    }
    new.stored_values = mend.values;
    Ok(())
}

struct Mend {
    /// Which columns are generated.
    generated: Vec<bool>,
    keyless: bool,
    input: Arc<Input>,
    loader: Loader,
    leaves: Vec<Node>,
    values: Values,
    odd: Vec<Odd>,
    /// The odd rows with a key, or without one, all that say the same.
    by_key: HashMap<Vec<u8>, Vec<usize>>,
    /// How many rows without a key say the same as an odd one and are not odd.
    even: HashMap<Vec<u8>, u64>,
    /// How many rows stay that break the table's rules, by their keys.
    staying: HashMap<Vec<u8>, usize>,
}

impl Mend {
    /// Finds the rows that their text did not give again.
    fn find_odd(&mut self, old: &mut Rows) -> Result<(), FormatError> {
        let mut buffers = RowBuffers::default();
        let mut read_values = None;
        let mut read = old.arena.as_they_came().peekable();
        let mut deferred = old.deferred.iter().peekable();
        let mut last = 0;
        for (leaf, node) in self.leaves.iter().enumerate() {
            for item in 0..node.len() {
                let times = if self.keyless {
                    times(node.value(item))
                } else {
                    1
                };
                let lines = last + 1..=last + times;
                last += times;
                let (mut row, mut kept) = (None, None);
                while let Some(next) = read.next_if(|row| row.line <= last) {
                    row.get_or_insert(next);
                }
                while let Some(next) = deferred.next_if(|kept| kept.record.line <= last) {
                    kept.get_or_insert(next);
                }
                let (cells, read_as) = match (row, kept) {
                    (Some(row), _) => {
                        if row.key == node.key(item)
                            && self.part_shown(row.value) == self.part_shown(node.value(item))
                        {
                            continue;
                        }
                        let values = match &mut read_values {
                            Some(values) => values,
                            none => none.insert(values_of(&old.blobs)?),
                        };
                        self.loader.load(row.key, row.value, values, &mut buffers)?;
                        (self.cells(&buffers), Some(row.sort_key.to_vec()))
                    }
                    (None, Some(kept)) => {
                        let (cells, _) =
                            self.kept_cells(kept, &self.loader.input, 0, &mut buffers)?;
                        (cells, None)
                    }
                    // It is not to be looked at.
                    (None, None) => continue,
                };
                self.odd.push(Odd {
                    leaf,
                    item,
                    lines,
                    left: times,
                    cells,
                    read_as,
                });
            }
        }
        for (number, odd) in self.odd.iter().enumerate() {
            let key = self.key_of(&odd.cells);
            self.by_key.entry(key).or_default().push(number);
        }
        if self.keyless && !self.odd.is_empty() {
            let read_as = self.odd.iter().filter_map(|odd| odd.read_as.clone());
            self.even = read_as.map(|sort_key| (sort_key, 0)).collect();
            let lines: HashSet<u64> = self.odd.iter().flat_map(|odd| odd.lines.clone()).collect();
            let even = old.arena.as_they_came();
            for row in even.filter(|row| !lines.contains(&row.line)) {
                if let Some(count) = self.even.get_mut(row.sort_key) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// What a text shows of a row's value: not how often the row occurs.
    fn part_shown<'a>(&self, value: &'a [u8]) -> &'a [u8] {
        let start = if self.keyless { CARDINALITY_LEN } else { 0 };
        value.get(start..).unwrap_or_default()
    }

    /// What is said of the row in `buffers`.
    fn cells(&self, buffers: &RowBuffers) -> Vec<Cell> {
        let cells = self.generated.iter().enumerate();
        let cells = cells.map(|(column, generated)| {
            if *generated {
                return Cell::Computed;
            }
            Cell::Field(buffers.field(column).map(<[u8]>::to_vec))
        });
        cells.collect()
    }

    /// What a record says that was kept, and whether it says what it should of computed columns.
    /// Its fields are in `buffers` then.
    fn kept_cells(
        &self,
        kept: &Deferred,
        input: &Input,
        next: u64,
        buffers: &mut RowBuffers,
    ) -> Result<(Vec<Cell>, Result<(), FormatError>), FormatError> {
        let record = kept.record.view();
        let mut texts = HashMap::new();
        let mut refuse = |column: usize, text: Option<&[u8]>, _| {
            texts.insert(column, text.map(<[u8]>::to_vec));
            Ok(())
        };
        input.encode(&record, next, buffers, &mut refuse)?;
        let completed = input.complete(record.line, Some(&record), false, buffers);
        let mut cells = self.cells(buffers);
        for (column, cell) in cells.iter_mut().enumerate() {
            if let Some(text) = texts.remove(&column) {
                *cell = Cell::Text(text);
            } else if let (Some(given), Some(codec)) =
                (input.given(column, &record), input.codec(column))
            {
                let empty_is_null = codec.empty_is_null();
                let text = record.field(given);
                let text = text.filter(|text| !(text.is_empty() && empty_is_null));
                let mut field = Vec::new();
                *cell = match text.map(|text| codec.push(text, &mut field)) {
                    None => Cell::Field(None),
                    Some(Ok(())) => Cell::Field(Some(field)),
                    Some(Err(_)) => Cell::Text(text.map(<[u8]>::to_vec)),
                };
            }
        }
        Ok((cells, completed))
    }

    /// By which an odd row is found.
    fn key_of(&self, cells: &[Cell]) -> Vec<u8> {
        let mut key = vec![0];
        let keys = self.input.key_columns.iter().copied();
        // A key that is generated is computed of columns that are in it, or told with the row.
        let columns: Vec<usize> = if self.keyless {
            (0..cells.len()).collect()
        } else {
            keys.collect()
        };
        let is_generated = |column: &usize| self.generated.get(*column).copied().unwrap_or(false);
        for column in columns.into_iter().filter(|column| !is_generated(column)) {
            match cells.get(column) {
                Some(Cell::Field(field)) if self.keyless => {
                    key.push(u8::from(field.is_some()));
                    push_bytes(field.as_deref().unwrap_or_default(), &mut key);
                }
                Some(Cell::Field(field)) => {
                    let (encoding, collation) =
                        (self.input.encoding(column), self.input.collation(column));
                    push_sort_key(encoding, collation, field.as_deref(), &mut key);
                }
                Some(Cell::Text(text)) => {
                    if let Some(first) = key.first_mut() {
                        *first = 1;
                    }
                    key.push(2);
                    push_bytes(text.as_deref().unwrap_or_default(), &mut key);
                }
                Some(Cell::Computed) | None => {}
            }
        }
        key
    }

    /// The odd row of this key, if there is one.
    fn find(&self, key: &[u8]) -> Option<usize> {
        let mut numbers = self.by_key.get(key)?.iter().copied();
        numbers.find(|number| self.odd.get(*number).is_some_and(|odd| odd.left > 0))
    }

    fn mend_new(&mut self, new: &mut Rows, old: &Rows) -> Result<(), FormatError> {
        let rows = std::mem::take(&mut new.arena);
        let mut buffers = RowBuffers::default();
        let mut mended = Arena::default();
        for row in rows.as_they_came() {
            let mut key = vec![0];
            if self.keyless {
                if let Some(count) = self.even.get_mut(row.sort_key)
                    && *count > 0
                {
                    *count -= 1;
                    mended.push_row(&row);
                    continue;
                }
                self.loader
                    .load(row.key, row.value, &self.values, &mut buffers)?;
                key = self.key_of(&self.cells(&buffers));
            } else {
                key.extend_from_slice(row.sort_key);
            }
            let Some(number) = self.find(&key) else {
                mended.push_row(&row);
                continue;
            };
            self.loader
                .load(row.key, row.value, &self.values, &mut buffers)?;
            let cells = self.cells(&buffers);
            if self.take_whole(number, &cells, row.line, &mut mended) {
                continue;
            }
            if self.take_fields(number, &cells, &mut buffers)? {
                self.input.complete(row.line, None, true, &mut buffers)?;
                self.input
                    .make_row(row.line, &mut buffers, &mut new.blobs)?;
                mended.push_new(&buffers.row(row.line));
            } else {
                mended.push_row(&row);
            }
        }
        new.arena = mended;
        for kept in std::mem::take(&mut new.deferred) {
            self.mend_kept(&kept, new, old)?;
        }
        Ok(())
    }

    /// Adds the row of a record that was kept; fails if it is none.
    fn mend_kept(
        &mut self,
        kept: &Deferred,
        new: &mut Rows,
        old: &Rows,
    ) -> Result<(), FormatError> {
        let (line, mut buffers) = (kept.record.line, RowBuffers::default());
        let next = next_number(new.auto_increment);
        let input = Arc::clone(&self.input);
        let (mut cells, completed) = self.kept_cells(kept, &input, next, &mut buffers)?;
        new.row_count += 1;
        let found = self.find(&self.key_of(&cells));
        if let Some(number) = found {
            if self.take_whole(number, &cells, line, &mut new.arena) {
                return Ok(());
            }
            self.take_fields(number, &cells, &mut buffers)?;
            let odd = self.odd.get(number).map(|odd| odd.cells.as_slice());
            for (cell, theirs) in cells.iter_mut().zip(odd.unwrap_or_default()) {
                if matches!(cell, Cell::Text(_)) && cell.agrees(theirs) {
                    *cell = Cell::Field(None);
                }
            }
        }
        if cells.iter().any(|cell| matches!(cell, Cell::Text(_))) {
            return Err(kept.why.clone());
        }
        let record = kept.record.view();
        let broken = match (found, completed) {
            // Computed of other values than those that were taken from the stored row.
            (None, Err(why)) => Err(why),
            _ => input.complete(line, Some(&record), true, &mut buffers),
        };
        if let Err(why) = broken {
            for (column, cell) in cells.iter().enumerate() {
                if let (Some(true), Cell::Field(field)) = (self.generated.get(column), cell) {
                    buffers.replace_field(column, field.as_deref());
                }
            }
            input.make_row(line, &mut buffers, &mut new.blobs)?;
            // Rows that are there already may break the table's rules.
            let is_this = |row: &RowView<'_>| {
                row.key == buffers.key
                    && self.part_shown(row.value) == self.part_shown(&buffers.value)
            };
            let count = old.arena.as_they_came().filter(is_this).count();
            let staying = self.staying.entry(buffers.key.clone()).or_default();
            *staying += 1;
            if count < *staying {
                return Err(why);
            }
        } else {
            input.make_row(line, &mut buffers, &mut new.blobs)?;
        }
        new.arena.push_new(&buffers.row(line));
        if let Some(counter) = &mut new.auto_increment {
            counter.see(&buffers);
        }
        Ok(())
    }

    /// Adds the stored row if `cells` say the same in all columns.
    fn take_whole(&mut self, number: usize, cells: &[Cell], line: u64, mended: &mut Arena) -> bool {
        let Some(odd) = self.odd.get_mut(number) else {
            return false;
        };
        let mut pairs = odd.cells.iter().zip(cells);
        if !pairs.all(|(one, other)| one.agrees(other)) {
            return false;
        }
        odd.left -= 1;
        self.push_stored(number, line, mended);
        true
    }

    fn push_stored(&self, number: usize, line: u64, rows: &mut Arena) {
        let odd = self.odd.get(number);
        let Some((node, odd)) = odd.and_then(|odd| Some((self.leaves.get(odd.leaf)?, odd))) else {
            return;
        };
        let (key, addresses) = (node.key(odd.item), node.value_addresses(odd.item));
        let mut value = node.value(odd.item).to_vec();
        if self.keyless
            && let Some(count) = value.first_chunk_mut::<CARDINALITY_LEN>()
        {
            *count = 1u64.to_le_bytes();
        }
        rows.push(&self.loader.sort_key(key), key, &value, &addresses, line);
    }

    /// Puts the stored fields into `buffers` of which `cells` say the same as the old text; whether
    /// that changes something.
    fn take_fields(
        &self,
        number: usize,
        cells: &[Cell],
        buffers: &mut RowBuffers,
    ) -> Result<bool, FormatError> {
        let odd = self.odd.get(number);
        let Some((node, odd)) = odd.and_then(|odd| Some((self.leaves.get(odd.leaf)?, odd))) else {
            return Ok(false);
        };
        let (key, value) = (node.key(odd.item), node.value(odd.item));
        let mut stored = RowBuffers::default();
        self.loader.load(key, value, &self.values, &mut stored)?;
        let mut changed = false;
        for (column, (cell, theirs)) in cells.iter().zip(&odd.cells).enumerate() {
            let computed = self.generated.get(column).copied().unwrap_or_default();
            if computed || !cell.agrees(theirs) || stored.field(column) == buffers.field(column) {
                continue;
            }
            buffers.replace_field(column, stored.field(column));
            changed = true;
        }
        Ok(changed)
    }

    /// Makes the rows that were read from the old text those that are stored.
    fn mend_old(&self, old: &mut Rows) {
        let lines = self.odd.iter().enumerate();
        let lines = lines.flat_map(|(number, odd)| odd.lines.clone().map(move |at| (at, number)));
        let by_line: HashMap<u64, usize> = lines.collect();
        let mut mended = Arena::default();
        for row in old.arena.as_they_came() {
            match by_line.get(&row.line) {
                Some(number) => self.push_stored(*number, row.line, &mut mended),
                None => mended.push_row(&row),
            }
        }
        for kept in std::mem::take(&mut old.deferred) {
            if let Some(number) = by_line.get(&kept.record.line) {
                self.push_stored(*number, kept.record.line, &mut mended);
            }
        }
        old.arena = mended;
    }

    /// Makes the entries of the indexes anew.
    fn enter_again(&self, rows: &mut Rows) -> Result<(), FormatError> {
        let mut buffers = RowBuffers::default();
        for index in &mut rows.indexes {
            *index.arena_mut() = Arena::default();
        }
        if rows.indexes.is_empty() {
            return Ok(());
        }
        let input = &self.loader.input;
        for row in rows.arena.as_they_came() {
            self.loader
                .load(row.key, row.value, &self.values, &mut buffers)?;
            // What is not stored of the row.
            input.complete(row.line, None, false, &mut buffers)?;
            for index in &mut rows.indexes {
                index.push(input, &buffers, row.line, &mut rows.blobs)?;
            }
        }
        Ok(())
    }
}

/// How often a stored row without a key occurs.
fn times(value: &[u8]) -> u64 {
    value
        .first_chunk()
        .map_or(0, |raw| u64::from_le_bytes(*raw))
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Drops the chunks of values that no row has any more.
fn keep_reachable(blobs: &mut Vec<Chunk>, rows: &Arena) -> Result<(), FormatError> {
    let nodes = values_of(blobs)?;
    let mut wanted: Vec<Address> = Vec::new();
    for row in rows.as_they_came() {
        for at in row.addresses() {
            let raw = row
                .value
                .get(usize::from(at)..usize::from(at) + Address::LEN);
            wanted.extend(raw.and_then(|raw| Address::try_from(raw).ok()));
        }
    }
    let mut reached = HashSet::new();
    while let Some(address) = wanted.pop() {
        if let Some(node) = nodes.get(&address)
            && reached.insert(address)
            && !node.is_leaf()
        {
            wanted.extend((0..node.len()).map(|item| node.address(item)));
        }
    }
    blobs.retain(|blob| reached.contains(&blob.address()));
    Ok(())
}
