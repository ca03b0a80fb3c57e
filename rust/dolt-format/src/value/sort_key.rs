//! Sort keys: bytes whose plain order is the order of the fields they stand for.

use std::borrow::Cow;

use super::collation::Collation;
use super::encoding as e;
use super::number::{DECIMAL_LOWEST, split_decimal};

/// Appends the sort key of one field; NULL sorts before everything.
///
/// `field` is as stored, but for the adaptive encodings, whose order is that of the whole value:
/// there it is the value with a zero byte behind it, as in encoding 128.
pub(crate) fn push_sort_key(
    encoding: u8,
    collation: Collation,
    field: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    let Some(field) = field else {
        out.push(0);
        return;
    };
    out.push(1);
    match encoding {
        e::INT8 | e::INT16 | e::INT32 | e::INT64 | e::TIME | e::DATETIME => {
            let start = out.len();
            out.extend(field.iter().rev());
            if let Some(first) = out.get_mut(start) {
                *first ^= 0x80;
            }
        }
        e::UINT8 | e::UINT16 | e::UINT32 | e::UINT64 | e::BIT64 | e::DATE | e::ENUM | e::SET => {
            out.extend(field.iter().rev());
        }
        // 255 stands for the year 0, which is first.
        e::YEAR => out.extend(field.iter().map(|year| year.wrapping_add(1))),
        e::FLOAT32 => {
            let value = field
                .first_chunk()
                .map_or(0.0, |raw| f32::from_le_bytes(*raw));
            push_float(f64::from(value), out);
        }
        e::FLOAT64 => push_float(
            field
                .first_chunk()
                .map_or(0.0, |raw| f64::from_le_bytes(*raw)),
            out,
        ),
        e::DECIMAL => push_decimal(field, out),
        e::STRING | e::STRING_ADAPTIVE => {
            let value = field.split_last().map_or(field, |(_, value)| value);
            if !collation.push_ranks(value, out) {
                push_bytes(&whole_characters(value), out);
            }
        }
        e::BYTES | e::BYTES_ADAPTIVE => {
            push_bytes(field.split_last().map_or(field, |(_, value)| value), out);
        }
        _ => out.extend_from_slice(field),
    }
}

fn push_bytes(value: &[u8], out: &mut Vec<u8>) {
    // A zero byte inside must sort above the end of a shorter value.
    for byte in value {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

/// A string that may end inside a character, as an index of its first bytes has it. Dolt compares
/// characters and takes each byte of a broken one for U+FFFD.
fn whole_characters(value: &[u8]) -> Cow<'_, [u8]> {
    let Err(error) = std::str::from_utf8(value) else {
        return Cow::Borrowed(value);
    };
    let (whole, broken) = value.split_at(error.valid_up_to());
    let replaced = "\u{fffd}".repeat(broken.len());
    Cow::Owned([whole, replaced.as_bytes()].concat())
}

fn push_float(value: f64, out: &mut Vec<u8>) {
    // -0 equals 0.
    let bits = if value == 0.0 { 0 } else { value.to_bits() };
    let ordered = if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    };
    out.extend_from_slice(&ordered.to_be_bytes());
}

/// Sign, place of the first digit, digits: the exponents of a column need not all be equal.
fn push_decimal(field: &[u8], out: &mut Vec<u8>) {
    let Some((negative, digits, exponent)) = split_decimal(field) else {
        // What is no number is beyond all numbers, but for one.
        out.push(if field == DECIMAL_LOWEST.to_le_bytes() {
            0
        } else {
            0xff
        });
        out.extend(field.iter().rev().map(|byte| !byte));
        return;
    };
    let significant = digits.trim_end_matches('0').trim_start_matches('0');
    if significant.is_empty() {
        out.push(0x80);
        return;
    }
    let start = out.len();
    let place = digits.len() as i64 + exponent + 0x8000;
    out.push(0x81);
    out.extend_from_slice(&(place as u16).to_be_bytes());
    out.extend_from_slice(significant.as_bytes());
    out.push(0);
    if negative {
        for byte in &mut out[start..] {
            *byte = !*byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_values_do() {
        let key = |encoding, field: Option<&[u8]>| {
            let mut out = Vec::new();
            push_sort_key(encoding, Collation::default(), field, &mut out);
            out
        };
        let ints: Vec<_> = [i32::MIN, -2, -1, 0, 1, 300, i32::MAX]
            .iter()
            .map(|value| key(e::INT32, Some(&value.to_le_bytes())))
            .collect();
        assert!(ints.is_sorted() && key(e::INT32, None) < ints[0]);
        let floats: Vec<_> = [f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 2.0, f64::MAX]
            .iter()
            .map(|value| key(e::FLOAT64, Some(&value.to_le_bytes())))
            .collect();
        assert!(floats.is_sorted_by(|a, b| a < b));
        let zero = key(e::FLOAT64, Some(&(-0.0f64).to_le_bytes()));
        assert_eq!(zero, key(e::FLOAT64, Some(&0.0f64.to_le_bytes())));
        let texts: Vec<_> = [&b"\0"[..], b"a\0", b"a\0\0", b"a\0b\0", b"ab\0", b"b\0"]
            .iter()
            .map(|value| key(e::STRING, Some(value)))
            .collect();
        assert!(texts.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn decimals_sort_as_numbers_whatever_their_exponents() {
        let key = |exponent: i32, sign: u8, coefficient: u64| {
            let mut field = exponent.to_le_bytes().to_vec();
            field.push(sign);
            if coefficient > 0 {
                field.extend_from_slice(&coefficient.to_be_bytes());
            }
            let mut out = Vec::new();
            push_sort_key(e::DECIMAL, Collation::default(), Some(&field), &mut out);
            out
        };
        let (minus, plus) = (0xff, 1);
        let keys = [
            key(-2, minus, 10_001),
            key(0, minus, 100),
            key(-2, minus, 1_001),
            key(-2, minus, 1_000),
            key(-2, minus, 1),
            key(-2, 0, 0),
            key(-2, plus, 1),
            key(-2, plus, 10),
            key(-2, plus, 9_999),
            key(0, plus, 100),
            key(-2, plus, 10_001),
            key(2, plus, 2),
            key(-2, plus, u64::MAX),
        ];
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert_eq!(key(2, plus, 1), key(-2, plus, 10_000));
        assert_eq!(key(0, 0, 0), key(-2, 0, 0));
        let other = |field: i32| {
            let mut out = Vec::new();
            push_sort_key(
                e::DECIMAL,
                Collation::default(),
                Some(&field.to_le_bytes()),
                &mut out,
            );
            out
        };
        assert!(other(DECIMAL_LOWEST) < keys[0] && other(0xd000) > keys[12]);
        assert!(other(0xc000) > other(0xd000));
    }

    #[test]
    fn what_is_left_of_a_cut_character_has_no_order() {
        let key = |value: &[u8]| {
            let mut out = Vec::new();
            push_sort_key(e::STRING, Collation::default(), Some(value), &mut out);
            out
        };
        // The first bytes of α, ё, 日 and 한.
        assert_eq!(key(b"\xce\0"), key(b"\xd1\0"));
        assert_eq!(key(b"a\xe6\x97\0"), key(b"a\xed\x95\0"));
        assert!(key(b"\xce\0") < key(b"\xe6\x97\0"));
        assert!(key("ё\0".as_bytes()) < key(b"\xce\0"));
        assert!(key(b"\xce\0") < key("😀\0".as_bytes()));
    }
}
