//! Values of expressions, their types, and stored fields read as values.

use std::sync::Arc;

use super::decimal::Decimal;
use crate::value::collation::Collation;
use crate::value::encoding as e;
use crate::value::members::Members;
use crate::value::sql_type::SqlType;

/// What an expression gives for a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer of any type, a truth value, a year, the bits of BIT, a member's number.
    Int(i128),
    /// A decimal.
    Decimal(Decimal),
    /// FLOAT and DOUBLE.
    Double(f64),
    /// Text.
    Text(String),
    /// A date: year, month and day in 16, 8 and 8 bits.
    Date(u32),
    /// DATETIME and TIMESTAMP: microseconds since 1970 UTC.
    Datetime(i64),
    /// TIME: microseconds.
    Time(i64),
    /// A value of a type of which only this is known: that it is not NULL.
    Opaque,
}

/// Why there is no value for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Dolt refuses the row, too.
    Refused(String),
    /// What Dolt would do with this row is not known here.
    Unsupported(String),
}

/// The type of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Null,
    Bool,
    Int {
        bits: u8,
        unsigned: bool,
    },
    Decimal {
        precision: u8,
        scale: u8,
    },
    Double {
        single: bool,
    },
    /// In a collation, by its name; a literal is in that of whatever it is compared with.
    Text(Option<String>),
    Date,
    Datetime {
        precision: u8,
    },
    Time,
    Year,
    Bits,
    Enum(Arc<Members>),
    Opaque {
        json: bool,
    },
}

impl Value {
    /// Whether it counts as true; `None` for NULL.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => None,
            Self::Int(value) => Some(*value != 0),
            Self::Decimal(value) => Some(!value.is_zero()),
            Self::Double(value) => Some(*value != 0.0),
            _ => Some(true),
        }
    }

    pub(super) fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, |truth| Self::Int(i128::from(truth)))
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl Type {
    /// The type of a column; `Err` has the name of a collation whose order is not known.
    pub(super) fn of_column(sql_type: &SqlType) -> Result<Self, String> {
        let collation = sql_type.collation();
        if Collation::named(collation).is_none() {
            return Err(collation.to_owned());
        }
        Ok(match sql_type {
            SqlType::Int { bits, unsigned } => Self::Int {
                bits: *bits,
                unsigned: *unsigned,
            },
            SqlType::Float => Self::Double { single: true },
            SqlType::Double => Self::Double { single: false },
            SqlType::Decimal { precision, scale } => Self::Decimal {
                precision: *precision,
                scale: *scale,
            },
            SqlType::Bit(_) => Self::Bits,
            SqlType::Char { .. } | SqlType::Text { .. } => Self::Text(Some(collation.to_owned())),
            SqlType::Date => Self::Date,
            SqlType::Datetime { precision, .. } => Self::Datetime {
                precision: *precision,
            },
            SqlType::Time => Self::Time,
            SqlType::Year => Self::Year,
            SqlType::Enum(members) => Self::Enum(Arc::new(members.clone())),
            SqlType::Json => Self::Opaque { json: true },
            _ => Self::Opaque { json: false },
        })
    }

    /// Whether its values count as true or false here.
    pub(super) const fn is_condition(&self) -> bool {
        matches!(
            self,
            Self::Null | Self::Bool | Self::Int { .. } | Self::Decimal { .. } | Self::Double { .. }
        )
    }

    /// Integers, and truth values, which count as signed ones: whether they are unsigned.
    pub(super) const fn integer(&self) -> Option<bool> {
        match self {
            Self::Bool => Some(false),
            Self::Int { unsigned, .. } => Some(*unsigned),
            _ => None,
        }
    }

    pub(super) const fn is_decimal(&self) -> bool {
        matches!(self, Self::Decimal { .. })
    }

    pub(super) const fn is_double(&self) -> bool {
        matches!(self, Self::Double { .. })
    }

    /// The type of a text that is made of both, or as which both are compared.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let (Self::Text(left), Self::Text(right)) = (self, other) else {
            return None;
        };
        match (left, right) {
            (None, known) | (known, None) => Some(Self::Text(known.clone())),
            (left, right) => (left == right).then(|| self.clone()),
        }
    }

    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// How texts of this type compare.
    pub(super) fn collation(&self) -> Collation {
        match self {
            Self::Text(Some(name)) => Collation::named(name).unwrap_or_default(),
            _ => Collation::default(),
        }
    }

    /// As a message names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "a truth value",
            Self::Int { unsigned: true, .. } => "an unsigned integer",
            Self::Int { .. } => "an integer",
            Self::Decimal { .. } => "a decimal",
            Self::Double { .. } => "a float",
            Self::Text(_) => "text",
            Self::Date => "a date",
            Self::Datetime { .. } => "a datetime",
            Self::Time => "a time",
            Self::Year => "a year",
            Self::Bits => "bits",
            Self::Enum(_) => "an enum",
            Self::Opaque { json: true } => "JSON",
            Self::Opaque { json: false } => "a value of this type",
        }
    }
}

/// Reads a stored field as a value. Adaptive fields are the plain value. `None` when the field
/// breaks its encoding.
#[must_use]
pub fn read_field(sql_type: &SqlType, encoding: u8, field: Option<&[u8]>) -> Option<Value> {
    let Some(field) = field else {
        return Some(Value::Null);
    };
    Some(match sql_type {
        SqlType::Int { .. } | SqlType::Bit(_) | SqlType::Enum(_) => {
            Value::Int(e::integer(encoding, field)?)
        }
        SqlType::Float => Value::Double(f32::from_le_bytes(field.try_into().ok()?).into()),
        SqlType::Double => Value::Double(f64::from_le_bytes(field.try_into().ok()?)),
        SqlType::Decimal { .. } => Value::Decimal(Decimal::of_field(field)?),
        SqlType::Char { .. } | SqlType::Text { .. } => {
            let text = match encoding {
                e::STRING => field.split_last()?.1,
                _ => field,
            };
            Value::Text(std::str::from_utf8(text).ok()?.to_owned())
        }
        SqlType::Date => Value::Date(u32::from_le_bytes(field.try_into().ok()?)),
        SqlType::Datetime { .. } => Value::Datetime(i64::from_le_bytes(field.try_into().ok()?)),
        SqlType::Time => Value::Time(i64::from_le_bytes(field.try_into().ok()?)),
        SqlType::Year => match field {
            [255] => Value::Int(0),
            [year] => Value::Int(1901 + i128::from(*year)),
            _ => return None,
        },
        _ => Value::Opaque,
    })
}
