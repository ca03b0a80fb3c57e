//! SQL text to typed nodes. `sqlparser` reads it; Dolt's own parser differs from it in how tightly
//! some operators bind, so what the two could read differently has to stand in parentheses.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, InTarget,
    TrimWhereField, UnaryOperator, Value as Literal,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Expression;
use super::arithmetic::{self, Arithmetic, Operator};
use super::comparison::{Comparison, Relation};
use super::decimal::Decimal;
use super::function::Function;
use super::node::Node;
use super::pattern::Pattern;
use super::value::{Type, Value};
use crate::FormatError;
use crate::message::schema::TableSchema;
use crate::value::sql_type::SqlType;

/// Deeper ones are refused: evaluating recurses.
const DEPTH_MAX: usize = 100;
/// So are longer ones: in a chain, each operator is one level deeper, too.
const TOKENS_MAX: usize = 500;
const TEXT_LEN_MAX: usize = 1 << 16;

/// A column that an expression may name.
#[derive(Debug, Clone)]
pub struct ExpressionColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

impl ExpressionColumn {
    /// The columns of a table.
    pub fn of_schema(schema: &TableSchema) -> Result<Vec<Self>, FormatError> {
        let column = |column: &crate::message::schema::Column| {
            Ok(Self {
                name: column.name.clone(),
                sql_type: SqlType::parse(&column.sql_type)?,
            })
        };
        schema.columns.iter().map(column).collect()
    }
}

type Typed = (Node, Type);

/// Parses `text`; `Err` names what is beyond it.
pub(super) fn expression(text: &str, columns: &[ExpressionColumn]) -> Result<Expression, String> {
    let parsed = syntax(text)?;
    let mut compiler = Compiler {
        columns,
        named: Vec::new(),
        depth: 0,
    };
    let (node, value_type) = compiler.compile(&parsed)?;
    let mut named = compiler.named;
    named.sort_unstable();
    named.dedup();
    Ok(Expression {
        node,
        value_type,
        columns: named,
    })
}

fn syntax(text: &str) -> Result<Expr, String> {
    if text.len() > TEXT_LEN_MAX {
        return Err(format!("it is longer than {TEXT_LEN_MAX} bytes"));
    }
    // Dolt stores every backslash of a string twice. What one alone means is read differently.
    if text.replace(r"\\", "").contains('\\') {
        return Err("a single backslash in a string".to_owned());
    }
    let dialect = MySqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize();
    let tokens = tokens.map_err(|error| error.to_string())?;
    let is_item = |token: &Token| {
        matches!(
            token,
            Token::Comma | Token::Whitespace(_) | Token::Number(..) | Token::SingleQuotedString(_)
        )
    };
    if tokens.iter().filter(|token| !is_item(token)).count() > TOKENS_MAX {
        return Err("it is too long".to_owned());
    }
    let mut parser = Parser::new(&dialect).with_tokens(tokens);
    let parsed = parser.parse_expr().map_err(|error| error.to_string())?;
    match parser.peek_token().token {
        Token::EOF => Ok(parsed),
        token => Err(format!("{token} behind its end")),
    }
}

struct Compiler<'a> {
    columns: &'a [ExpressionColumn],
    named: Vec<usize>,
    depth: usize,
}

