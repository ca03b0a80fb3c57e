//! Virtual generated columns: stored nowhere, computed for each row.

use super::columns::{ShownColumn, Source};
use crate::FormatError;
use crate::message::schema::TableSchema;
use crate::value::encoding as e;
use crate::value::expression::Expression;
use crate::value::number::push_u64;
use crate::value::sql_type::SqlType;

/// A virtual column, where it is integer arithmetic over stored integer columns.
pub(super) fn source(
    text: &str,
    names: &[&str],
    schema: &TableSchema,
    sql_type: &SqlType,
) -> Result<Source, FormatError> {
    let unsupported =
        || FormatError::Unsupported(format!("the generated column's expression {text}"));
    let expression = Expression::parse(text, names)?;
    for position in expression.columns() {
        let column = schema.columns.get(position).ok_or_else(unsupported)?;
        if column.is_virtual || !(e::INT8..=e::UINT64).contains(&column.encoding) {
            return Err(unsupported());
        }
    }
    match sql_type {
        SqlType::Int { .. } => Ok(Source::Computed(expression)),
        _ => Err(unsupported()),
    }
}

/// Appends what a virtual column's expression gave.
pub(super) fn push_computed(
    column: &ShownColumn,
    value: i128,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let fits = match column.sql_type {
        SqlType::Int { bits, unsigned } => {
            let (bits, signed) = (u32::from(bits), u32::from(!unsigned));
            let end = 1i128 << (bits - signed);
            (if unsigned { 0 } else { -end }..end).contains(&value)
        }
        _ => false,
    };
    if !fits {
        // Dolt refuses such rows when they are written.
        return Err(FormatError::Unsupported(format!(
            "the generated column {:?}: {value} does not fit its type",
            column.name
        )));
    }
    if value < 0 {
        out.push(b'-');
    }
    push_u64(value.unsigned_abs() as u64, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computed_value_that_its_type_cannot_hold_is_refused() {
        let print = |bits, unsigned, value| {
            let column = ShownColumn {
                position: 0,
                name: "v".to_owned(),
                source: Source::Value(0),
                sql_type: SqlType::Int { bits, unsigned },
                encoding: e::INT64,
            };
            let mut out = Vec::new();
            push_computed(&column, value, &mut out)
                .map(|()| String::from_utf8_lossy(&out).into_owned())
        };
        assert_eq!(print(8, false, -128).as_deref(), Ok("-128"));
        assert_eq!(print(8, true, 255).as_deref(), Ok("255"));
        assert_eq!(
            print(64, false, i64::MIN.into()).as_deref(),
            Ok("-9223372036854775808")
        );
        assert_eq!(
            print(64, true, u64::MAX.into()).as_deref(),
            Ok("18446744073709551615")
        );
        for (bits, unsigned, value) in [
            (8, false, 128),
            (8, true, -1),
            (24, false, 1 << 23),
            (64, false, 1 << 63),
        ] {
            assert!(print(bits, unsigned, value).is_err(), "{value}");
        }
    }
}
