//! Text to the bytes of a field: what `dolt table import` takes for each type, and no more.
//!
//! Where dolt would bend a value to fit (clamp a time, wrap a number, read `-` as 0), it is refused.
//! `tests/build_import.rs` has every difference that is known.

use std::borrow::Cow;

use super::decimal_text::push_decimal_field;
use super::encoding as e;
use super::json_text;
use super::members::Members;
use super::sql_type::SqlType;
use super::time_text;
use super::vector_text::push_vector;
use crate::csv::value_text::field_text;

/// What dolt drops around numbers (`gms/sql/types/number.go`, `NumericCutSet`).
const NUMBER_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Why a text is no value of its type.
pub type Reason = Cow<'static, str>;

/// How the text of one column becomes a field.
#[derive(Debug, Clone)]
pub struct TextCodec {
    sql_type: SqlType,
    encoding: u8,
}

impl TextCodec {
    /// The codec of a column; `None` where text of its type cannot be taken yet.
    #[must_use]
    pub fn new(sql_type: &SqlType, encoding: u8) -> Option<Self> {
        let matches = match sql_type {
            SqlType::Int { bits, unsigned } => encoding == e::of_int(*bits, *unsigned),
            SqlType::Float => encoding == e::FLOAT32,
            SqlType::Double => encoding == e::FLOAT64,
            SqlType::Decimal { .. } => encoding == e::DECIMAL,
            SqlType::Bit(_) => encoding == e::UINT64,
            SqlType::Char { .. } => encoding == e::STRING,
            SqlType::Text { .. } => matches!(encoding, e::STRING_ADAPTIVE | e::STRING),
            SqlType::Binary(_) | SqlType::VarBinary(_) => encoding == e::BYTES,
            SqlType::Blob(_) => matches!(encoding, e::BYTES_ADAPTIVE | e::BYTES),
            SqlType::Date => encoding == e::DATE,
            SqlType::Datetime { .. } => encoding == e::DATETIME,
            SqlType::Time => encoding == e::TIME,
            SqlType::Year => encoding == e::YEAR,
            SqlType::Enum(_) => encoding == e::ENUM,
            SqlType::Set(_) => encoding == e::SET,
            SqlType::Json => encoding == e::JSON_ADAPTIVE,
            SqlType::Geometry(_) => encoding == e::GEOMETRY_ADAPTIVE,
            SqlType::Vector(_) => encoding == e::BYTES_ADAPTIVE,
        };
        matches.then(|| Self {
            sql_type: sql_type.clone(),
            encoding,
        })
    }

    /// Whether an empty text in quotes is NULL: only strings can be empty.
    #[must_use]
    pub const fn empty_is_null(&self) -> bool {
        use SqlType as T;
        !matches!(
            self.sql_type,
            T::Char { .. }
                | T::Text { .. }
                | T::Binary(_)
                | T::VarBinary(_)
                | T::Blob(_)
                | T::Enum(_)
                | T::Set(_)
                | T::Bit(_)
        )
    }

    /// Whether the text of every field that dolt stores gives that field again. Dolt rounds some
    /// when it shows them, and reads others in another form than that in which they are stored.
    #[must_use]
    pub(crate) fn is_exact(&self) -> bool {
        match &self.sql_type {
            SqlType::Float
            | SqlType::Decimal { .. }
            | SqlType::Json
            | SqlType::Geometry(_)
            | SqlType::Vector(_) => false,
            // Digits may be stored that are not shown.
            SqlType::Datetime { precision, .. } => *precision == 6,
            // No member is shown as the empty one.
            SqlType::Enum(members) => !members.names.iter().any(String::is_empty),
            _ => true,
        }
    }

    /// Whether a text that is not taken may be that of a field that dolt stores.
    #[must_use]
    pub(crate) fn may_be_shown(&self, text: &[u8]) -> bool {
        match &self.sql_type {
            SqlType::Float | SqlType::Double | SqlType::Decimal { .. } => {
                matches!(text, [b'+' | b'-', b'I', ..] | b"Infinity" | b"NaN")
            }
            SqlType::Char { .. } | SqlType::Text { .. } => std::str::from_utf8(text).is_err(),
            // The year of one below 100 has no leading zeros.
            SqlType::Date | SqlType::Datetime { .. } => {
                matches!(
                    text,
                    [b'0'..=b'9', b'0'..=b'9', b'-', b'0'..=b'1', _, b'-', ..]
                )
            }
            // No member.
            SqlType::Enum(_) => text.is_empty(),
            // SRID and byte order.
            SqlType::Geometry(_) => text.get(4).is_some_and(|order| *order <= 1),
            SqlType::Vector(dimensions) => text.len() == *dimensions as usize * size_of::<f32>(),
            _ => false,
        }
    }

