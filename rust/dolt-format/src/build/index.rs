//! `IndexBuild`: the entries of one secondary index, from the rows of its table.

use super::arena::{Arena, RowView};
use super::input::Input;
use super::job::{Entries, TreeJob};
use super::key::{push_tuple, sort_key_of};
use super::merge::{MergedInto, Merging};
use super::out_of_band::{choose_out_of_band, push_value_field};
use super::row_buffers::RowBuffers;
use super::run::Runs;
use crate::message::schema::{Index, TableSchema};
use crate::tree::probe::SortKey;
use crate::value::collation::Collation;
use crate::value::encoding as e;
use crate::value::geometry;
use crate::value::sort_key::push_sort_key;
use crate::value::tuple::finish_tuple;
use crate::{Chunk, FormatError};

/// The tuple without fields: the value of every index entry.
pub(crate) const EMPTY_TUPLE: &[u8] = &[0, 0];

/// One field of an index key.
#[derive(Debug, Clone, Copy)]
struct KeyField {
    column: usize,
    /// Bytes that are indexed; 0 for all.
    prefix: usize,
    /// Whether a long value keeps its adaptive form.
    adaptive: bool,
    /// Whether the cell of a geometry stands for it.
    cell: bool,
}

impl KeyField {
    /// The encoding in the key of a column of this encoding.
    const fn encoding(&self, of_column: u8) -> u8 {
        match of_column {
            _ if self.cell => e::CELL,
            _ if self.adaptive => of_column,
            of_column => e::in_key(of_column),
        }
    }
}

/// The encoding of a converted field and where it lies; `None` for NULL.
type Converted = (u8, Option<(usize, usize)>);

/// Collects the entries of one secondary index.
#[derive(Debug)]
pub(crate) struct IndexBuild {
    name: String,
    unique: bool,
    fields: Vec<KeyField>,
    /// Fields that the index names; behind them stand those of the primary key.
    named: usize,
    keyless: bool,
    target_row_size: usize,
    arena: Arena,
    sort_key: Vec<u8>,
    key: Vec<u8>,
    ends: Vec<u16>,
    scratch: Vec<u8>,
    converted: Vec<Converted>,
}

impl IndexBuild {
    /// An index of a table.
    pub(crate) fn new(schema: &TableSchema, index: &Index) -> Self {
        let mut fields = Vec::new();
        for (position, column) in index.index_columns.iter().enumerate() {
            let prefix = usize::from(index.prefix_lengths.get(position).copied().unwrap_or(0));
            fields.push(KeyField {
                column: usize::from(*column),
                prefix,
                adaptive: index.unique && prefix == 0,
                cell: index.spatial,
            });
        }
        let named = fields.len();
        for column in &schema.primary_key {
            if !index.index_columns.contains(column) {
                let column = usize::from(*column);
                fields.push(KeyField {
                    column,
                    prefix: 0,
                    adaptive: false,
                    cell: false,
                });
            }
        }
        Self {
            name: index.name.clone(),
            unique: index.unique,
            fields,
            named,
            keyless: schema.primary_key.is_empty(),
            target_row_size: usize::from(schema.target_row_size),
            arena: Arena::default(),
            sort_key: Vec::new(),
            key: Vec::new(),
            ends: Vec::new(),
            scratch: Vec::new(),
            converted: Vec::new(),
        }
    }

    /// Converts the row's fields to those of the key, in `scratch`, and makes the sort key.
    ///
    /// The encoding and place of each field go to `spans`, `None` for NULL, adaptive ones plain.
    /// Returns how much of the sort key has to be unique.
    fn convert(
        &mut self,
        input: &Input,
        buffers: &RowBuffers,
        spans: &mut Vec<Converted>,
    ) -> usize {
        self.scratch.clear();
        self.sort_key.clear();
        spans.clear();
        let mut has_null = false;
        let mut unique_len = 0;
        for (position, key_field) in self.fields.iter().enumerate() {
            let start = self.scratch.len();
            let stored = input.encoding(key_field.column);
            let encoding = key_field.encoding(stored);
            let collation = input.collation(key_field.column);
            let field = buffers.field(key_field.column);
            has_null |= field.is_none() && position < self.named;
            match field {
                None => {}
                Some(field) if encoding == e::CELL => {
                    // What is no geometry was refused when its text was read.
                    let cell = geometry::cell(field).unwrap_or_default();
                    self.scratch.extend_from_slice(&cell);
                }
                Some(field) if matches!(encoding, e::STRING | e::BYTES) => {
                    // A field of an adaptive column stands plain.
                    let plain = if e::is_adaptive(stored) {
                        field
                    } else {
                        field.split_last().map_or(field, |(_, value)| value)
                    };
                    let len = match key_field.prefix {
                        0 => plain.len(),
                        prefix => plain.len().min(prefix),
                    };
                    self.scratch.extend_from_slice(&plain[..len]);
                    self.scratch.push(0);
                }
                Some(field) => self.scratch.extend_from_slice(field),
            }
            let span = field.map(|_| (start, self.scratch.len()));
            spans.push((encoding, span));
            match (e::is_adaptive(encoding), span) {
                // Sort keys of strings expect the zero byte that stored ones end with.
                (true, Some((start, end))) => {
                    let mut value = self.scratch[start..end].to_vec();
                    value.push(0);
                    push_sort_key(encoding, collation, Some(&value), &mut self.sort_key);
                }
                (_, span) => {
                    let field = span.map(|(start, end)| &self.scratch[start..end]);
                    push_sort_key(encoding, collation, field, &mut self.sort_key);
                }
            }
            if position + 1 == self.named {
                unique_len = self.sort_key.len();
            }
        }
        // NULLs never clash.
        if has_null { 0 } else { unique_len }
    }

