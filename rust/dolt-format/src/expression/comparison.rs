//! Comparisons: two operands, brought to one type first (go-mysql-server: `castLeftAndRight`).

use std::cmp::Ordering;

use super::Lookup;
use super::decimal::Decimal;
use super::node::Node;
use super::value::{Fault, Type, Value};
use crate::value::collation::Collation;
use crate::value::time::{MICROS_A_SECOND, SECONDS_A_DAY, days_from_date};
use crate::value::time_text;

/// What is asked of the order of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    /// Also of NULLs.
    NullSafeEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal | Self::NullSafeEqual => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// As what two values are compared.
#[derive(Debug, Clone, Copy)]
enum Common {
    Integer,
    Double,
    Decimal,
    Text(Collation),
    Date,
    Datetime,
    Time,
    Never,
}

/// A comparison.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    relation: Relation,
    common: Common,
    left: Node,
    right: Node,
}

impl Comparison {
    /// Compares nodes of these types. `Err` says why that is not known here.
    pub(super) fn new(
        relation: Relation,
        (mut left, left_type): (Node, Type),
        (mut right, right_type): (Node, Type),
    ) -> Result<Self, String> {
        let unknown = || {
            let (left, right) = (left_type.name(), right_type.name());
            format!("{left} compared with {right}")
        };
        let common = match (&left_type, &right_type) {
            (Type::Text(_), Type::Text(_)) => common_type(&left_type, &right_type),
            // A text that stands for a value of the other side's type.
            (other, Type::Text(_)) => convert_literal(&mut right, other),
            (Type::Text(_), other) => convert_literal(&mut left, other),
            (left, right) => common_type(left, right),
        };
        let common = common.ok_or_else(unknown)?;
        super::arithmetic::disable_rounding(&mut left);
        super::arithmetic::disable_rounding(&mut right);
        Ok(Self {
            relation,
            common,
            left,
            right,
        })
    }

    pub(super) fn evaluate(&self, column: &Lookup<'_>) -> Result<Value, Fault> {
        let left = self.left.evaluate(column)?;
        let right = self.right.evaluate(column)?;
        if left.is_null() || right.is_null() {
            return Ok(match self.relation {
                Relation::NullSafeEqual => Value::of_truth(Some(left.is_null() && right.is_null())),
                _ => Value::Null,
            });
        }
        let order = order(self.common, &left, &right)?;
        Ok(Value::of_truth(Some(
            order.is_some_and(|order| self.relation.holds(order)),
        )))
    }
}

fn common_type(left: &Type, right: &Type) -> Option<Common> {
    use Type as T;
    let is_number = |side: &T| {
        side.integer().is_some()
            || matches!(
                side,
                T::Decimal { .. } | T::Double { .. } | T::Year | T::Bits
            )
    };
    Some(match (left, right) {
        (T::Null, _) | (_, T::Null) => Common::Never,
        (T::Text(_), T::Text(_)) => Common::Text(left.joined(right)?.collation()),
        (T::Date, T::Date) => Common::Date,
        (T::Date | T::Datetime { .. }, T::Date | T::Datetime { .. }) => Common::Datetime,
        (T::Time, T::Time) => Common::Time,
        (T::Year, T::Year) | (T::Bits, T::Bits) => Common::Integer,
        (T::Enum(left), T::Enum(right)) if left == right => Common::Integer,
        (left, right) if is_number(left) && is_number(right) => {
            if left.is_decimal() || right.is_decimal() {
                Common::Decimal
            } else {
                match (left.integer(), right.integer()) {
                    (Some(left), Some(right)) if left == right => Common::Integer,
                    // Integers of different signs meet as doubles.
                    _ => Common::Double,
                }
            }
        }
        _ => return None,
    })
}

/// Replaces a text literal by the value of type `other` that it stands for, and says as what both
/// are compared; `None` where it is no literal, or stands for none.
fn convert_literal(node: &mut Node, other: &Type) -> Option<Common> {
    let Node::Literal(Value::Text(text)) = node else {
        return None;
    };
    let plain = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty()
            && digits.len() <= 30
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit())
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && digits.matches('.').count() <= 1
    };
    let (value, common) = match other {
        // Also with an integer, a text is compared as a double.
        Type::Int { .. } | Type::Double { .. } | Type::Year if plain(text) => {
            (Value::Double(text.parse().ok()?), Common::Double)
        }
        Type::Decimal { .. } if plain(text) => {
            (Value::Decimal(Decimal::parse(text)?), Common::Decimal)
        }
        Type::Date | Type::Datetime { .. } => {
            let micros = time_text::datetime(text, 6, false).ok()?;
            if text.len() < "2000-01-01".len() || !text.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            (Value::Datetime(micros), Common::Datetime)
        }
        Type::Time => (Value::Time(time_text::time(text).ok()?), Common::Time),
        Type::Enum(members) => {
            let at = members.position(text)?;
            (Value::Int(at as i128 + 1), Common::Integer)
        }
        _ => return None,
    };
    *node = Node::Literal(value);
    Some(common)
}

/// The order of two values; `None` where they have none (NaN).
fn order(common: Common, left: &Value, right: &Value) -> Result<Option<Ordering>, Fault> {
    let unknown =
        || Fault::Unsupported("it compares a value that pyfs cannot order as Dolt does".to_owned());
    Ok(match (common, left, right) {
        (Common::Integer, Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Common::Text(collation), Value::Text(left), Value::Text(right)) => {
            Some(collation.order(left, right))
        }
        (Common::Time, Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        (Common::Date, Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Common::Datetime, left, right) => {
            let (left, right) = (micros(left), micros(right));
            Some(left.ok_or_else(unknown)?.cmp(&right.ok_or_else(unknown)?))
        }
        (Common::Decimal, left, right) => {
            let (left, right) = (decimal(left), decimal(right));
            let (left, right) = (left.ok_or_else(unknown)?, right.ok_or_else(unknown)?);
            Some(left.compare(&right).ok_or_else(unknown)?)
        }
        (Common::Double, left, right) => {
            let (left, right) = (double(left), double(right));
            let (left, right) = (left.ok_or_else(unknown)?, right.ok_or_else(unknown)?);
            left.partial_cmp(&right)
        }
        _ => return Err(unknown()),
    })
}

/// A date or datetime in microseconds; the zero date has none.
pub(super) fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::Datetime(micros) => Some(*micros),
        Value::Date(0) => None,
        Value::Date(packed) => {
            let (year, month, day) = (packed >> 16, packed >> 8 & 0xff, packed & 0xff);
            let days = days_from_date(year.into(), month.into(), day.into());
            Some(days * SECONDS_A_DAY * MICROS_A_SECOND)
        }
        _ => None,
    }
}

pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(value) => Some(Decimal::of_integer(*value)),
        Value::Decimal(value) => Some(value.clone()),
        Value::Double(value) => Decimal::of_double(*value),
        _ => None,
    }
}

pub(super) fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Decimal(value) => Some(value.to_double()),
        Value::Double(value) => Some(*value),
        _ => None,
    }
}
