//! `Node`: a typed expression, and its value for a row.

use super::Lookup;
use super::arithmetic::Arithmetic;
use super::comparison::Comparison;
use super::function::Function;
use super::pattern::Pattern;
use super::value::{Fault, Value};

#[derive(Debug, Clone)]
pub(super) enum Node {
    Literal(Value),
    Column(usize),
    Arithmetic(Box<Arithmetic>),
    Negative(Box<Node>),
    Comparison(Box<Comparison>),
    /// The value, and each item with how it is compared.
    In(Vec<Comparison>),
    Like(Box<Node>, Box<Pattern>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Xor(Box<Node>, Box<Node>),
    IsNull(Box<Node>),
    /// Whether it is true, or false.
    Is(Box<Node>, bool),
    /// Conditions with their results, and the result when none is true.
    Case(Vec<(Node, Node)>, Box<Node>),
    Coalesce(Vec<Node>),
    Function(Function, Vec<Node>),
}

impl Node {
    pub(super) fn evaluate(&self, column: &Lookup<'_>) -> Result<Value, Fault> {
        let truth = |node: &Self| Ok::<_, Fault>(node.evaluate(column)?.truth());
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Column(position) => column(*position)?,
            Self::Arithmetic(arithmetic) => arithmetic.evaluate(column)?,
            Self::Negative(operand) => negative(operand.evaluate(column)?)?,
            Self::Comparison(comparison) => comparison.evaluate(column)?,
            Self::In(items) => any(items, column)?,
            Self::Like(text, pattern) => match text.evaluate(column)? {
                Value::Text(text) => Value::of_truth(Some(pattern.matches(&text))),
                _ => Value::Null,
            },
            Self::Not(operand) => Value::of_truth(truth(operand)?.map(|truth| !truth)),
            Self::And(left, right) => match (truth(left)?, right) {
                (Some(false), _) => Value::of_truth(Some(false)),
                (left, right) => match (left, truth(right)?) {
                    (_, Some(false)) => Value::of_truth(Some(false)),
                    (Some(true), Some(true)) => Value::of_truth(Some(true)),
                    _ => Value::Null,
                },
            },
            Self::Or(left, right) => match (truth(left)?, right) {
                (Some(true), _) => Value::of_truth(Some(true)),
                (left, right) => match (left, truth(right)?) {
                    (_, Some(true)) => Value::of_truth(Some(true)),
                    (Some(false), Some(false)) => Value::of_truth(Some(false)),
                    _ => Value::Null,
                },
            },
            Self::Xor(left, right) => match (truth(left)?, truth(right)?) {
                (Some(left), Some(right)) => Value::of_truth(Some(left != right)),
                _ => Value::Null,
            },
            Self::IsNull(operand) => Value::of_truth(Some(operand.evaluate(column)?.is_null())),
            Self::Is(operand, wanted) => Value::of_truth(Some(truth(operand)? == Some(*wanted))),
            Self::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    if truth(condition)? == Some(true) {
                        return result.evaluate(column);
                    }
                }
                otherwise.evaluate(column)?
            }
            Self::Coalesce(operands) => {
                for operand in operands {
                    let value = operand.evaluate(column)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Self::Function(function, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(argument.evaluate(column)?);
                }
                function.call(&values)?
            }
        })
    }
}

fn negative(value: Value) -> Result<Value, Fault> {
    Ok(match value {
        Value::Int(value) if value == i128::from(i64::MIN) => {
            return Err(Fault::Refused(format!("-({value}) is beyond BIGINT")));
        }
        Value::Int(value) => Value::Int(-value),
        Value::Decimal(value) => Value::Decimal(value.negated()),
        Value::Double(value) => Value::Double(-value),
        other => other,
    })
}

/// NULL where nothing is equal and something is NULL.
fn any(items: &[Comparison], column: &Lookup<'_>) -> Result<Value, Fault> {
    let mut unknown = false;
    for item in items {
        match item.evaluate(column)?.truth() {
            Some(true) => return Ok(Value::of_truth(Some(true))),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(Value::of_truth((!unknown).then_some(false)))
}
