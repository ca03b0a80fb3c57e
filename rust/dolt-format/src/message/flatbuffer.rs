//! A small FlatBuffers reader that trusts nothing, and the envelope that every message shares.
//!
//! ```text
//!   1b | length u24 BE | root offset u32 | file id (4) | … the rest of the FlatBuffer
//! ```
//!
//! Writing goes through the `flatbuffers` crate's low-level builder, which lays bytes out as Go's
//! does when slots are pushed in the order that each message's encoder lists.

use bytes::Bytes;
use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

use crate::{Address, FormatError};

const KIND: u8 = 0x1b;
const PREFIX_LEN: usize = 4;
const HEADER_LEN: usize = PREFIX_LEN + 8;
/// Messages have a 24-bit length.
const MESSAGE_LEN_MAX: usize = (1 << 24) - 1;

/// Where a vector lies in a message, counted from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Span {
    pub(crate) fn of(self, message: &[u8]) -> &[u8] {
        message
            .get(self.start..self.start + self.len)
            .unwrap_or_default()
    }
}

/// The file identifier of a message, such as `TUPM`; `None` when these bytes are no message.
#[must_use]
pub fn file_id(message: &[u8]) -> Option<[u8; 4]> {
    let (prefix, rest) = message.split_first_chunk::<PREFIX_LEN>()?;
    let id = rest.get(4..8)?;
    (prefix[0] == KIND).then(|| id.try_into().ok()).flatten()
}

/// One FlatBuffers table of a message. Every access is checked.
#[derive(Clone, Copy)]
pub(crate) struct TableView<'a> {
    message: &'a [u8],
    what: &'static str,
    position: usize,
    vtable: usize,
    slots: usize,
}

impl<'a> TableView<'a> {
    /// The root table of a message that must have file identifier `id`.
    ///
    /// A table with more than `slots_max` slots comes from a newer dolt: dropping its unknown
    /// fields would lose data, so it is refused, as dolt refuses it.
    pub(crate) fn root(
        message: &'a [u8],
        id: [u8; 4],
        what: &'static str,
        slots_max: usize,
    ) -> Result<Self, FormatError> {
        let bad = |why: String| FormatError::corrupt(what, why);
        if message.len() < HEADER_LEN || message.first() != Some(&KIND) {
            return Err(bad(format!("{} bytes that are no message", message.len())));
        }
        let promised = message.get(1..4).unwrap_or_default();
        let promised = promised
            .iter()
            .fold(0usize, |len, byte| len << 8 | usize::from(*byte));
        if promised != message.len() - PREFIX_LEN {
            return Err(bad(format!(
                "its prefix promises {promised} bytes, {} follow",
                message.len() - PREFIX_LEN
            )));
        }
        let found = file_id(message).unwrap_or_default();
        if found != id {
            return Err(bad(format!(
                "its file identifier is {:?}, expected {:?}",
                String::from_utf8_lossy(&found),
                String::from_utf8_lossy(&id)
            )));
        }
        let view = Self {
            message,
            what,
            position: PREFIX_LEN,
            vtable: 0,
            slots: 0,
        };
        let position = view.follow(PREFIX_LEN)?;
        view.at(position, slots_max)
    }

    fn bad(&self, why: impl Into<String>) -> FormatError {
        FormatError::corrupt(self.what, why)
    }

    fn number<const N: usize>(&self, at: usize) -> Result<[u8; N], FormatError> {
        self.message
            .get(at..)
            .and_then(|rest| rest.first_chunk::<N>())
            .copied()
            .ok_or_else(|| {
                self.bad(format!(
                    "offset {at} lies past its {} bytes",
                    self.message.len()
                ))
            })
    }

    /// The position that the forward offset stored at `at` points to.
    fn follow(&self, at: usize) -> Result<usize, FormatError> {
        let offset = u32::from_le_bytes(self.number(at)?) as usize;
        Ok(at + offset)
    }

