//! `Old`: a value of the column as it was.

use crate::value::from_text::{Reason, set_bits};
use crate::value::sql_type::SqlType;
use crate::value::time::{MICROS_A_SECOND, SECONDS_A_DAY, ZERO_DATETIME, days_from_date};
use crate::value::time_text;

/// A value of the column as it was, not NULL.
#[derive(Debug, Clone, Copy)]
pub(super) enum Old<'a> {
    /// An integer.
    Int(i128),
    /// The bits of BIT.
    Bits(i128),
    Year(i128),
    Float(f32),
    Double(f64),
    /// Digits with sign and point.
    Decimal(&'a str),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Midnight of a date, in microseconds since 1970 UTC.
    Date(i64),
    /// Microseconds since 1970 UTC.
    Datetime(i64),
    /// Signed microseconds.
    Time(i64),
    /// A member of an ENUM: its name and its number.
    Member(&'a str, u16),
    /// Members of a SET: their names, and their bits.
    Set(&'a str, u64),
    /// A document, as it is stored.
    Json(&'a str),
    /// The bytes of a shape.
    Shape(&'a [u8]),
}

impl<'a> Old<'a> {
    /// Reads the text that a column shows of a value.
    pub(super) fn read(sql_type: &SqlType, text: &'a [u8]) -> Result<Self, Reason> {
        let broken = || Reason::from("it is no value of the old type");
        let string = || std::str::from_utf8(text).map_err(|_| Reason::from("it is not UTF-8"));
        Ok(match sql_type {
            SqlType::Int { .. } => Self::Int(string()?.parse().map_err(|_| broken())?),
            SqlType::Bit(_) => Self::Bits(string()?.parse().map_err(|_| broken())?),
            SqlType::Year => Self::Year(string()?.parse().map_err(|_| broken())?),
            SqlType::Float => Self::Float(string()?.parse().map_err(|_| broken())?),
            SqlType::Double => Self::Double(string()?.parse().map_err(|_| broken())?),
            SqlType::Decimal { .. } => Self::Decimal(string()?),
            SqlType::Char { .. } | SqlType::Text { .. } => Self::Text(string()?),
            SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Blob(_) | SqlType::Vector(_) => {
                Self::Bytes(text)
            }
            SqlType::Date => {
                let packed = i64::from(time_text::date(string()?)?);
                let days = days_from_date(packed >> 16, packed >> 8 & 0xff, packed & 0xff);
                Self::Date(if packed == 0 {
                    ZERO_DATETIME
                } else {
                    days * SECONDS_A_DAY * MICROS_A_SECOND
                })
            }
            SqlType::Datetime { .. } => Self::Datetime(time_text::datetime(string()?, 6, false)?),
            SqlType::Time => Self::Time(time_text::time(string()?)?),
            SqlType::Enum(members) => {
                let name = string()?;
                let at = members.names.iter().position(|member| member == name);
                let number = at.map_or(0, |at| at + 1);
                if number == 0 && !name.is_empty() {
                    return Err(broken());
                }
                Self::Member(name, u16::try_from(number).map_err(|_| broken())?)
            }
            SqlType::Set(members) => {
                let names = string()?;
                Self::Set(names, set_bits(names, members)?)
            }
            SqlType::Json => Self::Json(string()?),
            SqlType::Geometry(_) => Self::Shape(text),
        })
    }
}
