//! `RecordReader`: text to records, cut anywhere.
//!
//! The rules are those of dolt's reader: space before a field is dropped, an empty field without
//! quotes is NULL, an empty one in quotes the empty string, empty lines are passed over, lines end
//! in LF or CR LF.

use super::record::{Field, Found, Record, RecordView};
use crate::FormatError;
use crate::jsonl::parse::JsonRows;

/// Below this, an unfinished record is looked at again whenever more text comes.
const RETRY_STEP: usize = 64 << 10;
/// Bytes that are put behind what was left over, to end it.
const JOINED_LEN: usize = 16 << 10;

/// What to do where a record starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Read the record.
    Record,
    /// Pass over so many bytes, which are whole records.
    Skip(usize),
    /// More text is needed to tell. Never said at the text's end.
    Wait,
}

/// Who takes the records.
pub trait Visitor {
    /// Says what to do with the text from here on, where a record starts.
    fn at_boundary(&mut self, _rest: &[u8], _at_end: bool) -> Boundary {
        Boundary::Record
    }

    /// Takes a record; returns whether an empty line is a record from now on.
    fn take(&mut self, record: RecordView<'_>) -> Result<bool, FormatError>;

    /// Takes records from the start of `rest`, which is at `line`, as far as it reads them by
    /// itself; returns their bytes and how many they are. None of them has a quoted field.
    fn take_plain(&mut self, _rest: &[u8], _line: u64) -> Result<(usize, u64), FormatError> {
        Ok((0, 0))
    }

    /// Looks at a record that may be passed over later, so that a bad one is refused at once.
    fn check(&mut self, _record: RecordView<'_>) -> Result<(), FormatError> {
        Ok(())
    }
}

impl<F: FnMut(RecordView<'_>) -> Result<bool, FormatError>> Visitor for F {
    fn take(&mut self, record: RecordView<'_>) -> Result<bool, FormatError> {
        self(record)
    }
}

/// Splits text into records.
#[derive(Debug)]
pub struct RecordReader {
    /// Reads the rows of a text in JSON; else there are delimiters.
    json: Option<JsonRows>,
    pending: Vec<u8>,
    retry_at: usize,
    line: u64,
    /// Whether rows are counted and not lines: the header is 0.
    counts_rows: bool,
    record: Record,
    started: bool,
    delimiter: u8,
    /// Whether an empty line is a record of one NULL and not nothing.
    pub empty_is_null: bool,
    /// Whether the first line ends in CR LF: then those inside quotes are line ends too.
    crlf: Option<bool>,
    /// Bytes and lines of what is pending that were looked at while waiting for more.
    checked: (usize, u64),
}

impl Default for RecordReader {
    fn default() -> Self {
        Self::new(b',')
    }
}

impl RecordReader {
    /// A reader of fields with this delimiter between them.
    #[must_use]
    pub fn new(delimiter: u8) -> Self {
        Self {
            json: None,
            delimiter,
            pending: Vec::new(),
            retry_at: 0,
            line: 1,
            counts_rows: false,
            record: Record::default(),
            started: false,
            empty_is_null: false,
            crlf: None,
            checked: (0, 0),
        }
    }

    /// A reader of rows in JSON. A table's rows come after a record that names its columns.
    pub(crate) fn of_json(rows: JsonRows) -> Self {
        Self {
            json: Some(rows),
            ..Self::default()
        }
    }

    /// Numbers the records by their rows and not by lines, where the text stands for another file.
    pub(crate) fn count_rows(&mut self) {
        self.counts_rows = true;
        self.line = 0;
    }

    /// Takes more text; hands each record that is complete to `visit`.
    pub fn feed(&mut self, text: &[u8], visit: &mut impl Visitor) -> Result<(), FormatError> {
        let mut rest = text;
        // What is left over from before mostly needs a little of what comes.
        while !self.pending.is_empty() && !rest.is_empty() {
            let before = self.pending.len();
            let (some, behind) = rest.split_at(rest.len().min(JOINED_LEN));
            self.pending.extend_from_slice(some);
            if self.pending.len() < self.retry_at {
                rest = behind;
                continue;
            }
            let mut pending = std::mem::take(&mut self.pending);
            let done = self.read(&pending, false, visit)?;
            if done < before {
                pending.drain(..done);
                self.keep(pending);
                rest = behind;
            } else {
                rest = rest.split_at(done - before).1;
            }
        }
        if !rest.is_empty() {
            let done = self.read(rest, false, visit)?;
            self.keep(rest.get(done..).unwrap_or_default().to_vec());
        }
        Ok(())
    }

