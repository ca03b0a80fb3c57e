//! Arithmetic: `+`, `-`, `*`, `/`, `DIV` and `%`, on integers, decimals or doubles.

use super::Lookup;
use super::comparison::{decimal, double};
use super::decimal::Decimal;
use super::node::Node;
use super::value::{Fault, Type, Value};

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Modulo,
}

/// What both operands are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Common {
    Signed,
    Unsigned,
    Decimal,
    Double,
}

/// An operator and its operands.
#[derive(Debug, Clone)]
pub(super) struct Arithmetic {
    operator: Operator,
    common: Common,
    left: Node,
    right: Node,
    /// Digits behind the point of a decimal on the left, by its type.
    left_scale: u32,
    /// Digits behind the point that the type has.
    scale: u32,
    /// Whether the result of divisions is rounded here: at the root of an arithmetic expression,
    /// unless it is compared.
    rounds: bool,
}

/// Digits that a division adds behind the point, and those by which it goes on inside.
const DIVISION_SCALE: u32 = 4;
const DIVISION_STEP: u32 = 9;
const SCALE_MAX: u32 = 30;

impl Arithmetic {
    /// An operation on operands of these types, and its type. `Err` says what is not known here.
    pub(super) fn node(
        operator: Operator,
        (mut left, left_type): (Node, Type),
        (mut right, right_type): (Node, Type),
    ) -> Result<(Node, Type), String> {
        let number = |side: &Type| {
            side.integer().is_some() || side.is_decimal() || side.is_double() || *side == Type::Null
        };
        for side in [&left_type, &right_type] {
            if !number(side) {
                return Err(format!("arithmetic with {}", side.name()));
            }
        }
        let divides = matches!(
            operator,
            Operator::Divide | Operator::Modulo | Operator::DivideWhole
        );
        if divides && (has_division(&left) || has_division(&right)) {
            return Err("a division within a division".to_owned());
        }
        if operator == Operator::Modulo {
            for side in [&left, &right] {
                if !matches!(side, Node::Literal(_) | Node::Column(_) | Node::Negative(_)) {
                    return Err("a remainder of something computed".to_owned());
                }
            }
        }
        if operator == Operator::DivideWhole && (left_type.is_double() || right_type.is_double()) {
            return Err("DIV of a float".to_owned());
        }
        // An operand is not the root of the arithmetic any more.
        disable_rounding(&mut left);
        disable_rounding(&mut right);
        let common = common_type(operator, &left_type, &right_type);
        let scale = result_scale(operator, &left_type, &right_type);
        let value_type = match (operator, common) {
            (Operator::DivideWhole, _) => Type::Int {
                bits: 64,
                unsigned: left_type.integer() == Some(true) || right_type.integer() == Some(true),
            },
            (_, Common::Signed) => Type::Int {
                bits: 64,
                unsigned: false,
            },
            (_, Common::Unsigned) => Type::Int {
                bits: 64,
                unsigned: true,
            },
            (_, Common::Double) => Type::Double { single: false },
            (_, Common::Decimal) => Type::Decimal {
                precision: 65,
                scale: scale as u8,
            },
        };
        let arithmetic = Self {
            operator,
            common,
            left,
            right,
            left_scale: type_scale(&left_type),
            scale,
            rounds: true,
        };
        Ok((Node::Arithmetic(Box::new(arithmetic)), value_type))
    }

    pub(super) fn evaluate(&self, column: &Lookup<'_>) -> Result<Value, Fault> {
        let left = self.left.evaluate(column)?;
        let right = self.right.evaluate(column)?;
        if left.is_null() || right.is_null() {
            return Ok(Value::Null);
        }
        match self.common {
            Common::Signed | Common::Unsigned => {
                let (Value::Int(left), Value::Int(right)) = (left, right) else {
                    return Err(unknown());
                };
                Ok(self.integers(left, right))
            }
            Common::Double => {
                let (left, right) = (double(&left), double(&right));
                self.doubles(left.ok_or_else(unknown)?, right.ok_or_else(unknown)?)
            }
            Common::Decimal => {
                let (left, right) = (decimal(&left), decimal(&right));
                let (left, right) = (left.ok_or_else(unknown)?, right.ok_or_else(unknown)?);
                self.decimals(&left, &right, column)
            }
        }
    }

    /// Results wrap around; an unsigned operand of a signed operation stops at the greatest signed
    /// value (go-mysql-server: `arithmetic.go`).
    fn integers(&self, left: i128, right: i128) -> Value {
        if self.common == Common::Unsigned {
            let (left, right) = (left as u64, right as u64);
            let value = match self.operator {
                Operator::Add => Some(left.wrapping_add(right)),
                Operator::Subtract => Some(left.wrapping_sub(right)),
                Operator::Multiply => Some(left.wrapping_mul(right)),
                _ => left.checked_div(right),
            };
            return value.map_or(Value::Null, |value| Value::Int(value.into()));
        }
        let signed = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let (left, right) = (signed(left), signed(right));
        let value = match self.operator {
            Operator::Add => Some(left.wrapping_add(right)),
            Operator::Subtract => Some(left.wrapping_sub(right)),
            Operator::Multiply => Some(left.wrapping_mul(right)),
            _ if right == 0 => None,
            _ => Some(left.wrapping_div(right)),
        };
        value.map_or(Value::Null, |value| Value::Int(value.into()))
    }

