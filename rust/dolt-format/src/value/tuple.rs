//! Tuples: fields, then where each starts, then how many there are.
//!
//! ```text
//!   field[0] … field[n-1] | start[1] u16 … start[n-1] u16 | n u16      little-endian
//! ```
//!
//! NULL is a field without bytes. Trailing NULLs are left out.

/// A view of a tuple's bytes. Reading past what is stored gives NULL.
#[derive(Debug, Clone, Copy)]
pub struct Tuple<'a> {
    fields: &'a [u8],
    starts: &'a [u8],
    len: usize,
}

impl<'a> Tuple<'a> {
    /// The tuple in `raw`; `None` when these bytes are no tuple.
    #[must_use]
    pub fn new(raw: &'a [u8]) -> Option<Self> {
        let (rest, len) = raw.split_last_chunk::<2>()?;
        let len = usize::from(u16::from_le_bytes(*len));
        let at = rest.len().checked_sub(2 * len.saturating_sub(1))?;
        let (fields, starts) = rest.split_at(at);
        let (mut last, mut rising) = (0, true);
        for raw in starts.as_chunks::<2>().0 {
            let start = u16::from_le_bytes(*raw);
            rising &= start >= last;
            last = start;
        }
        (rising && usize::from(last) <= fields.len()).then_some(Self {
            fields,
            starts,
            len,
        })
    }

    /// Fields stored.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no field is stored.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn start(&self, field: usize) -> usize {
        match field {
            0 => 0,
            _ if field >= self.len => self.fields.len(),
            _ => {
                let raw = self.starts.get(2 * field - 2..2 * field).unwrap_or(&[0, 0]);
                usize::from(u16::from_le_bytes([raw[0], raw[1]]))
            }
        }
    }

    /// The bytes of a field, or `None` for NULL.
    #[must_use]
    pub fn field(&self, field: usize) -> Option<&'a [u8]> {
        if field >= self.len {
            return None;
        }
        self.fields
            .get(self.start(field)..self.start(field + 1))
            .filter(|raw| !raw.is_empty())
    }
}

/// The fields of a tuple one after the other, then NULLs without end. Where a field lies is checked
/// when it is read: a tuple that is read once in this way need not be looked through before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The bytes of the fields that were not read yet.
    rest: &'a [u8],
    starts: &'a [[u8; 2]],
    /// Where the next field starts.
    start: usize,
}

/// Bytes that are no tuple.
#[derive(Debug)]
pub(crate) struct NoTuple;

impl<'a> Fields<'a> {
    /// The fields of the tuple in `raw`.
    pub(crate) fn new(raw: &'a [u8]) -> Result<Self, NoTuple> {
        let (rest, len) = raw.split_last_chunk::<2>().ok_or(NoTuple)?;
        let starts_len = 2 * usize::from(u16::from_le_bytes(*len)).saturating_sub(1);
        let at = rest.len().checked_sub(starts_len).ok_or(NoTuple)?;
        let (fields, starts) = rest.split_at(at);
        Ok(Self {
            rest: if *len == [0, 0] { &[] } else { fields },
            starts: starts.as_chunks().0,
            start: 0,
        })
    }

    /// The next field, or `None` for NULL.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<Option<&'a [u8]>, NoTuple> {
        let field = if let Some((end, starts)) = self.starts.split_first() {
            let end = usize::from(u16::from_le_bytes(*end));
            let len = end.checked_sub(self.start).ok_or(NoTuple)?;
            let (field, rest) = self.rest.split_at_checked(len).ok_or(NoTuple)?;
            (self.rest, self.starts, self.start) = (rest, starts, end);
            field
        } else {
            std::mem::take(&mut self.rest)
        };
        Ok((!field.is_empty()).then_some(field))
    }
}

/// The most fields a tuple has.
pub const FIELDS_MAX: usize = 4096;
/// The most bytes that a tuple's fields take together.
pub const FIELD_BYTES_MAX: usize = 65504;

/// Ends the tuple whose fields were appended to `out` from `start` on; `ends` has where each
/// field ends, counted from `start`. Trailing NULLs are dropped.
pub(crate) fn finish_tuple(out: &mut Vec<u8>, ends: &[u16]) {
    let mut len = ends.len();
    while len > 0 && ends[len - 1] == if len > 1 { ends[len - 2] } else { 0 } {
        len -= 1;
    }
    let ends = &ends[..len.saturating_sub(1)];
    let start = out.len();
    out.resize(start + 2 * ends.len(), 0);
    let (places, _) = out[start..].as_chunks_mut::<2>();
    for (place, end) in places.iter_mut().zip(ends) {
        *place = end.to_le_bytes();
    }
    // At most FIELDS_MAX, so it fits.
    out.extend_from_slice(&(len as u16).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a tuple as they are read one after the other, and some more.
    fn one_by_one(raw: &[u8]) -> Result<Vec<Option<&[u8]>>, NoTuple> {
        let mut fields = Fields::new(raw)?;
        (0..6).map(|_| fields.next_field()).collect()
    }

    #[test]
    fn fields_are_the_same_one_by_one_and_at_their_places() {
        for raw in [
            &b"\0\0"[..],
            b"a\x01\0",
            b"abc\x01\0\x01\0\x03\0",
            b"abc\0\0\x03\0\x03\0\x04\0",
        ] {
            let tuple = Tuple::new(raw).expect("a tuple");
            let at_places: Vec<_> = (0..6).map(|field| tuple.field(field)).collect();
            assert_eq!(one_by_one(raw).expect("a tuple"), at_places, "{raw:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_tuple_are_refused_in_both_ways() {
        for raw in [
            &b""[..],
            b"\0",
            b"a\x03\0",
            b"abc\x02\0\x01\0\x03\0",
            b"abc\x01\0\x04\0\x03\0",
        ] {
            assert!(Tuple::new(raw).is_none(), "{raw:?}");
            assert!(one_by_one(raw).is_err(), "{raw:?}");
        }
    }
}
