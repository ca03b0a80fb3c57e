//! `Arena`: encoded rows, one behind the other, and the order of their sort keys.

/// Where one row's parts end; each starts where the one before it ends.
#[derive(Debug, Clone, Copy)]
struct Ends {
    sort_key: usize,
    key: usize,
    value: usize,
    addresses: usize,
}

/// Rows as bytes.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    addresses: Vec<u16>,
    rows: Vec<(usize, Ends, u64)>,
    sorted: Option<Vec<u32>>,
}

/// One row of an arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowView<'a> {
    pub(crate) sort_key: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) addresses: &'a [u16],
    /// The line of the text on which the row starts.
    pub(crate) line: u64,
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
        let start = self.bytes.len();
        self.bytes.extend_from_slice(sort_key);
        let sort_key = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let key = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.addresses.extend_from_slice(addresses);
        let ends = Ends {
            sort_key,
            key,
            value: self.bytes.len(),
            addresses: self.addresses.len(),
        };
        self.rows.push((start, ends, line));
    }

    fn row(&self, at: usize) -> RowView<'_> {
        let (start, ends, line) = self.rows[at];
        let first = at
            .checked_sub(1)
            .map_or(0, |before| self.rows[before].1.addresses);
        RowView {
            sort_key: &self.bytes[start..ends.sort_key],
            key: &self.bytes[ends.sort_key..ends.key],
            value: &self.bytes[ends.key..ends.value],
            addresses: &self.addresses[first..ends.addresses],
            line,
        }
    }

    /// The row added last.
    pub(crate) fn last(&self) -> Option<RowView<'_>> {
        self.rows.len().checked_sub(1).map(|at| self.row(at))
    }

    /// Puts the rows in the order of their sort keys. Text mostly comes sorted.
    pub(crate) fn sort(&mut self) {
        let sort_key = |at: u32| self.row(at as usize).sort_key;
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if !(1..count).all(|at| sort_key(at - 1) <= sort_key(at)) {
            let mut order: Vec<u32> = (0..count).collect();
            order.sort_by(|a, b| sort_key(*a).cmp(sort_key(*b)));
            self.sorted = Some(order);
        }
    }

    /// The rows in order, once sorted.
    pub(crate) fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        (0..self.rows.len()).map(|at| {
            let at = self.sorted.as_ref().map_or(at, |order| order[at] as usize);
            self.row(at)
        })
    }
}