impl Compiler<'_> {
    fn compile(&mut self, expr: &Expr) -> Result<Typed, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("it is nested too deep".to_owned());
        }
        let compiled = self.dispatch(expr);
        self.depth -= 1;
        compiled
    }

    fn dispatch(&mut self, expr: &Expr) -> Result<Typed, String> {
        match expr {
            Expr::Nested(inner) => self.compile(inner),
            Expr::Value(value) => literal(&value.value),
            Expr::Identifier(name) => self.column(&name.value),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::IsNull(inner) => Ok(self.is_null(inner)?),
            Expr::IsNotNull(inner) => Ok(negated(self.is_null(inner)?)),
            Expr::IsTrue(inner) => self.is(inner, true),
            Expr::IsFalse(inner) => self.is(inner, false),
            Expr::IsNotTrue(inner) => Ok(negated(self.is(inner, true)?)),
            Expr::IsNotFalse(inner) => Ok(negated(self.is(inner, false)?)),
            Expr::In {
                expr,
                target: InTarget::List(items),
                negated: not,
                global: false,
            } => Ok(negated_if(*not, self.any_of(expr, items)?)),
            Expr::Between {
                expr,
                negated: not,
                low,
                high,
            } => Ok(negated_if(*not, self.between(expr, low, high)?)),
            Expr::Like {
                negated: not,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => Ok(negated_if(*not, self.like(expr, pattern)?)),
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let arms: Vec<_> = conditions
                    .iter()
                    .map(|arm| (&arm.condition, &arm.result))
                    .collect();
                self.case(operand.as_deref(), &arms, else_result.as_deref())
            }
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => {
                let mut arguments = vec![expr.as_ref(), from.as_ref()];
                arguments.extend(substring_for.as_deref());
                self.call("substring", &arguments)
            }
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => self.trim(*trim_where, trim_what.as_deref(), expr),
            Expr::Function(function) => {
                let name = function.name.to_string().to_ascii_lowercase();
                match plain_arguments(function) {
                    Some(arguments) => self.call(&name, &arguments),
                    None => Err(format!("the function {name} with these arguments")),
                }
            }
            other => Err(format!("{other} is beyond what pyfs evaluates")),
        }
    }

    /// The operand of a comparison: what binds less tightly has to stand in parentheses.
    fn operand(&mut self, expr: &Expr) -> Result<Typed, String> {
        let tight = match expr {
            Expr::BinaryOp { op, .. } => operator(op).is_some(),
            Expr::UnaryOp { op, .. } => matches!(op, UnaryOperator::Minus | UnaryOperator::Plus),
            Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::In { .. }
            | Expr::Between { .. }
            | Expr::Like { .. } => false,
            _ => true,
        };
        if !tight {
            return Err(format!("{expr} without parentheses around it"));
        }
        self.compile(expr)
    }

    fn column(&mut self, name: &str) -> Result<Typed, String> {
        let found = self
            .columns
            .iter()
            .enumerate()
            .find(|(_, column)| column.name.eq_ignore_ascii_case(name));
        let (position, column) = found.ok_or_else(|| format!("there is no column {name:?}"))?;
        let value_type = Type::of_column(&column.sql_type)
            .map_err(|collation| format!("column {name:?} is in collation {collation}"))?;
        self.named.push(position);
        Ok((Node::Column(position), value_type))
    }

    fn unary(&mut self, op: UnaryOperator, expr: &Expr) -> Result<Typed, String> {
        match (op, expr) {
            (UnaryOperator::Minus, Expr::Value(value)) => {
                if let Literal::Number(digits, _) = &value.value {
                    return number(&format!("-{digits}"));
                }
                Err(format!("-{expr}"))
            }
            (UnaryOperator::Minus, _) => {
                let (node, value_type) = self.operand(expr)?;
                let value_type = match value_type {
                    Type::Int {
                        unsigned: false, ..
                    } => Type::Int {
                        bits: 64,
                        unsigned: false,
                    },
                    Type::Decimal { .. } | Type::Double { .. } | Type::Null => value_type,
                    other => return Err(format!("minus {}", other.name())),
                };
                Ok((Node::Negative(Box::new(node)), value_type))
            }
            (UnaryOperator::Not, _) => Ok(negated(self.condition(expr)?)),
            _ => Err(format!("the operator {op}")),
        }
    }

    fn condition(&mut self, expr: &Expr) -> Result<Typed, String> {
        let (node, value_type) = self.compile(expr)?;
        if value_type.is_condition() {
            return Ok((node, value_type));
        }
        Err(format!("{} as a condition", value_type.name()))
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Typed, String> {
        if let Some(operator) = operator(op) {
            let (left, right) = (self.operand(left)?, self.operand(right)?);
            return Arithmetic::node(operator, left, right);
        }
        if let Some((relation, not)) = relation(op) {
            let compared = self.comparison(relation, left, right)?;
            return Ok(negated_if(not, compared));
        }
        let mut both = |build: fn(Box<Node>, Box<Node>) -> Node| {
            let (left, _) = self.condition(left)?;
            let (right, _) = self.condition(right)?;
            Ok((build(Box::new(left), Box::new(right)), Type::Bool))
        };
        // Parsers do not agree on where XOR stands between AND and OR.
        let loose = |side: &Expr| {
            matches!(
                side,
                Expr::BinaryOp {
                    op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor,
                    ..
                }
            )
        };
        let is_xor = |side: &Expr| {
            matches!(
                side,
                Expr::BinaryOp {
                    op: BinaryOperator::Xor,
                    ..
                }
            )
        };
        match op {
            BinaryOperator::And if !is_xor(left) && !is_xor(right) => both(Node::And),
            BinaryOperator::Or if !is_xor(left) && !is_xor(right) => both(Node::Or),
            BinaryOperator::Xor if !loose(left) && !loose(right) => both(Node::Xor),
            _ => Err(format!("the operator {op}")),
        }
    }

    fn comparison(
        &mut self,
        relation: Relation,
        left: &Expr,
        right: &Expr,
    ) -> Result<Typed, String> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let comparison = Comparison::new(relation, left, right)?;
        Ok((Node::Comparison(Box::new(comparison)), Type::Bool))
    }

    fn is_null(&mut self, expr: &Expr) -> Result<Typed, String> {
        let (node, _) = self.operand(expr)?;
        Ok((Node::IsNull(Box::new(node)), Type::Bool))
    }

    fn is(&mut self, expr: &Expr, wanted: bool) -> Result<Typed, String> {
        let (node, value_type) = self.operand(expr)?;
        if !value_type.is_condition() {
            return Err(format!("{} as a condition", value_type.name()));
        }
        Ok((Node::Is(Box::new(node), wanted), Type::Bool))
    }

    fn any_of(&mut self, expr: &Expr, items: &[Expr]) -> Result<Typed, String> {
        let (value, value_type) = self.operand(expr)?;
        if arithmetic::has_division(&value) {
            return Err("a division before IN".to_owned());
        }
        let mut compared = Vec::with_capacity(items.len());
        for item in items {
            let (value, value_type) = (value.clone(), value_type.clone());
            let item = self.operand(item)?;
            compared.push(Comparison::new(Relation::Equal, (value, value_type), item)?);
        }
        Ok((Node::In(compared), Type::Bool))
    }

    fn between(&mut self, expr: &Expr, low: &Expr, high: &Expr) -> Result<Typed, String> {
        let (low, _) = self.comparison(Relation::LessOrEqual, low, expr)?;
        let (high, _) = self.comparison(Relation::GreaterOrEqual, high, expr)?;
        Ok((Node::And(Box::new(low), Box::new(high)), Type::Bool))
    }

    fn like(&mut self, expr: &Expr, pattern: &Expr) -> Result<Typed, String> {
        let (text, text_type) = self.operand(expr)?;
        let (true, Expr::Value(pattern)) = (text_type.is_text(), pattern) else {
            return Err(format!(
                "LIKE with {pattern}, or of something that is no text"
            ));
        };
        let Literal::SingleQuotedString(pattern) = &pattern.value else {
            return Err(format!("LIKE with {pattern}"));
        };
        let pattern = Pattern::new(pattern, text_type.collation())
            .ok_or_else(|| format!("the pattern {pattern:?}, which ends in a backslash"))?;
        Ok((Node::Like(Box::new(text), Box::new(pattern)), Type::Bool))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        arms: &[(&Expr, &Expr)],
        otherwise: Option<&Expr>,
    ) -> Result<Typed, String> {
        let mut branches = Vec::with_capacity(arms.len());
        let mut value_type = Type::Null;
        for (condition, result) in arms {
            let condition = match operand {
                Some(operand) => self.comparison(Relation::Equal, operand, condition)?.0,
                None => self.condition(condition)?.0,
            };
            let (result, result_type) = self.compile(result)?;
            value_type = unified(value_type, result_type)?;
            branches.push((condition, result));
        }
        let otherwise = match otherwise {
            Some(otherwise) => {
                let (otherwise, otherwise_type) = self.compile(otherwise)?;
                value_type = unified(value_type, otherwise_type)?;
                otherwise
            }
            None => Node::Literal(Value::Null),
        };
        Ok((Node::Case(branches, Box::new(otherwise)), value_type))
    }

    fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Expr>,
        expr: &Expr,
    ) -> Result<Typed, String> {
        let is_space = |what: &Expr| {
            matches!(what, Expr::Value(value)
                if value.value == Literal::SingleQuotedString(" ".to_owned()))
        };
        if !what.is_none_or(is_space) {
            return Err("TRIM of something else than spaces".to_owned());
        }
        let name = match side {
            None | Some(TrimWhereField::Both) => "trim",
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
        };
        self.call(name, &[expr])
    }

    fn call(&mut self, name: &str, arguments: &[&Expr]) -> Result<Typed, String> {
        match (name, arguments) {
            ("if", [condition, then, otherwise]) => {
                return self.case(None, &[(condition, then)], Some(otherwise));
            }
            ("ifnull", [_, _]) | ("coalesce", [_, ..]) => {
                let mut nodes = Vec::with_capacity(arguments.len());
                let mut value_type = Type::Null;
                for argument in arguments {
                    let (node, node_type) = self.compile(argument)?;
                    value_type = unified(value_type, node_type)?;
                    nodes.push(node);
                }
                return Ok((Node::Coalesce(nodes), value_type));
            }
            _ => {}
        }
        let function = Function::named(name).ok_or_else(|| format!("the function {name}"))?;
        let mut nodes = Vec::with_capacity(arguments.len());
        let mut types = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (node, node_type) = self.compile(argument)?;
            nodes.push(node);
            types.push(node_type);
        }
        let value_type = function.result(&types).ok_or_else(|| {
            let types: Vec<&str> = types.iter().map(Type::name).collect();
            format!("the function {name} of {}", types.join(", "))
        })?;
        Ok((
            Node::Function(function.for_types(&types), nodes),
            value_type,
        ))
    }
}

