//! Rows to JSON.

use super::{BYTES_MARK, JSON_MARK, Shape, push_string};
use crate::FormatError;
use crate::csv::columns::{Columns, ShownColumn, Source};
use crate::csv::computed::faulty;
use crate::csv::render::{Renderer, Row, Values, repeat};
use crate::csv::value_text::{
    bad_field, check_len, enum_member, out_of_row, push_scalar, set_members, shown_json,
};
use crate::tree::Node;
use crate::value::base64;
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;

/// Appends the text of all rows of a leaf.
pub(crate) fn render(
    renderer: &Renderer,
    leaf: &Node,
    values: &Values,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let columns = renderer.columns();
    let labels: Vec<Vec<u8>> = labels(columns).collect();
    let mut scratch = Vec::new();
    let mut computed = Vec::new();
    for item in 0..leaf.len() {
        let start = out.len();
        let row = Row::new(leaf, item)?;
        for (column, label) in columns.shown.iter().zip(&labels) {
            out.extend_from_slice(label);
            let field = if let Source::Computed(assignment) = &column.source {
                computed.clear();
                // An adaptive value stands inline.
                computed.extend(e::is_adaptive(column.encoding).then_some(0));
                let value_at = |at| renderer.value_at(&row, at, values);
                let found = assignment.push(&value_at, &mut computed);
                let found = found.map_err(|fault| faulty(&column.name, fault))?;
                found.then_some(computed.as_slice())
            } else {
                row.field(&column.source)
            };
            match field {
                Some(field) => push_value(column, field, values, &mut scratch, out)?,
                None => out.extend_from_slice(b"null"),
            }
        }
        out.extend_from_slice(b"}\n");
        if columns.keyless {
            repeat(&row, start, out)?;
        }
        check_len(out.len() as u64)?;
    }
    Ok(())
}

/// What stands before each column's value.
pub(crate) fn labels(columns: &Columns) -> impl Iterator<Item = Vec<u8>> {
    columns.shown.iter().enumerate().map(|(position, column)| {
        let mut label = vec![if position == 0 { b'{' } else { b',' }];
        push_string(&column.name, &mut label);
        label.push(b':');
        label
    })
}

fn push_value(
    column: &ShownColumn,
    field: &[u8],
    values: &Values,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let value = match column.encoding {
        e::STRING | e::BYTES | e::GEOMETRY | e::JSON => {
            field.split_last().ok_or_else(|| bad_field(column))?.1
        }
        encoding if e::is_adaptive(encoding) || e::is_address(encoding) => {
            out_of_row(column, field, values, scratch)?
        }
        e::ENUM if matches!(column.sql_type, SqlType::Enum(_)) => {
            push_string(enum_member(column, field)?, out);
            return Ok(());
        }
        e::SET if matches!(column.sql_type, SqlType::Set(_)) => {
            push_string(&set_members(column, field)?, out);
            return Ok(());
        }
        _ => return push_plain(column, field, out),
    };
    match Shape::of(&column.sql_type) {
        Shape::Json => push_json(&shown_json(value), out),
        Shape::Bytes | Shape::Padded(_) | Shape::Vector(_) | Shape::Geometry(_) => {
            push_bytes(value, out);
        }
        _ => {
            if let Ok(text) = std::str::from_utf8(value) {
                push_string(text, out);
            } else {
                out.push(b'{');
                out.extend_from_slice(BYTES_MARK);
                out.push(b':');
                push_bytes(value, out);
                out.push(b'}');
            }
        }
    }
    Ok(())
}

/// Appends a value whose text has nothing to escape.
fn push_plain(column: &ShownColumn, field: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
    let start = out.len();
    push_scalar(column, field, b',', out)?;
    let text = out.get(start..).unwrap_or_default();
    let of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.e".contains(byte);
    // JSON has no number for infinity.
    if Shape::of(&column.sql_type) != Shape::Number || !text.iter().all(of_number) {
        out.insert(start, b'"');
        out.push(b'"');
    }
    Ok(())
}

fn push_bytes(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    base64::push_encoded(value, out);
    out.push(b'"');
}

/// Appends a JSON value as it is stored. Outside a string a line end is but space.
fn push_json(value: &[u8], out: &mut Vec<u8>) {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let inner = value.strip_prefix(b"{").unwrap_or_default();
    let inner = &inner[inner.iter().take_while(|byte| is_space(byte)).count()..];
    let is_marked = value == b"null" || inner.starts_with(JSON_MARK);
    if is_marked {
        out.push(b'{');
        out.extend_from_slice(JSON_MARK);
        out.push(b':');
    }
    let line_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    out.extend(
        value
            .iter()
            .map(|byte| if line_end(*byte) { b' ' } else { *byte }),
    );
    if is_marked {
        out.push(b'}');
    }
}

/// The longest text of one row; a bound for estimates.
pub(crate) fn row_len_max(columns: &Columns) -> u64 {
    let labels = labels(columns).map(|label| label.len() as u64);
    let values = columns
        .shown
        .iter()
        .map(|column| value_len_max(&column.sql_type));
    let sum = labels.zip(values).fold(0, |sum: u64, (label, value)| {
        sum.saturating_add(label).saturating_add(value)
    });
    sum.saturating_add(2)
}

fn value_len_max(sql_type: &SqlType) -> u64 {
    // Every byte may be a control character, and all of them may be marked as bytes.
    let escaped = |len: u64| len.saturating_mul(6).saturating_add(32);
    let encoded = |len: u64| len.div_ceil(3).saturating_mul(4).saturating_add(2);
    match sql_type {
        SqlType::Char { len, .. } => escaped(u64::from(*len)),
        SqlType::Text { len, .. } => escaped(*len),
        SqlType::Enum(members) => escaped(
            members
                .names
                .iter()
                .map(|m| m.len() as u64)
                .max()
                .unwrap_or(0),
        ),
        SqlType::Set(members) => escaped(members.names.iter().map(|m| m.len() as u64 + 1).sum()),
        SqlType::Blob(len) => encoded(*len),
        SqlType::Binary(len) | SqlType::VarBinary(len) => encoded(u64::from(*len)),
        SqlType::Vector(dimensions) => encoded(4 * u64::from(*dimensions)),
        SqlType::Json | SqlType::Geometry(_) => escaped(4 << 30),
        SqlType::Decimal { precision, .. } => u64::from(*precision) + 12,
        SqlType::Int { .. }
        | SqlType::Bit(_)
        | SqlType::Float
        | SqlType::Double
        | SqlType::Date
        | SqlType::Datetime { .. }
        | SqlType::Time
        | SqlType::Year => 48,
    }
}
