//! `Part`: what one definition of a `CREATE TABLE` says.

use sqlparser::ast::{
    CheckConstraint, ColumnDef, ColumnOption, ColumnOptionDef, Expr, Ident, IndexColumn,
    IndexOption, ObjectName, OrderBySort, TableConstraint, Value,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::collation;
use super::column_type::ColumnType;
use super::data_type::{Named, column_type};
use super::foreign::ForeignPart;
use super::statement::{Definition, Place};
use super::synonym;
use crate::FormatError;

/// What one definition says.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Column(Box<ColumnPart>),
    PrimaryKey(KeyPart),
    Index(KeyPart),
    Check(Box<CheckPart>),
    ForeignKey(Box<ForeignPart>),
}

/// A column, as its definition has it.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct ColumnPart {
    pub(super) name: String,
    pub(super) column_type: ColumnType,
    pub(super) nullable: bool,
    pub(super) auto_increment: bool,
    pub(super) default: Option<Expr>,
    /// The generating expression, and whether its value is stored.
    pub(super) generated: Option<(Expr, bool)>,
    pub(super) on_update: Option<Expr>,
    pub(super) comment: String,
    pub(super) primary: bool,
    pub(super) unique: bool,
    pub(super) checks: Vec<CheckPart>,
    pub(super) references: Option<ForeignPart>,
    pub(super) at: Place,
}

/// A key, as its definition has it.
#[derive(Debug, Clone)]
pub(super) struct KeyPart {
    pub(super) name: Option<String>,
    /// The names of its columns, and the length of the prefix that is indexed, 0 for all.
    pub(super) columns: Vec<(String, u16)>,
    pub(super) unique: bool,
    pub(super) spatial: bool,
    pub(super) comment: String,
    pub(super) at: Place,
}

/// A CHECK constraint, as its definition has it.
#[derive(Debug, Clone)]
pub(super) struct CheckPart {
    pub(super) name: Option<String>,
    pub(super) expression: Expr,
    pub(super) enforced: bool,
    pub(super) at: Place,
}

/// The first words of definitions that are no columns.
const CONSTRAINTS: [&[&str]; 7] = [
    &["primary", "key"],
    &["unique"],
    &["key"],
    &["index"],
    &["constraint"],
    &["foreign", "key"],
    &["check"],
];
/// Keys that pyfs cannot keep in step with their rows.
const SPECIAL: [(&[&str], &str); 3] = [
    (&["fulltext"], "a full-text index"),
    (&["vector", "key"], "a vector index"),
    (&["vector", "index"], "a vector index"),
];

impl Part {
    /// What `definition` says in a table of collation `table`.
    pub(super) fn parse(definition: &Definition, table: u16) -> Result<Self, FormatError> {
        let at = &definition.at;
        for (words, what) in SPECIAL {
            if definition.begins_with(words) {
                return Err(at.unsupported(format!("{what}: make it with dolt")));
            }
        }
        if [["spatial", "key"], ["spatial", "index"]]
            .iter()
            .any(|words| definition.begins_with(words))
        {
            return match Self::parse(&definition.without_first(), table)? {
                Self::Index(part) => Ok(Self::Index(KeyPart {
                    spatial: true,
                    ..part
                })),
                _ => Err(at.wrong("it is no key")),
            };
        }
        let is_constraint = |words: &&[&str]| definition.begins_with(words);
        if !CONSTRAINTS.iter().any(is_constraint) {
            if definition.has(synonym::is_bare_key) {
                return Err(at.unsupported("KEY of a column, which dolt drops: say PRIMARY KEY"));
            }
            let definition = definition.reworded(synonym::column);
            let parsed = definition.parsed(Parser::parse_column_def)?;
            return ColumnPart::new(parsed, table, at).map(|part| Self::Column(Box::new(part)));
        }
        let definition = definition.reworded(synonym::constraint);
        let parsed = definition.parsed(Parser::parse_optional_table_constraint)?;
        match parsed {
            Some(TableConstraint::PrimaryKey(key)) => {
                let part = key_part(None, &key.columns, &key.index_options, at)?;
                Ok(Self::PrimaryKey(part))
            }
            Some(TableConstraint::Unique(key)) => {
                let name = key.name.as_ref().or(key.index_name.as_ref());
                let mut part = key_part(name, &key.columns, &key.index_options, at)?;
                part.unique = true;
                Ok(Self::Index(part))
            }
            Some(TableConstraint::Index(key)) => {
                key_part(key.name.as_ref(), &key.columns, &key.index_options, at).map(Self::Index)
            }
            Some(TableConstraint::Check(check)) => {
                Ok(Self::Check(Box::new(check_part(check, None, at))))
            }
            Some(TableConstraint::ForeignKey(key)) => {
                Ok(Self::ForeignKey(Box::new(ForeignPart::new(key, at)?)))
            }
            _ => Err(at.wrong("it is neither a column nor a key nor a constraint")),
        }
    }
}