    fn at(&self, position: usize, slots_max: usize) -> Result<Self, FormatError> {
        let back = i32::from_le_bytes(self.number(position)?);
        let vtable = i64::try_from(position).unwrap_or(i64::MAX) - i64::from(back);
        let vtable = usize::try_from(vtable)
            .map_err(|_| self.bad(format!("vtable offset {back} points before its start")))?;
        let vtable_len = usize::from(u16::from_le_bytes(self.number(vtable)?));
        if vtable_len < 4 || vtable_len % 2 != 0 {
            return Err(self.bad(format!("vtable of {vtable_len} bytes")));
        }
        let slots = (vtable_len - 4) / 2;
        if slots > slots_max {
            return Err(FormatError::Unsupported(format!(
                "{}: it has {slots} fields, this version of pyfs knows {slots_max}: a newer dolt \
                 wrote it",
                self.what
            )));
        }
        self.number::<1>(vtable + vtable_len - 1)?;
        Ok(Self {
            position,
            vtable,
            slots,
            ..*self
        })
    }

    fn slot(&self, slot: usize) -> Result<Option<usize>, FormatError> {
        if slot >= self.slots {
            return Ok(None);
        }
        let offset = u16::from_le_bytes(self.number(self.vtable + 4 + 2 * slot)?);
        Ok((offset != 0).then(|| self.position + usize::from(offset)))
    }

    /// Whether the slot is written.
    pub(crate) fn has(&self, slot: usize) -> Result<bool, FormatError> {
        Ok(self.slot(slot)?.is_some())
    }

    pub(crate) fn u8(&self, slot: usize) -> Result<u8, FormatError> {
        self.slot(slot)?
            .map_or(Ok(0), |at| self.number::<1>(at).map(|[byte]| byte))
    }

    pub(crate) fn bool(&self, slot: usize) -> Result<bool, FormatError> {
        Ok(self.u8(slot)? != 0)
    }

    pub(crate) fn u16(&self, slot: usize) -> Result<u16, FormatError> {
        self.slot(slot)?
            .map_or(Ok(0), |at| self.number(at).map(u16::from_le_bytes))
    }

    pub(crate) fn u64(&self, slot: usize) -> Result<u64, FormatError> {
        self.slot(slot)?
            .map_or(Ok(0), |at| self.number(at).map(u64::from_le_bytes))
    }

    pub(crate) fn i64(&self, slot: usize) -> Result<i64, FormatError> {
        self.slot(slot)?
            .map_or(Ok(0), |at| self.number(at).map(i64::from_le_bytes))
    }

    /// A vector of `width`-byte items as a span of bytes; the empty span when it is absent.
    pub(crate) fn span(&self, slot: usize, width: usize) -> Result<Span, FormatError> {
        match self.slot(slot)? {
            Some(at) => self.span_at(at, width),
            None => Ok(Span::default()),
        }
    }

    fn span_at(&self, at: usize, width: usize) -> Result<Span, FormatError> {
        let at = self.follow(at)?;
        let count = u32::from_le_bytes(self.number(at)?) as usize;
        let (start, len) = (at + 4, count.saturating_mul(width));
        if len > self.message.len() || start + len > self.message.len() {
            return Err(self.bad(format!(
                "a vector of {count} items of {width} bytes runs past its {} bytes",
                self.message.len()
            )));
        }
        Ok(Span { start, len })
    }

    pub(crate) fn bytes(&self, slot: usize) -> Result<&'a [u8], FormatError> {
        Ok(self.span(slot, 1)?.of(self.message))
    }

    /// The bytes that the offset stored at `at` points to.
    fn bytes_at(&self, at: usize) -> Result<&'a [u8], FormatError> {
        Ok(self.span_at(at, 1)?.of(self.message))
    }

    /// An address, or the empty one where the slot is absent.
    pub(crate) fn address(&self, slot: usize) -> Result<Address, FormatError> {
        match self.bytes(slot)? {
            [] => Ok(Address::EMPTY),
            raw => Address::try_from(raw).map_err(|error| self.bad(error.to_string())),
        }
    }

    pub(crate) fn string(&self, slot: usize) -> Result<String, FormatError> {
        let text = std::str::from_utf8(self.bytes(slot)?);
        text.map(str::to_owned)
            .map_err(|error| self.bad(format!("a string: {error}")))
    }

    pub(crate) fn table(&self, slot: usize, slots_max: usize) -> Result<Option<Self>, FormatError> {
        let Some(at) = self.slot(slot)? else {
            return Ok(None);
        };
        self.at(self.follow(at)?, slots_max).map(Some)
    }

    /// The tables of a vector of tables.
    pub(crate) fn tables(
        self,
        slot: usize,
        slots_max: usize,
    ) -> Result<impl ExactSizeIterator<Item = Result<Self, FormatError>>, FormatError> {
        let span = self.span(slot, 4)?;
        let items = (0..span.len / 4).map(move |item| span.start + 4 * item);
        Ok(items.map(move |at| self.at(self.follow(at)?, slots_max)))
    }
}

