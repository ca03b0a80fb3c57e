//! `Arena`: encoded rows, one behind the other, and the order of their sort keys.

use super::stream::NewRow;

/// Rows as bytes.
///
/// A row is, one behind the other: its sort key, its key, its value and its addresses, each behind
/// its length in bytes; then its line. These numbers are varints.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    len: usize,
    /// Where each row starts, in the order of sort keys; there once the rows are sorted.
    order: Vec<u64>,
}

/// One row of an arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowView<'a> {
    pub(crate) sort_key: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    addresses: &'a [u8],
    /// The line of the text on which the row starts.
    pub(crate) line: u64,
}

impl RowView<'_> {
    /// The positions of chunk addresses in the value.
    pub(crate) fn addresses(&self) -> Vec<u16> {
        let (pairs, _) = self.addresses.as_chunks::<2>();
        pairs.iter().map(|raw| u16::from_le_bytes(*raw)).collect()
    }
}

impl Arena {
    /// Adds a row.
    pub(crate) fn push(
        &mut self,
        sort_key: &[u8],
        key: &[u8],
        value: &[u8],
        addresses: &[u16],
        line: u64,
    ) {
        self.len += 1;
        for part in [sort_key, key, value] {
            push_varint(part.len() as u64, &mut self.bytes);
            self.bytes.extend_from_slice(part);
        }
        push_varint(2 * addresses.len() as u64, &mut self.bytes);
        for at in addresses {
            self.bytes.extend_from_slice(&at.to_le_bytes());
        }
        push_varint(line, &mut self.bytes);
    }

    /// Adds a row that was made.
    pub(super) fn push_new(&mut self, row: &NewRow<'_>) {
        self.push(row.sort_key, row.key, row.value, row.addresses, row.line);
    }

    /// Adds a row of another arena.
    pub(super) fn push_row(&mut self, row: &RowView<'_>) {
        self.push(row.sort_key, row.key, row.value, &row.addresses(), row.line);
    }

    /// Rows.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the rows.
    pub(crate) const fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The row at `start`, and where it ends.
    fn row(&self, start: usize) -> (RowView<'_>, usize) {
        row_at(&self.bytes, start)
    }

    /// The bytes of the rows one after the other in their order, once sorted, cut into blocks of
    /// `bytes` bytes or a little more; and where each block ends.
    pub(crate) fn blocks(&self, bytes: usize) -> (Vec<u8>, Vec<usize>) {
        let (mut blocks, mut ends) = (Vec::with_capacity(self.bytes.len()), Vec::new());
        let mut begun = 0;
        for start in &self.order {
            let start = *start as usize;
            let (_, end) = self.row(start);
            blocks.extend_from_slice(&self.bytes[start..end]);
            if blocks.len() - begun >= bytes {
                begun = blocks.len();
                ends.push(begun);
            }
        }
        if begun < blocks.len() {
            ends.push(blocks.len());
        }
        (blocks, ends)
    }

    fn sort_key(&self, start: usize) -> &[u8] {
        take_part(&mut &self.bytes[start..])
    }

    /// Puts the rows in the order of their sort keys; of equal ones, in that in which they came.
    pub(crate) fn sort(&mut self) {
        // The head of each key above its place: few comparisons then touch anything else.
        let mut order: Vec<u128> = Vec::with_capacity(self.len);
        let mut is_sorted = true;
        let (mut last, mut start): (&[u8], usize) = (&[], 0);
        while order.len() < self.len {
            let (row, end) = self.row(start);
            is_sorted &= last <= row.sort_key;
            last = row.sort_key;
            order.push(head(row.sort_key) | start as u128);
            start = end;
        }
        let place = |entry: &u128| (entry & PLACE_MAX) as u64;
        if !is_sorted {
            order.sort_unstable();
            let same_head = |a: &u128, b: &u128| a & !PLACE_MAX == b & !PLACE_MAX;
            for run in order.chunk_by_mut(same_head).filter(|run| run.len() > 1) {
                let key = |entry: &u128| self.sort_key(place(entry) as usize);
                if !run.is_sorted_by(|a, b| key(a) <= key(b)) {
                    run.sort_by(|a, b| key(a).cmp(key(b)));
                }
            }
        }
        self.order = order.iter().map(place).collect();
    }

