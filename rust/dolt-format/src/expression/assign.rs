//! `Assignment`: the value of an expression becomes the field of a column.

use super::comparison::decimal;
use super::value::{Fault, Type, Value};
use super::{Expression, Lookup};
use crate::value::from_text::TextCodec;
use crate::value::sql_type::SqlType;
use crate::value::time::{push_date, push_datetime, push_time};

/// An expression and the column that gets its values.
#[derive(Debug, Clone)]
pub struct Assignment {
    expression: Expression,
    codec: TextCodec,
    sql_type: SqlType,
    stored: bool,
}

impl Assignment {
    /// Values of `expression` for a column, `stored` or shown only; `Err` says why Dolt's conversion is not known here.
    pub fn new(
        expression: Expression,
        sql_type: &SqlType,
        encoding: u8,
        stored: bool,
    ) -> Result<Self, String> {
        let codec = TextCodec::new(sql_type, encoding)
            .ok_or_else(|| format!("a column of type {sql_type:?}"))?;
        if !converts(&expression.value_type, sql_type) {
            let from = expression.value_type.name();
            return Err(format!("{from} put into a column of another type"));
        }
        Ok(Self {
            expression,
            codec,
            sql_type: sql_type.clone(),
            stored,
        })
    }

    /// The expression.
    #[must_use]
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// Appends the field for a row, an adaptive one plain; false for NULL, which appends nothing.
    pub fn push(&self, column: &Lookup<'_>, out: &mut Vec<u8>) -> Result<bool, Fault> {
        let value = self.expression.evaluate(column)?;
        if let Some(field) = self.negative_zero(&value)? {
            out.extend_from_slice(&field);
            return Ok(true);
        }
        let Some(text) = self.text(&value)? else {
            return Ok(false);
        };
        let pushed = self.codec.push(&text, out);
        pushed.map_err(|why| {
            let text = String::from_utf8_lossy(&text);
            Fault::Refused(format!("its value would be {text:.64}: {why}"))
        })?;
        Ok(true)
    }

    /// The field of a zero with a minus sign, which Dolt's arithmetic knows and its text does not:
    /// a decimal shows it, a double does not. Its stored form is not known here.
    fn negative_zero(&self, value: &Value) -> Result<Option<Vec<u8>>, Fault> {
        let field = match (value, &self.sql_type) {
            (Value::Double(value), SqlType::Float) if *value == 0.0 && value.is_sign_negative() => {
                0f32.to_le_bytes().to_vec()
            }
            (Value::Double(value), SqlType::Double)
                if *value == 0.0 && value.is_sign_negative() =>
            {
                0f64.to_le_bytes().to_vec()
            }
            (Value::Decimal(value), SqlType::Decimal { scale, .. })
                if value.rounded(u32::from(*scale)).is_negative_zero() =>
            {
                let exponent = -i32::from(*scale);
                [&exponent.to_le_bytes()[..], &[0xff]].concat()
            }
            _ => return Ok(None),
        };
        if self.stored {
            return Err(Fault::Unsupported(
                "its value is a zero with a minus sign".to_owned(),
            ));
        }
        Ok(Some(field))
    }

    /// The text by which the column takes a value.
    fn text(&self, value: &Value) -> Result<Option<Vec<u8>>, Fault> {
        let mut out = Vec::new();
        match value {
            Value::Null => return Ok(None),
            Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Value::Decimal(_) | Value::Double(_)
                if matches!(self.sql_type, SqlType::Int { .. }) =>
            {
                let unknown = || Fault::Unsupported("a number without a whole part".to_owned());
                let value = decimal(value).ok_or_else(unknown)?;
                out.extend_from_slice(value.rounded(0).text().as_bytes());
            }
            Value::Decimal(value) => out.extend_from_slice(value.text().as_bytes()),
            Value::Double(value) => out.extend_from_slice(format!("{value:e}").as_bytes()),
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Date(packed) => push_date(*packed, &mut out),
            Value::Datetime(micros) => push_datetime(*micros, 6, &mut out),
            Value::Time(micros) => push_time(*micros, &mut out),
            Value::Opaque => {
                return Err(Fault::Unsupported("a value of an unknown type".to_owned()));
            }
        }
        Ok(Some(out))
    }
}

/// Whether Dolt converts values of `from` to `to` as the text of the value would be taken.
fn converts(from: &Type, to: &SqlType) -> bool {
    use SqlType as S;
    match from {
        Type::Null => true,
        Type::Bool | Type::Int { .. } => matches!(
            to,
            S::Int { .. } | S::Decimal { .. } | S::Double | S::Char { .. } | S::Text { .. }
        ),
        Type::Decimal { .. } => matches!(to, S::Int { .. } | S::Decimal { .. } | S::Double),
        Type::Double { single } => match to {
            S::Double | S::Int { .. } | S::Decimal { .. } => true,
            S::Float => *single,
            _ => false,
        },
        Type::Text(_) => matches!(to, S::Char { .. } | S::Text { .. }),
        Type::Date => matches!(to, S::Date),
        Type::Datetime { precision } => {
            matches!(to, S::Datetime { precision: wanted, .. } if wanted >= precision)
        }
        Type::Time => matches!(to, S::Time),
        Type::Year => matches!(to, S::Year | S::Int { .. }),
        Type::Bits => matches!(to, S::Bit(_)),
        Type::Enum(members) => matches!(to, S::Enum(wanted) if wanted.names == members.names),
        Type::Opaque { .. } => false,
    }
}
