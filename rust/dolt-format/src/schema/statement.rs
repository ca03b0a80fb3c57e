//! `Statement`: the text of one `CREATE TABLE`, cut into its definitions and options.

use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use crate::FormatError;

static DIALECT: MySqlDialect = MySqlDialect {};

/// Longest text of a statement. A table of 4096 columns with long comments stays below.
const TEXT_LEN_MAX: usize = 1 << 20;
/// Most tokens of a definition, list items aside: what a parser makes of them is that deep.
const TOKENS_MAX: usize = 1000;

/// Table options that dolt takes and does not keep, each with one value.
const IGNORED: [&str; 17] = [
    "avg_row_length",
    "checksum",
    "compression",
    "connection",
    "data",
    "delay_key_write",
    "encryption",
    "index",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "row_format",
    "stats_auto_recalc",
    "stats_persistent",
    "tablespace",
];

/// The text of one `CREATE TABLE`.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// The definitions between the parentheses, in order.
    pub(super) definitions: Vec<Definition>,
    /// What follows the parentheses.
    pub(super) options: Options,
}

/// What follows the closing parenthesis.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) auto_increment: Option<u64>,
    pub(super) character_set: Option<Placed<String>>,
    pub(super) collation: Option<Placed<String>>,
    pub(super) comment: String,
    pub(super) target_row_size: Option<Placed<u64>>,
}

/// A value and where it stands in the text.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) at: Place,
}

/// A place in the text: line and column, from 1, and the word that stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    line: u64,
    column: u64,
    text: String,
}

impl Place {
    fn of(token: &TokenWithSpan) -> Self {
        Self {
            line: token.span.start.line,
            column: token.span.start.column,
            text: token.token.to_string().chars().take(64).collect(),
        }
    }

    /// The error that what stands here is wrong.
    pub(super) fn wrong(&self, why: impl Into<String>) -> FormatError {
        FormatError::BadValue {
            line: self.line.max(1),
            column: self.column.max(1).to_string(),
            value: self.text.clone(),
            why: why.into(),
        }
    }

    /// The error that what stands here is right, but cannot be done here.
    pub(super) fn unsupported(&self, why: impl AsRef<str>) -> FormatError {
        let (line, column) = (self.line, self.column);
        FormatError::Unsupported(format!("line {line}, column {column}: {}", why.as_ref()))
    }
}

/// One definition: of a column, a key or a constraint.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    tokens: Vec<TokenWithSpan>,
    pub(super) at: Place,
}

impl Definition {
    /// The definition that stands in `text` alone.
    pub(super) fn parse(text: &str) -> Result<Self, FormatError> {
        let tokens = tokens_of(text)?;
        let at = tokens.first().map(Place::of).unwrap_or_default();
        Ok(Self { tokens, at })
    }

    /// The definition without its first word.
    pub(super) fn without_first(&self) -> Self {
        Self {
            tokens: self.tokens.iter().skip(1).cloned().collect(),
            at: self.at.clone(),
        }
    }