/// The type of what is one of two, where Dolt changes neither for the other's sake.
fn unified(left: Type, right: Type) -> Result<Type, String> {
    let (Type::Int { .. } | Type::Bool, Type::Int { .. } | Type::Bool) = (&left, &right) else {
        return match (left, right) {
            (Type::Null, other) | (other, Type::Null) => Ok(other),
            (left, right) if left == right => Ok(left),
            (left, right) if left.is_text() && right.is_text() => left
                .joined(&right)
                .ok_or_else(|| "one of texts in two collations".to_owned()),
            (left, right) => Err(format!("one of {} and {}", left.name(), right.name())),
        };
    };
    if left == right {
        return Ok(left);
    }
    if left.integer() != right.integer() {
        return Err("one of a signed and an unsigned integer".to_owned());
    }
    Ok(Type::Int {
        bits: 64,
        unsigned: left.integer() == Some(true),
    })
}

fn negated((node, _): Typed) -> Typed {
    (Node::Not(Box::new(node)), Type::Bool)
}

fn negated_if(not: bool, typed: Typed) -> Typed {
    if not { negated(typed) } else { typed }
}

fn operator(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Plus => Operator::Add,
        BinaryOperator::Minus => Operator::Subtract,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::MyIntegerDivide => Operator::DivideWhole,
        BinaryOperator::Modulo => Operator::Modulo,
        _ => return None,
    })
}