    /// The field's encoding.
    #[must_use]
    pub const fn encoding(&self) -> u8 {
        self.encoding
    }

    /// A field as it is shown, for a message: what stands out of its row by its bytes.
    #[must_use]
    pub(crate) fn show(&self, field: &[u8]) -> String {
        if e::is_adaptive(self.encoding) {
            return String::from_utf8_lossy(field).into_owned();
        }
        field_text(&self.sql_type, self.encoding, field)
    }

    /// Appends the field for `text`. An adaptive value is appended plain, with nothing before or
    /// behind it.
    pub fn push(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        match &self.sql_type {
            SqlType::Int { bits, unsigned } => push_int(text, *bits, *unsigned, out),
            SqlType::Float => {
                let value = float(text)? as f32;
                if value.is_infinite() {
                    return Err("it is beyond the range of FLOAT".into());
                }
                out.extend_from_slice(&value.to_le_bytes());
                Ok(())
            }
            SqlType::Double => {
                out.extend_from_slice(&float(text)?.to_le_bytes());
                Ok(())
            }
            SqlType::Decimal { precision, scale } => {
                push_decimal_field(trimmed(text)?, *precision, *scale, out)
            }
            SqlType::Bit(bits) => {
                let value =
                    bit(utf8(text)?).ok_or("it is no number (5), bits (b'101') or hex (0x5)")?;
                if *bits < 64 && value >> bits != 0 {
                    return Err(format!("it needs more than the {bits} bits of BIT({bits})").into());
                }
                out.extend_from_slice(&value.to_le_bytes());
                Ok(())
            }
            SqlType::Char { len, .. } => {
                let text = utf8(text)?;
                let count = if text.len() > *len as usize {
                    text.chars().count()
                } else {
                    0
                };
                if count > *len as usize {
                    return Err(format!("{count} characters, the column holds {len}").into());
                }
                push_terminated(text.as_bytes(), out);
                Ok(())
            }
            SqlType::Text { len, .. } => {
                let text = utf8(text)?.as_bytes();
                self.push_long(text, *len, out)
            }
            SqlType::Blob(len) => self.push_long(text, *len, out),
            SqlType::Binary(len) => {
                check_len(text, u64::from(*len))?;
                let start = out.len();
                out.extend_from_slice(text);
                out.resize(start + *len as usize, 0);
                out.push(0);
                Ok(())
            }
            SqlType::VarBinary(len) => {
                check_len(text, u64::from(*len))?;
                push_terminated(text, out);
                Ok(())
            }
            SqlType::Date => {
                let packed = time_text::date(utf8(text)?)?;
                out.extend_from_slice(&packed.to_le_bytes());
                Ok(())
            }
            SqlType::Datetime {
                precision,
                timestamp,
            } => {
                let micros = time_text::datetime(utf8(text)?, *precision, *timestamp)?;
                out.extend_from_slice(&micros.to_le_bytes());
                Ok(())
            }
            SqlType::Time => {
                out.extend_from_slice(&time_text::time(utf8(text)?)?.to_le_bytes());
                Ok(())
            }
            SqlType::Year => {
                out.push(year(utf8(text)?)?);
                Ok(())
            }
            SqlType::Enum(members) => {
                let number = member(utf8(text)?, members)?;
                out.extend_from_slice(&number.to_le_bytes());
                Ok(())
            }
            SqlType::Set(members) => {
                out.extend_from_slice(&set_bits(utf8(text)?, members)?.to_le_bytes());
                Ok(())
            }
            SqlType::Json => json_text::push_normalised(&String::from_utf8_lossy(text), out),
            SqlType::Geometry(shapes) => shapes.push(text, out),
            SqlType::Vector(dimensions) => push_vector(text, *dimensions, out),
        }
    }

    fn push_long(&self, value: &[u8], len_max: u64, out: &mut Vec<u8>) -> Result<(), Reason> {
        check_len(value, len_max)?;
        if e::is_adaptive(self.encoding) {
            out.extend_from_slice(value);
        } else {
            push_terminated(value, out);
        }
        Ok(())
    }
}

fn push_terminated(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(value);
    out.push(0);
}

fn check_len(value: &[u8], len_max: u64) -> Result<(), Reason> {
    if value.len() as u64 > len_max {
        return Err(format!("{} bytes, the column holds {len_max}", value.len()).into());
    }
    Ok(())
}

fn utf8(text: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(text)
        .map_err(|error| format!("it is not UTF-8 (byte {})", error.valid_up_to() + 1).into())
}

/// The text of a number.
fn trimmed(text: &[u8]) -> Result<&str, Reason> {
    utf8(text).map(|text| text.trim_matches(NUMBER_SPACE))
}

