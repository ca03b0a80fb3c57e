//! `Lines`: on which line of its text each row of a table stands.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::arena::Arena;

/// The lines of rows, by the hash of the row's key: twelve bytes a row.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    keys: Vec<u64>,
    lines: Vec<u32>,
}

const ROW_LEN: usize = 12;

impl Lines {
    pub(super) fn of(rows: &Arena) -> Self {
        let mut lines = Self::default();
        for row in rows.as_they_came() {
            lines.push(row.key, row.line);
        }
        lines
    }

    pub(super) fn push(&mut self, key: &[u8], line: u64) {
        self.keys.push(xxh3_64(key));
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// What [`Lines::extend`] takes: twelve bytes a row.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let rows = self.keys.iter().zip(&self.lines);
        rows.flat_map(|(key, line)| {
            let mut row = [0; ROW_LEN];
            row[..8].copy_from_slice(&key.to_le_bytes());
            row[8..].copy_from_slice(&line.to_le_bytes());
            row
        })
        .collect()
    }

    /// Adds the lines of other rows.
    pub fn extend(&mut self, bytes: &[u8]) {
        for row in bytes.as_chunks::<ROW_LEN>().0 {
            let (key, line) = row.split_at(8);
            self.keys.push(key.try_into().map_or(0, u64::from_le_bytes));
            self.lines
                .push(line.try_into().map_or(0, u32::from_le_bytes));
        }
    }

    /// The first line on which one of the rows with these keys stands, and which of them. `None`
    /// where the text has none of them.
    pub fn first(&self, keys: impl Iterator<Item = Vec<u8>>) -> Option<(u64, usize)> {
        let wanted: Vec<u64> = keys.map(|key| xxh3_64(&key)).collect();
        let some: HashSet<u64> = wanted.iter().copied().collect();
        let found = self.keys.iter().zip(&self.lines);
        let found = found.filter(|(key, _)| some.contains(key));
        let (key, line) = found.min_by_key(|(_, line)| **line)?;
        let which = wanted.iter().position(|wanted| wanted == key)?;
        Some((u64::from(*line), which))
    }
}
