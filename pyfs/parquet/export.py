"""A table's CSV text to a Parquet file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from pyfs.errors import CorruptionError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pyfs.parquet.types import Column

BLOCK_BYTES: Final = 8 << 20
"""Text that is read at a time; more where one row is longer."""
BLOCK_BYTES_MAX: Final = 1 << 31
ROW_GROUP_BYTES: Final = 64 << 20
"""Bytes of a row group in memory."""
_FORM: Final = 1
"""Raised when the same table gives another file."""
VERSION: Final = f"{_FORM}-{pa.__version__}"
"""What a file depends on beside its table."""

_WHICH = re.compile(r"CSV column #(\d+)")


class _UnfitError(Exception):
    """A value of the column at this position does not fit its type."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def write_parquet(
    text: Path | bytearray, start: Callable[[], Path | io.IOBase], columns: Sequence[Column]
) -> None:
    """Writes the table whose CSV text, as pyfs shows it, is *text* to what *start* gives.

    That is called again, for an empty file, where the table has to be written in another way.

    A column that holds a value which its Arrow type does not have (such as the date 0000-00-00)
    is a string in this file; one that is no UTF-8 is binary.
    """
    types = [column.arrow_type for column in columns]
    block_bytes = BLOCK_BYTES
    while True:
        try:
            _write(text, start(), columns, types, block_bytes)
        except _UnfitError as exc:
            unfit = types[exc.position]
            types[exc.position] = pa.binary() if unfit == pa.string() else pa.string()
            if unfit == pa.binary():
                raise CorruptionError(f"{columns[exc.position].name} cannot be read") from exc
        except pa.ArrowInvalid as exc:
            if "straddling" not in str(exc) or block_bytes >= BLOCK_BYTES_MAX:
                raise
            block_bytes = min(8 * block_bytes, BLOCK_BYTES_MAX)
        else:
            return


def _write(
    text: Path | bytearray,
    target: Path | io.IOBase,
    columns: Sequence[Column],
    types: Sequence[pa.DataType],
    block_bytes: int,
) -> None:
    fields = [
        pa.field(column.name, type_, nullable=column.nullable)
        for column, type_ in zip(columns, types, strict=True)
    ]
    schema = pa.schema(fields)
    with pq.ParquetWriter(target, schema) as writer:
        group: list[pa.RecordBatch] = []
        group_bytes = 0
        for batch in _batches(text, schema, block_bytes):
            group.append(batch)
            group_bytes += batch.nbytes
            if group_bytes >= ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group, schema))
                group, group_bytes = [], 0
        if group:
            writer.write_table(pa.Table.from_batches(group, schema))


def _batches(
    text: Path | bytearray, schema: pa.Schema, block_bytes: int
) -> Iterator[pa.RecordBatch]:
    options = csv.ConvertOptions(
        column_types={field.name: _read_type(field.type) for field in schema},
        # Nothing but an empty field without quotes is NULL.
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        reader = csv.open_csv(
            pa.BufferReader(text) if isinstance(text, bytearray) else text,
            read_options=csv.ReadOptions(block_size=block_bytes),
            # A line of one column that is empty is a row.
            parse_options=csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=len(schema) > 1
            ),
            convert_options=options,
        )
        for batch in reader:
            arrays = [
                _converted(array, field.type, position)
                for position, (array, field) in enumerate(zip(batch, schema, strict=True))
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except pa.ArrowInvalid as exc:
        which = _WHICH.search(str(exc))
        if which is None:
            raise
        raise _UnfitError(int(which[1])) from exc


def _read_type(type_: pa.DataType) -> pa.DataType:
    """What Arrow reads of CSV for a column of this type."""
    if pa.types.is_decimal(type_):
        return pa.string()
    if pa.types.is_timestamp(type_):
        return pa.timestamp(type_.unit)
    return type_


def _converted(array: pa.Array, type_: pa.DataType, position: int) -> pa.Array:
    try:
        if pa.types.is_decimal(type_):
            return array.cast(type_)
        if pa.types.is_timestamp(type_) and type_.tz is not None:
            return pc.assume_timezone(array, type_.tz)
    except pa.ArrowInvalid as exc:
        raise _UnfitError(position) from exc
    return array
