//! Adaptive values: inline or out of band, whichever the row's size asks for.

use crate::Address;

/// What an adaptive field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adaptive<'a> {
    /// The value itself.
    Inline(&'a [u8]),
    /// The length of the value and the root of its blob tree.
    OutOfBand(u64, Address),
}

/// Decodes an adaptive field that is not NULL.
#[must_use]
pub fn decode(field: &[u8]) -> Option<Adaptive<'_>> {
    let (first, rest) = field.split_first()?;
    if *first == 0 {
        return Some(Adaptive::Inline(rest));
    }
    let (varint, address) = field.split_last_chunk::<{ Address::LEN }>()?;
    Some(Adaptive::OutOfBand(
        read_varint(varint)?,
        Address::new(*address),
    ))
}

/// `SQLite4`'s variable-length integer, all of `raw`.
fn read_varint(raw: &[u8]) -> Option<u64> {
    let (first, rest) = raw.split_first()?;
    let byte = |at: usize| rest.get(at).map(|byte| u64::from(*byte));
    let (value, len) = match *first {
        0..=240 => (u64::from(*first), 0),
        241..=248 => (240 + 256 * (u64::from(*first) - 241) + byte(0)?, 1),
        249 => (2288 + 256 * byte(0)? + byte(1)?, 2),
        250..=255 => {
            let len = usize::from(*first) - 247;
            let value = rest
                .get(..len)?
                .iter()
                .fold(0u64, |v, byte| v << 8 | u64::from(*byte));
            (value, len)
        }
    };
    (rest.len() == len).then_some(value)
}

/// Appends `SQLite4`'s variable-length integer.
pub(crate) fn push_varint(value: u64, out: &mut Vec<u8>) {
    match value {
        0..=240 => out.push(value as u8),
        241..=2287 => {
            let rest = value - 240;
            out.extend_from_slice(&[(rest / 256 + 241) as u8, (rest % 256) as u8]);
        }
        2288..=67823 => {
            out.push(249);
            out.extend_from_slice(&((value - 2288) as u16).to_be_bytes());
        }
        _ => {
            let raw = value.to_be_bytes();
            let len = (8 - value.leading_zeros() as usize / 8).max(3);
            out.push((247 + len) as u8);
            out.extend_from_slice(&raw[8 - len..]);
        }
    }
}

/// Bytes of the variable-length integer.
pub(crate) fn varint_len(value: u64) -> usize {
    match value {
        0..=240 => 1,
        241..=2287 => 2,
        2288..=67823 => 3,
        _ => 1 + (8 - value.leading_zeros() as usize / 8).max(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip() {
        for value in [
            0,
            240,
            241,
            2287,
            2288,
            67823,
            67824,
            1 << 24,
            (1 << 24) - 1,
            u64::MAX,
        ] {
            let mut raw = Vec::new();
            push_varint(value, &mut raw);
            assert_eq!(raw.len(), varint_len(value));
            assert_eq!(read_varint(&raw), Some(value));
        }
        assert_eq!(read_varint(&[249, 0]), None);
    }
}
