//! `JsonRows`: lines of JSON to records, whose fields are in the order of known columns.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::{Fault, Given, Scan, Value, push_unescaped};
use super::{ADDRESS_MARK, BYTES_MARK, JSON_MARK, Shape, push_string};
use crate::FormatError;
use crate::csv::columns::Columns;
use crate::csv::record::{Field, Found, Record};
use crate::value::base64;
use crate::value::from_text::Reason;
use crate::value::geometry_json::push_geometry;
use crate::value::sql_type::SqlType;
use crate::value::vector_text::push_list;

const NO_DOCUMENT: &str = "an object or an array is no value of this column";
const ADDRESS: &str = "dolt exported the address of this long value in place of the value; export \
                       the table as CSV, which has it";
const NOT_BASE64: &str = "it is not Base64, in which bytes stand in JSON";

/// A column that a row may have.
#[derive(Debug)]
struct Column {
    name: String,
    /// The name as it stands in JSON, without quotes.
    escaped: Vec<u8>,
    /// What its values become; `None` leaves them as they are.
    shape: Option<Shape>,
    /// Whether an empty string is a value of it.
    takes_empty: bool,
}

/// Reads rows.
#[derive(Debug)]
pub(crate) struct JsonRows {
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    /// Whether a name that is not known yet makes a column.
    growing: bool,
}

impl JsonRows {
    /// Rows of a table with these columns.
    pub(crate) fn of_table(columns: &Columns) -> Self {
        let mut rows = Self::of_new_table();
        for column in &columns.shown {
            let sql_type = &column.sql_type;
            rows.add(&column.name, Some(Shape::of(sql_type)));
            if let Some(added) = rows.columns.last_mut() {
                added.takes_empty = matches!(
                    sql_type,
                    SqlType::Char { .. }
                        | SqlType::Text { .. }
                        | SqlType::Enum(_)
                        | SqlType::Set(_)
                );
            }
        }
        rows.growing = false;
        rows
    }

    /// Rows of a table of which nothing is known: each new name is a column, and each value stands
    /// as it is, strings without quotes and escapes.
    pub(crate) fn of_new_table() -> Self {
        Self {
            columns: Vec::new(),
            by_name: HashMap::new(),
            growing: true,
        }
    }

    fn add(&mut self, name: &str, shape: Option<Shape>) -> usize {
        let mut escaped = Vec::new();
        push_string(name, &mut escaped);
        escaped.pop();
        escaped.remove(0);
        let position = self.columns.len();
        self.by_name.insert(name.to_owned(), position);
        self.columns.push(Column {
            name: name.to_owned(),
            escaped,
            shape,
            takes_empty: true,
        });
        position
    }

    /// Makes a record of the names of the columns, where these are known.
    pub(crate) fn header(&self, record: &mut Record) -> bool {
        record.clear();
        for column in &self.columns {
            let start = record.unescaped.len();
            record.unescaped.extend_from_slice(column.name.as_bytes());
            record.fields.push(copied(start..record.unescaped.len()));
        }
        record.given.resize(self.columns.len(), Given::String);
        !self.growing
    }

    /// Reads the first line of `text`.
    pub(crate) fn next(
        &mut self,
        text: &[u8],
        at_end: bool,
        line: u64,
        record: &mut Record,
    ) -> Result<Found, FormatError> {
        let (row, len) = match memchr::memchr(b'\n', text) {
            Some(at) => (text.get(..at).unwrap_or_default(), at + 1),
            // Nothing is missing of a last line without its end: its object is closed.
            None if at_end => (text, text.len()),
            None => return Ok(Found::Unfinished),
        };
        if row.iter().all(u8::is_ascii_whitespace) {
            return Ok(Found::Nothing(len));
        }
        record.clear();
        for _ in &self.columns {
            record.push_absent();
        }
        self.read(row, line, record)?;
        Ok(Found::Record(len, 1))
    }

