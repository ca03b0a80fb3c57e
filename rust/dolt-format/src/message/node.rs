//! `Node`: a view of one tree node (`TUPM`, `ADRM`, `CMCL`, `BLOB`) over its message.

mod encode;

use bytes::Bytes;

pub(crate) use self::encode::{Parts, encode};
use super::flatbuffer::{self, Span, TableView};
use crate::{Address, FormatError};

/// Trees have at most this many levels, 0 to 14: Dolt has that many boundary salts.
pub const LEVELS_MAX: u8 = 15;
/// Bytes of a commit closure's key: height and address.
pub const CLOSURE_KEY_LEN: usize = 28;

/// What a tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Rows or index entries: tuple to tuple (`TUPM`).
    Tuples,
    /// Names to addresses (`ADRM`).
    Addresses,
    /// A commit's ancestors (`CMCL`).
    Closure,
    /// The bytes of one value (`BLOB`).
    Blob,
}

impl Kind {
    /// The file identifier of this kind's nodes.
    #[must_use]
    pub const fn file_id(self) -> &'static str {
        match self {
            Self::Tuples => "TUPM",
            Self::Addresses => "ADRM",
            Self::Closure => "CMCL",
            Self::Blob => "BLOB",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Tuples => "prolly map node",
            Self::Addresses => "address map node",
            Self::Closure => "commit closure node",
            Self::Blob => "blob node",
        }
    }

    /// Slots: keys, key offsets, values, value offsets, addresses, counts, tree count, level; and
    /// how many slots the message has. A slot the kind lacks is one that no message has.
    const fn slots(self) -> ([usize; 8], usize) {
        const NONE: usize = usize::MAX;
        match self {
            Self::Tuples => ([0, 1, 3, 4, 7, 8, 9, 10], 11),
            Self::Addresses => ([0, 1, NONE, NONE, 2, 3, 4, 5], 6),
            Self::Closure => ([0, NONE, NONE, NONE, 1, 2, 3, 4], 5),
            Self::Blob => ([NONE, NONE, 0, NONE, 1, 2, 3, 4], 5),
        }
    }
}

/// What tells at a glance where a node stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glance<'a> {
    pub(crate) file_id: [u8; 4],
    pub(crate) level: u8,
    pub(crate) keys: &'a [u8],
    pub(crate) values: &'a [u8],
}

/// A glance at a node of rows, of index entries or of a value; `None` for what is none.
pub(crate) fn glance(message: &[u8]) -> Option<Glance<'_>> {
    let file_id = flatbuffer::file_id(message)?;
    let kinds = [Kind::Tuples, Kind::Blob].into_iter();
    let kind = { kinds }.find(|kind| kind.file_id().as_bytes() == file_id)?;
    let ([keys, _, values, .., level], slots) = kind.slots();
    let view = TableView::root(message, file_id, kind.name(), slots).ok()?;
    Some(Glance {
        file_id,
        level: view.u8(level).ok()?,
        keys: view.span(keys, 1).ok()?.of(message),
        // The bytes of a value are not tuples.
        values: match kind {
            Kind::Tuples => view.span(values, 1).ok()?.of(message),
            _ => &[],
        },
    })
}

/// The one format of tuples that there is.
const TUPLE_FORMAT: u8 = 1;

/// A tree node whose structure was checked when it was made, so that reading it cannot fail.
#[derive(Debug, Clone)]
pub struct Node {
    message: Bytes,
    kind: Kind,
    level: u8,
    len: usize,
    keys: Span,
    key_offsets: Span,
    values: Span,
    value_offsets: Span,
    value_addresses: Span,
    addresses: Span,
    counts: Vec<u64>,
    tree_count: u64,
}

impl Node {
    /// The node of kind `kind` that `message` holds.
    pub fn decode(kind: Kind, message: Bytes) -> Result<Self, FormatError> {
        let (
            [
                keys,
                key_offsets,
                values,
                value_offsets,
                addresses,
                counts,
                total,
                level,
            ],
            slots,
        ) = kind.slots();
        let id = kind
            .file_id()
            .as_bytes()
            .first_chunk()
            .copied()
            .unwrap_or_default();
        let view = TableView::root(&message, id, kind.name(), slots)?;
        if kind == Kind::Tuples && view.u8(2)?.max(view.u8(5)?) > TUPLE_FORMAT {
            return Err(FormatError::Unsupported(format!(
                "{}: its tuples have another format: a newer dolt wrote it",
                kind.name()
            )));
        }
        let addresses = view.span(addresses, 1)?;
        let children = addresses.len / Address::LEN;
        let counts = decode_counts(view.bytes(counts)?, children)
            .map_err(|why| FormatError::corrupt(kind.name(), why))?;
        let mut node = Self {
            kind,
            level: view.u8(level)?,
            len: 0,
            keys: view.span(keys, 1)?,
            key_offsets: view.span(key_offsets, 2)?,
            values: view.span(values, 1)?,
            value_offsets: view.span(value_offsets, 2)?,
            value_addresses: match kind {
                Kind::Tuples => view.span(6, 2)?,
                _ => Span::default(),
            },
            addresses,
            counts,
            tree_count: view.u64(total)?,
            message: Bytes::new(),
        };
        node.message = message;
        node.len = node
            .check()
            .map_err(|why| FormatError::corrupt(kind.name(), why))?;
        Ok(node)
    }

