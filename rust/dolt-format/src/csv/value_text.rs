//! One value as text: of a row, of a leaf, or out of band.

use super::columns::{ShownColumn, Source};
use super::push_field;
use super::render::Values;
use crate::tree::Kind;
use crate::value::adaptive::{self, Adaptive};
use crate::value::digits::push_u64;
use crate::value::encoding as e;
use crate::value::number::{push_decimal, push_float, push_i64};
use crate::value::sql_type::SqlType;
use crate::value::time::{push_date, push_datetime, push_time};
use crate::{Address, FormatError};

/// The longest text of one leaf. Few stored bytes can promise much more: a row of a keyless table
/// that occurs often, a value whose tree names one leaf many times.
const TEXT_LEN_MAX: u64 = 1 << 30;
/// The most nodes of a value's tree. A leaf has some 4000 bytes.
const VALUE_NODES_MAX: u32 = 1 << 21;

pub(crate) fn check_len(len: u64) -> Result<(), FormatError> {
    if len <= TEXT_LEN_MAX {
        return Ok(());
    }
    Err(FormatError::Unsupported(format!(
        "rows of one table leaf that take {len} bytes as text, above {TEXT_LEN_MAX}"
    )))
}

pub(crate) fn bad_field(column: &ShownColumn) -> FormatError {
    FormatError::corrupt(
        "table leaf",
        format!(
            "a value of column {:?} breaks encoding {}",
            column.name, column.encoding
        ),
    )
}

/// Appends the text of a value that is not NULL.
pub(crate) fn push_value(
    column: &ShownColumn,
    field: &[u8],
    values: &Values,
    delimiter: u8,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let mut scratch = Vec::new();
    let value = match column.encoding {
        e::STRING | e::BYTES | e::GEOMETRY | e::JSON => {
            field.split_last().ok_or_else(|| bad_field(column))?.1
        }
        encoding if e::is_adaptive(encoding) || e::is_address(encoding) => {
            out_of_row(column, field, values, &mut scratch)?
        }
        _ => return push_scalar(column, field, delimiter, out),
    };
    push_text(column, value, delimiter, out);
    Ok(())
}

fn push_text(column: &ShownColumn, value: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    if matches!(column.sql_type, SqlType::Json) {
        push_field(&shown_json(value), delimiter, out);
    } else {
        push_field(value, delimiter, out);
    }
}

/// Appends the text of a value that is not NULL; an adaptive one is the value itself, with nothing
/// before it.
pub(crate) fn push_plain_value(
    column: &ShownColumn,
    field: &[u8],
    delimiter: u8,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    if !e::is_adaptive(column.encoding) {
        return push_value(column, field, &Values::new(), delimiter, out);
    }
    push_text(column, field, delimiter, out);
    Ok(())
}

/// The value of an adaptive field or one that is an address.
pub(crate) fn out_of_row<'a>(
    column: &ShownColumn,
    field: &'a [u8],
    values: &Values,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], FormatError> {
    let bad = || bad_field(column);
    scratch.clear();
    if e::is_address(column.encoding) {
        let root = Address::try_from(field)?;
        if !root.is_empty() {
            assemble(root, values, TEXT_LEN_MAX, scratch)?;
        }
        return Ok(scratch);
    }
    match adaptive::decode(field).ok_or_else(bad)? {
        Adaptive::Inline(value) => Ok(value),
        Adaptive::OutOfBand(len, root) => {
            assemble(root, values, len, scratch)?;
            if scratch.len() as u64 != len {
                let why = format!("{} bytes, its row promises {len}", scratch.len());
                return Err(FormatError::corrupt(format!("value {root}"), why));
            }
            Ok(scratch)
        }
    }
}

/// A field that is not out of its row, as the text shows it; without quotes.
pub(crate) fn field_text(sql_type: &SqlType, encoding: u8, field: &[u8]) -> String {
    let column = ShownColumn {
        position: 0,
        name: String::new(),
        source: Source::Key(0),
        sql_type: sql_type.clone(),
        encoding,
    };
    let mut out = Vec::new();
    let value = match encoding {
        e::STRING | e::BYTES => field.split_last().map_or(field, |(_, value)| value),
        _ => {
            // What cannot be shown is named by nothing.
            push_scalar(&column, field, b',', &mut out).unwrap_or_default();
            &out
        }
    };
    String::from_utf8_lossy(value).into_owned()
}

