"""Feeds of Parquet files: nothing but their first bytes can be looked at before the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from pyfs.errors import DuplicateKeyError, InvalidTextError, ReadAnewError
from pyfs.parquet import in_rows
from pyfs.vfs.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyfs._core import BuiltTable, Schema
    from pyfs.parquet.ingest import ParquetText
    from pyfs.parquet.types import Column
    from pyfs.repo.table_version import TableVersion
    from pyfs.repo.text_build import TextBuild, TextFinish
    from pyfs.vfs.feed import Text

MAGIC: Final = b"PAR1"
"""What a Parquet file begins with."""


class ParquetSink:
    """Takes a file piece by piece. Raises `InvalidTextError` where it is no Parquet file."""

    def __init__(self) -> None:
        self._head = b""

    def feed(self, text: bytes) -> None:
        if len(self._head) < len(MAGIC):
            self._head += text[: len(MAGIC) - len(self._head)]
            if not MAGIC.startswith(self._head):
                raise InvalidTextError("it is no Parquet file, which begins with PAR1")


def feed_parquet(version: TableVersion, limiter: trio.CapacityLimiter) -> Feed[ParquetSink]:
    """A feed for a Parquet file of the table of which *version* is one."""

    def run(text: Text) -> TextFinish:
        source, columns = _opened(text, version.schema)
        return _finished(version.start_build(counts_rows=True), source, columns)

    async def end(_: ParquetSink, text: Text) -> BuiltTable:
        try:
            finish = await trio.to_thread.run_sync(run, text, limiter=limiter)
            return await version.complete(finish)
        except InvalidTextError as exc:
            raise in_rows(exc) from exc

    return Feed(ParquetSink, end, limiter)


def feed_new_parquet(
    table: str,
    schema_of: Callable[[bytes], Schema],
    start_counting: Callable[[Schema], TextBuild],
    copied: Schema | None,
    limiter: trio.CapacityLimiter,
) -> Feed[ParquetSink]:
    """A feed for a Parquet file of the new table *table*.

    *schema_of* gives the schema of a `CREATE TABLE`. *copied* is the schema of a table of which it
    may be a copy: if it has that table's columns, and its rows fit, that is its schema. Else the
    file's types are those of the table.
    """

    def build(schema: Schema, text: Text) -> BuiltTable:
        source, columns = _opened(text, schema)
        # A new table has nothing that would have to be read.
        return _finished(start_counting(schema), source, columns).result()

    def run(text: Text) -> BuiltTable:
        from pyfs.parquet.ingest import ParquetText

        source = ParquetText(text.path)
        if copied is not None and source.names == copied.columns:
            try:
                return build(copied, text)
            except InvalidTextError:
                pass  # it only looks like a copy
        *keyed, keyless = source.create_table(table)
        for statement in keyed:
            try:
                return build(schema_of(statement), text)
            except DuplicateKeyError:
                pass  # what would be the key is not unique
        return build(schema_of(keyless), text)

    async def end(_: ParquetSink, text: Text) -> BuiltTable:
        try:
            return await trio.to_thread.run_sync(run, text, limiter=limiter)
        except InvalidTextError as exc:
            raise in_rows(exc) from exc

    return Feed(ParquetSink, end, limiter)


def _opened(text: Text, schema: Schema) -> tuple[ParquetText, Sequence[Column]]:
    # Imported here: pyarrow is an extra, and takes a while.
    from pyfs.parquet.ingest import ParquetText
    from pyfs.parquet.types import columns_of

    return ParquetText(text.path), columns_of(schema.definitions)


def _finished(builder: TextBuild, source: ParquetText, columns: Sequence[Column]) -> TextFinish:
    while True:
        try:
            for piece in source.pieces(columns):
                builder.feed(piece)
            return builder.finish()
        except ReadAnewError:
            builder = builder.anew()