    /// The node that `message` holds, whichever of the four kinds it is.
    pub fn decode_any(message: Bytes) -> Result<Self, FormatError> {
        let id = flatbuffer::file_id(&message).unwrap_or_default();
        let kind = [Kind::Tuples, Kind::Addresses, Kind::Closure, Kind::Blob]
            .into_iter()
            .find(|kind| kind.file_id().as_bytes() == id)
            .ok_or_else(|| {
                FormatError::corrupt("tree node", format!("its file identifier is {id:?}"))
            })?;
        Self::decode(kind, message)
    }

    /// Checks all that the accessors rely on; returns the number of items.
    fn check(&self) -> Result<usize, String> {
        if self.level >= LEVELS_MAX {
            return Err(format!(
                "level {}, the highest is {}",
                self.level,
                LEVELS_MAX - 1
            ));
        }
        let leaf = self.is_leaf();
        let children = self.addresses.len / Address::LEN;
        if !self.addresses.len.is_multiple_of(Address::LEN) {
            return Err(format!("{} bytes of addresses", self.addresses.len));
        }
        let len = match self.kind {
            Kind::Blob if leaf => 1,
            Kind::Blob => children,
            Kind::Closure => {
                if !self.keys.len.is_multiple_of(CLOSURE_KEY_LEN) {
                    return Err(format!("{} bytes of keys", self.keys.len));
                }
                self.keys.len / CLOSURE_KEY_LEN
            }
            Kind::Tuples | Kind::Addresses => {
                self.check_offsets("key", self.key_offsets, self.keys.len)?
            }
        };
        if leaf && self.kind == Kind::Tuples {
            let values = self.check_offsets("value", self.value_offsets, self.values.len)?;
            if values != len {
                return Err(format!("{len} keys and {values} values"));
            }
        }
        let has_addresses = !leaf || self.kind == Kind::Addresses;
        if has_addresses && children != len {
            return Err(format!("{len} keys and {children} addresses"));
        }
        if leaf {
            if self.tree_count != len as u64 {
                return Err(format!(
                    "{len} items, its tree count says {}",
                    self.tree_count
                ));
            }
            return Ok(len);
        }
        if len == 0 {
            return Err("an inner node without children".to_owned());
        }
        if self.counts.len() != len {
            return Err(format!(
                "{len} children and {} subtree counts",
                self.counts.len()
            ));
        }
        let sum = self
            .counts
            .iter()
            .try_fold(0u64, |sum, count| sum.checked_add(*count));
        if sum != Some(self.tree_count) {
            return Err(format!(
                "its tree count says {}, its children {sum:?}",
                self.tree_count
            ));
        }
        Ok(len)
    }

    fn check_offsets(&self, what: &str, offsets: Span, total: usize) -> Result<usize, String> {
        let offsets = offsets.of(&self.message).chunks_exact(2);
        let count = offsets.len();
        let mut last = None;
        for raw in offsets {
            let offset = usize::from(u16::from_le_bytes([raw[0], raw[1]]));
            if last.map_or(offset != 0, |last| offset < last) {
                return Err(format!("its {what} offsets do not rise from 0"));
            }
            last = Some(offset);
        }
        if last != Some(total) {
            return Err(format!("its {what} offsets do not end at {total}"));
        }
        Ok(count - 1)
    }

    fn offset(&self, offsets: Span, at: usize) -> usize {
        let raw = offsets
            .of(&self.message)
            .get(2 * at..2 * at + 2)
            .unwrap_or(&[0, 0]);
        usize::from(u16::from_le_bytes([raw[0], raw[1]]))
    }

    /// What the tree holds.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// 0 for a leaf.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Whether the node holds entries, not children.
    #[must_use]
    pub const fn is_leaf(&self) -> bool {
        self.level == 0
    }

    /// Items: entries of a leaf, children of an inner node.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the node has no items: the root of an empty map.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Entries in all leaves below; of a blob, the leaves.
    #[must_use]
    pub const fn tree_count(&self) -> u64 {
        self.tree_count
    }

    /// The bytes of the message.
    #[must_use]
    pub const fn message(&self) -> &Bytes {
        &self.message
    }

    /// The key of an item; of an inner node, the last key below the child.
    #[must_use]
    pub fn key(&self, item: usize) -> &[u8] {
        let keys = self.keys.of(&self.message);
        let range = match self.kind {
            Kind::Closure => item * CLOSURE_KEY_LEN..(item + 1) * CLOSURE_KEY_LEN,
            _ => self.offset(self.key_offsets, item)..self.offset(self.key_offsets, item + 1),
        };
        keys.get(range).unwrap_or_default()
    }

    /// The value of a leaf's entry, or the payload of a blob's leaf.
    #[must_use]
    pub fn value(&self, item: usize) -> &[u8] {
        let values = self.values.of(&self.message);
        if self.kind == Kind::Blob {
            return values;
        }
        let range =
            self.offset(self.value_offsets, item)..self.offset(self.value_offsets, item + 1);
        values.get(range).unwrap_or_default()
    }

