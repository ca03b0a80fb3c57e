"""`Feed`: hands a text to a table builder while it is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar, runtime_checkable

import trio

from pyfs.errors import DuplicateKeyError, InvalidTextError, ReadAnewError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from pyfs._core import BuiltTable, Schema
    from pyfs.formats import Format
    from pyfs.repo.table_version import TableVersion
    from pyfs.repo.text_build import TextFinish

INLINE_BYTES_MAX: Final = 64 << 10
"""Parsed on the event loop up to this size, about 1 ms; more goes to a worker thread."""
PIECE_BYTES: Final = 1 << 20


class Sink(Protocol):
    """Takes a text piece by piece. Raises `InvalidTextError`."""

    def feed(self, text: bytes) -> None: ...


@runtime_checkable
class TableBuilder(Sink, Protocol):
    """Text in, the end of a table's build out (`TextBuild`).

    Where `feed` or `finish` raises `ReadAnewError`, the builder that `anew` gives has to take the
    text from its start.
    """

    def anew(self) -> TableBuilder: ...
    def finish(self) -> TextFinish: ...


class TableInference(Sink, Protocol):
    """Text in, the schemas that a new table may have out (`pyfs._core.Inference`)."""

    @property
    def columns(self) -> Sequence[str]: ...

    def finish(self, table: str, taken: set[int]) -> Sequence[Schema]: ...


class NewTables(Protocol):
    """Begins to read the texts of new tables (`Repository`)."""

    def start_new(self, schema: Schema) -> TableBuilder: ...
    def start_inference(self, format: Format) -> TableInference: ...


class Text(Protocol):
    """A text on local disk (`Spool`)."""

    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes: ...


S = TypeVar("S", bound=Sink)


class Feed(Generic[S]):
    """Builds a table from a text that comes in order, or from its spool where it did not.

    Owned by one writer, which never runs two of its methods at a time.
    """

    def __init__(
        self,
        start: Callable[[], S],
        end: Callable[[S, Text], Awaitable[BuiltTable]],
        limiter: trio.CapacityLimiter,
    ) -> None:
        """*end* makes the table, once a sink of *start* has taken all of a text."""
        self._start = start
        self._end = end
        self._limiter = limiter
        self._sink: S | None = start()
        self.position = 0
        """Bytes taken so far."""

    async def write(self, offset: int, data: bytes, spool: Text) -> None:
        """Takes *data* if it is what comes next; *spool* has all up to its end.

        Raises `InvalidTextError`.
        """
        if self._sink is None:
            return
        if offset != self.position:
            self.abandon()
            return
        sink, self._sink = self._sink, None
        self.position += len(data)
        try:
            if len(data) <= INLINE_BYTES_MAX:
                sink.feed(data)
            else:
                await trio.to_thread.run_sync(sink.feed, data, limiter=self._limiter)
        except ReadAnewError as exc:
            # It is in a cycle with the frame that waited for the thread, and that with all here.
            exc.__traceback__ = None
            sink = await trio.to_thread.run_sync(
                fill_anew, sink, spool, self.position, limiter=self._limiter
            )
        self._sink = sink

    def abandon(self) -> None:
        """The text was changed behind the sink: it is read again from the spool at the end."""
        self._sink = None

    def restart(self) -> None:
        """The text begins anew."""
        self._sink = self._start()
        self.position = 0

    async def finish(self, spool: Text) -> BuiltTable:
        """The table that *spool* holds. Raises `InvalidTextError`."""
        sink, self._sink = self._sink, None
        if sink is None or self.position != spool.size:
            sink = await trio.to_thread.run_sync(fill, self._start(), spool, limiter=self._limiter)
        return await self._end(sink, spool)


def feed_rows(version: TableVersion, limiter: trio.CapacityLimiter) -> Feed[TableBuilder]:
    """A feed for another text of the table of which *version* is one."""

    async def end(builder: TableBuilder, text: Text) -> BuiltTable:
        return await version.complete(
            await trio.to_thread.run_sync(finish, builder, text, limiter=limiter)
        )

    return Feed(version.start_build, end, limiter)


def feed_first_rows(
    tables: NewTables, schema: Schema, limiter: trio.CapacityLimiter
) -> Feed[TableBuilder]:
    """A feed for the first text of a table whose schema is decided."""

    async def end(builder: TableBuilder, text: Text) -> BuiltTable:
        run = trio.to_thread.run_sync
        return (await run(finish, builder, text, limiter=limiter)).result()

    return Feed(lambda: tables.start_new(schema), end, limiter)


def feed_new_table(
    tables: NewTables,
    name: str,
    format: Format,
    taken: set[int],
    copied: Schema | None,
    limiter: trio.CapacityLimiter,
) -> Feed[TableInference]:
    """A feed for the text of a new table in a database whose columns have the tags *taken*.

    *copied* is the schema of a table of which it may be a copy: if it has that table's columns,
    and its rows fit, that is its schema. Else it is inferred.
    """

    def build(schema: Schema, text: Text) -> BuiltTable:
        # A new table has nothing that would have to be read.
        return finish(fill(tables.start_new(schema), text), text).result()

    def run(inference: TableInference, text: Text) -> BuiltTable:
        if copied is not None and list(inference.columns) == copied.columns:
            try:
                return build(copied, text)
            except InvalidTextError:
                pass  # it only looks like a copy
        *keyed, keyless = inference.finish(name, taken)
        for schema in keyed:
            try:
                return build(schema, text)
            except DuplicateKeyError:
                pass  # what would be the key is not unique
        return build(keyless, text)

    async def end(inference: TableInference, text: Text) -> BuiltTable:
        return await trio.to_thread.run_sync(run, inference, text, limiter=limiter)

    return Feed(lambda: tables.start_inference(format), end, limiter)


def fill(sink: S, text: Text, stop: int | None = None) -> S:
    """Feeds *sink* the bytes of *text* up to *stop*; returns the sink that took them.

    That is another one where the text had to be read anew.
    """
    stop = text.size if stop is None else stop
    offset = 0
    while piece := text.read(offset, min(PIECE_BYTES, stop - offset)):
        try:
            sink.feed(piece)
        except ReadAnewError:
            return fill_anew(sink, text, stop)
        offset += len(piece)
    return sink


def fill_anew(sink: S, text: Text, stop: int | None = None) -> S:
    """The same, once *sink* raised `ReadAnewError`."""
    if not isinstance(sink, TableBuilder):
        raise TypeError(f"{sink!r} takes texts in one way")
    return fill(sink.anew(), text, stop)  # type: ignore[return-value]


def finish(builder: TableBuilder, text: Text) -> TextFinish:
    """The end of *builder*, which took all of *text*."""
    while True:
        try:
            return builder.finish()
        except ReadAnewError:
            builder = fill_anew(builder, text)
