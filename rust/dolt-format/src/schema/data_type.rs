//! The types that a `CREATE TABLE` may name, and what dolt calls them.

use sqlparser::ast::{
    BinaryLength, CharacterLength, DataType, EnumMember, ExactNumberInfo, ObjectName, TimezoneInfo,
};

use super::column_type::{ColumnType, quoted_members};
use super::statement::Place;
use crate::FormatError;
use crate::value::encoding as e;

/// A type's name and what follows from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub(super) base: String,
    pub(super) is_text: bool,
    pub(super) is_spatial: bool,
    /// `SERIAL`: an `AUTO_INCREMENT` column with a unique key.
    pub(super) is_serial: bool,
}

impl Named {
    fn plain(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            ..Self::default()
        }
    }

    fn text(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            is_text: true,
            ..Self::default()
        }
    }
}

/// What dolt makes of a type's name.
pub(super) fn column_type(named: &DataType, at: &Place) -> Result<Named, FormatError> {
    use DataType as T;
    Ok(match named {
        T::TinyInt(Some(1)) | T::Bool | T::Boolean => Named::plain("tinyint(1)"),
        T::TinyInt(_) => Named::plain("tinyint"),
        T::TinyIntUnsigned(_) => Named::plain("tinyint unsigned"),
        T::SmallInt(_) => Named::plain("smallint"),
        T::SmallIntUnsigned(_) => Named::plain("smallint unsigned"),
        T::MediumInt(_) => Named::plain("mediumint"),
        T::MediumIntUnsigned(_) => Named::plain("mediumint unsigned"),
        T::Int(_) | T::Integer(_) => Named::plain("int"),
        T::IntUnsigned(_) | T::IntegerUnsigned(_) => Named::plain("int unsigned"),
        T::BigInt(_) | T::Int8(_) => Named::plain("bigint"),
        T::BigIntUnsigned(_) => Named::plain("bigint unsigned"),
        // Dolt keeps no digits of these.
        T::Float(ExactNumberInfo::Precision(54..))
        | T::FloatUnsigned(ExactNumberInfo::Precision(54..)) => {
            return Err(at.wrong("FLOAT has at most 53 bits"));
        }
        T::Float(ExactNumberInfo::Precision(25..=53))
        | T::FloatUnsigned(ExactNumberInfo::Precision(25..=53))
        | T::Double(ExactNumberInfo::None | ExactNumberInfo::PrecisionAndScale(..))
        | T::DoublePrecision
        | T::Real
        | T::DoubleUnsigned(ExactNumberInfo::None | ExactNumberInfo::PrecisionAndScale(..))
        | T::DoublePrecisionUnsigned
        | T::RealUnsigned => Named::plain("double"),
        T::Float(_) | T::FloatUnsigned(_) => Named::plain("float"),
        // Dolt takes UNSIGNED for whole numbers only, and ZEROFILL for none.
        T::Zerofill(inner) => return column_type(inner, at),
        T::Decimal(info)
        | T::Numeric(info)
        | T::Dec(info)
        | T::DecimalUnsigned(info)
        | T::DecUnsigned(info) => Named::plain(decimal(*info, at)?),
        T::Bit(bits) => match bits.unwrap_or(1) {
            bits @ 1..=64 => Named::plain(format!("bit({bits})")),
            _ => return Err(at.wrong("BIT has 1 to 64 bits")),
        },
        T::Char(length) | T::Character(length) => match characters(length.as_ref(), Some(1), at)? {
            length @ 0..=255 => Named::text(format!("char({length})")),
            _ => return Err(at.wrong("CHAR has at most 255 characters")),
        },
        T::Varchar(length) | T::CharVarying(length) | T::CharacterVarying(length) => Named::text(
            format!("varchar({})", characters(length.as_ref(), None, at)?),
        ),
        T::TinyText => Named::text("tinytext"),
        T::Text => Named::text("text"),
        T::MediumText => Named::text("mediumtext"),
        T::LongText => Named::text("longtext"),
        T::Binary(length) => match length.unwrap_or(1) {
            length @ 0..=255 => Named::plain(format!("binary({length})")),
            _ => return Err(at.wrong("BINARY has at most 255 bytes")),
        },
        T::Varbinary(Some(BinaryLength::IntegerLength { length })) => {
            Named::plain(format!("varbinary({length})"))
        }
        T::TinyBlob => Named::plain("tinyblob"),
        T::Blob(None) => Named::plain("blob"),
        T::MediumBlob => Named::plain("mediumblob"),
        T::LongBlob => Named::plain("longblob"),
        T::Date => Named::plain("date"),
        T::Datetime(precision) => Named::plain(with_precision("datetime", *precision, at)?),
        T::Timestamp(precision, TimezoneInfo::None) => {
            Named::plain(with_precision("timestamp", *precision, at)?)
        }
        T::Time(None | Some(6), TimezoneInfo::None) => Named::plain("time(6)"),
        T::Enum(members, None) => Named::text(format!("enum{}", enum_members(members, at)?)),
        T::Set(members) => Named::text(format!("set{}", set_members(members, at)?)),
        T::JSON => Named::plain("json"),
        T::Custom(name, arguments) => custom(name, arguments, at)?,
        other => custom_word(&other.to_string(), at)?,
    })
}

