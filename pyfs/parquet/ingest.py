"""A Parquet file to CSV text, which is read as any other."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pyfs.errors import InvalidTextError
from pyfs.parquet.types import (
    Column,
    Extent,
    can_be_key,
    is_binary,
    is_text,
    is_uuid,
    sql_type_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS_AT_ONCE: Final = 16_384

_BYTES: Final = pa.large_binary()
_SPACE: Final = (
    rb"[\t\x0b\x0c ]|\xc2[\x85\xa0]|\xe1\x9a\x80"
    rb"|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
)
"""White space of Unicode, in UTF-8."""
_SPECIAL: Final = rb'[,"\r\n]|^(?:\\\.)?$|^(?:' + _SPACE + rb")"
"""Fields that dolt quotes. Leaves of the old text are known again only as dolt has them."""
_QUOTE: Final = pa.scalar(b'"', _BYTES)
_COMMA: Final = pa.scalar(b",", _BYTES)
_LINE_END: Final = pa.scalar(b"\n", _BYTES)
_EMPTY: Final = pa.scalar(b"", _BYTES)
_SECOND_US: Final = 1_000_000
_NUMBERS: Final = frozenset(
    (
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "integer",
        "bigint",
        "bit",
        "decimal",
        "numeric",
        "float",
        "double",
        "real",
    )
)
"""Kinds of columns in which a truth value is 1 or 0."""
_UNITS: Final = {0: "s", 3: "ms", 6: "us"}
"""The unit in which a moment is shown with so many digits of a second."""


class ParquetText:
    """The rows of a Parquet file as the CSV text of a table."""

    def __init__(self, path: Path) -> None:
        """Raises `InvalidTextError` for a file that is none."""
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as exc:
            raise InvalidTextError(f"it is no whole Parquet file: {exc}") from exc

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._file.schema_arrow.names)

    def pieces(self, columns: Sequence[Column]) -> Iterator[bytes]:
        """The text in pieces of whole records, the header first.

        *columns* are those of the table; others than these are not looked at. Raises
        `InvalidTextError`, with row and column, for what no CSV text can say.
        """
        by_name = {column.name.lower(): column for column in columns}
        names = self.names
        yield b",".join(_field(name) for name in names) + b"\n"
        row = 1
        for batch in self._batches():
            texts = []
            for name, array in zip(names, batch, strict=True):
                with _told(name, row):
                    texts.append(_text_of(array, by_name.get(name.lower())))
            if len(names) == 1 and len(columns) > 1 and texts[0].null_count:
                at = pc.index(texts[0].is_null(), pa.scalar(value=True)).as_py()
                reason = "a file of this column alone cannot say NULL: write another beside it"
                raise InvalidTextError(reason, row + at, names[0], unit="row")
            yield _lines(texts)
            row += batch.num_rows

    def create_table(self, name: str) -> list[bytes]:
        """The `CREATE TABLE` texts that a new table may have, the best first.

        The first has the first column as its key; whether that is unique is not known.
        """
        schema = self._file.schema_arrow
        definitions, first_is_key = [], False
        for position, field in enumerate(schema):
            extent, nulls = self._extent(position)
            sql_type = sql_type_of(field.type, extent)
            if sql_type is None:
                raise InvalidTextError(
                    f"no SQL type holds the {field.type} of column {field.name!r};"
                    " create the table's schema first"
                )
            definitions.append((field.name, sql_type))
            if position == 0:
                first_is_key = not nulls and can_be_key(sql_type)
        if not definitions:
            raise InvalidTextError("a file without columns is no table")
        texts = [_create_table(name, definitions, keyed=False)]
        if first_is_key:
            texts.insert(0, _create_table(name, definitions, keyed=True))
        return texts

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(ROWS_AT_ONCE)
        except (pa.ArrowException, OSError) as exc:
            raise InvalidTextError(f"it is no whole Parquet file: {exc}") from exc

    def _extent(self, position: int) -> tuple[Extent, int]:
        """How long the values of a column are at most, and how many are NULL."""
        name = self._file.schema_arrow.names[position]
        chars = bytes_ = nulls = 0
        for batch in self._file.iter_batches(ROWS_AT_ONCE, columns=[name]):
            array = _plain(batch.column(0))
            nulls += array.null_count
            if is_text(array.type):
                chars = max(chars, pc.max(pc.utf8_length(array)).as_py() or 0)
            if is_text(array.type) or is_binary(array.type):
                bytes_ = max(bytes_, pc.max(pc.binary_length(array)).as_py() or 0)
        return Extent(chars, bytes_), nulls


@contextmanager
def _told(column: str, row: int) -> Iterator[None]:
    """Says of which column and rows an error is."""
    try:
        yield
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as exc:
        raise InvalidTextError(f"from this row on: {exc}", row, column, unit="row") from exc


def _create_table(name: str, definitions: Sequence[tuple[str, str]], *, keyed: bool) -> bytes:
    lines = [f"  {_identifier(column)} {sql_type}" for column, sql_type in definitions]
    if keyed:
        lines[0] += " NOT NULL"
        lines.append(f"  PRIMARY KEY ({_identifier(definitions[0][0])})")
    body = ",\n".join(lines)
    return f"CREATE TABLE {_identifier(name)} (\n{body}\n);\n".encode()


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _field(text: str) -> bytes:
    plain = text.encode()
    return b'"' + plain.replace(b'"', b'""') + b'"' if re.search(_SPECIAL, plain) else plain


def _lines(texts: Sequence[pa.Array]) -> bytes:
    """The lines of rows whose fields are *texts*."""
    fields = [pc.fill_null(text, _EMPTY) for text in texts]
    lines = pc.binary_join_element_wise(*fields, _COMMA) if len(fields) > 1 else fields[0]
    lines = pc.binary_join_element_wise(lines, _EMPTY, _LINE_END)
    # The values of an array lie one after the other.
    values = lines.buffers()[2]
    return values.to_pybytes() if values is not None else b""


def _plain(array: pa.Array) -> pa.Array:
    """*array* without what only says how it is stored."""
    if pa.types.is_dictionary(array.type):
        return _plain(array.dictionary_decode())
    if is_uuid(array.type):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())
    if isinstance(array.type, pa.BaseExtensionType):
        return _plain(array.storage)
    return array


def _text_of(array: pa.Array, column: Column | None) -> pa.Array:
    """The fields of CSV for the values of a column; *column* is the table's."""
    array = _plain(array)
    type_, types = array.type, pa.types
    if types.is_nested(type_):
        pairs = types.is_map(type_)
        values = [
            None if value is None else _json(dict(value) if pairs else value)
            for value in array.to_pylist()
        ]
        return _quoted(pa.array(values, pa.large_string()))
    if is_text(type_) or is_binary(type_):
        return _quoted(array)
    if types.is_duration(type_):
        micros = array.cast(pa.duration("us")).cast(pa.int64()).to_pylist()
        return pa.array([_time(value) for value in micros], _BYTES)
    if types.is_boolean(type_) and column is not None and column.kind in _NUMBERS:
        array = array.cast(pa.int8())
    if types.is_timestamp(type_):
        array = array.cast(pa.timestamp(type_.unit))
        unit = _UNITS.get(column.digits) if column is not None else None
        if unit is not None:
            # Not where that would lose digits: they are rounded when they are read.
            with suppress(pa.ArrowInvalid):
                array = array.cast(pa.timestamp(unit))
    if types.is_float16(type_):
        array = array.cast(pa.float32())
    return array.cast(pa.large_string()).cast(_BYTES)


def _quoted(array: pa.Array) -> pa.Array:
    """Fields, in quotes where something in them would mean something, or nothing NULL."""
    if not is_binary(array.type):
        array = array.cast(pa.large_string())
    elif pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    plain = array.cast(_BYTES)
    special = pc.match_substring_regex(plain, _SPECIAL)
    if not pc.any(special).as_py():
        return plain
    quoted = pc.replace_substring(plain, b'"', b'""')
    quoted = pc.binary_join_element_wise(_QUOTE, quoted, _QUOTE, _EMPTY)
    return pc.if_else(special, quoted, plain)


def _time(micros: int | None) -> bytes | None:
    """A duration as the text of TIME."""
    if micros is None:
        return None
    seconds, fraction = divmod(abs(micros), _SECOND_US)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    sign = "-" if micros < 0 else ""
    return f"{sign}{hour:02}:{minute:02}:{second:02}.{fraction:06}".encode()


def _json(value: Any) -> str:
    """A list or a structure as JSON. Decimals and moments are strings."""
    return json.dumps(value, default=_json_text, ensure_ascii=False, allow_nan=False)


def _json_text(value: Any) -> str:
    if isinstance(value, bytes):
        raise TypeError("bytes within a list or a structure have no place in JSON")
    return str(value)
