//! Rows as JSON: an object a line, and back.
//!
//! A value has the JSON type that says what it is and loses nothing: numbers where JSON has them
//! exactly, strings for decimals, dates and texts, Base64 for bytes, and JSON as it is.

pub(crate) mod parse;
pub(crate) mod render;
pub(crate) mod scan;

use crate::value::geometry::Shapes;
use crate::value::sql_type::SqlType;

/// The member of an object that stands for the JSON value in it, where that by itself would be
/// read as something else: the value `null`, and objects of this very form.
const JSON_MARK: &[u8] = b"\"$json\"";
/// The first member of the object that dolt exports in place of a long value.
const ADDRESS_MARK: &[u8] = b"\"Buf\"";
/// The member of an object that stands for the bytes in it: text that is no UTF-8.
const BYTES_MARK: &[u8] = b"\"$base64\"";

/// What the values of a column are in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A number.
    Number,
    /// A string that is a number: JSON's readers would round it.
    Decimal,
    /// A string.
    Text,
    /// A string in Base64.
    Bytes,
    /// A string in Base64 of so many bytes.
    Padded(u32),
    /// A string in Base64; a list of so many numbers is taken as well.
    Vector(u32),
    /// A string in Base64; GeoJSON is taken as well.
    Geometry(Shapes),
    /// Any JSON value.
    Json,
}

impl Shape {
    pub(crate) const fn of(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Int { .. }
            | SqlType::Bit(_)
            | SqlType::Float
            | SqlType::Double
            | SqlType::Year => Self::Number,
            SqlType::Decimal { .. } => Self::Decimal,
            SqlType::VarBinary(_) | SqlType::Blob(_) => Self::Bytes,
            SqlType::Binary(len) => Self::Padded(*len),
            SqlType::Vector(dimensions) => Self::Vector(*dimensions),
            SqlType::Geometry(shapes) => Self::Geometry(*shapes),
            SqlType::Json => Self::Json,
            SqlType::Char { .. }
            | SqlType::Text { .. }
            | SqlType::Date
            | SqlType::Datetime { .. }
            | SqlType::Time
            | SqlType::Enum(_)
            | SqlType::Set(_) => Self::Text,
        }
    }
}

/// Appends a JSON string. What is no UTF-8 is not for it.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    // U+2028 and U+2029 end lines to some readers; both start with this byte.
    let is_plain = |byte: &u8| *byte >= 0x20 && !matches!(byte, b'"' | b'\\' | 0xe2);
    while let Some(at) = rest.iter().position(|byte| !is_plain(byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let mut taken = 1;
        match special {
            [b'"', ..] => out.extend_from_slice(b"\\\""),
            [b'\\', ..] => out.extend_from_slice(b"\\\\"),
            [b'\n', ..] => out.extend_from_slice(b"\\n"),
            [b'\r', ..] => out.extend_from_slice(b"\\r"),
            [b'\t', ..] => out.extend_from_slice(b"\\t"),
            [8, ..] => out.extend_from_slice(b"\\b"),
            [12, ..] => out.extend_from_slice(b"\\f"),
            [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => {
                out.extend_from_slice(b"\\u202");
                out.push(HEX[usize::from(last & 15)]);
                taken = 3;
            }
            [byte @ 0xe2, ..] => out.push(*byte),
            [byte, ..] => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            [] => {}
        }
        rest = special.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_json_and_one_line_to_everyone() {
        let mut text: String = (0..0x80).map(char::from).collect();
        text.push_str("äⱧ☃\u{2027}\u{2028}\u{2029}\u{202a}😀");
        let mut out = Vec::new();
        push_string(&text, &mut out);
        let shown = String::from_utf8(out).expect("UTF-8");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
        assert!(!shown.contains(['\n', '\r', '\u{2028}', '\u{2029}']));
        assert!(shown.contains("\u{2027}\\u2028\\u2029\u{202a}"));
    }
}