    fn keep(&mut self, rest: Vec<u8>) {
        // A long quoted field is not scanned again for every few bytes of it.
        self.retry_at = if rest.len() < RETRY_STEP {
            0
        } else {
            rest.len() + rest.len() / 2
        };
        self.pending = rest;
    }

    /// The end of the text. A last line without its line end may have been cut off, so it is
    /// refused: half a number is a number.
    pub fn finish(&mut self, visit: &mut impl Visitor) -> Result<(), FormatError> {
        let pending = std::mem::take(&mut self.pending);
        let done = self.read(&pending, true, visit)?;
        let rest = pending.get(done..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        let why = if in_quotes(rest) {
            "the text ends inside a quoted field: a quote is missing"
        } else {
            "the text ends without a line end: it may be cut off; end the last line with a newline"
        };
        Err(FormatError::BadRecord {
            line: self.line,
            why: why.to_owned(),
        })
    }

    fn read(
        &mut self,
        text: &[u8],
        at_end: bool,
        visit: &mut impl Visitor,
    ) -> Result<usize, FormatError> {
        let mut done = 0;
        if !self.started {
            if text.len() < 3 && !at_end && b"\xef\xbb\xbf".starts_with(text) {
                return Ok(0);
            }
            self.started = true;
            if text.starts_with(b"\xef\xbb\xbf") {
                done = 3;
            }
            self.name_columns(visit)?;
        }
        loop {
            let rest = text.get(done..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(done);
            }
            let boundary = visit.at_boundary(rest, at_end);
            if boundary != Boundary::Wait {
                self.checked = (0, 0);
            }
            match boundary {
                Boundary::Record => {}
                Boundary::Wait => {
                    self.check(rest, visit)?;
                    return Ok(done);
                }
                Boundary::Skip(len) => {
                    let passed = rest.get(..len).unwrap_or(rest);
                    done += passed.len();
                    self.line += if self.counts_rows {
                        records(passed)
                    } else {
                        memchr::memchr_iter(b'\n', passed).count() as u64
                    };
                    continue;
                }
            }
            let (plain, lines) = visit.take_plain(rest, self.line)?;
            if plain > 0 {
                done += plain;
                self.line += lines;
                continue;
            }
            match self.next(rest, at_end, self.line)? {
                Found::Unfinished => return Ok(done),
                Found::Nothing(len) => {
                    done += len;
                    self.line += u64::from(!self.counts_rows);
                }
                Found::Record(len, lines) => {
                    if self.crlf.is_none() {
                        self.crlf =
                            Some(rest.get(..len).is_some_and(|line| line.ends_with(b"\r\n")));
                    }
                    let view = RecordView {
                        text: rest,
                        record: &self.record,
                        json: self.json.as_ref(),
                        line: self.line,
                    };
                    self.empty_is_null = visit.take(view)?;
                    done += len;
                    self.line += if self.counts_rows { 1 } else { lines };
                }
            }
        }
    }

    /// Looks at the records of `text` that are complete and were not looked at before.
    fn check(&mut self, text: &[u8], visit: &mut impl Visitor) -> Result<(), FormatError> {
        loop {
            let (done, lines) = self.checked;
            let rest = text.get(done..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            let line = self.line + lines;
            let (len, passed) = match self.next(rest, false, line)? {
                Found::Unfinished => return Ok(()),
                Found::Nothing(len) => (len, u64::from(!self.counts_rows)),
                Found::Record(len, passed) => {
                    visit.check(RecordView {
                        text: rest,
                        record: &self.record,
                        json: self.json.as_ref(),
                        line,
                    })?;
                    (len, if self.counts_rows { 1 } else { passed })
                }
            };
            self.checked = (done + len, lines + passed);
        }
    }

    /// Hands over a record of the names of the columns, if the text itself has none.
    fn name_columns(&mut self, visit: &mut impl Visitor) -> Result<(), FormatError> {
        let json = self.json.as_ref();
        if json.is_some_and(|rows| rows.header(&mut self.record)) {
            visit.take(RecordView {
                text: &[],
                record: &self.record,
                json,
                line: self.line,
            })?;
        }
        Ok(())
    }

    /// Reads one record from the start of `text`, which is at `line`.
    fn next(&mut self, text: &[u8], at_end: bool, line: u64) -> Result<Found, FormatError> {
        if let Some(rows) = &mut self.json {
            return rows.next(text, at_end, line, &mut self.record);
        }
        self.record.fields.clear();
        self.record.unescaped.clear();
        let empty = match text {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [b'\r'] => return Ok(Found::Unfinished),
            _ => 0,
        };
        if empty > 0 {
            if !self.empty_is_null {
                return Ok(Found::Nothing(empty));
            }
            self.record.fields.push(Field {
                range: 0..0,
                copied: false,
                null: true,
            });
            return Ok(Found::Record(empty, 1));
        }
        let mut at = 0;
        let mut lines = 1;
        loop {
            at += leading_space(text.get(at..).unwrap_or_default(), self.delimiter);
            let end = if text.get(at) == Some(&b'"') {
                match self.quoted(text, at + 1, line, &mut lines)? {
                    Some(end) => end,
                    None => return Ok(Found::Unfinished),
                }
            } else {
                let rest = text.get(at..).unwrap_or_default();
                let Some(len) = memchr::memchr2(self.delimiter, b'\n', rest) else {
                    return Ok(Found::Unfinished);
                };
                let mut field = at..at + len;
                if rest.get(len) == Some(&b'\n') && rest[..len].ends_with(b"\r") {
                    field.end -= 1;
                }
                let null = field.is_empty();
                self.record.fields.push(Field {
                    range: field,
                    copied: false,
                    null,
                });
                at + len
            };
            match text.get(end) {
                Some(byte) if *byte == self.delimiter => at = end + 1,
                _ => return Ok(Found::Record(end + 1, lines)),
            }
        }
    }

    /// Reads a quoted field whose first byte is at `at`; returns where its delimiter or line
    /// end is, or `None` when the text ends before.
    fn quoted(
        &mut self,
        text: &[u8],
        at: usize,
        line: u64,
        lines: &mut u64,
    ) -> Result<Option<usize>, FormatError> {
        let start = self.record.unescaped.len();
        let mut at = at;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(len) = memchr::memchr(b'"', rest) else {
                return Ok(None);
            };
            let part = &rest[..len];
            *lines += memchr::memchr_iter(b'\n', part).count() as u64;
            if self.crlf == Some(true) {
                push_with_lf(part, &mut self.record.unescaped);
            } else {
                self.record.unescaped.extend_from_slice(part);
            }
            at += len + 1;
            match text.get(at..).unwrap_or_default() {
                [b'"', ..] => {
                    self.record.unescaped.push(b'"');
                    at += 1;
                }
                [b'\n', ..] => break,
                [byte, ..] if *byte == self.delimiter => break,
                [b'\r', b'\n', ..] => {
                    at += 1;
                    break;
                }
                [] | [b'\r'] => return Ok(None),
                _ => {
                    return Err(FormatError::BadRecord {
                        line,
                        why: "a quoted field goes on behind its closing quote: write a quote \
                              inside a field twice"
                            .to_owned(),
                    });
                }
            }
        }
        let range = start..self.record.unescaped.len();
        self.record.fields.push(Field {
            range,
            copied: true,
            null: false,
        });
        Ok(Some(at))
    }
}

fn push_with_lf(part: &[u8], out: &mut Vec<u8>) {
    let mut rest = part;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Bytes of the Unicode space at the start of a field, line ends and the delimiter left alone.
pub(crate) fn leading_space(text: &[u8], delimiter: u8) -> usize {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += match rest {
            [byte, ..] if *byte == delimiter => return at,
            [b' ' | b'\t' | 0x0b | 0x0c, ..] => 1,
            [0xc2, 0x85 | 0xa0, ..] => 2,
            [0xe1..=0xe3, _, _, ..] => match std::str::from_utf8(&rest[..3]) {
                Ok(character) if character.chars().all(char::is_whitespace) => 3,
                _ => return at,
            },
            _ => return at,
        };
    }
}

/// The records of a text as dolt shows it: its line ends outside quotes.
fn records(text: &[u8]) -> u64 {
    let (mut count, mut quoted) = (0, false);
    for at in memchr::memchr2_iter(b'"', b'\n', text) {
        if text.get(at) == Some(&b'"') {
            quoted = !quoted;
        } else {
            count += u64::from(!quoted);
        }
    }
    count
}

/// Whether an unfinished record ends inside quotes.
fn in_quotes(rest: &[u8]) -> bool {
    memchr::memchr_iter(b'"', rest).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Vec<(u64, Vec<Option<String>>)>;

    fn read(pieces: &[&[u8]]) -> Result<Rows, FormatError> {
        let mut reader = RecordReader::default();
        let mut rows = Vec::new();
        let mut visit = |record: RecordView<'_>| {
            let text = |at| {
                record
                    .field(at)
                    .map(|f| String::from_utf8_lossy(f).into_owned())
            };
            rows.push((record.line, (0..record.len()).map(text).collect()));
            Ok(false)
        };
        for piece in pieces {
            reader.feed(piece, &mut visit)?;
        }
        reader.finish(&mut visit)?;
        Ok(rows)
    }

