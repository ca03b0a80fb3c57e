//! Conversions to numbers, as `gms/sql/types/number.go`, `decimal.go`, `bit.go` and `year.go` have
//! them.

use std::borrow::Cow;

use super::json::Scalar;
use super::old_value::Old;
use crate::value::decimal_text::{Decimal, push_decimal_field};
use crate::value::from_text::Reason;
use crate::value::number::push_plain_float;
use crate::value::time::MICROS_A_SECOND;

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
/// What dolt drops around a number.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn no_number() -> Reason {
    "dolt does not take it for a number".into()
}

fn outside(low: i128, high: i128) -> Reason {
    format!("it is outside {low} to {high}").into()
}

/// Seconds since 1970.
fn seconds(micros: i64) -> i64 {
    micros.div_euclid(MICROS_A_SECOND)
}

/// The whole number of a type.
pub(super) fn whole(old: &Old<'_>, bits: u8, unsigned: bool) -> Result<i128, Reason> {
    let (low, high) = if unsigned {
        (0, (1i128 << bits) - 1)
    } else {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    };
    // Dolt comes to BIGINT UNSIGNED straight, to all others by way of BIGINT.
    let is_u64 = bits == 64 && unsigned;
    let value = match old {
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => *value,
        Old::Member(_, number) => i128::from(*number),
        Old::Set(_, bits) => i128::from(*bits),
        Old::Float(value) => rounded(f64::from(*value), is_u64)?,
        Old::Double(value) => rounded(*value, is_u64)?,
        Old::Decimal(text) => {
            let decimal = Decimal::parse(text).ok_or_else(no_number)?;
            let value = decimal.rounded().ok_or_else(|| outside(low, high))?;
            // Dolt compares before it rounds.
            if is_u64 && decimal.is_negative() {
                return Err(outside(low, high));
            }
            value
        }
        Old::Text(text) => whole_text(text, is_u64)?,
        Old::Bytes(bytes) => whole_bytes(bytes, is_u64)?,
        Old::Date(micros) | Old::Datetime(micros) => i128::from(seconds(*micros)),
        Old::Json(text) => match Scalar::read(text)? {
            Scalar::Number(value) => rounded(value, is_u64)?,
            Scalar::Text(text) => whole_text(&text, is_u64)?,
        },
        Old::Time(_) | Old::Shape(_) => return Err(no_number()),
    };
    if value < low || value > high {
        return Err(outside(low, high));
    }
    Ok(value)
}

/// Half is rounded away from zero.
fn rounded(value: f64, is_u64: bool) -> Result<i128, Reason> {
    if value.is_nan() {
        return Err(no_number());
    }
    if is_u64 && value < 0.0 {
        return Err("it is below 0".into());
    }
    let limit = if is_u64 { TWO_TO_64 } else { TWO_TO_63 };
    if value >= limit || value < -TWO_TO_63 {
        // Dolt stores the lowest number for 2^63 itself.
        return Err("it is beyond the range of the type".into());
    }
    Ok(value.round() as i128)
}

/// Digits and a sign only; what has no digits is 0. Dolt has no minus sign in BIGINT UNSIGNED, not
/// even of 0.
fn whole_text(text: &str, is_u64: bool) -> Result<i128, Reason> {
    let text = text.trim_matches(SPACE);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("dolt takes digits only for a whole number".into());
    }
    if digits.is_empty() {
        return Ok(0);
    }
    if is_u64 && text.starts_with('-') {
        return Err("it is below 0".into());
    }
    let value: i128 = digits
        .parse()
        .map_err(|_| Reason::from("it is beyond the range of the type"))?;
    Ok(if text.starts_with('-') { -value } else { value })
}

/// Bytes are the digits of a number, the first one the highest.
fn whole_bytes(bytes: &[u8], unsigned: bool) -> Result<i128, Reason> {
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(no_number());
    }
    let value = bytes
        .iter()
        .try_fold(0i128, |value, byte| {
            value.checked_mul(256)?.checked_add(i128::from(*byte))
        })
        .ok_or_else(no_number)?;
    let high = if unsigned {
        i128::from(u64::MAX)
    } else {
        i128::from(i64::MAX)
    };
    (value <= high).then_some(value).ok_or_else(no_number)
}

/// The nearest double.
pub(super) fn double(old: &Old<'_>) -> Result<f64, Reason> {
    Ok(match old {
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => *value as f64,
        Old::Member(_, number) => f64::from(*number),
        Old::Set(_, bits) => *bits as f64,
        Old::Float(value) => f64::from(*value),
        Old::Double(value) => *value,
        Old::Decimal(text) => text.parse().map_err(|_| no_number())?,
        Old::Text(text) => double_text(text)?,
        Old::Bytes(bytes) => whole_bytes(bytes, true)? as f64,
        Old::Date(micros) | Old::Datetime(micros) => seconds(*micros) as f64,
        Old::Json(text) => match Scalar::read(text)? {
            Scalar::Number(value) => value,
            Scalar::Text(text) => double_text(&text)?,
        },
        Old::Time(_) | Old::Shape(_) => return Err(no_number()),
    })
}

/// Dolt takes what begins as a number and is one to its end; what has no digits, or no digits
/// behind its exponent, is 0.
fn double_text(text: &str) -> Result<f64, Reason> {
    let text = text.trim_matches(SPACE);
    let (mut digit, mut dot, mut exponent, mut sign_at) = (false, false, false, 0);
    for (at, character) in text.char_indices() {
        match character {
            '0'..='9' => digit = true,
            '.' if !dot => dot = true,
            'e' | 'E' if !exponent && digit => {
                exponent = true;
                sign_at = at + 1;
            }
            '-' | '+' if at == sign_at => {}
            _ => return Err(no_number()),
        }
    }
    let value = if digit {
        text.parse().unwrap_or(0.0)
    } else {
        0.0
    };
    Ok(value)
}

