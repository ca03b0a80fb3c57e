//! The numbers by which schemas name field encodings (dolt: `go/serial/encoding.fbs`).

/// Two's complement, 1 byte.
pub const INT8: u8 = 1;
/// Unsigned, 1 byte.
pub const UINT8: u8 = 2;
/// Two's complement, 2 bytes.
pub const INT16: u8 = 3;
/// Unsigned, 2 bytes.
pub const UINT16: u8 = 4;
/// Two's complement, 4 bytes.
pub const INT32: u8 = 7;
/// Unsigned, 4 bytes.
pub const UINT32: u8 = 8;
/// Two's complement, 8 bytes.
pub const INT64: u8 = 9;
/// Unsigned, 8 bytes.
pub const UINT64: u8 = 10;
/// IEEE 754, 4 bytes.
pub const FLOAT32: u8 = 11;
/// IEEE 754, 8 bytes.
pub const FLOAT64: u8 = 12;
/// Bits, 8 bytes.
pub const BIT64: u8 = 13;
/// A row hash, 16 bytes.
pub const HASH128: u8 = 14;
/// A year, 1 byte.
pub const YEAR: u8 = 15;
/// A date, 4 bytes.
pub const DATE: u8 = 16;
/// Signed microseconds, 8 bytes.
pub const TIME: u8 = 17;
/// Microseconds since 1970 UTC, 8 bytes.
pub const DATETIME: u8 = 18;
/// A member's number, 2 bytes.
pub const ENUM: u8 = 19;
/// A bit a member, 8 bytes.
pub const SET: u8 = 20;
/// The address of a blob tree of bytes.
pub const BYTES_ADDR: u8 = 21;
/// The address of a commit.
pub const COMMIT_ADDR: u8 = 22;
/// The address of a blob tree of text.
pub const STRING_ADDR: u8 = 23;
/// The address of a JSON tree.
pub const JSON_ADDR: u8 = 24;
/// A spatial cell, 17 bytes.
pub const CELL: u8 = 25;
/// The address of a blob tree of a geometry.
pub const GEOMETRY_ADDR: u8 = 26;
/// UTF-8 text and a zero byte.
pub const STRING: u8 = 128;
/// Bytes and a zero byte.
pub const BYTES: u8 = 129;
/// Exponent, sign and coefficient.
pub const DECIMAL: u8 = 130;
/// JSON text and a zero byte.
pub const JSON: u8 = 131;
/// A geometry and a zero byte.
pub const GEOMETRY: u8 = 133;
/// Text, inline or out of band.
pub const STRING_ADAPTIVE: u8 = 135;
/// Bytes, inline or out of band.
pub const BYTES_ADAPTIVE: u8 = 136;
/// A geometry, inline or out of band.
pub const GEOMETRY_ADAPTIVE: u8 = 138;
/// JSON text, inline or out of band.
pub const JSON_ADAPTIVE: u8 = 139;

/// The encoding of a whole number of so many bits.
#[must_use]
pub const fn of_int(bits: u8, unsigned: bool) -> u8 {
    let signed = match bits {
        8 => INT8,
        16 => INT16,
        24 | 32 => INT32,
        _ => INT64,
    };
    if unsigned { signed + 1 } else { signed }
}

/// Whether a field may stand inline or out of band.
#[must_use]
pub const fn is_adaptive(encoding: u8) -> bool {
    matches!(
        encoding,
        STRING_ADAPTIVE | BYTES_ADAPTIVE | GEOMETRY_ADAPTIVE | JSON_ADAPTIVE
    )
}

/// How a column of this encoding stands in the primary key: text and bytes always inline.
#[must_use]
pub const fn in_key(encoding: u8) -> u8 {
    match encoding {
        STRING_ADAPTIVE => STRING,
        BYTES_ADAPTIVE => BYTES,
        other => other,
    }
}

/// Whether a field is the address of a tree that holds the value.
#[must_use]
pub const fn is_address(encoding: u8) -> bool {
    matches!(
        encoding,
        BYTES_ADDR | STRING_ADDR | JSON_ADDR | GEOMETRY_ADDR
    )
}

/// The integer in a field of an integer encoding.
#[must_use]
pub fn integer(encoding: u8, field: &[u8]) -> Option<i128> {
    Some(match encoding {
        INT8 => i8::from_le_bytes(field.try_into().ok()?).into(),
        UINT8 => u8::from_le_bytes(field.try_into().ok()?).into(),
        INT16 => i16::from_le_bytes(field.try_into().ok()?).into(),
        UINT16 | ENUM => u16::from_le_bytes(field.try_into().ok()?).into(),
        INT32 => i32::from_le_bytes(field.try_into().ok()?).into(),
        UINT32 | DATE => u32::from_le_bytes(field.try_into().ok()?).into(),
        INT64 | TIME | DATETIME => i64::from_le_bytes(field.try_into().ok()?).into(),
        UINT64 | BIT64 | SET => u64::from_le_bytes(field.try_into().ok()?).into(),
        _ => return None,
    })
}