    fn doubles(&self, left: f64, right: f64) -> Result<Value, Fault> {
        let value = match self.operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            _ if right == 0.0 => return Ok(Value::Null),
            Operator::Divide => left / right,
            Operator::Modulo => left % right,
            Operator::DivideWhole => return Err(unknown()),
        };
        if !value.is_finite() {
            return Err(Fault::Unsupported(
                "it computes a value beyond the range of DOUBLE".to_owned(),
            ));
        }
        Ok(Value::Double(value))
    }

    fn decimals(
        &self,
        left: &Decimal,
        right: &Decimal,
        column: &Lookup<'_>,
    ) -> Result<Value, Fault> {
        let value = match self.operator {
            Operator::Add => Some(left.add(right)),
            Operator::Subtract => Some(left.add(&right.negated())),
            Operator::Multiply => Some(left.multiply(right)),
            Operator::Modulo => left.remainder(right),
            Operator::Divide => self.quotient(left, right),
            Operator::DivideWhole => {
                return match left.divide(right, 0) {
                    None => Ok(Value::Null),
                    Some(quotient) => quotient.whole().map(Value::Int).ok_or_else(|| {
                        let (left, right) = (left.text(), right.text());
                        Fault::Refused(format!("{left} DIV {right} is beyond BIGINT"))
                    }),
                };
            }
        };
        let Some(value) = value else {
            return Ok(Value::Null);
        };
        if self.rounds
            && let (scale, true) = self.final_scale(column)?
        {
            return Ok(Value::Decimal(value.rounded(scale)));
        }
        Ok(Value::Decimal(value))
    }

    fn quotient(&self, left: &Decimal, right: &Decimal) -> Option<Decimal> {
        let left = if self.left_scale > left.scale() {
            left.rounded(self.left_scale)
        } else {
            left.clone()
        };
        let steps = |scale: u32| scale.div_ceil(DIVISION_STEP);
        let mut count = steps(left.scale() + right.scale() + DIVISION_SCALE);
        if left.scale() != 0 && right.scale() != 0 {
            count = count.max(steps(left.scale()) + steps(right.scale()));
        }
        left.divide(right, count * DIVISION_STEP)
    }

    /// Digits behind the point of the final result, and whether a division is in it
    /// (go-mysql-server: `getFinalScale`).
    fn final_scale(&self, column: &Lookup<'_>) -> Result<(u32, bool), Fault> {
        let (scale, divides) = match self.operator {
            Operator::Divide => {
                let value = decimal(&self.left.evaluate(column)?);
                let left = value.map_or(0, |value| value.scale());
                (DIVISION_SCALE + left.max(self.left_scale), true)
            }
            Operator::Modulo | Operator::DivideWhole => (self.scale, false),
            operator => {
                let (left, left_divides) = side_scale(&self.left, column)?;
                let (right, right_divides) = side_scale(&self.right, column)?;
                let scale = match operator {
                    Operator::Multiply => left + right,
                    _ => left.max(right),
                };
                (scale, left_divides || right_divides)
            }
        };
        Ok((scale.min(SCALE_MAX), divides))
    }
}

fn side_scale(side: &Node, column: &Lookup<'_>) -> Result<(u32, bool), Fault> {
    match side {
        Node::Arithmetic(arithmetic) => arithmetic.final_scale(column),
        Node::Literal(value) => Ok((decimal(value).map_or(0, |value| value.scale()), false)),
        other => Ok((
            decimal(&other.evaluate(column)?).map_or(0, |v| v.scale()),
            false,
        )),
    }
}

fn unknown() -> Fault {
    Fault::Unsupported("it computes a value that pyfs cannot compute as Dolt does".to_owned())
}

fn common_type(operator: Operator, left: &Type, right: &Type) -> Common {
    if left.is_double() || right.is_double() {
        return Common::Double;
    }
    match (operator, left.integer(), right.integer()) {
        (Operator::Divide | Operator::Modulo, ..) => Common::Decimal,
        (_, Some(true), Some(true)) => Common::Unsigned,
        (Operator::DivideWhole, Some(left), Some(right)) if left != right => Common::Decimal,
        (_, Some(_), Some(_)) => Common::Signed,
        _ => Common::Decimal,
    }
}

fn type_scale(side: &Type) -> u32 {
    match side {
        Type::Decimal { scale, .. } => u32::from(*scale),
        _ => 0,
    }
}

fn result_scale(operator: Operator, left: &Type, right: &Type) -> u32 {
    let (left_scale, right_scale) = (type_scale(left), type_scale(right));
    let scale = match operator {
        Operator::Multiply if left.is_decimal() && right.is_decimal() => left_scale + right_scale,
        Operator::Divide => left_scale + DIVISION_SCALE,
        Operator::DivideWhole => 0,
        _ => left_scale.max(right_scale),
    };
    scale.min(SCALE_MAX)
}

/// Compared values are not rounded.
pub(super) fn disable_rounding(node: &mut Node) {
    if let Node::Arithmetic(arithmetic) = node {
        arithmetic.rounds = false;
    }
}

pub(super) fn has_division(node: &Node) -> bool {
    match node {
        Node::Arithmetic(arithmetic) => {
            matches!(
                arithmetic.operator,
                Operator::Divide | Operator::Modulo | Operator::DivideWhole
            ) || has_division(&arithmetic.left)
                || has_division(&arithmetic.right)
        }
        Node::Negative(inner) => has_division(inner),
        _ => false,
    }
}
