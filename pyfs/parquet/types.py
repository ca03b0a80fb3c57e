"""SQL types and Arrow types.

A column's Arrow type says what its SQL type says, and every value comes back from it. Where Arrow
has no such type, it is a string with the text of CSV: TIME goes beyond a day, SET and ENUM are
words, JSON is JSON's text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

# Arrow's other allocators keep what was freed; the C library is told to return it (`allocator`).
pa.set_memory_pool(pa.system_memory_pool())

_TYPE = re.compile(r"(\w+)\s*(?:\((\d+)(?:\s*,\s*(\d+))?\))?.*?(\bunsigned\b)?\s*$", re.I | re.S)
_DECIMAL128_DIGITS: Final = 38
_DECIMAL_DIGITS: Final = 65
_DECIMAL_SCALE: Final = 30
_VARCHAR_LEN: Final = 200
_VARBINARY_LEN: Final = 255
_TEXT_BYTES: Final = 65_535

_PLAIN: Final = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "mediumint": pa.int32(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "bit": pa.uint64(),
    "year": pa.uint16(),
    "float": pa.float32(),
    "double": pa.float64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_UNSIGNED: Final = {
    pa.int8(): pa.uint8(),
    pa.int16(): pa.uint16(),
    pa.int32(): pa.uint32(),
    pa.int64(): pa.uint64(),
}
_BYTES: Final = frozenset(
    (
        "binary",
        "varbinary",
        "tinyblob",
        "blob",
        "mediumblob",
        "longblob",
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
        "vector",
    )
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    sql_type: str
    nullable: bool

    @property
    def kind(self) -> str:
        """The first word of its type, in lower case."""
        match = _TYPE.match(self.sql_type)
        return match[1].lower() if match else ""

    @property
    def digits(self) -> int:
        """The first number behind that word, or 0."""
        match = _TYPE.match(self.sql_type)
        return int(match[2] or 0) if match else 0

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type that holds its values."""
        match = _TYPE.match(self.sql_type)
        if match is None:
            return pa.string()
        kind, first, second, unsigned = match.groups()
        kind = kind.lower()
        if kind in ("decimal", "numeric"):
            digits, scale = int(first or 10), int(second or 0)
            wide = digits > _DECIMAL128_DIGITS
            return pa.decimal256(digits, scale) if wide else pa.decimal128(digits, scale)
        if kind in _BYTES:
            return pa.binary()
        plain = _PLAIN.get(kind, pa.string())
        return _UNSIGNED.get(plain, plain) if unsigned else plain


def columns_of(definitions: Iterable[tuple[str, str, bool]]) -> list[Column]:
    """The columns of a table, as the core tells them."""
    return [Column(*definition) for definition in definitions]


@dataclass(frozen=True, slots=True)
class Extent:
    """How long the values of a column are."""

    chars: int
    bytes: int


def is_uuid(type_: pa.DataType) -> bool:
    """Whether it is the Arrow type of UUIDs."""
    return isinstance(type_, pa.BaseExtensionType) and type_.extension_name == "arrow.uuid"


def is_json(type_: pa.DataType) -> bool:
    """Whether it is the Arrow type of JSON texts."""
    return isinstance(type_, pa.BaseExtensionType) and type_.extension_name == "arrow.json"


def is_text(type_: pa.DataType) -> bool:
    """Whether its values are strings."""
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_string_view(type_)
    )


def is_binary(type_: pa.DataType) -> bool:
    """Whether its values are bytes."""
    return bool(
        pa.types.is_binary(type_)
        or pa.types.is_large_binary(type_)
        or pa.types.is_binary_view(type_)
        or pa.types.is_fixed_size_binary(type_)
    )


def sql_type_of(type_: pa.DataType, extent: Extent) -> str | None:
    """The SQL type of a new column of such values, or None where there is none."""
    types = pa.types
    if is_uuid(type_):
        return "char(36) CHARACTER SET ascii COLLATE ascii_bin"
    if is_json(type_) or types.is_nested(type_):
        return "json"
    if isinstance(type_, pa.BaseExtensionType):
        return sql_type_of(type_.storage_type, extent)
    if types.is_dictionary(type_):
        return sql_type_of(type_.value_type, extent)
    if types.is_boolean(type_):
        return "tinyint(1)"
    if types.is_integer(type_):
        name = {8: "tinyint", 16: "smallint", 32: "int", 64: "bigint"}[type_.bit_width]
        return f"{name} unsigned" if types.is_unsigned_integer(type_) else name
    if types.is_floating(type_):
        return "double" if types.is_float64(type_) else "float"
    if types.is_decimal(type_):
        fits = type_.precision <= _DECIMAL_DIGITS and 0 <= type_.scale <= _DECIMAL_SCALE
        return f"decimal({type_.precision},{type_.scale})" if fits else None
    if types.is_date(type_):
        return "date"
    if types.is_timestamp(type_):
        return "datetime(6)"
    if types.is_time(type_) or types.is_duration(type_):
        return "time(6)"
    if types.is_null(type_):
        return f"varchar({_VARCHAR_LEN})"
    if is_text(type_):
        if extent.bytes > _TEXT_BYTES:
            return "longtext"
        return f"varchar({_VARCHAR_LEN})" if extent.chars <= _VARCHAR_LEN else "text"
    if is_binary(type_):
        if extent.bytes <= _VARBINARY_LEN:
            return f"varbinary({_VARBINARY_LEN})"
        return "blob" if extent.bytes <= _TEXT_BYTES else "longblob"
    return None


def can_be_key(sql_type: str) -> bool:
    """Whether a column of this type can be a primary key."""
    return sql_type not in ("json", "text", "longtext", "blob", "longblob")
