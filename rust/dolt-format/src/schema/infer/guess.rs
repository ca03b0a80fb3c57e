//! `Guess`: the type that all values of one column have in common.

use crate::jsonl::scan::Given;
use crate::value::encoding as e;
use crate::value::time_text;

/// Characters of dolt's type for imported text.
const VARCHAR_LEN: usize = 200;
/// Bytes beyond which dolt takes a value for `text`.
const VARCHAR_BYTES_MAX: usize = 16_383;
const TEXT_BYTES_MAX: usize = 65_535;
const MICROS_A_DAY: i64 = 86_400_000_000;

/// A type that is inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inferred {
    Int,
    BigInt,
    Float,
    Double,
    Uuid,
    Date,
    Datetime,
    Time,
    Bool,
    Json,
    Varchar,
    Text,
    LongText,
}

impl Inferred {
    pub(super) const fn sql_type(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Double => "double",
            Self::Uuid => "char(36) CHARACTER SET ascii COLLATE ascii_bin",
            Self::Date => "date",
            Self::Datetime => "datetime(6)",
            Self::Time => "time(6)",
            Self::Bool => "tinyint(1)",
            Self::Json => "json",
            Self::Varchar => "varchar(200)",
            Self::Text => "text",
            Self::LongText => "longtext",
        }
    }

    pub(super) const fn encoding(self) -> u8 {
        match self {
            Self::Int => e::INT32,
            Self::BigInt => e::INT64,
            Self::Float => e::FLOAT32,
            Self::Double => e::FLOAT64,
            Self::Date => e::DATE,
            Self::Datetime => e::DATETIME,
            Self::Time => e::TIME,
            Self::Bool => e::INT8,
            Self::Json => e::JSON_ADAPTIVE,
            Self::Uuid | Self::Varchar => e::STRING,
            Self::Text | Self::LongText => e::STRING_ADAPTIVE,
        }
    }

    /// The kind that dolt counts it among when it draws tags: `dolt schema import` has one of its own
    /// for a truth value and a UUID. A keyless table comes of `dolt table import`, which has not.
    pub(super) const fn kind(self, keyless: bool) -> u8 {
        match self {
            Self::Bool if !keyless => 0,
            Self::Uuid if !keyless => 14,
            Self::Float | Self::Double => 1,
            Self::Varchar | Self::Uuid => 2,
            Self::Text | Self::LongText => 3,
            Self::Int | Self::BigInt | Self::Time | Self::Bool => 15,
            Self::Date | Self::Datetime => 20,
            Self::Json => 22,
        }
    }

    /// Whether a key of this type can be written.
    pub(super) const fn can_be_key(self) -> bool {
        !matches!(self, Self::Json | Self::Text | Self::LongText)
    }
}

/// What the values of one column are, each by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Guess {
    found: Vec<Inferred>,
    /// Whether a row that dolt looks at has a value here.
    sampled: bool,
    chars_max: usize,
    bytes_max: usize,
    /// Whether the values are JSON.
    json: bool,
}

