//! `ColumnType`: a column's type as it is stored, and as `SHOW CREATE TABLE` prints it.

use super::collation;
use crate::FormatError;
use crate::value::sql_type::split_arguments;

/// A column's type: what it is called, and what is said beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnType {
    /// Its name and arguments, such as `decimal(10,2)`, `int unsigned` or `enum('a','it''s')`.
    pub base: String,
    /// The number of its collation, where it is a type of text.
    pub collation: Option<u16>,
    /// The spatial reference system, where one was named.
    pub srid: Option<u32>,
}

impl ColumnType {
    /// The type that a stored text names.
    pub fn stored(text: &str) -> Result<Self, FormatError> {
        let unknown = || FormatError::Unsupported(format!("a column of type {text:?}"));
        let is_name = |c: char| c.is_ascii_alphanumeric();
        let name_len = text.find(|c| !is_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_len);
        let (arguments, suffix) = split_arguments(rest).ok_or_else(unknown)?;
        let lower = name.to_ascii_lowercase();
        let is_text = matches!(
            lower.as_str(),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        );
        let mut parsed = Self {
            base: name.to_owned(),
            collation: is_text.then_some(collation::DEFAULT),
            srid: None,
        };
        if matches!(lower.as_str(), "enum" | "set") {
            parsed.base.push_str(&quoted_members(&arguments));
        } else if suffix.len() < rest.len() {
            // Dolt says the precision of these in its schemas always, and prints none of 0.
            if !(matches!(lower.as_str(), "datetime" | "timestamp") && arguments == ["0"]) {
                parsed.base.push_str(&rest[..rest.len() - suffix.len()]);
            }
        }
        let words: Vec<&str> = suffix.split_whitespace().collect();
        let mut words = words.as_slice();
        while let Some((word, rest)) = words.split_first() {
            words = match (word.to_ascii_lowercase().as_str(), rest) {
                ("unsigned", rest) => {
                    parsed.base.push_str(" unsigned");
                    rest
                }
                // The collation that follows names its character set, too.
                ("character", [_, _, rest @ ..]) => rest,
                ("collate", [name, rest @ ..]) if is_text => {
                    parsed.collation = Some(collation::number(name).ok_or_else(unknown)?);
                    rest
                }
                ("srid", [number, rest @ ..]) => {
                    parsed.srid = Some(number.parse().map_err(|_| unknown())?);
                    rest
                }
                _ => return Err(unknown()),
            };
        }
        Ok(parsed)
    }

    /// The text that is stored. Collations are told apart from dolt's default, whatever the
    /// table's is.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let mut text = self.base.clone();
        if matches!(text.as_str(), "datetime" | "timestamp") {
            text.push_str("(0)");
        }
        text.push_str(&self.collated(collation::DEFAULT));
        match self.srid {
            Some(srid) => format!("{text} SRID {srid}"),
            None => text,
        }
    }

    /// The text that is printed in a table of collation `table`, without the SRID, which stands
    /// elsewhere.
    #[must_use]
    pub fn shown(&self, table: u16) -> String {
        self.base.clone() + &self.collated(table)
    }

    fn collated(&self, around: u16) -> String {
        let Some(number) = self.collation.filter(|number| *number != around) else {
            return String::new();
        };
        let name = collation::name(number).unwrap_or_default();
        let set = collation::character_set(name);
        let around = collation::name(around).unwrap_or_default();
        if set == collation::character_set(around) {
            format!(" COLLATE {name}")
        } else {
            format!(" CHARACTER SET {set} COLLATE {name}")
        }
    }
}

/// `('a','it''s')`.
pub(super) fn quoted_members(members: &[String]) -> String {
    let quoted: Vec<String> = members
        .iter()
        .map(|member| format!("'{}'", member.replace('\'', "''")))
        .collect();
    format!("({})", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_types_are_read_and_written() {
        for (stored, shown) in [
            ("int unsigned", "int unsigned"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("datetime(0)", "datetime"),
            ("timestamp(3)", "timestamp(3)"),
            ("time(6)", "time(6)"),
            ("enum('a','it''s, (so)')", "enum('a','it''s, (so)')"),
            (
                "varchar(5) COLLATE utf8mb4_0900_ai_ci",
                "varchar(5) COLLATE utf8mb4_0900_ai_ci",
            ),
            (
                "set('a') CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                "set('a') CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            ),
            ("point SRID 4326", "point"),
            ("VECTOR(3)", "VECTOR(3)"),
        ] {
            let parsed = ColumnType::stored(stored).expect(stored);
            assert_eq!(parsed.to_stored(), stored);
            assert_eq!(parsed.shown(collation::DEFAULT), shown);
        }
        let general = collation::number("utf8mb4_general_ci").expect("a collation");
        let shown = |text| ColumnType::stored(text).map(|parsed| parsed.shown(general));
        assert_eq!(shown("text"), Ok("text COLLATE utf8mb4_0900_bin".into()));
        assert_eq!(shown("text COLLATE utf8mb4_general_ci"), Ok("text".into()));
        assert!(ColumnType::stored("int wonder").is_err());
        assert!(ColumnType::stored("text COLLATE none_such").is_err());
        assert!(ColumnType::stored("enum('a").is_err());
    }
}