/// A number as MySQL writes it: Rust also takes "inf" and "nan".
fn plain_float(text: &str) -> Option<f64> {
    let known = |c: u8| c.is_ascii_digit() || b"+-.eE".contains(&c);
    text.bytes().all(known).then(|| text.parse().ok()).flatten()
}

fn float(text: &[u8]) -> Result<f64, Reason> {
    match plain_float(trimmed(text)?) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err("it is beyond the range of DOUBLE".into()),
        None => Err("it is not a number".into()),
    }
}

fn push_int(text: &[u8], bits: u8, unsigned: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
    let (low, high) = if unsigned {
        (0, (1i128 << bits) - 1)
    } else {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    };
    let value = match plain_int(text) {
        Some(value) => value,
        // Dolt takes TINYINT for the type of booleans.
        None if bits == 8 && !unsigned && text.eq_ignore_ascii_case(b"true") => 1,
        None if bits == 8 && !unsigned && text.eq_ignore_ascii_case(b"false") => 0,
        None => rounded_int(trimmed(text)?, bits == 64 && unsigned)?,
    };
    if value < low || value > high {
        return Err(format!("it is outside {low} to {high}").into());
    }
    let stored = if bits == 24 { 4 } else { usize::from(bits / 8) };
    out.extend_from_slice(&value.to_le_bytes()[..stored]);
    Ok(())
}

/// The common case, without detours.
fn plain_int(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(i128::from(if negative { -value } else { value }))
}

/// Whole numbers of any form. What has a point or an exponent passes through a double, as in dolt,
/// and is rounded half away from zero.
fn rounded_int(text: &str, is_u64: bool) -> Result<i128, Reason> {
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    let signed = text.starts_with(['+', '-']);
    if let Ok(value) = text.parse()
        && !(is_u64 && signed)
    {
        return Ok(value);
    }
    let value = plain_float(text).ok_or("it is not a whole number")?;
    if is_u64 && value < 0.0 {
        return Err("it is below 0".into());
    }
    if value.abs() >= TWO_TO_64 {
        return Err("it is beyond the range of BIGINT".into());
    }
    Ok(value.round() as i128)
}

/// `5`, `true`, `b'101'`, `0x5` or `5f` (go/cmd/dolt/commands/tblcmds/import.go,
/// `NameAndTypeTransform`).
fn bit(text: &str) -> Option<u64> {
    let digits = |text: &str, radix| {
        let plain = text.bytes().all(|c| c.is_ascii_alphanumeric());
        plain
            .then(|| u64::from_str_radix(text, radix).ok())
            .flatten()
    };
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some(u64::from(text.len() == 4));
    }
    digits(text, 10)
        .or_else(|| {
            let quoted = text.split("b'").skip(1);
            let mut inner = quoted.filter_map(|rest| rest.split_once('\'').map(|(bits, _)| bits));
            digits(
                inner.find(|bits| !bits.is_empty() && bits.bytes().all(|c| c.is_ascii_digit()))?,
                2,
            )
        })
        .or_else(|| digits(&text.replace("0x", ""), 16))
}

/// A year (`gms/sql/types/year.go`): whole numbers of one, two and four digits, others by way of
/// a double. Dolt shows the year 0 as `0`, and would read 2000 from that.
fn year(text: &str) -> Result<u8, Reason> {
    if text == "0" {
        return Ok(255);
    }
    let value = if matches!(text.len(), 1 | 2 | 4) {
        match text.parse().map_err(|_| "it is not a year")? {
            0 => 2000,
            value => value,
        }
    } else {
        plain_float(text).ok_or("it is not a year")? as i64
    };
    let year = match value {
        0 => return Ok(255),
        1..=69 => 2000 + value,
        70..=99 => 1900 + value,
        _ => value,
    };
    u8::try_from(year - 1901)
        .ok()
        .filter(|stored| *stored < 255)
        .ok_or_else(|| "it is outside 1901 to 2155".into())
}

fn member(text: &str, members: &Members) -> Result<u16, Reason> {
    let named = members.position(text).map(|at| at + 1);
    let numbered = || {
        let number = text.parse().ok()?;
        (1..=members.names.len())
            .contains(&number)
            .then_some(number)
    };
    named
        .or_else(numbered)
        .and_then(|number| u16::try_from(number).ok())
        .ok_or_else(|| format!("it is not one of {}", members.listed()).into())
}