fn custom(
    name: &ObjectName,
    arguments: &[impl std::fmt::Display],
    at: &Place,
) -> Result<Named, FormatError> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    if arguments.is_empty() {
        return custom_word(&name.to_string(), at);
    }
    let dimensions = match arguments.as_slice() {
        [only] if name.to_string().eq_ignore_ascii_case("vector") => only.parse::<u32>().ok(),
        _ => None,
    };
    match dimensions.filter(|dimensions| (1..=16383).contains(dimensions)) {
        Some(dimensions) => Ok(Named::plain(format!("VECTOR({dimensions})"))),
        None => Err(at.unsupported(format!("the type {name}({})", arguments.join(", ")))),
    }
}

fn custom_word(word: &str, at: &Place) -> Result<Named, FormatError> {
    let lower = word.to_ascii_lowercase();
    Ok(match lower.as_str() {
        "year" => Named::plain("year"),
        "vector" => Named::plain("VECTOR(2048)"),
        "serial" => Named {
            is_serial: true,
            ..Named::plain("bigint unsigned")
        },
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" => Named {
            is_spatial: true,
            ..Named::plain(lower)
        },
        _ => return Err(at.unsupported(format!("the type {word}"))),
    })
}

fn decimal(info: ExactNumberInfo, at: &Place) -> Result<String, FormatError> {
    let (precision, scale) = match info {
        ExactNumberInfo::None | ExactNumberInfo::Precision(0) => (10, 0),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => {
            (precision, u64::try_from(scale).unwrap_or(u64::MAX))
        }
    };
    if precision == 0 || precision > 65 || scale > 30 || scale > precision {
        return Err(at.wrong("DECIMAL has 1 to 65 digits, of them at most 30 behind the point"));
    }
    Ok(format!("decimal({precision},{scale})"))
}

fn characters(
    length: Option<&CharacterLength>,
    default: Option<u64>,
    at: &Place,
) -> Result<u64, FormatError> {
    match length {
        Some(CharacterLength::IntegerLength { length, unit: None }) => Ok(*length),
        None => default.ok_or_else(|| at.wrong("VARCHAR needs a length")),
        Some(other) => Err(at.unsupported(format!("the length {other}"))),
    }
}

fn with_precision(name: &str, precision: Option<u64>, at: &Place) -> Result<String, FormatError> {
    match precision.unwrap_or(0) {
        0 => Ok(name.to_owned()),
        digits @ 1..=6 => Ok(format!("{name}({digits})")),
        _ => Err(at.wrong("a second's fraction has at most 6 digits")),
    }
}