impl Guess {
    /// Adds a value; an empty one says nothing. Fails where it is no text at all.
    pub(super) fn add(&mut self, text: &[u8], sampled: bool) -> Result<(), &'static str> {
        let text = std::str::from_utf8(text)
            .map_err(|_| "it is not UTF-8: for bytes create the table's schema first")?;
        if text.is_empty() {
            return Ok(());
        }
        self.sampled |= sampled;
        if text.len() > self.bytes_max {
            self.bytes_max = text.len();
        }
        if text.len() > self.chars_max {
            self.chars_max = self.chars_max.max(text.chars().count());
        }
        // Nothing changes any more what has text among it.
        if !self.found.contains(&Inferred::Varchar) {
            let inferred = infer(text.trim());
            if !self.found.contains(&inferred) {
                self.found.push(inferred);
            }
        }
        Ok(())
    }

    /// Adds a value that is not null in JSON, which tells strings from numbers.
    pub(super) fn add_json(&mut self, given: Given, text: &[u8]) -> Result<(), &'static str> {
        let text = std::str::from_utf8(text)
            .map_err(|_| "it is not UTF-8: for bytes create the table's schema first")?;
        self.sampled = true;
        self.json = true;
        self.bytes_max = self.bytes_max.max(text.len());
        if text.len() > self.chars_max {
            self.chars_max = self.chars_max.max(text.chars().count());
        }
        let inferred = match given {
            Given::Document => Inferred::Json,
            Given::Bool => Inferred::Bool,
            Given::Number if text.contains(['.', 'e', 'E']) => Inferred::Double,
            Given::Number => match infer_number(text) {
                Some(Inferred::Int) => Inferred::Int,
                Some(Inferred::BigInt) => Inferred::BigInt,
                _ => Inferred::Varchar,
            },
            Given::String => match infer(text) {
                moment @ (Inferred::Date | Inferred::Datetime | Inferred::Time) => moment,
                Inferred::Uuid => Inferred::Uuid,
                _ => Inferred::Varchar,
            },
            Given::Null | Given::Absent => return Ok(()),
        };
        if !self.found.contains(&inferred) {
            self.found.push(inferred);
        }
        Ok(())
    }

    /// The type that takes all values. `last` says whether the last one, which dolt looks at, is
    /// not empty.
    pub(super) fn inferred(&self, last: bool) -> Inferred {
        let common = if self.sampled || last {
            self.common()
        } else {
            Inferred::Varchar
        };
        match common {
            Inferred::Varchar if self.bytes_max > TEXT_BYTES_MAX => Inferred::LongText,
            // Dolt goes by bytes, and cannot import what is between the two.
            Inferred::Varchar
                if self.bytes_max > VARCHAR_BYTES_MAX || self.chars_max > VARCHAR_LEN =>
            {
                Inferred::Text
            }
            common => common,
        }
    }

    fn common(&self) -> Inferred {
        use Inferred::{BigInt, Bool, Date, Datetime, Double, Float, Int, Json, Varchar};
        if let [only] = self.found.as_slice() {
            return *only;
        }
        let widest = [Double, Float, BigInt];
        if !self.found.is_empty() {
            if self.all_of(&[Int, BigInt, Float, Double]) {
                let found = widest.iter().find(|wide| self.found.contains(wide));
                return found.copied().unwrap_or(Int);
            }
            if self.all_of(&[Date, Datetime]) {
                return Datetime;
            }
        }
        // In JSON a truth value is a number where a column is one. It is no text, and an object
        // or an array is nothing else: then each value stays what it is in JSON.
        if !self.json {
            return Varchar;
        }
        if self.found.contains(&Bool) && self.all_of(&[Bool, Int, BigInt, Double]) {
            let found = widest.iter().find(|wide| self.found.contains(wide));
            return found.copied().unwrap_or(Int);
        }
        if self.found.contains(&Json) || self.found.contains(&Bool) {
            return Json;
        }
        Varchar
    }

    fn all_of(&self, types: &[Inferred]) -> bool {
        self.found.iter().all(|found| types.contains(found))
    }
}

/// The least type that takes a text, whose ends are no space.
fn infer(text: &str) -> Inferred {
    if let Some(number) = infer_number(text) {
        return number;
    }
    if is_uuid(text) {
        return Inferred::Uuid;
    }
    // Years below 1000 are shown with fewer digits, and such a text is no date to dolt.
    let has_year = text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    if has_year && let Ok(micros) = time_text::datetime(text, 6, false) {
        return if micros.rem_euclid(MICROS_A_DAY) == 0 {
            Inferred::Date
        } else {
            Inferred::Datetime
        };
    }
    // Dolt takes the last digits of any text for a time. A column that holds times has colons.
    if text.contains(':') && time_text::time(text).is_ok() {
        return Inferred::Time;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Inferred::Bool;
    }
    let has_brackets = text.contains(['{', '[']);
    if has_brackets && serde_json::from_str::<serde_json::Value>(text).is_ok() {
        return Inferred::Json;
    }
    Inferred::Varchar
}