    #[test]
    fn records_are_read_however_the_text_is_cut() {
        let text = "\u{feff}a,b\r\n1,\"\"\r\n\r\n,  x y \r\n\"q\"\"r\",\"two\r\nlines\"\r\n\u{3000}\"s\",t\"u\r\n";
        let some = |text: &str| Some(text.to_owned());
        let expected = vec![
            (1, vec![some("a"), some("b")]),
            (2, vec![some("1"), some("")]),
            (4, vec![None, some("x y ")]),
            (5, vec![some("q\"r"), some("two\nlines")]),
            (7, vec![some("s"), some("t\"u")]),
        ];
        assert_eq!(read(&[text.as_bytes()]), Ok(expected.clone()));
        for at in 0..text.len() {
            let (left, right) = text.as_bytes().split_at(at);
            assert_eq!(read(&[left, right]), Ok(expected.clone()), "cut at {at}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), Ok(expected));
    }

    #[test]
    fn rows_may_be_counted() {
        let mut reader = RecordReader::default();
        reader.count_rows();
        let mut numbers = Vec::new();
        let mut visit = |record: RecordView<'_>| {
            numbers.push(record.line);
            Ok(false)
        };
        for byte in b"a\n\"x\ny\"\n\n\"\n\n\"\nz\n" {
            reader.feed(&[*byte], &mut visit).expect("it reads");
        }
        let error = reader.feed(b"\"a\"b\n", &mut visit).expect_err("no record");
        assert_eq!(numbers, [0, 1, 2, 3]);
        assert!(error.to_string().starts_with("line 4: "), "{error}");
    }

    #[test]
    fn space_before_a_field_is_dropped_but_not_where_it_is_the_delimiter() {
        let mut reader = RecordReader::new(b'\t');
        let mut fields = Vec::new();
        let mut visit = |record: RecordView<'_>| {
            let text = |at| record.field(at).map(<[u8]>::to_vec);
            fields.push((0..record.len()).map(text).collect::<Vec<_>>());
            Ok(false)
        };
        reader
            .feed(b"\t\t x,y\t\"\ta\"\t\n", &mut visit)
            .expect("it reads");
        reader.finish(&mut visit).expect("it ends");
        let some = |text: &[u8]| Some(text.to_vec());
        assert_eq!(fields, [[None, None, some(b"x,y"), some(b"\ta"), None]]);
    }

    #[test]
    fn carriage_returns_inside_quotes_are_kept_where_lines_end_in_lf() {
        let rows = read(&[b"a\n\"x\r\ny\"\n"]).expect("it reads");
        assert_eq!(rows[1].1, [Some("x\r\ny".to_owned())]);
    }

    #[test]
    fn torn_texts_are_refused() {
        for (text, why) in [
            ("a\n12", "cut off"),
            ("a\n\"12", "quote is missing"),
            ("a\n\"12\"\"", "quote is missing"),
            ("a\n\"12\"x\n", "closing quote"),
        ] {
            let error = read(&[text.as_bytes()]).expect_err(text).to_string();
            assert!(
                error.starts_with("line 2: ") && error.contains(why),
                "{error}"
            );
        }
    }
}