fn key_part(
    name: Option<&Ident>,
    columns: &[IndexColumn],
    options: &[IndexOption],
    at: &Place,
) -> Result<KeyPart, FormatError> {
    let mut comment = String::new();
    for option in options {
        match option {
            IndexOption::Comment(text) if text.contains(['\'', '\\']) => {
                // Dolt prints it as it is, and nobody can read that back.
                return Err(at.unsupported("a key's comment with a quote or a backslash"));
            }
            IndexOption::Comment(text) => comment.clone_from(text),
            IndexOption::Using(_) => {}
        }
    }
    Ok(KeyPart {
        name: name.map(|name| name.value.clone()),
        columns: columns
            .iter()
            .map(|column| key_column(column, at))
            .collect::<Result<_, _>>()?,
        unique: false,
        spatial: false,
        comment,
        at: at.clone(),
    })
}

/// A name, or a name and a length, which looks like a function's call.
fn key_column(column: &IndexColumn, at: &Place) -> Result<(String, u16), FormatError> {
    // Dolt takes DESC and keeps every key in ascending order.
    if !matches!(
        column.column.options.sort,
        None | Some(OrderBySort::Asc | OrderBySort::Desc)
    ) {
        return Err(at.unsupported("a key in another order"));
    }
    match &column.column.expr {
        Expr::Identifier(name) => Ok((name.value.clone(), 0)),
        Expr::Function(call) => {
            let arguments = super::expression_text::plain_arguments(call).unwrap_or_default();
            let length = match (call.name.0.as_slice(), arguments.as_slice()) {
                ([part], [Expr::Value(value)]) => match &value.value {
                    Value::Number(digits, _) => part.as_ident().zip(digits.parse().ok()),
                    _ => None,
                },
                _ => None,
            };
            match length {
                Some((_, 0)) => Err(at.wrong("the length of a key's part must be above 0")),
                Some((name, length)) => Ok((name.value.clone(), length)),
                None => Err(at.unsupported("a functional index: make it with dolt")),
            }
        }
        _ => Err(at.unsupported("a functional index: make it with dolt")),
    }
}

fn check_part(check: CheckConstraint, name: Option<Ident>, at: &Place) -> CheckPart {
    CheckPart {
        name: check.name.or(name).map(|name| name.value),
        expression: *check.expr,
        enforced: check.enforced.unwrap_or(true),
        at: at.clone(),
    }
}

impl ColumnPart {
    fn new(parsed: ColumnDef, table: u16, at: &Place) -> Result<Self, FormatError> {
        let named = column_type(&parsed.data_type, at)?;
        let mut part = Self {
            name: parsed.name.value,
            column_type: ColumnType::default(),
            nullable: true,
            auto_increment: false,
            default: None,
            generated: None,
            on_update: None,
            comment: String::new(),
            primary: false,
            unique: false,
            checks: Vec::new(),
            references: None,
            at: at.clone(),
        };
        let mut texts = TypeWords::default();
        let mut null = false;
        if named.is_serial {
            (part.nullable, part.auto_increment, part.unique) = (false, true, true);
        }
        for option in parsed.options {
            // Of the two, dolt takes the last one.
            if let ColumnOption::Null = option.option {
                (null, part.nullable) = (true, true);
            }
            part.take(option, &mut texts)?;
        }
        if null && part.nullable && part.primary {
            return Err(at.wrong("a column of the primary key is NOT NULL"));
        }
        if part.checks.len() > 1 {
            return Err(at.wrong("a column has one CHECK; others stand behind the columns"));
        }
        if part.default.is_some() && part.generated.is_some() {
            return Err(at.wrong("a generated column has no default"));
        }
        part.column_type = texts.apply(named, table, at)?;
        part.nullable &= !part.primary && !part.auto_increment;
        Ok(part)
    }

