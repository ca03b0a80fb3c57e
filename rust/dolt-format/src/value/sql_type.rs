//! `SqlType`: what a column's stored type text says.

use super::geometry::Shapes;
use super::members::Members;
use crate::FormatError;

/// A column's type, as far as reading and writing its values depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlType {
    /// `tinyint` … `bigint`: bits and sign.
    Int {
        /// 8, 16, 24, 32 or 64.
        bits: u8,
        /// Whether it is `unsigned`.
        unsigned: bool,
    },
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `decimal(p,s)`.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// `bit(n)`.
    Bit(u8),
    /// `char(n)` and `varchar(n)`, in characters.
    Char {
        /// Most characters.
        len: u32,
        /// The collation's name; empty for the default.
        collation: String,
    },
    /// `tinytext` … `longtext`, in bytes.
    Text {
        /// Most bytes.
        len: u64,
        /// The collation's name; empty for the default.
        collation: String,
    },
    /// `binary(n)`: always n bytes.
    Binary(u32),
    /// `varbinary(n)`.
    VarBinary(u32),
    /// `tinyblob` … `longblob`, in bytes.
    Blob(u64),
    /// `date`.
    Date,
    /// `datetime(p)` and `timestamp(p)`: digits of the second's fraction.
    Datetime {
        /// 0 to 6.
        precision: u8,
        /// Whether it is a `timestamp`.
        timestamp: bool,
    },
    /// `time(6)`.
    Time,
    /// `year`.
    Year,
    /// `enum('a','b')`.
    Enum(Members),
    /// `set('a','b')`.
    Set(Members),
    /// `json`.
    Json,
    /// `geometry`, `point` and the other spatial types.
    Geometry(Shapes),
    /// `vector(n)`.
    Vector(u32),
}

const COLLATION_DEFAULT: &str = "utf8mb4_0900_bin";
/// A stored member of an ENUM is a number of 16 bits.
const ENUM_MEMBERS_MAX: usize = 65_535;
/// Each member of a SET has a bit of 64.
const SET_MEMBERS_MAX: usize = 64;

impl SqlType {
    /// The type that `text` names.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let unknown = || FormatError::Unsupported(format!("a column of type {text:?}"));
        let lower = text.trim().to_ascii_lowercase();
        let name_len = lower
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(lower.len());
        let name = &lower[..name_len];
        let rest = text.trim()[name_len..].trim_start();
        let (arguments, suffix) = split_arguments(rest).ok_or_else(unknown)?;
        let number = |at: usize, default: u32| -> Result<u32, FormatError> {
            arguments.get(at).map_or(Ok(default), |text| {
                text.trim().parse().map_err(|_| unknown())
            })
        };
        let small = |at: usize, default: u32| -> Result<u8, FormatError> {
            u8::try_from(number(at, default)?).map_err(|_| unknown())
        };
        let suffix = suffix.to_ascii_lowercase();
        let unsigned = suffix.split_whitespace().any(|word| word == "unsigned");
        let int = |bits: u8| Self::Int { bits, unsigned };
        let collation = || {
            let mut words = suffix
                .split_whitespace()
                .skip_while(|word| *word != "collate");
            let name = words.nth(1).unwrap_or_default();
            if name == COLLATION_DEFAULT {
                String::new()
            } else {
                name.to_owned()
            }
        };
        let text_of = |len: u64| Self::Text {
            len,
            collation: collation(),
        };
        let members = |names: Vec<String>| Members {
            names,
            collation: collation(),
        };
        Ok(match name {
            "tinyint" => int(8),
            "smallint" => int(16),
            "mediumint" => int(24),
            "int" | "integer" => int(32),
            "bigint" => int(64),
            "float" => Self::Float,
            "double" | "real" => Self::Double,
            "decimal" | "numeric" => Self::Decimal {
                precision: small(0, 10)?,
                scale: small(1, 0)?,
            },
            "bit" => Self::Bit(small(0, 1)?),
            "char" => Self::Char {
                len: number(0, 1)?,
                collation: collation(),
            },
            "varchar" => Self::Char {
                len: number(0, u32::MAX)?,
                collation: collation(),
            },
            "tinytext" => text_of(255),
            "text" => text_of(65_535),
            "mediumtext" => text_of(16_777_215),
            "longtext" => text_of(4_294_967_295),
            "binary" => Self::Binary(number(0, 1)?),
            "varbinary" => Self::VarBinary(number(0, u32::MAX)?),
            "tinyblob" => Self::Blob(255),
            "blob" => Self::Blob(65_535),
            "mediumblob" => Self::Blob(16_777_215),
            "longblob" => Self::Blob(4_294_967_295),
            "date" => Self::Date,
            "datetime" => Self::Datetime {
                precision: small(0, 0)?.min(6),
                timestamp: false,
            },
            "timestamp" => Self::Datetime {
                precision: small(0, 0)?.min(6),
                timestamp: true,
            },
            "time" => Self::Time,
            "year" => Self::Year,
            "enum" if arguments.len() <= ENUM_MEMBERS_MAX => Self::Enum(members(arguments)),
            "set" if arguments.len() <= SET_MEMBERS_MAX => Self::Set(members(arguments)),
            "json" => Self::Json,
            "vector" => Self::Vector(number(0, 2048)?),
            name => {
                let mut words = suffix.split_whitespace().skip_while(|word| *word != "srid");
                let srid = words.nth(1).map(str::parse).transpose();
                let shapes = Shapes::named(name, srid.map_err(|_| unknown())?);
                Self::Geometry(shapes.ok_or_else(unknown)?)
            }
        })
    }

    /// The name of the collation by whose order its keys are sorted; "" for Dolt's default and for
    /// types that have none.
    #[must_use]
    pub fn collation(&self) -> &str {
        match self {
            Self::Char { collation, .. } | Self::Text { collation, .. } => collation,
            _ => "",
        }
    }
}

