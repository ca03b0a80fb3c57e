//! `Scan`: the tokens of one line of JSON.

use std::ops::Range;

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// The row does not have it.
    Absent,
    /// `null`.
    Null,
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// An object or an array.
    Document,
}

/// Why a line is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where: bytes from the start of the line.
    pub(super) at: usize,
    pub(super) why: &'static str,
}

/// Where a value stands in its line; a string with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) given: Given,
    pub(super) range: Range<usize>,
    /// Whether a string has escapes.
    pub(super) escaped: bool,
}

/// Reads a line token by token.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    pub(super) const fn fault(&self, why: &'static str) -> Fault {
        Fault { at: self.at, why }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += rest.iter().take_while(|byte| is_space(byte)).count();
        self.rest().first().copied()
    }

    /// Takes `byte` if it is the next one that is no space.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes a string.
    pub(super) fn string(&mut self) -> Result<Value, Fault> {
        if !self.take(b'"') {
            return Err(self.fault("expected a quote"));
        }
        let start = self.at - 1;
        let mut escaped = false;
        loop {
            let rest = self.rest();
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let Some(len) = rest.iter().position(special) else {
                self.at = self.text.len();
                return Err(self.fault("the line ends inside a string"));
            };
            self.at += len;
            match rest.get(len..).unwrap_or_default() {
                [b'"', ..] => break,
                [b'\\', _, ..] => {
                    escaped = true;
                    self.at += 2;
                }
                [b'\\'] => {
                    self.at = self.text.len();
                    return Err(self.fault("the line ends inside a string"));
                }
                _ => return Err(self.fault("a control character in a string is to be escaped")),
            }
        }
        self.at += 1;
        Ok(Value {
            given: Given::String,
            range: start..self.at,
            escaped,
        })
    }

    /// Takes any value. What is in an object or an array is looked at by who reads it.
    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        let first = self.peek();
        let start = self.at;
        let given = match first {
            Some(b'"') => return self.string(),
            Some(b'{' | b'[') => {
                self.document()?;
                Given::Document
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Given::Number
            }
            Some(b't') => self.word(b"true", Given::Bool)?,
            Some(b'f') => self.word(b"false", Given::Bool)?,
            Some(b'n') => self.word(b"null", Given::Null)?,
            _ => return Err(self.fault("expected a value")),
        };
        Ok(Value {
            given,
            range: start..self.at,
            escaped: false,
        })
    }

    fn word(&mut self, word: &[u8], given: Given) -> Result<Given, Fault> {
        if !self.rest().starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(given)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let sign = self.rest().first() == Some(&b'-');
        self.at += usize::from(sign);
        let leading_zero = self.rest().first() == Some(&b'0');
        if self.digits()? > 1 && leading_zero {
            return Err(self.fault("a number has no leading zeros"));
        }
        if self.rest().first() == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.rest().first() {
            self.at += 1;
            let sign = matches!(self.rest().first(), Some(b'+' | b'-'));
            self.at += usize::from(sign);
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<usize, Fault> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit());
        let count = count.count();
        self.at += count;
        if count == 0 {
            return Err(self.fault("expected a digit"));
        }
        Ok(count)
    }

    fn document(&mut self) -> Result<(), Fault> {
        let mut depth = 0usize;
        loop {
            let rest = self.rest();
            let special = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            let Some(len) = rest.iter().position(special) else {
                self.at = self.text.len();
                return Err(self.fault("the line ends inside an object or an array"));
            };
            self.at += len;
            match rest.get(len) {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// Appends what a string says, given without its quotes. `at` is where it stands in its line.
pub(super) fn push_unescaped(text: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut rest = text;
    while let Some(len) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..len]);
        let escape = &rest[len..];
        let here = at + text.len() - escape.len();
        let fault = |why| Fault { at: here, why };
        let (byte, taken) = match escape {
            [_, byte @ (b'"' | b'\\' | b'/'), ..] => (*byte, 2),
            [_, b'n', ..] => (b'\n', 2),
            [_, b't', ..] => (b'\t', 2),
            [_, b'r', ..] => (b'\r', 2),
            [_, b'b', ..] => (8, 2),
            [_, b'f', ..] => (12, 2),
            [_, b'u', ..] => {
                let (character, taken) = unit(escape).ok_or_else(|| {
                    fault("\\u is followed by four hexadecimal digits, a surrogate by its half")
                })?;
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                rest = &escape[taken..];
                continue;
            }
            _ => return Err(fault("JSON has no such escape")),
        };
        out.push(byte);
        rest = &escape[taken..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The character of `\uXXXX`, or of two such that are halves, and how long that is.
fn unit(escape: &[u8]) -> Option<(char, usize)> {
    let half = |escape: &[u8]| {
        let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
        let digits = std::str::from_utf8(digits).ok()?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()
    };
    let first = half(escape)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    let second = half(escape.get(6..)?)?;
    let mut pair = char::decode_utf16([first, second]);
    Some((pair.next()?.ok()?, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<(Given, &str), (usize, &'static str)> {
        let mut scan = Scan::new(text.as_bytes(), 0);
        match scan.value() {
            Ok(value) => Ok((value.given, &text[value.range])),
            Err(Fault { at, why }) => Err((at, why)),
        }
    }

    #[test]
    fn values_are_told_apart() {
        for (text, given, taken) in [
            (" null,", Given::Null, "null"),
            ("true", Given::Bool, "true"),
            ("false}", Given::Bool, "false"),
            ("-0.5e+10 ", Given::Number, "-0.5e+10"),
            ("0", Given::Number, "0"),
            ("\"a\\\"b\"x", Given::String, "\"a\\\"b\""),
            ("{\"a\":[\"}\",1]}]", Given::Document, "{\"a\":[\"}\",1]}"),
            ("[[], {}]", Given::Document, "[[], {}]"),
        ] {
            assert_eq!(value(text), Ok((given, taken)), "{text}");
        }
        for (text, at) in [
            ("", 0),
            ("nul", 0),
            ("NaN", 0),
            ("01", 2),
            ("-", 1),
            ("+1", 0),
            ("1.", 2),
            ("1e", 2),
            (".5", 0),
            ("\"a", 2),
            ("\"a\\", 3),
            ("\"\t\"", 1),
            ("{\"a\":1", 6),
            ("[\"a", 3),
            ("'a'", 0),
        ] {
            assert_eq!(value(text).map_err(|(at, _)| at), Err(at), "{text}");
        }
    }

    #[test]
    fn escapes_say_what_they_stand_for() {
        let unescaped = |text: &str| {
            let mut out = Vec::new();
            push_unescaped(text.as_bytes(), 10, &mut out)
                .map(|()| String::from_utf8(out).expect("UTF-8"))
                .map_err(|fault| fault.at)
        };
        assert_eq!(
            unescaped(r#"a\"\\\/\n\t\r\b\f\u00e9\ud83d\ude00z"#).as_deref(),
            Ok("a\"\\/\n\t\r\u{8}\u{c}é😀z")
        );
        for (text, at) in [
            (r"ab\x", 12),
            (r"\u12", 10),
            (r"\u+123", 10),
            (r"a\ud83d", 11),
            (r"a\ud83d\n", 11),
            (r"\ude00", 10),
        ] {
            assert_eq!(unescaped(text), Err(at), "{text}");
        }
    }
}