    /// Adds the entry of the row in `buffers`.
    pub(crate) fn push(
        &mut self,
        input: &Input,
        buffers: &RowBuffers,
        line: u64,
        blobs: &mut Vec<Chunk>,
    ) -> Result<(), FormatError> {
        self.key.clear();
        let mut spans = std::mem::take(&mut self.converted);
        let unique_len = self.convert(input, buffers, &mut spans);
        if self.keyless {
            let hash = buffers.key().get(..16).unwrap_or_default();
            let start = self.scratch.len();
            self.scratch.extend_from_slice(hash);
            spans.push((e::HASH128, Some((start, self.scratch.len()))));
            push_sort_key(
                e::HASH128,
                Collation::default(),
                Some(hash),
                &mut self.sort_key,
            );
        }
        let too_long = || FormatError::BadRecord {
            line,
            why: format!("its key in index {:?} is too long", self.name),
        };
        if spans.iter().any(|(encoding, _)| e::is_adaptive(*encoding)) {
            let fields: Vec<(u8, Option<&[u8]>)> = spans
                .iter()
                .map(|(encoding, span)| (*encoding, span.map(|(from, to)| &self.scratch[from..to])))
                .collect();
            let moved = choose_out_of_band(0, &fields, self.target_row_size);
            self.ends.clear();
            // Dolt does not list the addresses in index keys.
            let mut addresses = Vec::new();
            for ((encoding, field), moved) in fields.iter().zip(moved) {
                if let Some(field) = field {
                    push_value_field(
                        *encoding,
                        field,
                        moved,
                        &mut self.key,
                        &mut addresses,
                        blobs,
                    )?;
                }
                self.ends
                    .push(u16::try_from(self.key.len()).map_err(|_| too_long())?);
            }
            finish_tuple(&mut self.key, &self.ends);
        } else {
            let field =
                |span: &Option<(usize, usize)>| span.map(|(from, to)| &self.scratch[from..to]);
            let fields = spans.iter().map(|(_, span)| field(span));
            push_tuple(fields, &mut self.key, &mut self.ends).ok_or_else(too_long)?;
        }
        self.converted = spans;
        if self.unique {
            // The value carries how much of the sort key has to be unique.
            let unique_len = (unique_len as u32).to_le_bytes();
            self.arena
                .push(&self.sort_key, &self.key, &unique_len, &[], line);
        } else {
            self.arena.push(&self.sort_key, &self.key, &[], &[], 0);
        }
        Ok(())
    }

    /// Whether its table has no key.
    pub(crate) const fn keyless(&self) -> bool {
        self.keyless
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn arena(&self) -> &Arena {
        &self.arena
    }

    pub(crate) fn arena_mut(&mut self) -> &mut Arena {
        &mut self.arena
    }

    /// Makes the sort keys of stored keys, none of whose fields is adaptive.
    pub(crate) fn sort_key(&self, input: &Input) -> SortKey {
        let fields = self.fields.iter().map(|field| {
            let encoding = field.encoding(input.encoding(field.column));
            (encoding, input.collation(field.column))
        });
        sort_key_of(fields.collect())
    }

    /// Fails where two entries of the sorted arena clash.
    pub(crate) fn check_unique(&self) -> Result<(), FormatError> {
        if !self.unique {
            return Ok(());
        }
        let mut last: Option<RowView<'_>> = None;
        for row in self.arena.rows() {
            if let Some(last) = last
                && let Some(prefix) = unique_prefix(&row)
                && last.sort_key.starts_with(prefix)
            {
                return Err(clash(&self.name, row.line, last.line));
            }
            last = Some(row);
        }
        Ok(())
    }

    /// The sorting and cutting into leaves of the entries, some of which may be kept in runs.
    pub(crate) fn into_job(self, tree: usize, runs: Runs) -> Result<TreeJob, FormatError> {
        if runs.is_empty() {
            return Ok(TreeJob::new(tree, Entries::Index(self)));
        }
        let into = MergedInto::Index {
            name: self.name,
            unique: self.unique,
            keyless: self.keyless,
        };
        let merging = Merging::new(runs.finish()?, self.arena, into);
        Ok(TreeJob::new(tree, Entries::Merged(Box::new(merging))))
    }
}

/// The error for two rows, on these lines, that clash in a unique index.
pub(super) fn clash(index: &str, one: u64, other: u64) -> FormatError {
    FormatError::BadRecord {
        line: one.max(other),
        why: format!(
            "unique key {index:?} has the same value on line {}",
            one.min(other)
        ),
    }
}

/// How much of an entry's sort key no other entry may begin with; `None` where it need not be
/// unique, as NULLs never clash.
pub(crate) fn unique_prefix<'a>(row: &RowView<'a>) -> Option<&'a [u8]> {
    let len = row.value.try_into().map_or(0, u32::from_le_bytes) as usize;
    row.sort_key.get(..len).filter(|prefix| !prefix.is_empty())
}
