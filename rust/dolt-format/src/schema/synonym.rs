//! Other words for the same: what dolt takes in a definition, in the words of the parser.

use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Word};

/// Types that have a name of their own in few databases, and what they are.
const TYPES: [(&str, &str); 9] = [
    ("int1", "tinyint"),
    ("int2", "smallint"),
    ("int3", "mediumint"),
    ("int4", "int"),
    ("middleint", "mediumint"),
    ("float4", "float"),
    ("float8", "double"),
    ("fixed", "decimal"),
    ("nvarchar", "varchar"),
];
/// Types of text, and those of bytes that they are in the character set `binary`.
const BYTES: [(&str, &str); 6] = [
    ("char", "binary"),
    ("varchar", "varbinary"),
    ("tinytext", "tinyblob"),
    ("text", "blob"),
    ("mediumtext", "mediumblob"),
    ("longtext", "longblob"),
];
/// The longest `TEXT(n)` of each size, in bytes.
const TEXTS: [(u64, &str); 3] = [
    (255, "tinytext"),
    (65_535, "text"),
    (16_777_215, "mediumtext"),
];

/// The words of a definition, to be rewritten.
struct Words(Vec<TokenWithSpan>);

/// The tokens of a column's definition, its name first.
pub(super) fn column(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut words = Words(without_empty_names(tokens));
    words.rename_type();
    words.name_character_set();
    words.0
}

/// The tokens of a key's or a constraint's definition.
pub(super) fn constraint(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut words = Words(without_empty_names(tokens));
    // What dolt takes and does not keep.
    while let Some(at) = words.find(&["visible"]).or(words.find(&["invisible"])) {
        words.0.remove(at);
    }
    while let Some(at) = words.find(&["key_block_size"]) {
        let equals = matches!(words.0.get(at + 1), Some(token) if token.token == Token::Eq);
        let end = (at + 2 + usize::from(equals)).min(words.0.len());
        words.0.drain(at..end);
    }
    words.0
}

/// `CONSTRAINT CHECK (…)` is a check without a name.
fn without_empty_names(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut words = Words(tokens.to_vec());
    while let Some(at) = words.find(&["constraint", "check"]) {
        words.0.remove(at);
    }
    words.0
}

impl Words {
    /// The word that stands there without quotes, in lower case; empty for anything else.
    fn word(&self, at: usize) -> String {
        match self.0.get(at).map(|token| &token.token) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        }
    }

    fn is(&self, at: usize, wanted: &Token) -> bool {
        self.0.get(at).is_some_and(|token| token.token == *wanted)
    }

    /// Where these words stand outside of parentheses.
    fn find(&self, wanted: &[&str]) -> Option<usize> {
        let mut depth = 0usize;
        (0..self.0.len()).find(|at| {
            if self.is(*at, &Token::LParen) {
                depth += 1;
            } else if self.is(*at, &Token::RParen) {
                depth = depth.saturating_sub(1);
            }
            let mut words = (*at..).zip(wanted);
            depth == 0 && words.all(|(at, wanted)| self.word(at) == *wanted)
        })
    }

    /// Puts words in the place of `count` tokens.
    fn replace(&mut self, at: usize, count: usize, words: &[&str]) {
        let place = self.0.get(at.min(self.0.len().saturating_sub(1)));
        let span = place.map_or(
            Span::new(Location::new(1, 1), Location::new(1, 1)),
            |token| token.span,
        );
        let tokens = words.iter().map(|word| TokenWithSpan {
            token: Token::make_word(word, None),
            span,
        });
        let end = (at + count).min(self.0.len());
        self.0.splice(at.min(end)..end, tokens.collect::<Vec<_>>());
    }

    /// Gives the type the name that the parser knows.
    fn rename_type(&mut self) {
        let (first, second) = (self.word(1), self.word(2));
        let national = match (first.as_str(), second.as_str()) {
            ("national", "char" | "character" | "varchar") | ("nchar", "varchar") => {
                self.0.remove(1);
                true
            }
            ("nchar", _) => {
                self.replace(1, 1, &["char"]);
                true
            }
            ("nvarchar", _) => true,
            _ => false,
        };
        match (first.as_str(), second.as_str()) {
            ("long", "varbinary") => self.replace(1, 2, &["mediumblob"]),
            ("long", "varchar") => self.replace(1, 2, &["mediumtext"]),
            ("long", _) => self.replace(1, 1, &["mediumtext"]),
            ("real", _) => self.replace(1, 1, &["double"]),
            ("double", "precision") => self.replace(1, 2, &["double"]),
            ("text", _) if self.is(2, &Token::LParen) && self.is(4, &Token::RParen) => {
                self.size_text();
            }
            (name, _) => {
                if let Some((_, known)) = TYPES.iter().find(|(other, _)| *other == name) {
                    self.replace(1, 1, &[known]);
                }
            }
        }
        if national {
            let end = self.type_end();
            self.replace(end, 0, &["character", "set", "utf8"]);
        }
    }

    /// The place behind the type's name and arguments.
    fn type_end(&self) -> usize {
        let open = (1..self.0.len().min(4)).find(|at| self.is(*at, &Token::LParen));
        let close =
            open.and_then(|open| (open..self.0.len()).find(|at| self.is(*at, &Token::RParen)));
        close.unwrap_or(1) + 1
    }

    /// `TEXT(n)` is the smallest text that has so many bytes.
    fn size_text(&mut self) {
        let Some(Token::Number(digits, _)) = self.0.get(3).map(|token| &token.token) else {
            return;
        };
        let Ok(len) = digits.parse::<u64>() else {
            return;
        };
        let fits = TEXTS.iter().find(|(most, _)| len <= *most);
        self.replace(1, 4, &[fits.map_or("longtext", |(_, name)| name)]);
    }

    /// Says the character set as the parser has it, and what `BINARY` means behind a text's type.
    fn name_character_set(&mut self) {
        while let Some(at) = self.find(&["charset"]) {
            self.replace(at, 1, &["character", "set"]);
        }
        let named = self.find(&["character", "set"]);
        let set = named.map(|at| self.word(at + 2)).unwrap_or_default();
        let first = self.word(1);
        if let (Some(at), "binary") = (named, set.as_str())
            && let Some((_, bytes)) = BYTES.iter().find(|(text, _)| *text == first)
        {
            self.0.drain(at..at + 3);
            self.replace(1, 1, &[bytes]);
            return;
        }
        let is_text = BYTES.iter().any(|(text, _)| *text == first) || first == "enum";
        let flag = self.find(&["binary"]).filter(|at| *at > 1 && is_text);
        if let Some(flag) = flag {
            self.0.remove(flag);
            // Without a character set, dolt makes nothing of it.
            if let Some(at) = self.find(&["character", "set"]) {
                self.replace(at + 3, 0, &["collate", &format!("{set}_bin")]);
            }
        }
    }
}

/// Whether a column's definition says KEY where it means PRIMARY KEY.
pub(super) fn is_bare_key(tokens: &[TokenWithSpan]) -> bool {
    let words = Words(tokens.to_vec());
    let is_word = |token: &TokenWithSpan| {
        matches!(&token.token, Token::Word(Word { value, quote_style: None, .. })
            if value.eq_ignore_ascii_case("key"))
    };
    let found = words.0.iter().enumerate().skip(2);
    found.filter(|(_, token)| is_word(token)).any(|(at, _)| {
        let before = words.word(at - 1);
        words.find(&["key"]) == Some(at) && before != "primary" && before != "unique"
    })
}
