//! The text of a column's default, as it is stored and as `SHOW CREATE TABLE` prints it.

use sqlparser::ast::{Expr, UnaryOperator, Value};

use super::expression_text::{Printer, literal as literal_text, plain_arguments, string};
use super::statement::Place;
use crate::FormatError;
use crate::value::encoding::integer;
use crate::value::from_text::TextCodec;
use crate::value::number::{push_decimal, push_float};
use crate::value::sql_type::SqlType;
use crate::value::time::push_time;

/// What is printed for the stored text of a default: expressions and texts as they are, other
/// literals as the column's value of them, in quotes.
pub(super) fn shown(stored: &str, sql_type: &SqlType, encoding: u8) -> String {
    let Some(literal) = literal(stored).filter(|_| !shows_as_stored(sql_type)) else {
        return stored.to_owned();
    };
    match (value_text(&literal, sql_type, encoding), sql_type) {
        (None, _) => stored.to_owned(),
        (Some(number), SqlType::Bit(_)) => {
            let bits: u64 = number.parse().unwrap_or_default();
            format!("b'{bits:b}'")
        }
        (Some(value), _) => format!("'{value}'"),
    }
}

const fn shows_as_stored(sql_type: &SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::Char { .. }
            | SqlType::Text { .. }
            | SqlType::Binary(_)
            | SqlType::VarBinary(_)
            | SqlType::Blob(_)
            | SqlType::Date
            | SqlType::Datetime { .. }
    )
}

/// The value of a stored default, where that is a literal other than NULL.
pub(crate) fn literal(stored: &str) -> Option<String> {
    let inner = stored
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(inner) = inner {
        return Some(inner.replace("''", "'").replace("\\\\", "\\"));
    }
    let number = stored.trim_start_matches(['-', '+']);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match stored.to_ascii_lowercase().as_str() {
        "true" => Some("1".to_owned()),
        "false" => Some("0".to_owned()),
        _ => is_number.then(|| stored.to_owned()),
    }
}

/// The column's value of a text, as a number or a time; a member of an ENUM or SET as its number.
fn value_text(text: &str, sql_type: &SqlType, encoding: u8) -> Option<String> {
    let codec = TextCodec::new(sql_type, encoding)?;
    let mut field = Vec::new();
    codec.push(text.as_bytes(), &mut field).ok()?;
    let number = || integer(encoding, &field);
    let mut out = Vec::new();
    match sql_type {
        SqlType::Float => {
            let value = f32::from_le_bytes(field.as_slice().try_into().ok()?);
            push_float(f64::from(value), true, &mut out);
        }
        SqlType::Double => {
            let value = f64::from_le_bytes(field.as_slice().try_into().ok()?);
            push_float(value, false, &mut out);
        }
        SqlType::Decimal { .. } => {
            push_decimal(&field, &mut out).then_some(())?;
        }
        SqlType::Time => {
            push_time(number()? as i64, &mut out);
            // Unlike a value's, the fraction of a default is left out where it is 0.
            if out.ends_with(b".000000") {
                out.truncate(out.len() - b".000000".len());
            }
        }
        SqlType::Year => match field.first()? {
            255 => out.push(b'0'),
            year => out.extend_from_slice((1901 + u16::from(*year)).to_string().as_bytes()),
        },
        SqlType::Int { .. } | SqlType::Bit(_) | SqlType::Enum(_) | SqlType::Set(_) => {
            out.extend_from_slice(number()?.to_string().as_bytes());
        }
        _ => return None,
    }
    String::from_utf8(out).ok()
}

/// The column that a default is for.
pub(super) struct Target<'a> {
    pub(super) sql_type: &'a SqlType,
    pub(super) encoding: u8,
    pub(super) nullable: bool,
    pub(super) at: &'a Place,
}

/// The text that is stored of a default.
pub(super) fn stored(
    expression: &Expr,
    target: &Target<'_>,
    printer: &Printer<'_>,
) -> Result<String, FormatError> {
    let at = target.at;
    let is_null = matches!(expression, Expr::Value(value) if value.value == Value::Null);
    if is_null {
        return if target.nullable {
            Ok("NULL".to_owned())
        } else {
            Err(at.wrong("the default is NULL, and the column NOT NULL"))
        };
    }
    if let Some(bytes) = hexadecimal(expression) {
        return hexadecimal_stored(&bytes, target);
    }
    if let Expr::Nested(inner) = expression {
        // Dolt drops these parentheses.
        if matches!(**inner, Expr::Function(_))
            && let Ok(stored) = now(inner, target)
        {
            return Ok(stored);
        }
        return Ok(format!("({})", printer.text(inner)?));
    }
    if let Expr::Function(function) = expression {
        let name = function.name.to_string().to_ascii_lowercase();
        if matches!(target.sql_type, SqlType::Date)
            && ["curdate", "current_date"].contains(&name.as_str())
        {
            return Ok(format!("({})", printer.text(expression)?));
        }
        return now(expression, target);
    }
    let Some((text, is_string)) = literal_of(expression) else {
        let why = format!("the default {expression}: put expressions in parentheses");
        return Err(at.unsupported(why));
    };
    literal_stored(&text, is_string, target)
}

