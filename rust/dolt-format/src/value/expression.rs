//! `Expression`: integer arithmetic of generated columns, as far as it can be evaluated here.

use crate::FormatError;

/// An integer as SQL has it: 64 bits, with or without a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// Its value.
    pub value: i128,
    /// Whether its type is unsigned.
    pub unsigned: bool,
}

impl Integer {
    /// A literal has the smallest type it fits in: 127 is signed, 128 is not, 256 is again.
    const fn literal(value: i128) -> Self {
        let bits = 128 - value.leading_zeros();
        Self {
            value,
            unsigned: matches!(bits, 8 | 16 | 32 | 64),
        }
    }

    /// Two unsigned operands are worked on as such, others as signed ones that stop at the ends
    /// of their range. Results wrap around, as in Dolt (go-mysql-server: `arithmetic.go`).
    fn operate(self, operator: char, other: Self) -> Self {
        let unsigned = self.unsigned && other.unsigned;
        let value = if unsigned {
            let (left, right) = (self.value as u64, other.value as u64);
            i128::from(match operator {
                '+' => left.wrapping_add(right),
                '-' => left.wrapping_sub(right),
                _ => left.wrapping_mul(right),
            })
        } else {
            let signed = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            let (left, right) = (signed(self.value), signed(other.value));
            i128::from(match operator {
                '+' => left.wrapping_add(right),
                '-' => left.wrapping_sub(right),
                _ => left.wrapping_mul(right),
            })
        };
        Self { value, unsigned }
    }
}

/// Sums and products of integer columns and literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A literal.
    Literal(Integer),
    /// The value of a column, by its position in the table.
    Column(usize),
    /// Two operands and `+`, `-` or `*`.
    Binary(Box<Expression>, char, Box<Expression>),
}

/// Deeper ones are refused: parsing and evaluating recurse.
const DEPTH_MAX: usize = 50;
/// So are longer ones: in a chain, each operator is one level deeper, too.
const OPERATORS_MAX: usize = 500;

impl Expression {
    /// Parses the text of a generated column's expression over columns of these names.
    pub fn parse(text: &str, columns: &[&str]) -> Result<Self, FormatError> {
        let unsupported =
            || FormatError::Unsupported(format!("the generated column's expression {text}"));
        if text.matches(['+', '-', '*']).count() > OPERATORS_MAX {
            return Err(unsupported());
        }
        let mut parser = Parser {
            rest: text.trim(),
            columns,
            depth: 0,
        };
        parser
            .sum()
            .filter(|_| parser.rest.trim().is_empty())
            .ok_or_else(unsupported)
    }

    /// The value; `None` when a column is NULL.
    pub fn evaluate(&self, column: &impl Fn(usize) -> Option<Integer>) -> Option<Integer> {
        match self {
            Self::Literal(value) => Some(*value),
            Self::Column(position) => column(*position),
            Self::Binary(left, operator, right) => Some(
                left.evaluate(column)?
                    .operate(*operator, right.evaluate(column)?),
            ),
        }
    }

    /// The positions of the columns it names.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Column(position) => vec![*position],
            Self::Binary(left, _, right) => [left.columns(), right.columns()].concat(),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    columns: &'a [&'a str],
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let trimmed = self.rest.trim_start();
        let first = trimmed.chars().next().filter(|c| wanted.contains(c))?;
        self.rest = &trimmed[first.len_utf8()..];
        Some(first)
    }

    fn sum(&mut self) -> Option<Expression> {
        let mut left = self.product()?;
        while let Some(operator) = self.take(&['+', '-']) {
            left = Expression::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Expression> {
        let mut left = self.factor()?;
        while self.take(&['*']).is_some() {
            left = Expression::Binary(Box::new(left), '*', Box::new(self.factor()?));
        }
        Some(left)
    }

    fn factor(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        if self.take(&['(']).is_some() {
            let inner = self.sum()?;
            self.take(&[')'])?;
            self.depth -= 1;
            return Some(inner);
        }
        self.depth -= 1;
        if self.take(&['`']).is_some() {
            let (name, rest) = self.rest.split_once('`')?;
            self.rest = rest;
            let position = self
                .columns
                .iter()
                .position(|c| c.eq_ignore_ascii_case(name))?;
            return Some(Expression::Column(position));
        }
        let trimmed = self.rest.trim_start();
        let len = trimmed
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(trimmed.len());
        let (digits, rest) = trimmed.split_at(len);
        // A fraction would make it decimal arithmetic.
        if rest.starts_with(['.', 'e', 'E', 'x']) {
            return None;
        }
        self.rest = rest;
        // Greater ones are decimals.
        let value: u64 = digits.parse().ok()?;
        Some(Expression::Literal(Integer::literal(value.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_evaluated() {
        let parse = |text| Expression::parse(text, &["a", "b"]);
        let value = |text| {
            parse(text)
                .expect(text)
                .evaluate(&|at| Some(Integer::literal(3 + at as i128)))
                .map(|integer| integer.value)
        };
        assert_eq!(value("((`a` + `b`))"), Some(7));
        assert_eq!(value("(`a` * 2 - (1 + `b`))"), Some(1));
        assert_eq!(value("200 - 250"), Some(i128::from(50u64.wrapping_neg())));
        assert_eq!(value("`a` - 250"), Some(-247));
        assert_eq!(value("9223372036854775807 + 1"), Some(i64::MIN.into()));
        assert_eq!(
            value("18446744073709551615 - `a`"),
            Some(i128::from(i64::MAX) - 3)
        );
        assert_eq!(
            parse("`a` + 1").expect("it parses").evaluate(&|_| None),
            None
        );
        for text in [
            "upper(`a`)",
            "`a` / 2",
            "1.5",
            "99999999999999999999",
            "`c`",
            "",
            "(`a`",
            "`a` `b`",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = "(".repeat(100_000);
        let long = format!("1{}", "+1".repeat(100_000));
        assert!(parse(&deep).is_err() && parse(&long).is_err());
        let short = format!("1{}", "*1+1".repeat(250));
        assert!(parse(&short).is_ok());
    }
}
