"""`Feed`: hands a text to a table builder while it is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyfs._core import BuiltTable, TableFinish

INLINE_BYTES_MAX: Final = 64 << 10
"""Parsed on the event loop up to this size, about 1 ms; more goes to a worker thread."""
PIECE_BYTES: Final = 1 << 20


class TableBuilder(Protocol):
    """CSV text in, a table out (`pyfs._core.TableBuild`)."""

    def feed(self, text: bytes) -> None: ...
    def finish(self) -> TableFinish: ...


class Text(Protocol):
    """A text on local disk (`Spool`)."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes: ...


class Feed:
    """Builds a table from a text that comes in order, or from its spool where it did not.

    Owned by one writer, which never runs two of its methods at a time.
    """

    def __init__(
        self,
        start: Callable[[], TableBuilder],
        complete: Callable[[TableFinish], Awaitable[BuiltTable]],
        limiter: trio.CapacityLimiter,
    ) -> None:
        """*complete* gives a builder's finish the chunks that it needs."""
        self._start = start
        self._complete = complete
        self._limiter = limiter
        self._builder: TableBuilder | None = start()
        self.position = 0
        """Bytes taken so far."""

    async def write(self, offset: int, data: bytes) -> None:
        """Takes *data* if it is what comes next. Raises `InvalidTextError`."""
        if self._builder is None:
            return
        if offset != self.position:
            self.abandon()
            return
        builder, self._builder = self._builder, None
        if len(data) <= INLINE_BYTES_MAX:
            builder.feed(data)
        else:
            await trio.to_thread.run_sync(builder.feed, data, limiter=self._limiter)
        self.position += len(data)
        self._builder = builder

    def abandon(self) -> None:
        """The text was changed behind the builder: it is read again from the spool at the end."""
        self._builder = None

    def restart(self) -> None:
        """The text begins anew."""
        self._builder = self._start()
        self.position = 0

    async def finish(self, spool: Text) -> BuiltTable:
        """The table that *spool* holds. Raises `InvalidTextError`."""
        builder, self._builder = self._builder, None
        complete = builder is not None and self.position == spool.size

        def run() -> TableFinish:
            if complete and builder is not None:
                return builder.finish()
            return build(self._start(), spool)

        return await self._complete(await trio.to_thread.run_sync(run, limiter=self._limiter))


def build(builder: TableBuilder, spool: Text) -> TableFinish:
    """The end of the table of the whole text in *spool*."""
    offset = 0
    while piece := spool.read(offset, PIECE_BYTES):
        builder.feed(piece)
        offset += len(piece)
    return builder.finish()
