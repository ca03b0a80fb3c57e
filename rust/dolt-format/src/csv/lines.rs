//! `Lines`: rows put together field by field in a small buffer, which costs less a byte than a
//! growing vector.

use super::push_field;
use crate::FormatError;
use crate::value::digits::{EIGHT_DIGITS, push_u64, write_short};
use crate::value::time::Datetimes;

const BUFFER_LEN: usize = 2048;
const WORD_LEN: usize = size_of::<u64>();
/// Fields up to this length are copied and looked through in one go.
const SHORT_LEN: usize = 128;
/// What a number of eight digits takes, with its sign and a delimiter.
const NUMBER_LEN: usize = 1 + 8 + 1;

/// Whether a field may be quoted for that it starts with this byte.
const CLOSE_AT_START: [bool; 256] = close_at_start();

const fn close_at_start() -> [bool; 256] {
    let mut classes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let first = byte as u8;
        classes[byte] = matches!(first, b'\t' | 0x0b | 0x0c | b' ' | b'\\' | 0x80..);
        byte += 1;
    }
    classes
}

/// Looks through eight bytes at a time.
#[derive(Clone, Copy)]
struct Search {
    delimiters: u64,
}

impl Search {
    const ONES: u64 = u64::from_le_bytes([1; WORD_LEN]);

    fn new(delimiter: u8) -> Self {
        Self {
            delimiters: Self::ONES * u64::from(delimiter),
        }
    }

    /// Not zero if one of the bytes is a delimiter, a quote, CR or LF; or one of their neighbours
    /// 8 to 15, none of which is often found in a text.
    fn of(self, word: u64) -> u64 {
        // The highest bit of a byte of `of_zeros(word)` is set if that byte is zero, or a lower is.
        let of_zeros = |word: u64| word.wrapping_sub(Self::ONES) & !word;
        let found = of_zeros(word ^ self.delimiters)
            | of_zeros(word ^ (Self::ONES * u64::from(b'"')))
            | of_zeros((word & (Self::ONES * 0xf8)) ^ (Self::ONES * 8));
        found & (Self::ONES * 0x80)
    }
}

/// At most eight bytes as a word, with zeros behind them.
fn short_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    // Two pieces that may share bytes.
    if let (Some(head), Some(tail)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
        return u64::from(head) | u64::from(tail) << (8 * (len - 4));
    }
    match *bytes {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, ..] => u64::from(u32::from_le_bytes([a, b, c, 0])),
    }
}

