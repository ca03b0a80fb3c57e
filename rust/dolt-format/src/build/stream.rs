//! `Stream`: rows that come in the order of their keys, cut into leaves as they come.

use super::arena::Arena;
use super::input::Input;
use super::job::{Batch, CLUSTERED};
use crate::FormatError;
use crate::message::node::{Kind, Node};
use crate::tree::leaves::LeafBuilder;

/// Rows on their way into leaves.
#[derive(Debug, Default)]
pub(super) struct Stream {
    leaves: LeafBuilder,
    /// The sort key and the line of the last row.
    last: Vec<u8>,
    last_line: u64,
    /// The lines of the rows that were not taken away.
    lines: Vec<u64>,
    batches: usize,
}

/// A row as it is stored, and shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRow<'a> {
    pub(super) sort_key: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) addresses: &'a [u16],
    pub(super) line: u64,
}

impl Stream {
    /// Adds a row with its text; whether it comes in order. If not, it is not added.
    pub(super) fn push(
        &mut self,
        row: &NewRow<'_>,
        text: &[u8],
        input: &Input,
    ) -> Result<bool, FormatError> {
        if !self.lines.is_empty() || self.batches > 0 {
            match row.sort_key.cmp(&self.last) {
                std::cmp::Ordering::Less => return Ok(false),
                std::cmp::Ordering::Equal => {
                    return Err(super::duplicate::duplicate(
                        input,
                        row.key,
                        row.line,
                        self.last_line,
                    ));
                }
                std::cmp::Ordering::Greater => {}
            }
        }
        self.leaves
            .push(row.key, row.value, row.addresses, Some(text))?;
        self.last.clear();
        self.last.extend_from_slice(row.sort_key);
        self.last_line = row.line;
        self.lines.push(row.line);
        Ok(true)
    }

    /// Bytes of the leaves that are done.
    pub(super) const fn done_bytes(&self) -> usize {
        self.leaves.done_bytes()
    }

    /// Takes the leaves that are done, if there are any.
    pub(super) fn take(&mut self) -> Option<Batch> {
        let leaves = self.leaves.take();
        if leaves.is_empty() {
            return None;
        }
        let rows: u64 = leaves.iter().map(|leaf| leaf.count).sum();
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let open = self.lines.split_off(rows.min(self.lines.len()));
        let lines = std::mem::replace(&mut self.lines, open);
        self.batches += 1;
        Some(Batch::new(CLUSTERED, self.batches - 1, leaves).with_lines(lines))
    }

    /// Bytes that are held here.
    pub(super) fn held_bytes(&self) -> usize {
        self.leaves.held_bytes() + self.lines.len() * size_of::<u64>()
    }

    /// Ends the last leaf and takes what is left.
    pub(super) fn finish(mut self) -> Result<Option<Batch>, FormatError> {
        self.leaves.finish()?;
        Ok(self.take())
    }

    /// The rows in an arena, to be sorted with others; `None` where some were taken away.
    pub(super) fn into_arena(mut self, input: &Input) -> Result<Option<Arena>, FormatError> {
        if self.batches > 0 {
            return Ok(None);
        }
        self.leaves.finish()?;
        let mut arena = Arena::default();
        let mut lines = self.lines.into_iter();
        let sort_key = input.sort_key();
        for leaf in self.leaves.take() {
            let node = Node::decode(Kind::Tuples, leaf.contents)?;
            for item in 0..node.len() {
                let key = node.key(item);
                arena.push(
                    &sort_key(key),
                    key,
                    node.value(item),
                    &node.value_addresses(item),
                    lines.next().unwrap_or_default(),
                );
            }
        }
        Ok(Some(arena))
    }
}