    /// The row at a place of the order, once sorted.
    pub(crate) fn in_order(&self, place: usize) -> Option<RowView<'_>> {
        let start = *self.order.get(place)? as usize;
        Some(self.row(start).0)
    }

    /// The next rows from a place of the order on, once sorted, at most [`ROWS_TOGETHER`].
    pub(crate) fn some_in_order<'a>(&'a self, place: usize, rows: &mut Vec<RowView<'a>>) {
        rows.clear();
        let starts = self.order.get(place..).unwrap_or_default();
        let starts = &starts[..starts.len().min(ROWS_TOGETHER)];
        // They lie far apart: in loops that do nothing else the processor waits for many of them
        // at a time.
        let mut first = [0; ROWS_TOGETHER];
        for (byte, start) in first.iter_mut().zip(starts) {
            *byte = self.bytes[*start as usize];
        }
        std::hint::black_box(&first);
        rows.extend(starts.iter().map(|start| self.row(*start as usize).0));
    }

    /// A row that has this sort key, once sorted.
    pub(crate) fn find(&self, sort_key: &[u8]) -> Option<RowView<'_>> {
        let before = |start: &u64| self.sort_key(*start as usize) < sort_key;
        let row = self.in_order(self.order.partition_point(before))?;
        (row.sort_key == sort_key).then_some(row)
    }

    /// Whether a row has this sort key, once sorted.
    pub(crate) fn contains(&self, sort_key: &[u8]) -> bool {
        self.find(sort_key).is_some()
    }

    /// The rows as they came.
    pub(crate) fn as_they_came(&self) -> impl Iterator<Item = RowView<'_>> {
        let mut start = 0;
        (0..self.len).map(move |_| {
            let (row, end) = self.row(start);
            start = end;
            row
        })
    }

    /// The rows in order, once sorted.
    pub(crate) fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        self.order.iter().map(|start| self.row(*start as usize).0)
    }
}

/// The row that starts in `bytes` at `start`, and where it ends.
pub(super) fn row_at(bytes: &[u8], start: usize) -> (RowView<'_>, usize) {
    let mut rest = &bytes[start..];
    let sort_key = take_part(&mut rest);
    let key = take_part(&mut rest);
    let value = take_part(&mut rest);
    let addresses = take_part(&mut rest);
    let line = take_varint(&mut rest);
    let row = RowView {
        sort_key,
        key,
        value,
        addresses,
        line,
    };
    (row, bytes.len() - rest.len())
}

/// Rows that are read together.
pub(crate) const ROWS_TOGETHER: usize = 32;
/// Places take 40 bits: a thousand gigabytes.
const PLACE_MAX: u128 = (1 << 40) - 1;
const HEAD_LEN: usize = 11;

/// The first 11 bytes, above zeros where the place goes, as a number of the same order; where two
/// are equal, the keys decide.
pub(super) fn head(sort_key: &[u8]) -> u128 {
    let mut head = [0; size_of::<u128>()];
    let len = sort_key.len().min(HEAD_LEN);
    head[..len].copy_from_slice(&sort_key[..len]);
    u128::from_be_bytes(head)
}

fn push_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    // Nearly all are short.
    if let [byte @ 0..0x80, behind @ ..] = *rest {
        *rest = behind;
        return u64::from(*byte);
    }
    let mut number = 0;
    let mut shift = 0;
    while let Some((byte, behind)) = rest.split_first() {
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            break;
        }
        shift += 7;
    }
    number
}

fn take_part<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let len = take_varint(rest) as usize;
    let (part, behind) = rest.split_at(len);
    *rest = behind;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_in_order_and_equal_ones_as_they_came() {
        let mut arena = Arena::default();
        // Heads of 11 bytes: some keys differ only behind them.
        let keys = [
            "b",
            "a",
            "aaaaaaaaaaaaab",
            "",
            "aaaaaaaaaaaaaa",
            "a",
            "aaaaaaaaaaaa\0",
        ];
        for (line, key) in (200..).zip(keys) {
            let long = vec![7; 300 * (line - 200)];
            arena.push(key.as_bytes(), &[line as u8], &long, &[3, 600], line as u64);
        }
        arena.sort();
        let found: Vec<_> = arena.rows().map(|row| (row.sort_key, row.line)).collect();
        let mut expected: Vec<_> = keys.iter().map(|key| key.as_bytes()).zip(200..).collect();
        expected.sort();
        assert_eq!(found, expected);
        for row in arena.rows() {
            assert_eq!(row.value.len() as u64, 300 * (row.line - 200));
            assert_eq!(
                (row.key, row.addresses()),
                (&[row.line as u8][..], vec![3, 600])
            );
        }
        assert!(arena.contains(b"aaaaaaaaaaaaaa") && !arena.contains(b"aaaaaaaaaaaaa"));
    }
}
