//! `Default`: what a column gets that the header lacks.

use crate::FormatError;
use crate::message::schema::Column;
use crate::value::encoding as e;
use crate::value::from_text::TextCodec;
use crate::value::sql_type::SqlType;

/// What a column gets that the header lacks.
pub(super) enum Default {
    /// The text of a literal; `None` is NULL.
    Text(Option<Vec<u8>>),
    /// The value of an expression.
    Expression,
}

/// The default of `column`, which the `place` (header or row) on `line` lacks.
pub(super) fn default(
    column: &Column,
    codec: &TextCodec,
    line: u64,
    place: &str,
) -> Result<Default, FormatError> {
    let text = column.default.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("null") {
        if column.nullable {
            return Ok(Default::Text(None));
        }
        // The first member, as in MySQL.
        if let Ok(SqlType::Enum(members)) = SqlType::parse(&column.sql_type) {
            return Ok(Default::Text(
                members.names.into_iter().next().map(String::into_bytes),
            ));
        }
        return Err(FormatError::BadRecord {
            line,
            why: format!(
                "the {place} lacks column {:?}, which is NOT NULL and has no default",
                column.name
            ),
        });
    }
    if text.starts_with('(') {
        return Ok(Default::Expression);
    }
    let quoted = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    let literal = match (quoted, text.strip_prefix("0x")) {
        (Some(quoted), _) => quoted.replace("''", "'").replace("\\\\", "\\").into_bytes(),
        (None, Some(digits)) if codec.encoding() == e::BYTES => hex(digits),
        (None, _) => text.as_bytes().to_vec(),
    };
    codec.push(&literal, &mut Vec::new()).map_err(|_| {
        FormatError::Unsupported(format!(
            "the {place} lacks column {:?}, whose default {text} pyfs cannot evaluate; name the \
             column in the {place}",
            column.name
        ))
    })?;
    Ok(Default::Text(Some(literal)))
}

/// The field that an added column that is NOT NULL and has no default holds in the rows that are
/// there; an adaptive one plain (`gms/sql/types`, `Zero`).
pub(super) fn zero(column: &Column, codec: &TextCodec) -> Result<Vec<u8>, FormatError> {
    let wants_default = |why: &str| {
        FormatError::Unsupported(format!(
            "column {:?} is NOT NULL and {why}: give it a DEFAULT for the rows that are there",
            column.name
        ))
    };
    let sql_type = SqlType::parse(&column.sql_type)?;
    let text: &[u8] = match &sql_type {
        SqlType::Int { .. }
        | SqlType::Float
        | SqlType::Double
        | SqlType::Decimal { .. }
        | SqlType::Bit(_)
        | SqlType::Year
        | SqlType::Time => b"0",
        SqlType::Date => b"0000-00-00",
        SqlType::Datetime { .. } => b"0000-00-00 00:00:00",
        SqlType::Json => b"null",
        SqlType::Enum(_) => return Err(wants_default("dolt would store none of its members")),
        SqlType::Geometry(shapes) => {
            let bytes = shapes
                .zero()
                .filter(|_| shapes.srid.is_none_or(|srid| srid == 0));
            let bytes = bytes.ok_or_else(|| wants_default("dolt knows no shape to put there"))?;
            return Ok(bytes);
        }
        SqlType::Vector(_) => return Err(wants_default("dolt knows no vector to put there")),
        SqlType::Char { .. }
        | SqlType::Text { .. }
        | SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::Blob(_)
        | SqlType::Set(_) => b"",
    };
    let mut field = Vec::new();
    codec
        .push(text, &mut field)
        .map_err(|_| wants_default("its values cannot be empty"))?;
    Ok(field)
}

/// The bytes of an even number of hexadecimal digits, as far as they are such.
fn hex(digits: &str) -> Vec<u8> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map_while(byte).collect()
}