/// What a comparison asks, and whether the contrary is meant.
fn relation(op: &BinaryOperator) -> Option<(Relation, bool)> {
    Some(match op {
        BinaryOperator::Eq => (Relation::Equal, false),
        BinaryOperator::NotEq => (Relation::Equal, true),
        BinaryOperator::Spaceship => (Relation::NullSafeEqual, false),
        BinaryOperator::Lt => (Relation::Less, false),
        BinaryOperator::LtEq => (Relation::LessOrEqual, false),
        BinaryOperator::Gt => (Relation::Greater, false),
        BinaryOperator::GtEq => (Relation::GreaterOrEqual, false),
        _ => return None,
    })
}

fn literal(value: &Literal) -> Result<Typed, String> {
    Ok(match value {
        Literal::Null => (Node::Literal(Value::Null), Type::Null),
        Literal::Boolean(truth) => (Node::Literal(Value::of_truth(Some(*truth))), Type::Bool),
        Literal::SingleQuotedString(text) => {
            (Node::Literal(Value::Text(text.clone())), Type::Text(None))
        }
        Literal::Number(digits, false) => return number(digits),
        other => return Err(format!("the literal {other}")),
    })
}

/// A literal has the smallest type it fits in: 127 is signed, 128 is not, 256 is again.
fn number(digits: &str) -> Result<Typed, String> {
    if digits.contains(['e', 'E']) {
        let value: f64 = digits.parse().map_err(|_| format!("the number {digits}"))?;
        if !value.is_finite() {
            return Err(format!("the number {digits}"));
        }
        return Ok((
            Node::Literal(Value::Double(value)),
            Type::Double { single: false },
        ));
    }
    if digits.contains('.') {
        let value = Decimal::parse(digits).filter(|value| value.scale() <= 30 && digits.len() < 60);
        let value = value.ok_or_else(|| format!("the number {digits}"))?;
        let scale = value.scale() as u8;
        return Ok((
            Node::Literal(Value::Decimal(value)),
            Type::Decimal {
                precision: digits.trim_start_matches('-').len() as u8 - 1,
                scale,
            },
        ));
    }
    let value: i128 = digits.parse().map_err(|_| format!("the number {digits}"))?;
    if value > i128::from(u64::MAX) || value < i128::from(i64::MIN) + 1 {
        return Err(format!("the number {digits}, beyond BIGINT"));
    }
    let magnitude = if value < 0 { -(value + 1) } else { value };
    let bits = 128 - magnitude.leading_zeros();
    let (bits, unsigned) = match bits {
        0..=7 => (8, false),
        8 => (8, value >= 0),
        9..=15 => (16, false),
        16 => (16, value >= 0),
        17..=31 => (32, false),
        32 => (32, value >= 0),
        33..=63 => (64, false),
        _ => (64, true),
    };
    Ok((
        Node::Literal(Value::Int(value)),
        Type::Int { bits, unsigned },
    ))
}

/// The arguments of a plain call; `None` where there is more to it.
fn plain_arguments(function: &sqlparser::ast::Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = function.filter.is_none()
        && function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && matches!(function.parameters, FunctionArguments::None);
    if !plain {
        return None;
    }
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}
