//! `Conversion`: how the values of a column become those of another type, as dolt's
//! `ALTER TABLE … MODIFY` converts them (`gms/sql/types`, `Convert`).

mod json;
mod number;
mod old_value;
mod temporal;
mod text;

use self::old_value::Old;
use super::encoding as e;
use super::from_text::{Reason, TextCodec};
use super::members::Members;
use super::sql_type::SqlType;

/// How the values of a column become those of another type.
#[derive(Debug, Clone)]
pub(crate) struct Conversion {
    from: SqlType,
    to: SqlType,
    codec: TextCodec,
}

impl Conversion {
    /// The conversion between two types, the new one in `encoding`. Fails with what cannot be done
    /// and what to do instead, where that does not depend on the value.
    pub(crate) fn new(from: &SqlType, to: &SqlType, encoding: u8) -> Result<Self, Reason> {
        use SqlType as T;
        let codec = TextCodec::new(to, encoding).ok_or("its encoding is an older one")?;
        match (from, to) {
            (T::Time, T::Date | T::Datetime { .. }) => {
                return Err("dolt would put the day of the change before each time".into());
            }
            (T::Vector(_), T::Vector(_)) | (T::Geometry(_), T::Geometry(_)) => {}
            (T::Vector(_), _) | (_, T::Vector(_)) => {
                return Err("dolt does not convert vectors".into());
            }
            (T::Geometry(_), T::Json | T::Char { .. } | T::Text { .. }) => {
                return Err("shapes are bytes; dolt makes no text of them".into());
            }
            _ => {}
        }
        Ok(Self {
            from: from.clone(),
            to: to.clone(),
            codec,
        })
    }

    /// Appends the field for a value that is not NULL, given as the text that the old column
    /// shows of it; an adaptive one plain. False for NULL, which appends nothing.
    pub(crate) fn push(&self, text: &[u8], out: &mut Vec<u8>) -> Result<bool, Reason> {
        if self.from == self.to {
            return self.push_same(text, out).map(|()| true);
        }
        let old = Old::read(&self.from, text)?;
        match &self.to {
            SqlType::Int { bits, unsigned } => {
                let value = number::whole(&old, *bits, *unsigned)?;
                let stored = if *bits == 24 {
                    4
                } else {
                    usize::from(bits / 8)
                };
                out.extend_from_slice(&value.to_le_bytes()[..stored]);
            }
            SqlType::Float => {
                let value = number::double(&old)?;
                if value.abs() > f64::from(f32::MAX) {
                    return Err("it is beyond the range of FLOAT".into());
                }
                out.extend_from_slice(&(value as f32).to_le_bytes());
            }
            SqlType::Double => out.extend_from_slice(&number::double(&old)?.to_le_bytes()),
            SqlType::Decimal { precision, scale } => {
                number::push_decimal(&old, *precision, *scale, out)?;
            }
            SqlType::Bit(bits) => {
                let value = number::bits(&old)?;
                if *bits < 64 && value >> bits != 0 {
                    return Err(format!("it needs more than {bits} bits").into());
                }
                out.extend_from_slice(&value.to_le_bytes());
            }
            SqlType::Year => out.push(number::year(&old)?),
            SqlType::Char { .. } | SqlType::Text { .. } => {
                let text = text::of(&old)?;
                text::check_bytes(&text, &self.to)?;
                self.codec.push(&text, out)?;
            }
            SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Blob(_) => {
                self.codec.push(&text::of(&old)?, out)?;
            }
            SqlType::Date => out.extend_from_slice(&temporal::date(&old)?.to_le_bytes()),
            SqlType::Datetime {
                precision,
                timestamp,
            } => {
                let micros = temporal::datetime(&old, *precision, *timestamp)?;
                out.extend_from_slice(&micros.to_le_bytes());
            }
            SqlType::Time => out.extend_from_slice(&temporal::time(&old)?.to_le_bytes()),
            SqlType::Enum(members) => {
                out.extend_from_slice(&member(&old, members)?.to_le_bytes());
            }
            SqlType::Set(members) => out.extend_from_slice(&set_bits(&old, members)?.to_le_bytes()),
            SqlType::Json => return json::push(&old, out),
            SqlType::Geometry(_) | SqlType::Vector(_) => match old {
                Old::Bytes(bytes) | Old::Shape(bytes) => self.codec.push(bytes, out)?,
                _ => return Err(incomparable(&self.to)),
            },
        }
        Ok(true)
    }

    /// A value that keeps its type keeps its bytes, also where a new one would be written
    /// otherwise.
    fn push_same(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        if matches!(self.from, SqlType::Json) && self.codec.encoding() == e::JSON_ADAPTIVE {
            out.extend_from_slice(text);
            return Ok(());
        }
        self.codec.push(text, out)
    }
}

fn incomparable(to: &SqlType) -> Reason {
    let name = match to {
        SqlType::Geometry(_) => "a shape",
        SqlType::Vector(_) => "a vector",
        _ => "a value of the new type",
    };
    format!("dolt does not make it {name}").into()
}

fn not_a_member(members: &Members) -> Reason {
    format!("it is not one of {}", members.listed()).into()
}

/// The number of a member: by its name, else by the number that the name is.
fn member(old: &Old<'_>, members: &Members) -> Result<u16, Reason> {
    let refused = || not_a_member(members);
    let numbered = |number: i128| {
        let known = 0..=members.names.len() as i128;
        known.contains(&number).then_some(number as u16)
    };
    let named = |text: &str| {
        let position = members.position(text);
        let number = position.map(|at| (at + 1) as i128);
        number.or_else(|| text.parse::<i32>().ok().map(i128::from))
    };
    match old {
        Old::Member(_, 0) => return Ok(0),
        Old::Member(name, _) => named(name),
        Old::Text(text) => named(text),
        Old::Bytes(bytes) => named(std::str::from_utf8(bytes).map_err(|_| refused())?),
        _ => number::truncated(old).filter(|number| *number != 0),
    }
    .and_then(numbered)
    .ok_or_else(refused)
}

/// A bit for each member. Of a SET, dolt keeps the bits, whatever they mean now: refused is what
/// would mean another thing.
fn set_bits(old: &Old<'_>, members: &Members) -> Result<u64, Reason> {
    let refused = || not_a_member(members);
    let all = match members.names.len() {
        64.. => u64::MAX,
        count => (1 << count) - 1,
    };
    let bits = match old {
        Old::Set(names, bits) => {
            let after = super::from_text::set_bits(names, members);
            if after.as_ref().ok() != Some(bits) && *bits != 0 {
                return Err(
                    "dolt would keep its bits, which are other members now; make the \
                            column a VARCHAR first, and then the new SET"
                        .into(),
                );
            }
            *bits
        }
        Old::Text(text) => super::from_text::set_bits(text, members)?,
        Old::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| refused())?;
            super::from_text::set_bits(text, members)?
        }
        Old::Decimal(value) => number::magnitude(value).ok_or_else(refused)?,
        _ => {
            let number = number::truncated(old).ok_or_else(refused)?;
            u64::try_from(number).map_err(|_| refused())?
        }
    };
    (bits <= all).then_some(bits).ok_or_else(refused)
}
