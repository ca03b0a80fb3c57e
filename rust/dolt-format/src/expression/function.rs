//! Functions that checks and generated columns commonly call.

use super::comparison::micros;
use super::value::{Fault, Type, Value};
use crate::value::time::{MICROS_A_SECOND, SECONDS_A_DAY, date_from_days};

/// A function of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    CharLength,
    Upper,
    Lower,
    Concat,
    /// Of integers of so many bits; 0 for other numbers.
    Abs(u8),
    JsonValid,
    Year,
    Month,
    Day,
    Left,
    Right,
    Substring,
    Trim,
    TrimStart,
    TrimEnd,
}

const INT: Type = Type::Int {
    bits: 32,
    unsigned: false,
};
/// Bytes of the longest text that is put together.
const TEXT_LEN_MAX: usize = 1 << 26;

impl Function {
    /// The function that Dolt calls by this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "length" | "octet_length" => Self::Length,
            "char_length" | "character_length" => Self::CharLength,
            "upper" | "ucase" => Self::Upper,
            "lower" | "lcase" => Self::Lower,
            "concat" => Self::Concat,
            "abs" => Self::Abs(0),
            "json_valid" => Self::JsonValid,
            "year" => Self::Year,
            "month" => Self::Month,
            "day" | "dayofmonth" => Self::Day,
            "left" => Self::Left,
            "right" => Self::Right,
            "substring" | "substr" | "mid" => Self::Substring,
            "trim" => Self::Trim,
            "ltrim" => Self::TrimStart,
            "rtrim" => Self::TrimEnd,
            _ => return None,
        })
    }

    /// As it is called with arguments of these types.
    pub(super) fn for_types(self, arguments: &[Type]) -> Self {
        match (self, arguments) {
            (
                Self::Abs(_),
                [
                    Type::Int {
                        bits,
                        unsigned: false,
                    },
                ],
            ) => Self::Abs(if *bits == 24 { 32 } else { *bits }),
            _ => self,
        }
    }

    /// The type of its value for arguments of these types; `None` where that is not known.
    pub(super) fn result(self, arguments: &[Type]) -> Option<Type> {
        let signed = |side: &Type| side.integer() == Some(false) && *side != Type::Bool;
        Some(match (self, arguments) {
            (Self::Length | Self::CharLength, [Type::Text(_)])
            | (Self::Year | Self::Month | Self::Day, [Type::Date | Type::Datetime { .. }]) => INT,
            (
                Self::Upper | Self::Lower | Self::Trim | Self::TrimStart | Self::TrimEnd,
                [side @ Type::Text(_)],
            )
            | (
                Self::Abs(_),
                [
                    side @ (Type::Int { .. }
                    | Type::Decimal { .. }
                    | Type::Double { single: false }),
                ],
            ) => side.clone(),
            (Self::Concat, [_, ..]) => concatenated_type(arguments)?,
            (Self::JsonValid, [Type::Text(_) | Type::Opaque { json: true }]) => Type::Bool,
            (Self::Left | Self::Right | Self::Substring, [side @ Type::Text(_), count])
                if signed(count) =>
            {
                side.clone()
            }
            (Self::Substring, [side @ Type::Text(_), from, count])
                if signed(from) && signed(count) =>
            {
                side.clone()
            }
            _ => return None,
        })
    }

    /// Its value; NULL where an argument is.
    pub(super) fn call(self, arguments: &[Value]) -> Result<Value, Fault> {
        if arguments.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        Ok(match (self, arguments) {
            (Self::Concat, parts) => concatenated(parts)?,
            (Self::Length, [Value::Text(text)]) => Value::Int(text.len() as i128),
            (Self::CharLength, [Value::Text(text)]) => Value::Int(text.chars().count() as i128),
            (Self::Upper, [Value::Text(text)]) => mapped(text, |c| match c {
                'ß' => Some(c),
                _ => single(c.to_uppercase()),
            })?,
            (Self::Lower, [Value::Text(text)]) => mapped(text, |c| single(c.to_lowercase()))?,
            (Self::Trim, [Value::Text(text)]) => Value::Text(text.trim_matches(' ').to_owned()),
            (Self::TrimStart, [Value::Text(text)]) => {
                Value::Text(text.trim_start_matches(' ').to_owned())
            }
            (Self::TrimEnd, [Value::Text(text)]) => {
                Value::Text(text.trim_end_matches(' ').to_owned())
            }
            // Go's `-x` of the least integer is that integer.
            (Self::Abs(bits @ 1..), [Value::Int(value)]) if *value == -(1 << (bits - 1)) => {
                Value::Int(*value)
            }
            (Self::Abs(_), [Value::Int(value)]) => Value::Int(value.abs()),
            (Self::Abs(_), [Value::Decimal(value)]) => Value::Decimal(value.absolute()),
            (Self::Abs(_), [Value::Double(value)]) => Value::Double(value.abs()),
            (Self::JsonValid, [Value::Text(text)]) => json_valid(text)?,
            (Self::JsonValid, [_]) => Value::of_truth(Some(true)),
            (Self::Year | Self::Month | Self::Day, [moment]) => self.of_date(moment)?,
            (Self::Left, [Value::Text(text), Value::Int(count)]) => part(text, 0, *count),
            (Self::Right, [Value::Text(text), Value::Int(count)]) => {
                let len = text.chars().count() as i128;
                part(text, len - (*count).clamp(0, len), *count)
            }
            (Self::Substring, [Value::Text(text), Value::Int(from), rest @ ..]) => {
                let len = text.chars().count() as i128;
                let start = if *from < 0 { len + from } else { from - 1 };
                let count = match rest {
                    [Value::Int(count)] => *count,
                    _ => len,
                };
                part(text, start, count)
            }
            _ => return Err(unknown()),
        })
    }

    fn of_date(self, moment: &Value) -> Result<Value, Fault> {
        // The zero date has a year in Dolt, but not everywhere the same.
        let micros = micros(moment).ok_or_else(unknown)?;
        let days = micros.div_euclid(SECONDS_A_DAY * MICROS_A_SECOND);
        let (year, month, day) = date_from_days(days);
        let value = match self {
            Self::Year => year,
            Self::Month => month,
            _ => day,
        };
        if year < 1 {
            return Err(unknown());
        }
        Ok(Value::Int(value.into()))
    }
}