/// Puts rows together and appends them to a text. Each field gets its delimiter behind it, that of
/// the last one becomes the line end.
pub(super) struct Lines<'a> {
    buffer: [u8; BUFFER_LEN],
    len: usize,
    delimiter: u8,
    search: Search,
    out: &'a mut Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(delimiter: u8, out: &'a mut Vec<u8>) -> Self {
        Self {
            buffer: [0; BUFFER_LEN],
            len: 0,
            delimiter,
            search: Search::new(delimiter),
            out,
        }
    }

    /// Bytes of the text so far.
    pub(super) fn text_len(&self) -> usize {
        self.out.len() + self.len
    }

    /// Moves what was put together to the text.
    #[inline(never)]
    pub(super) fn flush(&mut self) -> &mut Vec<u8> {
        self.out
            .extend_from_slice(self.buffer.get(..self.len).unwrap_or_default());
        self.len = 0;
        self.out
    }

    /// The next `len` bytes of the buffer, and where they start.
    #[inline]
    fn room(&mut self, len: usize) -> (&mut [u8], usize) {
        let at = if self.len <= BUFFER_LEN - len {
            self.len
        } else {
            self.flush();
            0
        };
        (&mut self.buffer[at..at + len], at)
    }

    /// A NULL.
    #[inline(never)]
    pub(super) fn push_null(&mut self) {
        let delimiter = self.delimiter;
        let (room, at) = self.room(1);
        room[0] = delimiter;
        self.len = at + 1;
    }

    /// A datetime of a column that showed others.
    #[inline(never)]
    pub(super) fn push_datetime(&mut self, micros: i64, precision: u8, column: &mut Datetimes) {
        let (text, len) = column.text(micros, precision);
        let delimiter = self.delimiter;
        let (room, at) = self.room(Datetimes::TEXT_LEN + 1);
        // What has always the same length is copied at once.
        room[..Datetimes::TEXT_LEN].copy_from_slice(text);
        room[len] = delimiter;
        self.len = at + len + 1;
    }

    /// A text, quoted where it has to be.
    pub(super) fn push_field(&mut self, field: &[u8]) {
        let (delimiter, at, len) = (self.delimiter, self.len, field.len());
        let room = self.buffer.get_mut(at..at + WORD_LEN + 1);
        let (Some(room), 1..=WORD_LEN) = (room, len) else {
            return self.push_long_field(field);
        };
        let word = short_word(field);
        if self.search.of(word) != 0 || CLOSE_AT_START[usize::from(field[0])] {
            return self.push_closely(field);
        }
        room[..WORD_LEN].copy_from_slice(&word.to_le_bytes());
        room[len] = delimiter;
        self.len = at + len + 1;
    }

    /// A text of any length, where there may be no room in the buffer.
    #[inline(never)]
    fn push_long_field(&mut self, field: &[u8]) {
        let first = field.first().copied().unwrap_or_default();
        if (WORD_LEN..=SHORT_LEN).contains(&field.len())
            && !CLOSE_AT_START[usize::from(first)]
            && self.copy_words(field)
        {
            self.len += field.len() + 1;
        } else {
            self.push_closely(field);
        }
    }

    /// Copies a text of a word or more and its delimiter; whether nothing in it has to be quoted.
    fn copy_words(&mut self, field: &[u8]) -> bool {
        let (delimiter, search) = (self.delimiter, self.search);
        let (room, _) = self.room(SHORT_LEN + 1);
        let (words, _) = field.as_chunks::<WORD_LEN>();
        let mut found = 0;
        for (to, word) in room.as_chunks_mut::<WORD_LEN>().0.iter_mut().zip(words) {
            *to = *word;
            found |= search.of(u64::from_le_bytes(*word));
        }
        if let Some(word) = field.last_chunk::<WORD_LEN>() {
            room[field.len() - WORD_LEN..field.len()].copy_from_slice(word);
            found |= search.of(u64::from_le_bytes(*word));
        }
        room[field.len()] = delimiter;
        found == 0
    }

    /// A text that is long, or may have to be quoted.
    #[inline(never)]
    fn push_closely(&mut self, field: &[u8]) {
        let delimiter = self.delimiter;
        push_field(field, delimiter, self.flush());
        self.push_null();
    }

    /// A number, given without its sign.
    pub(super) fn push_number(&mut self, is_negative: bool, value: u64) {
        let (delimiter, at) = (self.delimiter, self.len);
        let (Some(room), 0..EIGHT_DIGITS) = (self.buffer.get_mut(at..at + NUMBER_LEN), value)
        else {
            return self.push_long_number(is_negative, value);
        };
        // Digits stand in its place where there is no sign: a branch would often be guessed wrong.
        room[0] = b'-';
        let sign = usize::from(is_negative);
        let mut digits = [0; 8];
        let len = sign + write_short(&mut digits, value);
        room[sign..sign + 8].copy_from_slice(&digits);
        room[len] = delimiter;
        self.len = at + len + 1;
    }

    /// A number of any length, where there may be no room in the buffer.
    #[cold]
    fn push_long_number(&mut self, is_negative: bool, value: u64) {
        let out = self.flush();
        if is_negative {
            out.push(b'-');
        }
        push_u64(value, out);
        self.push_null();
    }

    /// What `push` appends, which it is given the delimiter for.
    pub(super) fn push_with(
        &mut self,
        push: impl FnOnce(u8, &mut Vec<u8>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        push(self.delimiter, self.flush())?;
        self.push_null();
        Ok(())
    }

    /// Ends a row of one field or more.
    #[inline]
    pub(super) fn end_line(&mut self) {
        // The delimiter of a field goes into the buffer after all that may empty it.
        let line = self.buffer.get_mut(..self.len);
        if let Some(delimiter) = line.and_then(<[u8]>::last_mut) {
            *delimiter = b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(push: impl FnOnce(&mut Lines<'_>)) -> String {
        let mut out = Vec::new();
        let mut lines = Lines::new(b',', &mut out);
        push(&mut lines);
        lines.flush();
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn numbers_are_printed_with_their_sign() {
        for number in [
            0i64,
            1,
            7,
            -1,
            9_999,
            -10_000,
            12_345_678,
            i64::MAX,
            i64::MIN,
        ] {
            let text = lines(|lines| lines.push_number(number < 0, number.unsigned_abs()));
            assert_eq!(text, format!("{number},"));
        }
        let most = lines(|lines| lines.push_number(false, u64::MAX));
        assert_eq!(most, format!("{},", u64::MAX));
    }

    #[test]
    fn fields_are_quoted_as_ever() {
        let contents = [
            "",
            "a",
            " a",
            "a b",
            "a,b",
            "a\tb",
            "\tb",
            "\"",
            "a\"b",
            "\r",
            "a\nb",
            "\\.",
            "\\.a",
            "\\",
            "é",
            "\u{a0}a",
            "\u{2003}a",
            "a\u{2003}",
            "\u{85}",
            "\u{b}",
            "\u{c}x",
            "\0",
            "\u{8}",
            "a\u{f}",
            "-+!#",
        ];
        let around_words = (0..20).chain(SHORT_LEN - 9..SHORT_LEN + 2);
        for length in around_words.chain([BUFFER_LEN, 5000]) {
            for content in contents {
                for field in [
                    content.to_owned() + &"x".repeat(length),
                    "x".repeat(length) + content,
                    "x".repeat(length / 2) + content + &"x".repeat(length - length / 2),
                ] {
                    for delimiter in [b',', b'\t'] {
                        let (mut expected, mut out) = (vec![b'0', delimiter], Vec::new());
                        push_field(field.as_bytes(), delimiter, &mut expected);
                        expected.push(b'\n');
                        let mut lines = Lines::new(delimiter, &mut out);
                        lines.push_number(false, 0);
                        lines.push_field(field.as_bytes());
                        lines.end_line();
                        lines.flush();
                        assert_eq!(out, expected, "{field:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_field_is_quoted_for_a_byte_at_any_place() {
        for byte in 0..=u8::MAX {
            for length in 1..=20 {
                for place in 0..length {
                    let mut field = vec![b'x'; length];
                    field[place] = byte;
                    let (mut expected, mut out) = (Vec::new(), Vec::new());
                    push_field(&field, b',', &mut expected);
                    expected.push(b'\n');
                    let mut lines = Lines::new(b',', &mut out);
                    lines.push_field(&field);
                    lines.end_line();
                    lines.flush();
                    assert_eq!(out, expected, "{field:?}");
                }
            }
        }
    }

    #[test]
    fn any_number_of_fields_passes_through() {
        let mut column = Datetimes::default();
        let shown = lines(|lines| {
            for number in 0..3000 {
                lines.push_field(b"abc");
                lines.push_number(false, number);
                lines.push_null();
                lines.push_datetime(1_000_000 * number as i64, 0, &mut column);
                lines.end_line();
            }
        });
        let row = |number: usize| {
            let (minutes, seconds) = (number / 60, number % 60);
            format!("abc,{number},,1970-01-01 00:{minutes:02}:{seconds:02}\n")
        };
        assert_eq!(shown, (0..3000).map(row).collect::<String>());
    }
}