    fn read(&mut self, row: &[u8], line: u64, record: &mut Record) -> Result<(), FormatError> {
        let not_json = |Fault { at, why }| FormatError::BadRecord {
            line,
            why: format!(
                "byte {}: {why}; a row is a JSON object on a line of its own",
                at + 1
            ),
        };
        let mut scan = Scan::new(row, 0);
        if !scan.take(b'{') {
            return Err(not_json(scan.fault("expected {")));
        }
        if !scan.take(b'}') {
            let mut expected = 0;
            loop {
                let key = scan.string().map_err(not_json)?;
                let position = self.position(row, &key, expected, line)?;
                if position == record.fields.len() {
                    record.push_absent();
                }
                if record.given.get(position) != Some(&Given::Absent) {
                    return Err(self.twice(position, line));
                }
                if !scan.take(b':') {
                    return Err(not_json(scan.fault("expected :")));
                }
                let value = scan.value().map_err(not_json)?;
                self.take(position, &value, row, line, record)?;
                expected = position + 1;
                if scan.take(b'}') {
                    break;
                }
                if !scan.take(b',') {
                    return Err(not_json(scan.fault("expected , or }")));
                }
            }
        }
        if scan.peek().is_some() {
            return Err(not_json(scan.fault("the line goes on behind the object")));
        }
        Ok(())
    }

    /// The column that a key names; mostly the `expected` one.
    fn position(
        &mut self,
        row: &[u8],
        key: &Value,
        expected: usize,
        line: u64,
    ) -> Result<usize, FormatError> {
        let raw = inside(row, &key.range);
        if self
            .columns
            .get(expected)
            .is_some_and(|column| column.escaped == raw)
        {
            return Ok(expected);
        }
        let bad = |why: String| FormatError::BadRecord { line, why };
        let mut name = Vec::new();
        push_unescaped(raw, key.range.start + 1, &mut name)
            .map_err(|fault| bad(format!("byte {}: {}", fault.at + 1, fault.why)))?;
        let name = String::from_utf8(name)
            .map_err(|_| bad("the name of a column is not UTF-8".to_owned()))?;
        if let Some(position) = self.by_name.get(&name) {
            return Ok(*position);
        }
        if self.growing {
            return Ok(self.add(&name, None));
        }
        let lower = name.to_lowercase();
        let mut columns = self.columns.iter();
        let found = columns.position(|column| column.name.to_lowercase() == lower);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
            bad(format!(
                "it names {name:?}, which is no column of the table; its columns are {}",
                known.join(", ")
            ))
        })
    }

    fn twice(&self, position: usize, line: u64) -> FormatError {
        let name = self.columns.get(position).map_or("", |c| c.name.as_str());
        FormatError::BadRecord {
            line,
            why: format!("it names column {name:?} twice"),
        }
    }

    /// Makes a value a field of the record.
    fn take(
        &self,
        position: usize,
        value: &Value,
        row: &[u8],
        line: u64,
        record: &mut Record,
    ) -> Result<(), FormatError> {
        let Some(column) = self.columns.get(position) else {
            return Ok(());
        };
        let field = field(column, value, row, &mut record.unescaped).map_err(|why| {
            let text = row.get(value.range.clone()).unwrap_or_default();
            FormatError::BadValue {
                line,
                column: column.name.clone(),
                value: String::from_utf8_lossy(text).chars().take(64).collect(),
                why: why.into_owned(),
            }
        })?;
        if let (Some(slot), Some(given)) = (
            record.fields.get_mut(position),
            record.given.get_mut(position),
        ) {
            *slot = field;
            *given = value.given;
        }
        Ok(())
    }

    /// The names of the columns, of those found so far.
    pub(crate) fn name(&self, position: usize) -> Option<&str> {
        self.columns
            .get(position)
            .map(|column| column.name.as_str())
    }
}

