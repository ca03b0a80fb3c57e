//! The text that dolt stores of an expression: all of it in parentheses, names in backquotes.
//!
//! What is not of the grammar below is refused: dolt rewrites expressions as it reads them, and
//! its text decides the names of constraints and the hash of the schema.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, InTarget,
    UnaryOperator, Value,
};

use super::show::quoted;
use super::statement::Place;
use crate::FormatError;
use crate::value::number::push_float;

/// Functions of one form: a name and arguments, of which dolt prints the name in lower case.
const FUNCTIONS: [&str; 23] = [
    "abs",
    "bin_to_uuid",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "curdate",
    "current_date",
    "floor",
    "greatest",
    "hex",
    "if",
    "ifnull",
    "json_valid",
    "least",
    "length",
    "lower",
    "md5",
    "nullif",
    "round",
    "upper",
    "uuid",
    "uuid_to_bin",
];

/// Prints expressions over columns of a table.
pub(super) struct Printer<'a> {
    /// The names of the table's columns.
    pub(super) columns: &'a [String],
    pub(super) table: &'a str,
    pub(super) at: &'a Place,
}

impl Printer<'_> {
    pub(super) fn text(&self, expression: &Expr) -> Result<String, FormatError> {
        let text = |expression: &Expr| self.text(expression);
        let negated = |text: String, negated: bool| {
            if negated {
                format!("(NOT({text}))")
            } else {
                text
            }
        };
        Ok(match expression {
            Expr::Nested(inner) => text(inner)?,
            Expr::Identifier(name) => self.column(&name.value)?,
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [table, name] if table.value.eq_ignore_ascii_case(self.table) => {
                    self.column(&name.value)?
                }
                _ => return Err(self.refused(expression)),
            },
            Expr::Value(value) => literal(&value.value).ok_or_else(|| self.refused(expression))?,
            Expr::UnaryOp { op, expr } => match op {
                UnaryOperator::Not => negated(text(expr)?, true),
                UnaryOperator::Minus => format!("-{}", text(expr)?),
                UnaryOperator::Plus => text(expr)?,
                _ => return Err(self.refused(expression)),
            },
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (text(left)?, text(right)?);
                match operator(op) {
                    Some("<>") => format!("(NOT(({left} = {right})))"),
                    Some(op) => format!("({left} {op} {right})"),
                    None => return Err(self.refused(expression)),
                }
            }
            Expr::IsTrue(inner) => format!("{} IS TRUE", text(inner)?),
            Expr::IsNull(inner) => format!("{} IS NULL", text(inner)?),
            Expr::IsNotNull(inner) => negated(format!("{} IS NULL", text(inner)?), true),
            Expr::In {
                expr,
                target: InTarget::List(list),
                negated: not,
                global: false,
            } => {
                let items = list.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                negated(format!("({} IN ({}))", text(expr)?, items.join(", ")), *not)
            }
            Expr::Between {
                expr,
                negated: not,
                low,
                high,
            } => {
                let (low, high) = (text(low)?, text(high)?);
                negated(format!("({} BETWEEN {low} AND {high})", text(expr)?), *not)
            }
            Expr::Like {
                negated: not,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => negated(format!("{} LIKE {}", text(expr)?, text(pattern)?), *not),
            Expr::Function(function) => self
                .function(function)?
                .ok_or_else(|| self.refused(expression))?,
            _ => return Err(self.refused(expression)),
        })
    }

    fn refused(&self, expression: &Expr) -> FormatError {
        let text: String = expression.to_string().chars().take(64).collect();
        self.at.unsupported(format!(
            "the expression {text}: pyfs does not know how dolt writes it; use dolt"
        ))
    }

    fn column(&self, name: &str) -> Result<String, FormatError> {
        if self
            .columns
            .iter()
            .any(|column| column.eq_ignore_ascii_case(name))
        {
            return Ok(quoted(name));
        }
        Err(self.at.wrong(format!("there is no column {name:?}")))
    }

    fn function(&self, function: &Function) -> Result<Option<String>, FormatError> {
        let Some(mut arguments) = plain_arguments(function) else {
            return Ok(None);
        };
        let name = function.name.to_string().to_ascii_lowercase();
        if name == "mod" && arguments.len() == 2 {
            let right = arguments.pop().map(|right| self.text(right)).transpose()?;
            let left = arguments.pop().map(|left| self.text(left)).transpose()?;
            return Ok(left
                .zip(right)
                .map(|(left, right)| format!("({left} % {right})")));
        }
        if !FUNCTIONS.contains(&name.as_str()) {
            return Ok(None);
        }
        let arguments = arguments
            .iter()
            .map(|argument| self.text(argument))
            .collect::<Result<Vec<_>, _>>()?;
        let name = match name.as_str() {
            "uuid_to_bin" | "bin_to_uuid" => name.to_ascii_uppercase(),
            _ => name,
        };
        Ok(Some(format!("{name}({})", arguments.join(","))))
    }
}

/// The arguments of a function, where nothing else is said of it.
pub(super) fn plain_arguments(function: &Function) -> Option<Vec<&Expr>> {
    let plain = function.filter.is_none()
        && function.over.is_none()
        && function.within_group.is_empty()
        && function.null_treatment.is_none()
        && matches!(function.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &function.args else {
        return (plain && matches!(function.args, FunctionArguments::None)).then(Vec::new);
    };
    if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let expression = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    list.args.iter().map(expression).collect()
}

const fn operator(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::MyIntegerDivide => "div",
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::Spaceship => "<=>",
        BinaryOperator::And => "AND",
        BinaryOperator::Or => "OR",
        BinaryOperator::Xor => "XOR",
        _ => return None,
    })
}

/// A literal as dolt prints it; `None` where that is not known.
pub(super) fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Number(digits, false) => number(digits)?,
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => string(text),
        Value::Boolean(value) => u8::from(*value).to_string(),
        Value::Null => "NULL".to_owned(),
        _ => return None,
    })
}

/// A string as dolt prints it.
pub(super) fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\\', "\\\\"))
}

fn number(digits: &str) -> Option<String> {
    if digits.contains(['e', 'E']) {
        let value: f64 = digits
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite())?;
        let mut out = Vec::new();
        push_float(value, false, &mut out);
        return String::from_utf8(out).ok();
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() || digits.ends_with('.') {
        return None;
    }
    let trimmed = whole.trim_start_matches('0');
    let whole = if trimmed.is_empty() { "0" } else { trimmed };
    Some(if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    })
}
