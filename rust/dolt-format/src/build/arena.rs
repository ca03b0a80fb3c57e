//! `Arena`: encoded rows, one behind the other, and the order of their sort keys.

/// Where one row lies: its parts stand one behind the other.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    line: u64,
    // Lengths. A tuple has less than 65,536 bytes of fields; a sort key, a few times that.
    sort_key: u32,
    key: u32,
    value: u32,
    addresses: u32,
    addresses_start: usize,
}

/// Rows as bytes.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    bytes: Vec<u8>,
    addresses: Vec<u16>,
    rows: Vec<Place>,
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
        self.rows.push(Place {
            start: self.bytes.len(),
            line,
            sort_key: sort_key.len() as u32,
            key: key.len() as u32,
            value: value.len() as u32,
            addresses: addresses.len() as u32,
            addresses_start: self.addresses.len(),
        });
        self.bytes.extend_from_slice(sort_key);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.addresses.extend_from_slice(addresses);
    }

    fn row(&self, at: usize) -> RowView<'_> {
        let place = &self.rows[at];
        let (sort_key, rest) = self.bytes[place.start..].split_at(place.sort_key as usize);
        let (key, rest) = rest.split_at(place.key as usize);
        RowView {
            sort_key,
            key,
            value: &rest[..place.value as usize],
            addresses: &self.addresses[place.addresses_start..][..place.addresses as usize],
            line: place.line,
        }
    }

    fn sort_key(&self, at: u32) -> &[u8] {
        let place = &self.rows[at as usize];
        &self.bytes[place.start..][..place.sort_key as usize]
    }

    /// The row added last.
    pub(crate) fn last(&self) -> Option<RowView<'_>> {
        self.rows.len().checked_sub(1).map(|at| self.row(at))
    }

    /// Puts the rows in the order of their sort keys. Text mostly comes sorted.
    pub(crate) fn sort(&mut self) {
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if (1..count).all(|at| self.sort_key(at - 1) <= self.sort_key(at)) {
            return;
        }
        // The head of each key beside its number: most comparisons then touch nothing else.
        let mut order: Vec<(u128, u32)> =
            (0..count).map(|at| (head(self.sort_key(at)), at)).collect();
        order.sort_by(|(a, a_at), (b, b_at)| {
            a.cmp(b)
                .then_with(|| self.sort_key(*a_at).cmp(self.sort_key(*b_at)))
        });
        self.sorted = Some(order.into_iter().map(|(_, at)| at).collect());
    }

    /// Whether a row has this sort key, once sorted.
    pub(crate) fn contains(&self, sort_key: &[u8]) -> bool {
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let at = |at: u32| self.sorted.as_ref().map_or(at, |order| order[at as usize]);
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.sort_key(at(middle)).cmp(sort_key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    /// The rows in order, once sorted.
    pub(crate) fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        (0..self.rows.len()).map(|at| {
            let at = self.sorted.as_ref().map_or(at, |order| order[at] as usize);
            self.row(at)
        })
    }
}

/// The first 16 bytes as a number of the same order; where two are equal, the keys decide.
fn head(sort_key: &[u8]) -> u128 {
    let mut head = [0; 16];
    let len = sort_key.len().min(head.len());
    head[..len].copy_from_slice(&sort_key[..len]);
    u128::from_be_bytes(head)
}