/// `(a,'b''c') rest` as the arguments, unquoted, and the rest.
pub(crate) fn split_arguments(text: &str) -> Option<(Vec<String>, &str)> {
    let Some(inner) = text.strip_prefix('(') else {
        return Some((Vec::new(), text));
    };
    let mut arguments = Vec::new();
    let mut argument = String::new();
    let mut characters = inner.char_indices().peekable();
    let mut quoted = false;
    while let Some((at, character)) = characters.next() {
        match character {
            // Dolt stores members with their backslashes as they are, and reads them as escapes.
            '\\' if quoted => argument.push(unescaped(characters.next()?.1)),
            '\'' if quoted && characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                argument.push('\'');
                characters.next();
            }
            '\'' => quoted = !quoted,
            ',' if !quoted => arguments.push(std::mem::take(&mut argument)),
            ')' if !quoted => {
                arguments.push(argument);
                return inner.get(at + 1..).map(|rest| (arguments, rest));
            }
            _ => argument.push(character),
        }
    }
    None
}

/// What a character means behind a backslash in a quoted SQL string.
const fn unescaped(character: char) -> char {
    match character {
        '0' => '\0',
        'b' => '\u{8}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\u{1a}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        let parse = |text| SqlType::parse(text).expect("a type");
        assert_eq!(
            parse("bigint unsigned"),
            SqlType::Int {
                bits: 64,
                unsigned: true
            }
        );
        assert_eq!(
            parse("tinyint(1)"),
            SqlType::Int {
                bits: 8,
                unsigned: false
            }
        );
        assert_eq!(
            parse("decimal(65,30)"),
            SqlType::Decimal {
                precision: 65,
                scale: 30
            }
        );
        assert_eq!(
            parse("enum('x','it''s, (so)') COLLATE utf8mb4_0900_ai_ci"),
            SqlType::Enum(Members {
                names: vec!["x".into(), "it's, (so)".into()],
                collation: "utf8mb4_0900_ai_ci".into(),
            })
        );
        let latin = parse("varchar(30) CHARACTER SET latin1 COLLATE latin1_swedish_ci");
        assert_eq!(latin.collation(), "latin1_swedish_ci");
        assert_eq!(parse("varchar(3)").collation(), "");
        assert_eq!(
            parse("datetime(6)"),
            SqlType::Datetime {
                precision: 6,
                timestamp: false
            }
        );
        assert_eq!(parse("VECTOR(3)"), SqlType::Vector(3));
        assert_eq!(
            parse("point SRID 4326"),
            SqlType::Geometry(Shapes {
                of_type: 1,
                srid: Some(4326)
            })
        );
        assert_eq!(
            parse(r"set('\.','a\nb','c\\d','\%','it\'s')"),
            SqlType::Set(Members {
                names: [".", "a\nb", r"c\d", "%", "it's"]
                    .map(str::to_owned)
                    .to_vec(),
                collation: String::new(),
            })
        );
        let members = |count: usize| vec!["'m'"; count].join(",");
        assert!(SqlType::parse(&format!("set({})", members(64))).is_ok());
        assert!(SqlType::parse(&format!("set({})", members(65))).is_err());
        assert!(SqlType::parse(&format!("enum({})", members(65_535))).is_ok());
        assert!(SqlType::parse(&format!("enum({})", members(65_536))).is_err());
        assert!(SqlType::parse(r"enum('\').").is_err());
        assert!(SqlType::parse("uuid").is_err());
        assert!(SqlType::parse("enum('x").is_err());
    }
}