    /// The words, whatever the spaces between them and the case of those without quotes.
    pub(super) fn words(&self) -> Vec<String> {
        let normal = |token: &TokenWithSpan| match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_lowercase(),
            other => other.to_string(),
        };
        self.tokens.iter().map(normal).collect()
    }

    /// Whether the definition begins with these words, in any case and without quotes.
    pub(super) fn begins_with(&self, words: &[&str]) -> bool {
        let is = |token: &TokenWithSpan, wanted: &str| match &token.token {
            Token::Word(word) => {
                word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted)
            }
            _ => false,
        };
        words.len() <= self.tokens.len()
            && words
                .iter()
                .zip(&self.tokens)
                .all(|(wanted, token)| is(token, wanted))
    }

    /// The definition in other words.
    pub(super) fn reworded(&self, words: fn(&[TokenWithSpan]) -> Vec<TokenWithSpan>) -> Self {
        let tokens = if self.is_long() {
            self.tokens.clone()
        } else {
            words(&self.tokens)
        };
        Self {
            tokens,
            at: self.at.clone(),
        }
    }

    /// Whether it has more words than are parsed; the items of lists do not count.
    fn is_long(&self) -> bool {
        let is_item = |token: &&TokenWithSpan| {
            !matches!(token.token, Token::Comma | Token::SingleQuotedString(_))
        };
        self.tokens.iter().filter(is_item).count() > TOKENS_MAX
    }

    /// Whether `is` holds for its tokens.
    pub(super) fn has(&self, is: fn(&[TokenWithSpan]) -> bool) -> bool {
        is(&self.tokens)
    }

    /// Parses the definition, all of it, by `take`.
    pub(super) fn parsed<T>(
        &self,
        take: impl FnOnce(&mut Parser<'static>) -> Result<T, ParserError>,
    ) -> Result<T, FormatError> {
        if self.is_long() {
            let why = format!("a definition of more than {TOKENS_MAX} words");
            return Err(self.at.unsupported(why));
        }
        let mut parser = Parser::new(&DIALECT).with_tokens_with_locations(self.tokens.clone());
        let parsed = take(&mut parser).map_err(|error| self.mistake(&error))?;
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(parsed);
        }
        Err(Place::of(&next).wrong("it does not belong here"))
    }

    fn mistake(&self, error: &ParserError) -> FormatError {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return self.at.unsupported("the definition is nested too deeply");
            }
        };
        // The message ends in the place; at the end of the tokens it has none.
        let (why, place) = message.rsplit_once(" at Line: ").unwrap_or((message, ""));
        let mut numbers = place.split(", Column: ").map(str::parse);
        let at = match (numbers.next(), numbers.next()) {
            (Some(Ok(line)), Some(Ok(column))) if line > 0 => Place {
                line,
                column,
                text: why
                    .rsplit_once("found: ")
                    .map_or("", |(_, found)| found)
                    .to_owned(),
            },
            _ => self.tokens.last().map(Place::of).unwrap_or_default(),
        };
        at.wrong(why.to_lowercase())
    }
}

/// The tokens of a text, without spaces and comments.
fn tokens_of(text: &str) -> Result<Vec<TokenWithSpan>, FormatError> {
    let tokens = Tokenizer::new(&DIALECT, text).tokenize_with_location();
    let mut tokens = tokens.map_err(|error| {
        let at = Place {
            line: error.location.line,
            column: error.location.column,
            text: String::new(),
        };
        at.wrong(error.message.to_lowercase())
    })?;
    // Comments are spaces, but for MySQL's `/*!80016 … */`, which was cut into tokens already.
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    // To MySQL these are strings as well, and to the parser not everywhere.
    for token in &mut tokens {
        if let Token::DoubleQuotedString(text) = &mut token.token {
            token.token = Token::SingleQuotedString(std::mem::take(text));
        }
    }
    Ok(tokens)
}

impl Statement {
    /// The statement that creates `table`.
    pub(super) fn parse(text: &[u8], table: &str) -> Result<Self, FormatError> {
        let first = |why: String| FormatError::BadRecord { line: 1, why };
        if text.len() > TEXT_LEN_MAX {
            return Err(first(format!(
                "{} bytes, at most {TEXT_LEN_MAX} are taken",
                text.len()
            )));
        }
        let text = std::str::from_utf8(text).map_err(|error| {
            first(format!(
                "it is not UTF-8 (byte {})",
                error.valid_up_to() + 1
            ))
        })?;
        let tokens = tokens_of(text)?;
        let mut cursor = Cursor {
            tokens: &tokens,
            next: 0,
        };
        cursor.expect_word("create")?;
        if let Some(kind) = ["temporary", "or", "view"]
            .iter()
            .find(|kind| cursor.take_word(kind))
        {
            let why = format!("CREATE {} is no table of a branch", kind.to_uppercase());
            return Err(cursor.before().unsupported(why));
        }
        cursor.expect_word("table")?;
        if cursor.take_word("if") {
            cursor.expect_word("not")?;
            cursor.expect_word("exists")?;
        }
        let name = cursor.name()?;
        if name.value != table {
            let why = format!("the text is that of table {table:?}");
            return Err(name.at.wrong(why));
        }
        let definitions = cursor.definitions()?;
        let options = cursor.options()?;
        Ok(Self {
            definitions,
            options,
        })
    }
}

