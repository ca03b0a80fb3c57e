//! `PlainReader`: records as most texts have them, straight to the fields of a row.
//!
//! What is read here is a subset of what `RecordReader` and `TextCodec` take, with the same outcome:
//! no quotes, no space before a field, one line a record, values in the form in which they are
//! shown. Whatever else comes is left to them, record by record.

use std::collections::BTreeSet;

use super::input::{Input, KEY_TOO_LONG, VALUES_TOO_LONG};
use super::key::push_tuple;
use super::row_buffers::RowBuffers;
use crate::csv::columns::{Columns, ShownColumn};
use crate::csv::parse::leading_space;
use crate::csv::render::Values;
use crate::csv::value_text::push_value;
use crate::message::schema::TableSchema;
use crate::value::encoding as e;
use crate::value::from_text::TextCodec;
use crate::value::sort_key::push_sort_key;
use crate::value::sql_type::SqlType;
use crate::value::time::{MICROS_A_SECOND, SECONDS_A_DAY, days_from_date, days_in_month};
use crate::value::tuple::{FIELD_BYTES_MAX, finish_tuple};
use crate::{FormatError, TextFormat};

/// Reads rows whose records are plain.
#[derive(Debug)]
pub(super) struct PlainRows {
    reader: PlainReader,
    /// Where each field ends in the bytes of a row.
    ends: Vec<u32>,
    /// The columns whose fields somebody looks up.
    looked_up: Vec<usize>,
    /// A column of numbers that are chosen where there is none.
    counted: Option<usize>,
    /// The first and the last column of each run of columns in the value tuple.
    runs: Vec<(usize, usize)>,
}

impl PlainRows {
    /// A reader of rows, if the records are such that they can be plain.
    pub(super) fn new(
        schema: &TableSchema,
        input: &Input,
        columns: &Columns,
        format: TextFormat,
    ) -> Option<Self> {
        let targets = input.in_order()?;
        let all_shown = columns.shown.len() == targets.len();
        if columns.keyless || !all_shown {
            return None;
        }
        let counted = targets.iter().position(|(_, _, counted)| *counted);
        let in_indexes = schema.indexes.iter().flat_map(|index| &index.index_columns);
        let in_keys = in_indexes.chain(&schema.primary_key);
        let looked_up: BTreeSet<usize> = if input.demands() {
            (0..targets.len()).collect()
        } else {
            in_keys.map(|at| usize::from(*at)).chain(counted).collect()
        };
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for column in &input.value_columns {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *column => *last = *column,
                _ => runs.push((*column, *column)),
            }
        }
        let shown = targets.into_iter().zip(&columns.shown);
        let shown = shown.map(|((codec, nullable, _), shown)| (codec, shown, nullable));
        Some(Self {
            reader: PlainReader::new(shown, format.delimiter()?)?,
            ends: Vec::new(),
            looked_up: looked_up.into_iter().collect(),
            counted,
            runs,
        })
    }

    /// Reads the record at the start of `text` into `buffers`.
    pub(super) fn read(&mut self, text: &[u8], buffers: &mut RowBuffers) -> Option<PlainRecord> {
        buffers.bytes.clear();
        self.ends.clear();
        let record = self.reader.read(text, &mut buffers.bytes, &mut self.ends)?;
        buffers.fields.clear();
        buffers.fields.resize(self.ends.len(), None);
        let mut look_up = |column: usize| {
            let (start, end) = self.span(column);
            buffers.fields[column] = (start < end).then_some((start, end));
        };
        if record.as_shown {
            self.looked_up.iter().copied().for_each(look_up);
        } else {
            // The row's text is made of all of them.
            (0..self.ends.len()).for_each(&mut look_up);
        }
        if let Some(column) = self.counted {
            let (start, end) = self.span(column);
            // 0 stands for the next number.
            if buffers.bytes[start..end].iter().all(|byte| *byte == 0) {
                return None;
            }
        }
        Some(record)
    }

    fn span(&self, column: usize) -> (usize, usize) {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        (start as usize, self.ends[column] as usize)
    }

    /// Makes the tuples of the row that was read last.
    pub(super) fn make_row(
        &self,
        input: &Input,
        line: u64,
        buffers: &mut RowBuffers,
    ) -> Result<(), FormatError> {
        let RowBuffers {
            bytes,
            sort_key,
            key,
            value,
            ends,
            addresses,
            ..
        } = buffers;
        let too_long = |why: &str| FormatError::BadRecord {
            line,
            why: why.to_owned(),
        };
        let field = |column: usize| {
            let (start, end) = self.span(column);
            bytes.get(start..end).filter(|field| !field.is_empty())
        };
        sort_key.clear();
        key.clear();
        for column in &input.key_columns {
            let (encoding, collation) = (input.encoding(*column), input.collation(*column));
            push_sort_key(encoding, collation, field(*column), sort_key);
        }
        let key_fields = input.key_columns.iter().map(|column| field(*column));
        push_tuple(key_fields, key, ends).ok_or_else(|| too_long(KEY_TOO_LONG))?;
        value.clear();
        ends.clear();
        addresses.clear();
        for (first, last) in &self.runs {
            let (start, _) = self.span(*first);
            let (_, end) = self.span(*last);
            let before = value.len();
            value.extend_from_slice(&bytes[start..end]);
            if value.len() > FIELD_BYTES_MAX {
                return Err(too_long(VALUES_TOO_LONG));
            }
            let run = &self.ends[*first..=*last];
            ends.extend(
                run.iter()
                    .map(|end| (before + *end as usize - start) as u16),
            );
        }
        finish_tuple(value, ends);
        Ok(())
    }
}

