//! The text of a column's default, as `SHOW CREATE TABLE` prints it.

use crate::csv::columns::integer;
use crate::value::encoding as e;
use crate::value::from_text::TextCodec;
use crate::value::number::{push_decimal, push_float};
use crate::value::sql_type::SqlType;
use crate::value::time::push_time;

/// What is printed for the stored text of a default: expressions and texts as they are, other
/// literals as the column's value of them, in quotes.
pub(super) fn shown(stored: &str, sql_type: &SqlType, encoding: u8) -> String {
    let as_it_is = || stored.to_owned();
    let is_text = matches!(
        sql_type,
        SqlType::Char { .. }
            | SqlType::Text { .. }
            | SqlType::Binary(_)
            | SqlType::VarBinary(_)
            | SqlType::Blob(_)
            | SqlType::Date
            | SqlType::Datetime { .. }
    );
    match literal(stored) {
        Some(value) if !is_text => value_of(&value, sql_type, encoding).unwrap_or_else(as_it_is),
        _ => as_it_is(),
    }
}

/// The value of a stored default, where that is a literal other than NULL.
pub(crate) fn literal(stored: &str) -> Option<String> {
    let inner = stored
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(inner) = inner {
        return Some(inner.replace("''", "'").replace("\\\\", "\\"));
    }
    let lower = stored.to_ascii_lowercase();
    let number = stored.trim_start_matches(['-', '+']);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match lower.as_str() {
        "true" => Some("1".to_owned()),
        "false" => Some("0".to_owned()),
        _ => is_number.then(|| stored.to_owned()),
    }
}

fn value_of(text: &str, sql_type: &SqlType, encoding: u8) -> Option<String> {
    let codec = TextCodec::new(sql_type, encoding)?;
    let mut field = Vec::new();
    codec.push(text.as_bytes(), &mut field).ok()?;
    let number = || integer(encoding, &field);
    if let SqlType::Bit(_) = sql_type {
        return Some(format!("b'{:b}'", number()?));
    }
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
        SqlType::Decimal { scale, .. } => {
            push_decimal(&field, *scale, &mut out).then_some(())?;
        }
        SqlType::Time => push_time(number()? as i64, &mut out),
        SqlType::Year => {
            let year = field.first().map(|year| 1901 + u16::from(*year))?;
            out.extend_from_slice(
                if year == 2156 {
                    "0".into()
                } else {
                    year.to_string()
                }
                .as_bytes(),
            );
        }
        _ if (e::INT8..=e::SET).contains(&encoding) => {
            out.extend_from_slice(number()?.to_string().as_bytes());
        }
        _ => return None,
    }
    String::from_utf8(out).ok().map(|text| format!("'{text}'"))
}