fn unknown() -> Fault {
    Fault::Unsupported(
        "a function of a value for which pyfs does not know Dolt's answer".to_owned(),
    )
}

fn json_valid(text: &str) -> Result<Value, Fault> {
    let Err(error) = serde_json::from_str::<serde_json::Value>(text) else {
        return Ok(Value::of_truth(Some(true)));
    };
    // These are limits of the parser here, not of JSON.
    let why = error.to_string();
    if why.starts_with("number out of range") || why.starts_with("recursion limit") {
        return Err(unknown());
    }
    Ok(Value::of_truth(Some(false)))
}

fn concatenated_type(parts: &[Type]) -> Option<Type> {
    let mut joined = Type::Text(None);
    for part in parts {
        match part {
            Type::Int { .. } | Type::Null => {}
            text => joined = joined.joined(text)?,
        }
    }
    Some(joined)
}

fn concatenated(parts: &[Value]) -> Result<Value, Fault> {
    let mut text = String::new();
    for part in parts {
        match part {
            Value::Text(part) => text.push_str(part),
            Value::Int(number) => text.push_str(&number.to_string()),
            _ => return Err(unknown()),
        }
        if text.len() > TEXT_LEN_MAX {
            return Err(Fault::Unsupported(format!(
                "it puts together more than {TEXT_LEN_MAX} bytes"
            )));
        }
    }
    Ok(Value::Text(text))
}

/// The one character that a character becomes; Dolt knows no mapping to more than one.
fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}

fn mapped(text: &str, map: impl Fn(char) -> Option<char>) -> Result<Value, Fault> {
    let mapped: Option<String> = text.chars().map(map).collect();
    mapped.map(Value::Text).ok_or_else(unknown)
}

/// `count` characters from the one numbered `start` on; nothing where that is outside.
fn part(text: &str, start: i128, count: i128) -> Value {
    let taken = match (usize::try_from(start), usize::try_from(count)) {
        (Ok(start), Ok(count)) => text.chars().skip(start).take(count).collect(),
        _ => String::new(),
    };
    Value::Text(taken)
}
