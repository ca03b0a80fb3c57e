//! `Lines`: rows put together field by field in a small buffer, which costs less a byte than a
//! growing vector.

use super::{needs_quotes, push_field};
use crate::FormatError;
use crate::value::number::push_u64;

const BUFFER_LEN: usize = 4096;
/// What a number takes at most.
const NUMBER_LEN: usize = 24;
/// Fields up to this length are copied and looked through in one go.
const SHORT_LEN: usize = 48;

/// The digits of numbers below 1000 from the left on, and how many they are.
const DIGITS: [[u8; 4]; 1000] = digits(false);
/// The same with leading zeros.
const THREE_DIGITS: [[u8; 4]; 1000] = digits(true);

const fn digits(padded: bool) -> [[u8; 4]; 1000] {
    let mut table = [[0; 4]; 1000];
    let mut number = 0u16;
    while (number as usize) < table.len() {
        let all = [number / 100, number / 10 % 10, number % 10];
        let mut skipped = match number {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        if padded {
            skipped = 0;
        }
        let mut at = skipped;
        while at < 3 {
            table[number as usize][at - skipped] = b'0' + all[at] as u8;
            at += 1;
        }
        table[number as usize][3] = 3 - skipped as u8;
        number += 1;
    }
    table
}

/// Bytes for whose sake a field may be quoted: where they stand anywhere in it.
const ANYWHERE: u8 = 1;
/// Where they stand at its beginning.
const AT_START: u8 = 2;
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b',' | b'"' | b'\r' | b'\n' => ANYWHERE,
            b'\t' => ANYWHERE | AT_START,
            b' ' | b'\\' | 0x0b | 0x0c | 0x80.. => AT_START,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// Puts rows together and appends them to a text.
pub(super) struct Lines<'a> {
    buffer: [u8; BUFFER_LEN],
    len: usize,
    delimiter: u8,
    out: &'a mut Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(delimiter: u8, out: &'a mut Vec<u8>) -> Self {
        Self {
            buffer: [0; BUFFER_LEN],
            len: 0,
            delimiter,
            out,
        }
    }

    /// Bytes of the text so far.
    pub(super) fn text_len(&self) -> usize {
        self.out.len() + self.len
    }

    /// Moves what was put together to the text.
    pub(super) fn flush(&mut self) -> &mut Vec<u8> {
        self.out
            .extend_from_slice(self.buffer.get(..self.len).unwrap_or_default());
        self.len = 0;
        self.out
    }

    /// Makes room for `len` bytes.
    fn room(&mut self, len: usize) {
        if self.len + len > BUFFER_LEN {
            self.flush();
        }
    }

    pub(super) fn push_byte(&mut self, byte: u8) {
        self.room(1);
        if let Some(place) = self.buffer.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    pub(super) fn push_delimiter(&mut self) {
        self.push_byte(self.delimiter);
    }

    /// A few bytes as they are.
    pub(super) fn push_plain(&mut self, bytes: &[u8]) {
        self.room(bytes.len());
        match self.buffer.get_mut(self.len..self.len + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.out.extend_from_slice(bytes),
        }
    }

    /// A field, quoted where it has to be.
    pub(super) fn push_field(&mut self, field: &[u8]) {
        if field.len() > SHORT_LEN {
            if needs_quotes(field, self.delimiter) {
                let delimiter = self.delimiter;
                push_field(field, delimiter, self.flush());
            } else {
                self.push_plain(field);
            }
            return;
        }
        self.room(SHORT_LEN);
        let mut seen = 0;
        let place = self.buffer.get_mut(self.len..self.len + SHORT_LEN);
        for (to, byte) in place.unwrap_or_default().iter_mut().zip(field) {
            *to = *byte;
            seen |= CLASSES[usize::from(*byte)];
        }
        let start = field
            .first()
            .map_or(AT_START, |byte| CLASSES[usize::from(*byte)] & AT_START);
        // Most fields are plain; of the others it is looked at closely.
        if (seen & ANYWHERE) | start == 0 {
            self.len += field.len();
        } else {
            let delimiter = self.delimiter;
            push_field(field, delimiter, self.flush());
        }
    }

    pub(super) fn push_signed(&mut self, value: i64) {
        if value < 0 {
            self.push_byte(b'-');
        }
        self.push_unsigned(value.unsigned_abs());
    }

    pub(super) fn push_unsigned(&mut self, value: u64) {
        self.room(NUMBER_LEN);
        match value {
            0..1000 => self.push_digits(DIGITS[value as usize]),
            1000..1_000_000 => {
                self.push_digits(DIGITS[(value / 1000) as usize]);
                self.push_digits(THREE_DIGITS[(value % 1000) as usize]);
            }
            1_000_000..1_000_000_000 => {
                self.push_digits(DIGITS[(value / 1_000_000) as usize]);
                self.push_digits(THREE_DIGITS[(value / 1000 % 1000) as usize]);
                self.push_digits(THREE_DIGITS[(value % 1000) as usize]);
            }
            _ => push_u64(value, self.flush()),
        }
    }

    /// There is room for it.
    fn push_digits(&mut self, entry: [u8; 4]) {
        if let Some(place) = self.buffer.get_mut(self.len..self.len + 4) {
            // The fourth byte will be overwritten.
            place.copy_from_slice(&entry);
            self.len += usize::from(entry[3]);
        }
    }

    /// Appends by `push` whatever that has to append.
    pub(super) fn push_with(
        &mut self,
        push: impl FnOnce(&mut Vec<u8>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        push(self.flush())
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
    fn numbers_of_every_length_are_printed() {
        let mut numbers: Vec<u64> = vec![0, u64::MAX];
        for power in 0..20 {
            let ten = 10u64.pow(power);
            numbers.extend([ten - 1, ten, ten + 1, ten / 3, ten / 7 * 5]);
        }
        for number in numbers {
            assert_eq!(lines(|l| l.push_unsigned(number)), number.to_string());
            for signed in [number as i64, (number as i64).wrapping_neg()] {
                assert_eq!(lines(|l| l.push_signed(signed)), signed.to_string());
            }
        }
        for number in 0..2000 {
            assert_eq!(lines(|l| l.push_unsigned(number)), number.to_string());
        }
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
        ];
        for length in [0, 1, SHORT_LEN - 3, SHORT_LEN, 5000] {
            for content in contents {
                for field in [
                    content.to_owned() + &"x".repeat(length),
                    "x".repeat(length) + content,
                ] {
                    for delimiter in [b',', b'\t'] {
                        let (mut expected, mut out) = (b"k".to_vec(), Vec::new());
                        push_field(field.as_bytes(), delimiter, &mut expected);
                        let mut lines = Lines::new(delimiter, &mut out);
                        lines.push_byte(b'k');
                        lines.push_field(field.as_bytes());
                        lines.flush();
                        assert_eq!(out, expected, "{field:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn any_number_of_fields_passes_through() {
        let text = lines(|lines| {
            for number in 0..3000 {
                lines.push_field(b"abc");
                lines.push_delimiter();
                lines.push_unsigned(number);
                lines.push_plain(b"\n");
            }
        });
        let expected: Vec<String> = (0..3000).map(|number| format!("abc,{number}\n")).collect();
        assert_eq!(text, expected.concat());
    }
}