/// How one column is read.
#[derive(Debug, Clone)]
enum Form {
    /// A whole number: the lowest and the highest, and the bytes that are stored.
    Int { low: i64, high: i64, stored: usize },
    /// Text of at most so many characters, with a zero byte behind it.
    Chars(usize),
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DD HH:MM:SS`, without digits of a fraction.
    Datetime,
    /// What the codec takes, held against what would be shown.
    Other(Box<(TextCodec, ShownColumn)>),
}

#[derive(Debug, Clone)]
struct PlainColumn {
    form: Form,
    nullable: bool,
}

/// Reads records whose fields are the columns of a table, in their order.
#[derive(Debug)]
pub(super) struct PlainReader {
    columns: Vec<PlainColumn>,
    delimiter: u8,
    /// The last date that was read, and its days since 1970.
    date: ([u8; DATE_LEN], i64),
    shown: Shown,
}

/// How a value would be shown.
#[derive(Debug, Default)]
struct Shown {
    text: Vec<u8>,
    /// Nothing that is read here stands out of band.
    values: Values,
}

impl Shown {
    fn is(&mut self, text: &[u8], column: &ShownColumn, field: &[u8], delimiter: u8) -> bool {
        self.text.clear();
        let Self {
            text: shown,
            values,
        } = self;
        let pushed = push_value(column, field, values, delimiter, shown);
        pushed.is_ok() && shown == text
    }
}

/// A record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainRecord {
    /// Its bytes, with the line end.
    pub(super) len: usize,
    /// Whether the row would be shown by just these bytes.
    pub(super) as_shown: bool,
}

const DATE_LEN: usize = 10;
const TIME_LEN: usize = 9;
const WORD: usize = 8;
/// Each byte 1.
const ONES: u64 = u64::MAX / 255;
/// The highest bit of each byte.
const HIGHS: u64 = ONES << 7;

impl PlainReader {
    /// A reader of columns given as their codec, how they are shown, and whether they are nullable.
    /// `None` where an empty field may be a value that is not NULL.
    pub(super) fn new<'a>(
        columns: impl Iterator<Item = (&'a TextCodec, &'a ShownColumn, bool)>,
        delimiter: u8,
    ) -> Option<Self> {
        let columns = columns.map(|(codec, shown, nullable)| {
            let form = Form::of(codec, shown)?;
            Some(PlainColumn { form, nullable })
        });
        Some(Self {
            columns: columns.collect::<Option<_>>()?,
            delimiter,
            date: (*b"1970-01-01", 0),
            shown: Shown::default(),
        })
    }

    /// Reads the record at the start of `text`: appends its fields to `out`, and where each ends
    /// to `ends`. NULL is a field without bytes. `None` where it is not plain, or not all there.
    pub(super) fn read(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
        ends: &mut Vec<u32>,
    ) -> Option<PlainRecord> {
        let (mut at, mut as_shown) = (0, true);
        let Self {
            columns,
            delimiter,
            date,
            shown,
        } = self;
        let last = columns.len().checked_sub(1)?;
        // An empty line is not always a record.
        if matches!(text.first()?, b'\n' | b'\r') {
            return None;
        }
        for (position, column) in columns.iter().enumerate() {
            let stop = if position == last { b'\n' } else { *delimiter };
            let rest = text.get(at..)?;
            let first = *rest.first()?;
            let len = if first == stop && column.nullable {
                0
            } else {
                let read = match &column.form {
                    Form::Int { low, high, stored } => read_int(rest, (*low, *high), *stored, out),
                    Form::Chars(len) => read_chars(rest, *delimiter, *len, out),
                    Form::Date => read_date(rest, date, out),
                    Form::Datetime => read_datetime(rest, date, out),
                    Form::Other(other) => {
                        let (codec, column) = &**other;
                        read_other(rest, *delimiter, codec, out).map(|(len, start)| {
                            let field = out.get(start..).unwrap_or_default();
                            (len, shown.is(&rest[..len], column, field, *delimiter))
                        })
                    }
                };
                let (len, canonical) = read?;
                as_shown &= canonical;
                if *rest.get(len)? != stop {
                    return None;
                }
                len
            };
            at += len + 1;
            ends.push(out.len() as u32);
        }
        Some(PlainRecord { len: at, as_shown })
    }
}

impl Form {
    fn of(codec: &TextCodec, shown: &ShownColumn) -> Option<Self> {
        if e::is_adaptive(codec.encoding()) || e::is_address(codec.encoding()) {
            return None;
        }
        Some(match &shown.sql_type {
            SqlType::Int { bits, unsigned } if *bits < 64 || !unsigned => {
                let low = if *unsigned {
                    0
                } else {
                    i64::MIN >> (64 - bits)
                };
                let high = i64::MAX >> (64 - bits - u8::from(*unsigned));
                let stored = if *bits == 24 {
                    4
                } else {
                    usize::from(bits / 8)
                };
                Self::Int { low, high, stored }
            }
            SqlType::Char { len, .. } => Self::Chars(*len as usize),
            SqlType::Date => Self::Date,
            // Those have bounds of their own.
            SqlType::Datetime {
                precision: 0,
                timestamp: false,
            } => Self::Datetime,
            _ => Self::Other(Box::new((codec.clone(), shown.clone()))),
        })
    }
}

/// Eight bytes of `text`.
fn word(text: &[u8]) -> Option<u64> {
    text.first_chunk().map(|raw| u64::from_le_bytes(*raw))
}

/// Appends the low bytes of a word.
fn push_low(word: u64, len: usize, out: &mut Vec<u8>) {
    let start = out.len();
    // Eight bytes and a cut take less than a copy of unknown length.
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(start + len);
}

/// Each of these returns the bytes of the field and whether they are as the value is shown.
fn read_int(
    text: &[u8],
    (low, high): (i64, i64),
    stored: usize,
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    let negative = text.first() == Some(&b'-');
    let digits = text.get(usize::from(negative)..)?;
    let (value, count) = number(digits)?;
    let value = if negative { -value } else { value };
    if value < low || value > high {
        return None;
    }
    push_low(value.cast_unsigned(), stored, out);
    let padded = count > 1 && digits.first() == Some(&b'0');
    let canonical = !(padded || negative && value == 0);
    Some((usize::from(negative) + count, canonical))
}

/// The number at the start of `text` and its digits, 1 to 18.
fn number(text: &[u8]) -> Option<(i64, usize)> {
    let raw = word(text)? ^ (ONES * u64::from(b'0'));
    // The highest bit of each byte that is no digit; what it carries into lies behind it.
    let others = (raw.wrapping_add(ONES * (0x80 - 10)) | raw) & HIGHS;
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return None;
    }
    // The digits at the high end, zeros before them; then pairs, fours and eights.
    let digits = raw << (64 - 8 * count);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let value = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff;
    let mut value = value.cast_signed();
    let mut len = count;
    while len >= WORD {
        let digit = text.get(len)?.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if len == 18 {
            return None;
        }
        value = value * 10 + i64::from(digit);
        len += 1;
    }
    Some((value, len))
}

/// The highest bit of each byte of `word` that equals `byte`, and maybe of some behind the first.
fn equal(word: u64, byte: u8) -> u64 {
    let zeros = word ^ (ONES * u64::from(byte));
    zeros.wrapping_sub(ONES) & !zeros & HIGHS
}

fn read_chars(
    text: &[u8],
    delimiter: u8,
    len_max: usize,
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    let start = out.len();
    let mut len = 0;
    let mut wide = 0;
    loop {
        let word = word(text.get(len..)?)?;
        let stops = equal(word, delimiter) | equal(word, b'\n');
        let odd = equal(word, b'"') | equal(word, b'\r');
        let count = (stops.trailing_zeros() / 8) as usize;
        let here = if count < WORD {
            !(u64::MAX << (8 * count))
        } else {
            u64::MAX
        };
        if odd & here != 0 {
            return None;
        }
        wide |= word & HIGHS & here;
        push_low(word, count, out);
        len += count;
        if count < WORD {
            break;
        }
    }
    let field = text.get(..len)?;
    if field.is_empty() || leading_space(field, delimiter) > 0 {
        return None;
    }
    if wide != 0 {
        let field = std::str::from_utf8(field).ok()?;
        if len > len_max && field.chars().count() > len_max {
            return None;
        }
    } else if len > len_max {
        return None;
    }
    debug_assert_eq!(out.get(start..), Some(field));
    out.push(0);
    Some((len, field != b"\\."))
}

fn read_other(
    text: &[u8],
    delimiter: u8,
    codec: &TextCodec,
    out: &mut Vec<u8>,
) -> Option<(usize, usize)> {
    let start = out.len();
    let len = memchr::memchr3(delimiter, b'\n', b'"', text)?;
    let field = text.get(..len)?;
    let plain = text.get(len) != Some(&b'"')
        && !field.is_empty()
        && !field.ends_with(b"\r")
        && leading_space(field, delimiter) == 0;
    if !plain {
        return None;
    }
    codec.push(field, out).ok()?;
    (out.len() > start).then_some((len, start))
}

/// Two digits.
fn two(text: &[u8], at: usize) -> Option<i64> {
    let [tens, ones] = *text.get(at..)?.first_chunk()?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(10 * tens + ones))
}

/// Year, month and day at the start of `text`; none before the year 1000, which have other forms.
fn date_parts(text: &[u8]) -> Option<(i64, i64, i64)> {
    let year = 100 * two(text, 0)? + two(text, 2)?;
    let (month, day) = (two(text, 5)?, two(text, 8)?);
    let valid = text.get(4) == Some(&b'-')
        && text.get(7) == Some(&b'-')
        && year >= 1000
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    valid.then_some((year, month, day))
}

fn days(text: &[u8], known: &mut ([u8; DATE_LEN], i64)) -> Option<i64> {
    let raw = text.first_chunk::<DATE_LEN>()?;
    if *raw != known.0 {
        let (year, month, day) = date_parts(raw)?;
        *known = (*raw, days_from_date(year, month, day));
    }
    Some(known.1)
}

fn read_date(
    text: &[u8],
    known: &mut ([u8; DATE_LEN], i64),
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    days(text, known)?;
    let (year, month, day) = date_parts(text)?;
    let packed = year << 16 | month << 8 | day;
    out.extend_from_slice(&u32::try_from(packed).ok()?.to_le_bytes());
    Some((DATE_LEN, true))
}

fn read_datetime(
    text: &[u8],
    known: &mut ([u8; DATE_LEN], i64),
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    let days = days(text, known)?;
    let clock = text.get(DATE_LEN..DATE_LEN + TIME_LEN)?;
    let (hour, minute, second) = (two(clock, 1)?, two(clock, 4)?, two(clock, 7)?);
    let valid = clock[0] == b' '
        && clock[3] == b':'
        && clock[6] == b':'
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let seconds = days * SECONDS_A_DAY + (hour * 60 + minute) * 60 + second;
    out.extend_from_slice(&(seconds * MICROS_A_SECOND).to_le_bytes());
    Some((DATE_LEN + TIME_LEN, true))
}