/// Appends a value that is not text or bytes.
pub(crate) fn push_scalar(
    column: &ShownColumn,
    field: &[u8],
    delimiter: u8,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let bad = || bad_field(column);
    let number = || e::integer(column.encoding, field).ok_or_else(bad);
    match (column.encoding, &column.sql_type) {
        (e::INT8 | e::INT16 | e::INT32 | e::INT64, _) => push_i64(number()? as i64, out),
        (e::UINT8 | e::UINT16 | e::UINT32 | e::UINT64 | e::BIT64, _) => {
            push_u64(number()? as u64, out);
        }
        (e::FLOAT32, _) => {
            let raw = field.try_into().map_err(|_| bad())?;
            push_float(f64::from(f32::from_le_bytes(raw)), true, out);
        }
        (e::FLOAT64, _) => {
            let raw = field.try_into().map_err(|_| bad())?;
            push_float(f64::from_le_bytes(raw), false, out);
        }
        (e::DECIMAL, SqlType::Decimal { .. }) => {
            if !push_decimal(field, out) {
                return Err(bad());
            }
        }
        (e::YEAR, _) => match field {
            [255] => out.push(b'0'),
            [year] => push_u64(1901 + u64::from(*year), out),
            _ => return Err(bad()),
        },
        (e::DATE, _) => push_date(number()? as u32, out),
        (e::TIME, _) => push_time(number()? as i64, out),
        (e::DATETIME, SqlType::Datetime { precision, .. }) => {
            push_datetime(number()? as i64, *precision, out);
        }
        (e::ENUM, SqlType::Enum(_)) => {
            push_field(enum_member(column, field)?.as_bytes(), delimiter, out);
        }
        (e::SET, SqlType::Set(_)) => {
            push_field(set_members(column, field)?.as_bytes(), delimiter, out);
        }
        (encoding, sql_type) => {
            return Err(FormatError::Unsupported(format!(
                "column {:?} has encoding {encoding} and type {sql_type:?}",
                column.name
            )));
        }
    }
    Ok(())
}

/// The member of an ENUM that a field stands for; none is the empty text.
pub(crate) fn enum_member<'a>(
    column: &'a ShownColumn,
    field: &[u8],
) -> Result<&'a str, FormatError> {
    let bad = || bad_field(column);
    let number = e::integer(e::ENUM, field).ok_or_else(bad)?;
    let (SqlType::Enum(members), Ok(number)) = (&column.sql_type, usize::try_from(number)) else {
        return Err(bad());
    };
    let Some(at) = number.checked_sub(1) else {
        return Ok("");
    };
    members.names.get(at).map(String::as_str).ok_or_else(bad)
}

/// The members of a SET that a field stands for, with commas between them.
pub(crate) fn set_members(column: &ShownColumn, field: &[u8]) -> Result<String, FormatError> {
    let bad = || bad_field(column);
    let SqlType::Set(members) = &column.sql_type else {
        return Err(bad());
    };
    let bits = e::integer(e::SET, field).ok_or_else(bad)? as u64;
    if members.names.len() < 64 && bits >> members.names.len() != 0 {
        return Err(bad());
    }
    let chosen = (0..)
        .zip(&members.names)
        .filter(|(bit, _)| bits >> bit & 1 == 1);
    let names: Vec<&str> = chosen.map(|(_, member)| member.as_str()).collect();
    Ok(names.join(","))
}

/// Appends the bytes of an out-of-band value of at most `len_max` bytes: its leaves in order.
fn assemble(
    root: Address,
    values: &Values,
    len_max: u64,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    // Levels were checked to fall when the nodes came in, so this ends. One leaf may rightly
    // stand in a value many times, so that it ends soon has to be checked here.
    let mut visits = 0u32;
    let mut wanted = vec![root];
    while let Some(address) = wanted.pop() {
        let bad = |why: String| FormatError::corrupt(format!("value {root}"), why);
        let node = values
            .get(&address)
            .ok_or_else(|| bad(format!("its node {address} is not at hand")))?;
        if node.is_leaf() && node.kind() == Kind::Blob {
            out.extend_from_slice(node.value(0));
        } else {
            wanted.extend((0..node.len()).rev().map(|item| node.address(item)));
        }
        visits += 1;
        if out.len() as u64 > len_max || visits > VALUE_NODES_MAX {
            let len = out.len();
            return Err(bad(format!(
                "{len} bytes in {visits} nodes, and more; at most {len_max} in {VALUE_NODES_MAX}"
            )));
        }
    }
    Ok(())
}

/// JSON as Dolt shows it: old data has `<`, `>` and `&` escaped.
pub(crate) fn shown_json(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    const ESCAPES: [(&[u8], u8); 3] = [(b"\\u003c", b'<'), (b"\\u003e", b'>'), (b"\\u0026", b'&')];
    if !ESCAPES
        .iter()
        .any(|(escape, _)| text.windows(6).any(|window| window == *escape))
    {
        return text.into();
    }
    let mut shown = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let escape = ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape));
        let taken = if let Some((escape, character)) = escape {
            shown.push(*character);
            escape.len()
        } else {
            let taken = if *first == b'\\' {
                rest.len().min(2)
            } else {
                1
            };
            shown.extend_from_slice(&rest[..taken]);
            taken
        };
        rest = &rest[taken..];
    }
    shown.into()
}