fn enum_members(members: &[EnumMember], at: &Place) -> Result<String, FormatError> {
    let members = members
        .iter()
        .map(|member| match member {
            EnumMember::Name(name) => Ok(name.clone()),
            EnumMember::NamedValue(..) => Err(at.wrong("a member of an ENUM is a text")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let members = trimmed(&members, at)?;
    Ok(quoted_members(&members))
}

fn set_members(members: &[String], at: &Place) -> Result<String, FormatError> {
    if members.len() > 64 {
        return Err(at.wrong("a SET has at most 64 members"));
    }
    if members.iter().any(|member| member.contains(',')) {
        return Err(at.wrong("a member of a SET has no comma"));
    }
    Ok(quoted_members(&trimmed(members, at)?))
}

/// Members without the spaces behind them, which MySQL drops.
fn trimmed(members: &[String], at: &Place) -> Result<Vec<String>, FormatError> {
    let trimmed: Vec<String> = members
        .iter()
        .map(|member| member.trim_end_matches(' ').to_owned())
        .collect();
    if trimmed.iter().any(|member| member.contains('\\')) {
        // Dolt would store it as it stands and read an escape from it.
        return Err(at.unsupported("a member with a backslash"));
    }
    Ok(trimmed)
}

/// The encoding that dolt gives a new column of a type.
pub(super) fn encoding_of(base: &str) -> Option<u8> {
    let unsigned = base.ends_with(" unsigned");
    let signed = |signed: u8| if unsigned { signed + 1 } else { signed };
    Some(match name_of(base) {
        "tinyint" => signed(e::INT8),
        "smallint" => signed(e::INT16),
        "mediumint" | "int" => signed(e::INT32),
        "bigint" => signed(e::INT64),
        "float" => e::FLOAT32,
        "double" => e::FLOAT64,
        "decimal" => e::DECIMAL,
        "bit" => e::UINT64,
        "char" | "varchar" => e::STRING,
        "tinytext" | "text" | "mediumtext" | "longtext" => e::STRING_ADAPTIVE,
        "binary" | "varbinary" => e::BYTES,
        "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => e::BYTES_ADAPTIVE,
        "date" => e::DATE,
        "datetime" | "timestamp" => e::DATETIME,
        "time" => e::TIME,
        "year" => e::YEAR,
        "enum" => e::ENUM,
        "set" => e::SET,
        "json" => e::JSON_ADAPTIVE,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" => e::GEOMETRY_ADAPTIVE,
        _ => return None,
    })
}

/// The number of a type's kind, of which tags are made (dolt: `store/types/noms_kind.go`).
pub(super) fn kind_of(base: &str) -> Option<u8> {
    Some(match name_of(base) {
        "float" | "double" => 1,
        "char" | "varchar" => 2,
        "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob" | "mediumblob"
        | "longblob" | "vector" => 3,
        "bit" | "enum" | "set" => 16,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if base.ends_with(" unsigned") => {
            16
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "time" | "year" => 15,
        "binary" | "varbinary" => 19,
        "date" | "datetime" | "timestamp" => 20,
        "decimal" => 21,
        "json" => 22,
        "geometry" => 23,
        "point" => 24,
        "linestring" => 25,
        "polygon" => 26,
        "multipoint" => 28,
        "multilinestring" => 29,
        "multipolygon" => 30,
        "geometrycollection" => 31,
        _ => return None,
    })
}

/// The number of the kind of a type as it is stored.
pub(super) fn stored_kind(sql_type: &str) -> Result<u8, FormatError> {
    let base = ColumnType::stored(sql_type)?.base;
    kind_of(&base).ok_or_else(|| FormatError::Unsupported(format!("the type {base}")))
}

/// A type's name in lower case. Only VECTOR is stored in capitals.
fn name_of(base: &str) -> &str {
    let end = base
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(base.len());
    match base.get(..end).unwrap_or_default() {
        "VECTOR" => "vector",
        name => name,
    }
}