/// Walks the tokens of a statement.
struct Cursor<'a> {
    tokens: &'a [TokenWithSpan],
    next: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next).map(|token| &token.token)
    }

    fn here(&self) -> Place {
        let token = self.tokens.get(self.next).or(self.tokens.last());
        token.map(Place::of).unwrap_or_default()
    }

    fn before(&self) -> Place {
        let token = self.tokens.get(self.next.saturating_sub(1));
        token.map(Place::of).unwrap_or_default()
    }

    fn wrong(&self, wanted: &str) -> FormatError {
        let found = match self.peek() {
            Some(_) => "",
            None => ", and the text ends",
        };
        self.here().wrong(format!("{wanted} is expected{found}"))
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word))
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted));
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, wanted: &str) -> Result<(), FormatError> {
        if self.take_word(wanted) {
            return Ok(());
        }
        Err(self.wrong(&wanted.to_uppercase()))
    }

    fn name(&mut self) -> Result<Placed<String>, FormatError> {
        let at = self.here();
        let Some(Token::Word(Word { value, .. })) = self.peek() else {
            return Err(self.wrong("the table's name"));
        };
        self.next += 1;
        if self.peek() == Some(&Token::Period) {
            return Err(at.wrong("the name must stand alone, without a database's"));
        }
        Ok(Placed {
            value: value.clone(),
            at,
        })
    }

    /// The definitions between parentheses.
    fn definitions(&mut self) -> Result<Vec<Definition>, FormatError> {
        if !self.take(&Token::LParen) {
            return Err(self.wrong("("));
        }
        let mut definitions = Vec::new();
        let (mut depth, mut start) = (0usize, self.next);
        loop {
            let Some(token) = self.peek() else {
                return Err(self.wrong(")"));
            };
            let ends = depth == 0 && matches!(token, Token::Comma | Token::RParen);
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            if ends {
                if start == self.next {
                    return Err(self.here().wrong("a definition is expected"));
                }
                let tokens = self
                    .tokens
                    .get(start..self.next)
                    .unwrap_or_default()
                    .to_vec();
                let at = tokens.first().map(Place::of).unwrap_or_default();
                definitions.push(Definition { tokens, at });
                start = self.next + 1;
            }
            self.next += 1;
            if ends && *token == Token::RParen {
                return Ok(definitions);
            }
        }
    }

    /// The options, to the end of the text.
    fn options(&mut self) -> Result<Options, FormatError> {
        let mut options = Options::default();
        while self.peek().is_some() {
            if self.take(&Token::SemiColon) {
                while self.take(&Token::SemiColon) {}
                if self.peek().is_some() {
                    return Err(self.here().wrong("the text must be one statement"));
                }
                break;
            }
            self.option(&mut options)?;
            self.take(&Token::Comma);
        }
        Ok(options)
    }

    fn option(&mut self, options: &mut Options) -> Result<(), FormatError> {
        let at = self.here();
        if self.take_word("default")
            && !matches!(self.peek(), Some(Token::Word(word))
                if ["charset", "character", "collate"].contains(&word.value.to_lowercase().as_str()))
        {
            return Err(self.wrong("CHARSET or COLLATE"));
        }
        if self.take_word("engine") {
            self.text("the engine's name")?;
        } else if self.take_word("auto_increment") {
            options.auto_increment = Some(self.number()?.value);
        } else if self.take_word("charset") {
            options.character_set = Some(self.text("a character set")?);
        } else if self.take_word("character") {
            self.expect_word("set")?;
            options.character_set = Some(self.text("a character set")?);
        } else if self.take_word("collate") {
            options.collation = Some(self.text("a collation")?);
        } else if self.take_word("comment") {
            options.comment = self.text("the comment")?.value;
        } else if self.take_word("target_row_size") {
            options.target_row_size = Some(self.number()?);
        } else if IGNORED.iter().any(|option| self.take_word(option)) {
            // Some are of two words.
            let _ = self.take_word("directory");
            self.take(&Token::Eq);
            self.next += 1;
        } else if matches!(self.peek(), Some(Token::Word(_))) {
            return Err(at.unsupported(format!("the table option {}", at.text)));
        } else {
            return Err(self.wrong("a table option"));
        }
        Ok(())
    }

    fn text(&mut self, what: &str) -> Result<Placed<String>, FormatError> {
        self.take(&Token::Eq);
        let at = self.here();
        let value = match self.peek() {
            Some(Token::Word(word)) => word.value.clone(),
            Some(Token::SingleQuotedString(text)) => text.clone(),
            _ => return Err(self.wrong(what)),
        };
        self.next += 1;
        Ok(Placed { value, at })
    }

    fn number(&mut self) -> Result<Placed<u64>, FormatError> {
        self.take(&Token::Eq);
        let at = self.here();
        let value = match self.peek() {
            Some(Token::Number(digits, _)) => digits.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.wrong("a whole number"))?;
        self.next += 1;
        Ok(Placed { value, at })
    }
}