    fn take(&mut self, option: ColumnOptionDef, texts: &mut TypeWords) -> Result<(), FormatError> {
        match option.option {
            // INVISIBLE is taken and not kept by dolt, too.
            ColumnOption::Null | ColumnOption::Invisible => {}
            ColumnOption::NotNull => self.nullable = false,
            ColumnOption::Default(value) => self.default = Some(value),
            ColumnOption::OnUpdate(value) => self.on_update = Some(value),
            ColumnOption::Comment(text) => self.comment = text,
            ColumnOption::PrimaryKey(_) => self.primary = true,
            ColumnOption::Unique(_) => self.unique = true,
            ColumnOption::CharacterSet(name) => texts.character_set = Some(name),
            ColumnOption::Collation(name) => texts.collation = Some(name),
            ColumnOption::Srid(value) => texts.srid = Some(*value),
            ColumnOption::DialectSpecific(tokens)
                if matches!(tokens.as_slice(), [Token::Word(word)]
                    if word.value.eq_ignore_ascii_case("auto_increment")) =>
            {
                self.auto_increment = true;
            }
            ColumnOption::Generated {
                generation_expr: Some(expression),
                generation_expr_mode,
                ..
            } => {
                use sqlparser::ast::GeneratedExpressionMode::Stored;
                self.generated = Some((expression, generation_expr_mode == Some(Stored)));
            }
            ColumnOption::Check(check) => {
                self.checks.push(check_part(check, option.name, &self.at));
            }
            ColumnOption::ForeignKey(_) if option.name.is_some() => {
                let why = "REFERENCES of a column has no name; CONSTRAINT … FOREIGN KEY has one";
                return Err(self.at.wrong(why));
            }
            ColumnOption::ForeignKey(key) => {
                let part = ForeignPart::of_column(&self.name, key, &self.at)?;
                if self.references.replace(part).is_some() {
                    return Err(self.at.wrong("the column references two tables"));
                }
            }
            other => return Err(self.at.unsupported(format!("the column option {other}"))),
        }
        Ok(())
    }
}

/// What is said beside a type.
#[derive(Default)]
struct TypeWords {
    character_set: Option<ObjectName>,
    collation: Option<ObjectName>,
    srid: Option<Expr>,
}

impl TypeWords {
    fn apply(self, named: Named, table: u16, at: &Place) -> Result<ColumnType, FormatError> {
        let mut column_type = ColumnType {
            base: named.base,
            collation: None,
            srid: None,
        };
        let name = |name: &ObjectName| name.to_string().trim_matches(['\'', '"', '`']).to_owned();
        if named.is_text {
            let said = collation_of(
                self.character_set.as_ref().map(name).as_deref(),
                self.collation.as_ref().map(name).as_deref(),
                at,
            )?;
            column_type.collation = Some(said.unwrap_or(table));
        } else if self.character_set.is_some() {
            return Err(at.wrong(format!("{} has no character set", column_type.base)));
        }
        if column_type.collation.and_then(collation::name) == Some("binary") {
            return Err(at.unsupported("text of character set binary: say BINARY or BLOB"));
        }
        if let Some(srid) = self.srid {
            let number = match &srid {
                Expr::Value(value) => value.value.to_string().parse().ok(),
                _ => None,
            };
            column_type.srid = number.filter(|number| matches!(number, 0 | 3857 | 4326));
            if column_type.srid.is_none() || !named.is_spatial {
                return Err(at.wrong("SRID is 0, 3857 or 4326, and of spatial columns"));
            }
        }
        Ok(column_type)
    }
}

/// The collation that a character set and a collation name together.
pub(super) fn collation_of(
    character_set: Option<&str>,
    named: Option<&str>,
    at: &Place,
) -> Result<Option<u16>, FormatError> {
    let unknown = |what: &str, name: &str| at.unsupported(format!("the {what} {name}"));
    let of_set = character_set
        .map(|set| collation::of_character_set(set).ok_or_else(|| unknown("character set", set)))
        .transpose()?;
    let Some(named) = named else {
        return Ok(of_set);
    };
    let number = collation::number(named).ok_or_else(|| unknown("collation", named))?;
    let set = |number| collation::name(number).map(collation::character_set);
    if of_set.is_some_and(|of_set| set(of_set) != set(number)) {
        let why = format!(
            "{named} is no collation of {}",
            character_set.unwrap_or_default()
        );
        return Err(at.wrong(why));
    }
    Ok(Some(number))
}