/// Members by name, or by their bit as a number (`gms/sql/types/set.go`).
pub(super) fn set_bits(text: &str, members: &Members) -> Result<u64, Reason> {
    let mut bits = 0u64;
    let empty_is_member = members.names.iter().any(String::is_empty);
    for part in text.split(',') {
        if part.is_empty() && (text.is_empty() || !empty_is_member) {
            continue;
        }
        let name = part.trim_end_matches(' ');
        let numbered = || {
            let number: u64 = part.parse().ok().filter(|_| !part.starts_with('+'))?;
            let known = number == 0
                || number.is_power_of_two()
                    && (number.trailing_zeros() as usize) < members.names.len();
            known.then_some(number)
        };
        bits |= match members.position(name) {
            Some(at) => 1 << at,
            None => {
                numbered().ok_or_else(|| format!("{part:?} is not one of {}", members.listed()))?
            }
        };
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(sql_type: &str, encoding: u8, text: &str) -> Result<Vec<u8>, Reason> {
        let sql_type = SqlType::parse(sql_type).expect("a type");
        let codec = TextCodec::new(&sql_type, encoding).expect("a codec");
        let mut out = Vec::new();
        codec.push(text.as_bytes(), &mut out).map(|()| out)
    }

    #[test]
    fn integers_are_taken_as_dolt_takes_them() {
        let int = |text| encode("tinyint", e::INT8, text).map(|raw| raw[0] as i8);
        for (text, value) in [
            ("1", 1),
            (" 1 ", 1),
            ("+1", 1),
            ("-128", -128),
            ("1.4", 1),
            ("1.5", 2),
            ("-1.5", -2),
            ("1e2", 100),
            ("true", 1),
            ("FALSE", 0),
            ("1.49999999999999999999", 2),
        ] {
            assert_eq!(int(text), Ok(value), "{text:?}");
        }
        for text in [
            "128", "-129", "abc", "1a", "0x10", "--1", "1_0", "", "９", "127.5", "1e99",
        ] {
            assert!(int(text).is_err(), "{text:?}");
        }
        let big = |text| encode("bigint unsigned", e::UINT64, text);
        assert_eq!(big("18446744073709551615"), Ok(vec![255; 8]));
        assert!(big("18446744073709551616").is_err() && big("-1").is_err());
    }

    #[test]
    fn other_types_refuse_what_does_not_fit() {
        let double = |text| encode("double", e::FLOAT64, text);
        assert_eq!(double(" .5"), Ok(0.5f64.to_le_bytes().to_vec()));
        assert_eq!(double("-0"), Ok((-0.0f64).to_le_bytes().to_vec()));
        for text in ["nan", "inf", "1d", "1e309", "", "+"] {
            assert!(double(text).is_err(), "{text:?}");
        }
        assert!(encode("float", e::FLOAT32, "1e39").is_err());
        assert_eq!(encode("varchar(3)", e::STRING, "äöü"), Ok("äöü\0".into()));
        assert!(encode("varchar(3)", e::STRING, "äöüx").is_err());
        assert_eq!(encode("binary(3)", e::BYTES, "a"), Ok(b"a\0\0\0".to_vec()));
        assert!(encode("binary(3)", e::BYTES, "abcd").is_err());
        assert!(encode("tinytext", e::STRING_ADAPTIVE, &"ä".repeat(128)).is_err());
        let year = |text| encode("year", e::YEAR, text).map(|raw| raw[0]);
        assert_eq!(
            (year("2024"), year("70"), year("0")),
            (Ok(123), Ok(69), Ok(255))
        );
        assert!(year("1900").is_err() && year("2156").is_err());
        let set = |text| encode("set('a','b','c')", e::SET, text).map(|raw| raw[0]);
        assert_eq!((set("b,a"), set(""), set("c")), (Ok(3), Ok(0), Ok(4)));
        assert_eq!((set("4,a,"), set("a ,a")), (Ok(5), Ok(1)));
        assert!(set("a, b").is_err() && set("5").is_err() && set("8").is_err());
        let bit = |text| encode("bit(4)", e::UINT64, text).map(|raw| raw[0]);
        assert_eq!(
            (bit("5"), bit("b'101'"), bit("0xf")),
            (Ok(5), Ok(5), Ok(15))
        );
        let ones = format!("b'{}'", "1".repeat(64));
        assert_eq!(encode("bit(64)", e::UINT64, &ones), Ok(vec![255; 8]));
        assert!(encode("bit(64)", e::UINT64, &ones.replace("'1", "'11")).is_err());
        assert!(bit("16").is_err() && bit("+1").is_err() && bit("").is_err());
        let member = |text| encode("enum('a','b','1')", e::ENUM, text).map(|raw| raw[0]);
        assert_eq!(
            (member("a"), member("1"), member("2")),
            (Ok(1), Ok(3), Ok(2))
        );
        assert!(member("A").is_err() && member("4").is_err() && member("").is_err());
    }
}
