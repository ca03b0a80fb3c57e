//! Conversions to text and bytes, as `gms/sql/types/strings.go` has them.

use std::borrow::Cow;

use super::number::plain;
use super::old_value::Old;
use super::temporal;
use crate::schema::collation;
use crate::value::from_text::Reason;
use crate::value::sql_type::SqlType;
use crate::value::time::push_time;

/// The text of a value.
pub(super) fn of<'a>(old: &Old<'a>) -> Result<Cow<'a, [u8]>, Reason> {
    let mut out = Vec::new();
    match old {
        Old::Text(text) | Old::Decimal(text) => return Ok(Cow::Borrowed(text.as_bytes())),
        Old::Bytes(bytes) | Old::Shape(bytes) => return Ok(Cow::Borrowed(bytes)),
        Old::Member(name, _) | Old::Set(name, _) => return Ok(Cow::Borrowed(name.as_bytes())),
        Old::Int(value) | Old::Bits(value) | Old::Year(value) => {
            out.extend_from_slice(value.to_string().as_bytes());
        }
        Old::Float(value) => plain(f64::from(*value), true, &mut out),
        Old::Double(value) => plain(*value, false, &mut out),
        Old::Date(micros) | Old::Datetime(micros) => temporal::push_full(*micros, &mut out),
        Old::Time(micros) => push_time(*micros, &mut out),
        Old::Json(text) => super::json::push_spaced(text, &mut out)?,
    }
    Ok(Cow::Owned(out))
}

/// Dolt counts the bytes of a text in a character set of single bytes.
pub(super) fn check_bytes(text: &[u8], to: &SqlType) -> Result<(), Reason> {
    let SqlType::Char { len, collation } = to else {
        return Ok(());
    };
    let set = collation::character_set(collation);
    let many = ["", "utf8mb4", "utf8mb3", "utf16", "utf32"];
    if many.contains(&set) || text.len() <= *len as usize {
        return Ok(());
    }
    Err(format!("dolt counts {} bytes, the column holds {len}", text.len()).into())
}