/// Appends a decimal of a column.
pub(super) fn push_decimal(
    old: &Old<'_>,
    precision: u8,
    scale: u8,
    out: &mut Vec<u8>,
) -> Result<(), Reason> {
    let text: Cow<'_, str> = match old {
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => value.to_string().into(),
        Old::Member(_, number) => number.to_string().into(),
        Old::Set(_, bits) => bits.to_string().into(),
        Old::Float(value) => format!("{:e}", f64::from(*value)).into(),
        Old::Double(value) => format!("{value:e}").into(),
        Old::Decimal(text) | Old::Text(text) => (*text).into(),
        Old::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| no_number())?.into(),
        Old::Date(_) | Old::Datetime(_) | Old::Time(_) | Old::Json(_) | Old::Shape(_) => {
            return Err(no_number());
        }
    };
    let text = text.trim_matches(SPACE);
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let text = if has_digits || text.eq_ignore_ascii_case("nan") {
        text
    } else {
        double_text(text).map(|_| "0")?
    };
    push_decimal_field(text, precision, scale, out)
}

/// The bits of BIT.
pub(super) fn bits(old: &Old<'_>) -> Result<u64, Reason> {
    let refused = || Reason::from("dolt does not take it for bits");
    let of_bytes = |bytes: &[u8]| {
        if bytes.len() > 8 {
            return Err("it has more than 8 bytes".into());
        }
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    match old {
        // Negative numbers keep their bits.
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => Ok(*value as u64),
        Old::Member(_, number) => Ok(u64::from(*number)),
        Old::Set(_, bits) => Ok(*bits),
        Old::Float(value) => bits_of_double(f64::from(*value)),
        Old::Double(value) => bits_of_double(*value),
        Old::Decimal(text) => {
            let decimal = Decimal::parse(text).ok_or_else(refused)?;
            let rounded = decimal.rounded().ok_or_else(refused)?;
            if rounded > i128::from(u64::MAX) || rounded < i128::from(i64::MIN) {
                return Err("it needs more than 64 bits".into());
            }
            u64::try_from(rounded.unsigned_abs()).map_err(|_| refused())
        }
        Old::Text(text) => of_bytes(text.as_bytes()),
        Old::Bytes(bytes) => of_bytes(bytes),
        _ => Err(refused()),
    }
}

fn bits_of_double(value: f64) -> Result<u64, Reason> {
    if !(0.0..TWO_TO_64).contains(&value) {
        return Err("it is outside 0 to 2^64".into());
    }
    Ok(value as u64)
}

/// The number without what is behind its point; `None` for what is no number.
pub(super) fn truncated(old: &Old<'_>) -> Option<i128> {
    let of_double = |value: f64| {
        let known = value.abs() < TWO_TO_63;
        known.then(|| value.trunc() as i128)
    };
    match old {
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => Some(*value),
        Old::Member(_, number) => Some(i128::from(*number)),
        Old::Set(_, bits) => Some(i128::from(*bits)),
        Old::Float(value) => of_double(f64::from(*value)),
        Old::Double(value) => of_double(*value),
        // Dolt rounds these.
        Old::Decimal(text) => Decimal::parse(text)?.rounded(),
        _ => None,
    }
}

/// A decimal, rounded and without its sign.
pub(super) fn magnitude(text: &str) -> Option<u64> {
    let rounded = Decimal::parse(text)?.rounded()?;
    u64::try_from(rounded.unsigned_abs()).ok()
}

/// A year as it is stored.
pub(super) fn year(old: &Old<'_>) -> Result<u8, Reason> {
    let no_year = || Reason::from("it is outside 1901 to 2155");
    let number = match old {
        Old::Text(text) => year_text(text).ok_or_else(no_year)?,
        Old::Date(micros) | Old::Datetime(micros) => {
            let year = i128::from(super::temporal::year_of(*micros));
            if (1..=99).contains(&year) {
                return Err(no_year());
            }
            year
        }
        _ => truncated(old).ok_or_else(no_year)?,
    };
    let year = match number {
        0 => return Ok(255),
        1..=69 => 2000 + number,
        70..=99 => 1900 + number,
        _ => number,
    };
    u8::try_from(year - 1901)
        .ok()
        .filter(|stored| *stored < 255)
        .ok_or_else(no_year)
}

/// Numbers of one, two and four digits, others by way of a double.
fn year_text(text: &str) -> Option<i128> {
    if matches!(text.len(), 1 | 2 | 4) {
        let value: i64 = text.parse().ok()?;
        return Some(if value == 0 { 2000 } else { i128::from(value) });
    }
    let of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let value: f64 = text
        .bytes()
        .all(of_number)
        .then(|| text.parse().ok())
        .flatten()?;
    Some(value.trunc() as i128)
}

/// A float as dolt's SQL prints it: all digits, without an exponent.
pub(super) fn plain(value: f64, single: bool, out: &mut Vec<u8>) {
    if value == 0.0 {
        out.push(b'0');
    } else if single {
        // The digits are those of the shorter type.
        out.extend_from_slice((value as f32).to_string().as_bytes());
    } else if value.is_finite() {
        push_plain_float(value, out);
    } else {
        let text = match value {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "+Inf",
            _ => "-Inf",
        };
        out.extend_from_slice(text.as_bytes());
    }
}
