//! `Expression`: what CHECK constraints, generated columns and defaults compute from a row.
//!
//! ```text
//!   parse      SQL text, as Dolt stores it, to typed nodes
//!   node       the nodes; arithmetic, comparison, pattern, function evaluate one kind each
//!   value      values, their types, and stored fields read as values
//!   assign     a value becomes the field of a column
//! ```
//!
//! Types are known before any row is: what Dolt decides by type (as integers, decimals, doubles or
//! texts to compare and compute) is decided once, and what is not known to come out as in Dolt
//! (go-mysql-server) is refused by name.

mod arithmetic;
pub(crate) mod assign;
mod comparison;
mod decimal;
mod function;
mod node;
mod parse;
mod pattern;
pub mod value;

pub use assign::Assignment;
pub use parse::ExpressionColumn;
pub use value::{Fault, Value};

use crate::FormatError;
use node::Node;
use value::Type;

/// An expression over the columns of one table.
#[derive(Debug, Clone)]
pub struct Expression {
    node: Node,
    value_type: Type,
    columns: Vec<usize>,
}

/// Where an expression finds the values of columns, by their positions in the table.
pub type Lookup<'a> = dyn Fn(usize) -> Result<Value, Fault> + 'a;

impl Expression {
    /// Parses an expression as Dolt stores it. `Unsupported` names what is beyond it.
    pub fn parse(text: &str, columns: &[ExpressionColumn]) -> Result<Self, FormatError> {
        parse::expression(text, columns)
            .map_err(|why| FormatError::Unsupported(format!("the expression {text}: {why}")))
    }

    /// Its value for a row.
    pub fn evaluate(&self, column: &Lookup<'_>) -> Result<Value, Fault> {
        self.node.evaluate(column)
    }

    /// Whether a row passes it as a CHECK: its value is not FALSE, so NULL passes.
    pub fn holds(&self, column: &Lookup<'_>) -> Result<bool, Fault> {
        Ok(self.evaluate(column)?.truth() != Some(false))
    }

    /// Whether its value can be true or false.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        self.value_type.is_condition()
    }

    /// The positions of the columns it names, each once.
    #[must_use]
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }
}