/// `CURRENT_TIMESTAMP`, the one function that needs no parentheses.
pub(super) fn now(expression: &Expr, target: &Target<'_>) -> Result<String, FormatError> {
    let at = target.at;
    let SqlType::Datetime { precision, .. } = target.sql_type else {
        return Err(at.unsupported(format!("{expression} outside parentheses")));
    };
    let Expr::Function(function) = expression else {
        return Err(at.unsupported(format!("{expression} in the place of CURRENT_TIMESTAMP")));
    };
    let name = function.name.to_string().to_ascii_lowercase();
    let known = ["current_timestamp", "now", "localtime", "localtimestamp"];
    let digits = match plain_arguments(function).as_deref() {
        Some([]) => Some("0".to_owned()),
        Some([Expr::Value(value)]) => Some(value.value.to_string()),
        _ => None,
    };
    let digits = digits.filter(|_| known.contains(&name.as_str()));
    let digits = digits.ok_or_else(|| at.unsupported(format!("the function {expression}")))?;
    if digits != precision.to_string() {
        return Err(at.wrong("CURRENT_TIMESTAMP needs as many digits as the column has"));
    }
    Ok(match digits.as_str() {
        "0" => "CURRENT_TIMESTAMP".to_owned(),
        digits => format!("CURRENT_TIMESTAMP({digits})"),
    })
}

/// The text of a literal, and whether it is a string.
fn literal_of(expression: &Expr) -> Option<(String, bool)> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                Some((text.clone(), true))
            }
            Value::SingleQuotedByteStringLiteral(bits) => {
                let number = u64::from_str_radix(bits, 2).ok()?;
                Some((number.to_string(), false))
            }
            other => literal_text(other).map(|text| (text, false)),
        },
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => match expr.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::Number(..) => {
                    literal_text(&value.value).map(|text| (format!("-{text}"), false))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The bytes of `0x…` and `x'…'`.
fn hexadecimal(expression: &Expr) -> Option<Vec<u8>> {
    let Expr::Value(value) = expression else {
        return None;
    };
    let Value::HexStringLiteral(digits) = &value.value else {
        return None;
    };
    let padded = "0".repeat(digits.len() % 2) + digits;
    let (pairs, _) = padded.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

/// Bytes are a text in a text, and a number in a number.
fn hexadecimal_stored(bytes: &[u8], target: &Target<'_>) -> Result<String, FormatError> {
    let at = target.at;
    let shown = |bytes: &[u8]| {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("0x{}", digits.concat())
    };
    let most = match target.sql_type {
        SqlType::Binary(len) | SqlType::VarBinary(len) => *len as usize,
        SqlType::Blob(len) => usize::try_from(*len).unwrap_or(usize::MAX),
        SqlType::Char { .. } | SqlType::Text { .. } => {
            let text = std::str::from_utf8(bytes).map_err(|_| at.wrong("it is not UTF-8"))?;
            return literal_stored(text, true, target);
        }
        SqlType::Int { .. } | SqlType::Bit(_) if bytes.len() <= 8 => {
            let number = bytes
                .iter()
                .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
            return literal_stored(&number.to_string(), false, target);
        }
        _ => return Err(at.wrong("it is no value of this type")),
    };
    if bytes.len() > most {
        return Err(at.wrong(format!("{} bytes, the column holds {most}", bytes.len())));
    }
    let mut bytes = bytes.to_vec();
    if let SqlType::Binary(len) = target.sql_type {
        bytes.resize(*len as usize, 0);
    }
    Ok(shown(&bytes))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Dolt stores the column's value of a literal.
fn literal_stored(text: &str, is_string: bool, target: &Target<'_>) -> Result<String, FormatError> {
    let Target {
        sql_type,
        encoding,
        at,
        ..
    } = *target;
    if matches!(sql_type, SqlType::Datetime { .. }) && !is_string && text == "0" {
        return Ok(text.to_owned());
    }
    let codec = TextCodec::new(sql_type, encoding)
        .ok_or_else(|| at.unsupported("a literal default of this type"))?;
    let mut field = Vec::new();
    let pushed = codec.push(text.as_bytes(), &mut field);
    let wrong = |why: &str| at.wrong(format!("the default {text:?}: {why}"));
    let unsupported = || at.unsupported(format!("the default {text:?} of this type"));
    pushed.map_err(|why| wrong(&why))?;
    match sql_type {
        SqlType::Char { .. } | SqlType::Text { .. } => Ok(string(text)),
        // Dolt keeps the text of these, and of a SET, as it is.
        SqlType::Date | SqlType::Datetime { .. } | SqlType::Time | SqlType::Json if is_string => {
            Ok(string(text))
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) if is_string && field.len() > 1 => {
            let bytes = field.strip_suffix(&[0]).unwrap_or(&field).iter();
            let digits: Vec<String> = bytes.map(|byte| format!("{byte:02X}")).collect();
            Ok(format!("0x{}", digits.concat()))
        }
        SqlType::Enum(members) if is_string => {
            let number = integer(encoding, &field).and_then(|at| usize::try_from(at - 1).ok());
            let member = number.and_then(|at| members.names.get(at));
            let member = member.ok_or_else(unsupported)?;
            // Dolt takes no text that is but equal to a member, and shows members by their number.
            if member != text && !is_digits(text) {
                return Err(wrong(&format!("it is not one of {}", members.listed())));
            }
            Ok(string(member))
        }
        SqlType::Set(_) if is_string && !is_digits(text) => Ok(string(text)),
        SqlType::Set(members) if is_string => {
            let bits = integer(encoding, &field).unwrap_or_default() as u64;
            let chosen = (0..64u32)
                .zip(&members.names)
                .filter(|(bit, _)| bits >> bit & 1 == 1);
            let names: Vec<&str> = chosen.map(|(_, member)| member.as_str()).collect();
            Ok(string(&names.join(",")))
        }
        SqlType::Int { .. }
        | SqlType::Bit(_)
        | SqlType::Float
        | SqlType::Double
        | SqlType::Decimal { .. }
        | SqlType::Year => value_text(text, sql_type, encoding).ok_or_else(unsupported),
        _ => Err(unsupported()),
    }
}
