//! Conversions to documents and of them, as `gms/sql/types/json.go` and `json_encode.go` have them.

use std::borrow::Cow;

use serde_json::Value;

use super::old_value::Old;
use super::{incomparable, temporal};
use crate::value::from_text::Reason;
use crate::value::json_text;
use crate::value::number::push_plain_float;
use crate::value::sql_type::SqlType;
use crate::value::time::ZERO_DATETIME;

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Appends the document that a value becomes. False for NULL: Go has no JSON for `0000-00-00`.
pub(super) fn push(old: &Old<'_>, out: &mut Vec<u8>) -> Result<bool, Reason> {
    let text: Cow<'_, str> = match old {
        Old::Text(text) => (*text).into(),
        Old::Bytes(bytes) => String::from_utf8_lossy(bytes),
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => return Ok(plain(*value, out)),
        Old::Member(_, number) => return Ok(plain(i128::from(*number), out)),
        Old::Set(_, bits) => return Ok(plain(i128::from(*bits), out)),
        Old::Time(micros) => return Ok(plain(i128::from(*micros), out)),
        Old::Float(value) => format!("{:e}", f64::from(*value)).into(),
        Old::Double(value) => format!("{value:e}").into(),
        Old::Decimal(text) => format!("\"{}\"", short_decimal(text)).into(),
        Old::Date(ZERO_DATETIME) | Old::Datetime(ZERO_DATETIME) => return Ok(false),
        Old::Date(micros) | Old::Datetime(micros) => {
            format!("\"{}\"", temporal::of_go(*micros)).into()
        }
        Old::Json(_) | Old::Shape(_) => return Err(incomparable(&SqlType::Json)),
    };
    json_text::push_normalised(&text, out)?;
    Ok(true)
}

/// A decimal as the library of dolt prints it: small ones with an exponent.
fn short_decimal(text: &str) -> Cow<'_, str> {
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => ("-", bare),
        None => ("", text),
    };
    let fraction = bare.strip_prefix("0.").unwrap_or_default();
    let zeros = fraction.bytes().take_while(|byte| *byte == b'0').count();
    let (Some(first), rest) = (fraction.get(zeros..zeros + 1), fraction.get(zeros + 1..)) else {
        return text.into();
    };
    if zeros < 6 {
        return text.into();
    }
    let rest = rest.filter(|rest| !rest.is_empty());
    let rest = rest.map(|rest| format!(".{rest}")).unwrap_or_default();
    format!("{sign}{first}{rest}E-{}", zeros + 1).into()
}

/// Whole numbers keep their digits.
fn plain(value: i128, out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(value.to_string().as_bytes());
    true
}

/// A document that dolt takes for a number, or for a text that may be one.
pub(super) enum Scalar {
    Number(f64),
    Text(String),
}

impl Scalar {
    pub(super) fn read(text: &str) -> Result<Self, Reason> {
        Ok(match serde_json::from_str(text) {
            Ok(Value::Null | Value::Bool(false)) => Self::Number(0.0),
            Ok(Value::Bool(true)) => Self::Number(1.0),
            Ok(Value::Number(number)) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Ok(Value::String(text)) => Self::Text(text),
            _ => return Err("dolt does not take an array or an object for a number".into()),
        })
    }
}

/// Appends a document as dolt's SQL prints it: with spaces, shorter keys first, and all digits of
/// its numbers.
pub(super) fn push_spaced(text: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    push_value(&value, out);
    Ok(())
}

fn push_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Number(number) => push_number(number.as_f64().unwrap_or_default(), out),
        Value::String(text) => push_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                push_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| (key.len(), *key));
            out.push(b'{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                push_string(key, out);
                out.extend_from_slice(b": ");
                push_value(value, out);
            }
            out.push(b'}');
        }
    }
}

fn push_number(value: f64, out: &mut Vec<u8>) {
    if value.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&value) {
        out.extend_from_slice((value as i64).to_string().as_bytes());
    } else {
        push_plain_float(value, out);
    }
}

fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        let escaped = match character {
            '"' => "\\\"".into(),
            '\\' => "\\\\".into(),
            '\u{8}' => "\\b".into(),
            '\t' => "\\t".into(),
            '\n' => "\\n".into(),
            '\u{c}' => "\\f".into(),
            '\r' => "\\r".into(),
            '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(character)),
            other => other.to_string(),
        };
        out.extend_from_slice(escaped.as_bytes());
    }
    out.push(b'"');
}