    /// The entries of a leaf of tuples: [`Self::key`] and [`Self::value`] of each.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let of = |items: Span, offsets: Span| {
            let items = items.of(&self.message);
            let mut start = 0;
            // The first offset is 0.
            let (offsets, _) = offsets.of(&self.message).as_chunks::<2>();
            offsets.iter().skip(1).map(move |raw| {
                let end = usize::from(u16::from_le_bytes(*raw));
                let item = items.get(start..end).unwrap_or_default();
                start = end;
                item
            })
        };
        of(self.keys, self.key_offsets).zip(of(self.values, self.value_offsets))
    }

    /// Where chunk addresses stand in the value of a leaf's entry, in the order Dolt lists them.
    /// Each position has a whole address behind it.
    #[must_use]
    pub fn value_addresses(&self, item: usize) -> Vec<u16> {
        let start = self.offset(self.value_offsets, item);
        let end = self.offset(self.value_offsets, item + 1);
        let (positions, _) = self.value_addresses.of(&self.message).as_chunks::<2>();
        let position = |raw: &[u8; 2]| usize::from(u16::from_le_bytes(*raw));
        // They rise from row to row, though not within one.
        let first = positions.partition_point(|raw| position(raw) < start);
        let here = positions.iter().skip(first).map(position);
        here.take_while(|at| (start..end).contains(at))
            .filter(|at| at + Address::LEN <= end)
            .filter_map(|at| u16::try_from(at - start).ok())
            .collect()
    }

    /// The address of a child, or of an address map's entry.
    #[must_use]
    pub fn address(&self, item: usize) -> Address {
        let raw = self.addresses.of(&self.message);
        raw.get(item * Address::LEN..)
            .and_then(|rest| rest.first_chunk())
            .map_or(Address::EMPTY, |raw| Address::new(*raw))
    }

    /// Entries below a child.
    #[must_use]
    pub fn subtree_count(&self, item: usize) -> u64 {
        self.counts.get(item).copied().unwrap_or_default()
    }

    /// Fails unless this node may stand where a node of `level` with `count` entries is promised.
    pub fn expect(&self, address: Address, level: u8, count: u64) -> Result<(), FormatError> {
        if self.level == level && self.tree_count == count {
            return Ok(());
        }
        Err(FormatError::corrupt(
            format!("{} {address}", self.kind.name()),
            format!(
                "level {} with {} entries, its parent promises level {level} with {count}",
                self.level, self.tree_count
            ),
        ))
    }
}

/// The message of an empty address map.
pub fn empty_address_map() -> Result<Bytes, FormatError> {
    let parts = Parts {
        key_offsets: &[0],
        ..Parts::default()
    };
    encode(Kind::Addresses, &parts)
}

/// Zig-zag base-128 differences back to at most `len_max` counts.
fn decode_counts(mut raw: &[u8], len_max: usize) -> Result<Vec<u64>, String> {
    let broken = || "its subtree counts are no varints".to_owned();
    let mut counts = Vec::new();
    let mut last = 0u64;
    while !raw.is_empty() {
        if counts.len() == len_max {
            return Err(format!("{len_max} children and more subtree counts"));
        }
        let mut mapped = 0u64;
        let mut shift = 0;
        loop {
            let (byte, rest) = raw.split_first().ok_or_else(broken)?;
            raw = rest;
            if shift > 63 {
                return Err(broken());
            }
            mapped |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        let half = mapped >> 1;
        let count = if mapped & 1 == 0 {
            last.checked_add(half)
        } else {
            last.checked_sub(half + 1)
        };
        last = count.ok_or_else(|| "a subtree count below 0".to_owned())?;
        counts.push(last);
    }
    Ok(counts)
}

/// Counts as zig-zag base-128 differences (dolt: `go/store/prolly/message/varint.go`).
pub(crate) fn encode_counts(counts: &[u64]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(2 * counts.len());
    let mut last = 0u64;
    for count in counts {
        let mut mapped = if *count >= last {
            (count - last) << 1
        } else {
            ((last - count) << 1) - 1
        };
        last = *count;
        while mapped >= 0x80 {
            let [low, ..] = mapped.to_le_bytes();
            raw.push(low | 0x80);
            mapped >>= 7;
        }
        let [low, ..] = mapped.to_le_bytes();
        raw.push(low);
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_dolt_does() {
        for (counts, raw) in [
            (&[][..], ""),
            (&[1], "02"),
            (&[1, 1, 1], "020000"),
            (&[64, 64], "800100"),
            (&[200, 150, 300], "900363ac02"),
            (&[100_000, 1, 70_000], "c09a0cbd9a0cdec508"),
            (&[1_099_511_627_776, 5], "808080808040f5ffffffff3f"),
        ] {
            let encoded = encode_counts(counts);
            assert_eq!(hex::encode(&encoded), raw);
            assert_eq!(decode_counts(&encoded, counts.len()).as_deref(), Ok(counts));
        }
    }
}