fn infer_number(text: &str) -> Option<Inferred> {
    if text.contains('.') {
        let number = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let value: f64 = text.parse().ok().filter(|_| number)?;
        return match value.abs() {
            value if value < f64::from(f32::MAX) => Some(Inferred::Float),
            value if value.is_finite() => Some(Inferred::Double),
            _ => None,
        };
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    // Go finds a number too large before it finds that it goes on with letters.
    let too_large = count > 0 && digits[..count].parse::<u64>().is_err();
    if count == digits.len() && count > 0 || too_large {
        let value = text.parse::<i64>().ok().filter(|_| count == digits.len());
        return Some(match value {
            Some(_) if text.len() > 1 && text.starts_with('0') => Inferred::Varchar,
            Some(value) if i32::try_from(value).is_ok() => Inferred::Int,
            Some(_) => Inferred::BigInt,
            None => Inferred::Varchar,
        });
    }
    None
}

/// Whether it is 32 hexadecimal digits, in groups or not.
fn is_uuid(text: &str) -> bool {
    let is_hyphen = |at: usize| text.len() == 36 && matches!(at, 8 | 13 | 18 | 23);
    matches!(text.len(), 32 | 36)
        && text.bytes().enumerate().all(|(at, byte)| {
            if is_hyphen(at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> Inferred {
        let mut guess = Guess::default();
        for value in values {
            guess.add(value.as_bytes(), true).expect("UTF-8");
        }
        guess.inferred(true)
    }

    #[test]
    fn a_value_has_the_least_type() {
        for (text, expected) in [
            ("0", Inferred::Int),
            ("+5", Inferred::Int),
            ("-05", Inferred::Int),
            ("-2147483648", Inferred::Int),
            ("2147483648", Inferred::BigInt),
            ("9223372036854775808", Inferred::Varchar),
            ("007", Inferred::Varchar),
            (" 7 ", Inferred::Int),
            ("1e5", Inferred::Varchar),
            (".5", Inferred::Float),
            ("1.", Inferred::Float),
            ("-1.5e38", Inferred::Float),
            ("3.5e38", Inferred::Double),
            ("1.5e400", Inferred::Varchar),
            ("1.2.3", Inferred::Varchar),
            ("12345678901234567890123456789012", Inferred::Varchar),
            ("1234567890123456789012345678901f", Inferred::Varchar),
            ("f2345678901234567890123456789012", Inferred::Uuid),
            ("00000000-0000-0000-0000-00000000000A", Inferred::Uuid),
            ("2024-01-02", Inferred::Date),
            ("2024-01-02 00:00:00", Inferred::Date),
            ("2024/01/02", Inferred::Date),
            ("2024-01-02T03:04:05Z", Inferred::Datetime),
            ("2024-02-30", Inferred::Varchar),
            ("10:11", Inferred::Time),
            ("-100:11:12.5", Inferred::Time),
            ("x1234556", Inferred::Varchar),
            ("TRUE", Inferred::Bool),
            ("{\"a\": [1]}", Inferred::Json),
            ("[1", Inferred::Varchar),
            ("[1].5", Inferred::Varchar),
            ("   ", Inferred::Varchar),
            ("", Inferred::Varchar),
        ] {
            assert_eq!(inferred(&[text]), expected, "{text:?}");
        }
    }

    #[test]
    fn columns_have_the_type_that_takes_them_all() {
        for (values, expected) in [
            (["1", "2147483648"], Inferred::BigInt),
            (["1", "1.5"], Inferred::Float),
            (["3.5e38", "1"], Inferred::Double),
            (["1", "x"], Inferred::Varchar),
            (["1", "true"], Inferred::Varchar),
            (["2024-01-02", "2024-01-02 10:00:00"], Inferred::Datetime),
            (["2024-01-02", "10:00:00"], Inferred::Varchar),
            (["[1]", "1"], Inferred::Varchar),
            (["[1]", ""], Inferred::Json),
            (["", ""], Inferred::Varchar),
        ] {
            assert_eq!(inferred(&values), expected, "{values:?}");
        }
        assert_eq!(inferred(&[&"ä".repeat(200)]), Inferred::Varchar);
        assert_eq!(inferred(&[&"ä".repeat(201)]), Inferred::Text);
        assert_eq!(inferred(&[&"ä".repeat(32_768)]), Inferred::LongText);
    }
}
