//! Rows as text: how Dolt exports a table to CSV, leaf by leaf, and back.

use memchr::{memchr, memchr3};

pub mod columns;
pub(crate) mod computed;
pub mod extent;
mod lines;
pub mod measure;
pub mod parse;
pub mod pieces;
pub mod record;
pub mod remembered;
pub mod render;
mod steps;
pub(crate) mod value_text;

/// Appends a field that is not NULL, quoted where Dolt quotes it.
pub(crate) fn push_field(field: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    if !needs_quotes(field, delimiter) {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// A field is quoted when it is empty, holds the delimiter, a quote, CR or LF, equals `\.`, or
/// starts with a Unicode space.
fn needs_quotes(field: &[u8], delimiter: u8) -> bool {
    if field.is_empty() || field == b"\\." {
        return true;
    }
    if memchr3(b'"', b'\r', b'\n', field).is_some() || memchr(delimiter, field).is_some() {
        return true;
    }
    match field {
        [b' ' | b'\t' | 0x0b | 0x0c, ..] | [0xc2, 0x85 | 0xa0, ..] => true,
        [0..0x80, ..] => false,
        _ => {
            let head = &field[..field.len().min(4)];
            let valid = match std::str::from_utf8(head) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
            };
            valid.chars().next().is_some_and(char::is_whitespace)
        }
    }
}

/// The header line of a table with these columns, with its line end.
#[must_use]
pub fn header<'a>(columns: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    header_line(columns, b',')
}

fn header_line<'a>(columns: impl IntoIterator<Item = &'a str>, delimiter: u8) -> Vec<u8> {
    let mut line = Vec::new();
    for (position, column) in columns.into_iter().enumerate() {
        if position > 0 {
            line.push(delimiter);
        }
        push_field(column.as_bytes(), delimiter, &mut line);
    }
    line.push(b'\n');
    line
}