/// A value as the text of a field; `row` has it, or `unescaped` gets it.
fn field(
    column: &Column,
    value: &Value,
    row: &[u8],
    unescaped: &mut Vec<u8>,
) -> Result<Field, Reason> {
    let start = unescaped.len();
    match (column.shape, value.given) {
        (_, Given::Null | Given::Absent) => Ok(Field {
            range: 0..0,
            copied: false,
            null: true,
        }),
        (Some(Shape::Json), Given::Document) => {
            let marked = marked(row, &value.range, JSON_MARK);
            Ok(taken(
                marked.map_or_else(|| value.range.clone(), |inner| inner.range),
            ))
        }
        (Some(Shape::Json), _)
        | (None, Given::Document | Given::Bool)
        | (Some(Shape::Number | Shape::Decimal | Shape::Text) | None, Given::Number) => {
            Ok(taken(value.range.clone()))
        }
        (Some(Shape::Number | Shape::Decimal), Given::Bool) => {
            let is_true = row.get(value.range.start) == Some(&b't');
            unescaped.push(if is_true { b'1' } else { b'0' });
            Ok(copied(start..unescaped.len()))
        }
        (
            Some(Shape::Bytes | Shape::Padded(_) | Shape::Vector(_) | Shape::Geometry(_)),
            Given::String,
        ) => bytes(column, value, row, unescaped),
        (Some(shape @ (Shape::Vector(_) | Shape::Geometry(_))), Given::Document) => {
            let text = row.get(value.range.clone()).unwrap_or_default();
            match (shape, marked(row, &value.range, BYTES_MARK)) {
                (_, Some(marked)) => return bytes(column, &marked, row, unescaped),
                (Shape::Vector(dimensions), None) => push_list(text, dimensions, unescaped)?,
                (Shape::Geometry(_), None) if is_address(row, &value.range) => {
                    return Err(ADDRESS.into());
                }
                (Shape::Geometry(shapes), None) => push_geometry(text, shapes, unescaped)?,
                _ => return Err(NO_DOCUMENT.into()),
            }
            Ok(copied(start..unescaped.len()))
        }
        (Some(Shape::Bytes | Shape::Padded(_) | Shape::Text), Given::Document) => {
            match marked(row, &value.range, BYTES_MARK) {
                Some(marked) => bytes(column, &marked, row, unescaped),
                None if is_address(row, &value.range) => Err(ADDRESS.into()),
                None => Err(NO_DOCUMENT.into()),
            }
        }
        (_, Given::String) => {
            let range = value.range.start + 1..value.range.end - 1;
            if range.is_empty() && !column.takes_empty {
                return Err("an empty string is no value of this column; write null".into());
            }
            if !value.escaped {
                return Ok(taken(range));
            }
            push_unescaped(inside(row, &value.range), range.start, unescaped)
                .map_err(|fault| fault.why)?;
            Ok(copied(start..unescaped.len()))
        }
        (Some(Shape::Number | Shape::Decimal), Given::Document) => Err(NO_DOCUMENT.into()),
        (Some(Shape::Text), Given::Bool) => {
            Err("true and false are no text; write them in quotes".into())
        }
        (
            Some(Shape::Bytes | Shape::Padded(_) | Shape::Vector(_) | Shape::Geometry(_)),
            Given::Number | Given::Bool,
        ) => Err(NOT_BASE64.into()),
    }
}

/// The bytes that a string in Base64 stands for.
fn bytes(
    column: &Column,
    value: &Value,
    row: &[u8],
    unescaped: &mut Vec<u8>,
) -> Result<Field, Reason> {
    if value.given != Given::String {
        return Err(NOT_BASE64.into());
    }
    let mut text = Vec::new();
    let raw = inside(row, &value.range);
    push_unescaped(raw, value.range.start + 1, &mut text).map_err(|fault| fault.why)?;
    let start = unescaped.len();
    base64::push_decoded(&text, unescaped).ok_or(NOT_BASE64)?;
    let len = unescaped.len() - start;
    // Dolt exports these bytes as they are, which would be Base64 of others.
    if let Some(Shape::Padded(wanted)) = column.shape
        && len != wanted as usize
    {
        let why = format!("Base64 of {len} bytes, the column holds {wanted}");
        return Err(why.into());
    }
    Ok(copied(start..unescaped.len()))
}

/// The value in an object whose only member is `mark`.
fn marked(row: &[u8], range: &Range<usize>, mark: &[u8]) -> Option<Value> {
    let mut scan = Scan::new(row.get(..range.end)?, range.start);
    if !scan.take(b'{') {
        return None;
    }
    let key = scan.string().ok()?;
    if row.get(key.range) != Some(mark) || !scan.take(b':') {
        return None;
    }
    let value = scan.value().ok()?;
    (scan.take(b'}') && scan.peek().is_none()).then_some(value)
}

/// Whether an object is what dolt exports of a long value.
fn is_address(row: &[u8], range: &Range<usize>) -> bool {
    let mut scan = Scan::new(row.get(..range.end).unwrap_or_default(), range.start);
    let first = scan.take(b'{').then(|| scan.string().ok()).flatten();
    first.is_some_and(|key| row.get(key.range) == Some(ADDRESS_MARK))
}

fn inside<'a>(row: &'a [u8], string: &Range<usize>) -> &'a [u8] {
    row.get(string.start + 1..string.end - 1)
        .unwrap_or_default()
}

const fn taken(range: Range<usize>) -> Field {
    Field {
        range,
        copied: false,
        null: false,
    }
}

const fn copied(range: Range<usize>) -> Field {
    Field {
        range,
        copied: true,
        null: false,
    }
}