/// How many bytes may still be copied out of a message.
///
/// Offsets of a hostile message may all point to one long string; the copies of an honest one
/// never have more bytes than it.
pub(crate) struct Budget {
    what: &'static str,
    left: usize,
}

impl Budget {
    pub(crate) fn of(message: &[u8], what: &'static str) -> Self {
        Self {
            what,
            left: message.len(),
        }
    }

    fn spend(&mut self, len: usize) -> Result<(), FormatError> {
        self.left = self.left.checked_sub(len).ok_or_else(|| {
            FormatError::corrupt(self.what, "its parts together are longer than the message")
        })?;
        Ok(())
    }

    /// A string, copied.
    pub(crate) fn string(
        &mut self,
        view: &TableView<'_>,
        slot: usize,
    ) -> Result<String, FormatError> {
        self.spend(view.bytes(slot)?.len())?;
        view.string(slot)
    }

    /// A vector of 16-bit numbers, copied.
    pub(crate) fn u16s(
        &mut self,
        view: &TableView<'_>,
        slot: usize,
    ) -> Result<Vec<u16>, FormatError> {
        let span = view.span(slot, 2)?;
        self.spend(span.len)?;
        let raw = span.of(view.message).chunks_exact(2);
        Ok(raw.map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
    }

    /// A vector of 64-bit numbers, copied.
    pub(crate) fn u64s(
        &mut self,
        view: &TableView<'_>,
        slot: usize,
    ) -> Result<Vec<u64>, FormatError> {
        let span = view.span(slot, 8)?;
        self.spend(span.len)?;
        let (raw, _) = span.of(view.message).as_chunks::<8>();
        Ok(raw
            .iter()
            .map(|number| u64::from_le_bytes(*number))
            .collect())
    }

    /// A vector of strings, copied.
    pub(crate) fn strings(
        &mut self,
        view: &TableView<'_>,
        slot: usize,
    ) -> Result<Vec<String>, FormatError> {
        let span = view.span(slot, 4)?;
        self.spend(span.len)?;
        (0..span.len / 4)
            .map(|item| {
                let bytes = view.bytes_at(span.start + 4 * item)?;
                self.spend(bytes.len())?;
                let text = std::str::from_utf8(bytes);
                text.map(str::to_owned)
                    .map_err(|error| view.bad(format!("a string: {error}")))
            })
            .collect()
    }

    /// Counts a table as the bytes that the smallest one takes.
    pub(crate) fn table<'a>(
        &mut self,
        view: Result<TableView<'a>, FormatError>,
    ) -> Result<TableView<'a>, FormatError> {
        self.spend(8)?;
        view
    }
}

/// A builder for one message. What goes in first lies last.
pub(crate) type Builder = FlatBufferBuilder<'static>;

/// Ends a message with its root table: file identifier, root offset and envelope.
pub(crate) fn finish(
    mut builder: Builder,
    root: WIPOffset<TableFinishedWIPOffset>,
    id: &str,
) -> Result<Bytes, FormatError> {
    builder.finish(root, Some(id));
    let data = builder.finished_data();
    if data.len() > MESSAGE_LEN_MAX {
        return Err(FormatError::Unsupported(format!(
            "a {id} message of {} bytes: the longest has {MESSAGE_LEN_MAX}",
            data.len()
        )));
    }
    let mut message = Vec::with_capacity(PREFIX_LEN + data.len());
    let [_, length @ ..] = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    message.push(KIND);
    message.extend_from_slice(&length);
    message.extend_from_slice(data);
    Ok(Bytes::from(message))
}
