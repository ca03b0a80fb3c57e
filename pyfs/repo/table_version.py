"""One version of one table, and its text.

The text is the header and the texts of the leaves, one after the other. Where a leaf begins is
known once every leaf before it has been measured; a leaf is measured by rendering it, or its
length is remembered from an earlier time (`LeafLengths`). Leaves are rendered in pieces of many,
so that no Python object stands for a single one.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

import trio

from pyfs._core import (
    Address,
    Addresses,
    BuiltTable,
    Chunk,
    Chunks,
    Extent,
    Render,
    Rendered,
    Schema,
    Table,
    TableBuild,
    Text,
    TextLayout,
)
from pyfs.concurrency import each_in_order
from pyfs.errors import CorruptionError, PyfsError
from pyfs.repo.leaf_lengths import LeafLengths
from pyfs.repo.read_ahead import ReadAhead
from pyfs.repo.text_build import TextBuild, TextFinish, Workshop, ways_to
from pyfs.repo.text_cache import GROUPS_AT_ONCE, TextCache
from pyfs.store.chunks import ChunkStore
from pyfs.store.traversal import BATCH_MAX

log = logging.getLogger(__name__)

EVERYTHING: Final = 2**63 - 1
"""As a length: the rest of the text."""
GROUP_TEXT_BYTES: Final = 8 * 1024 * 1024
"""Text that is fetched and rendered together."""
GROUP_PIECES_MAX: Final = 64
"""Pieces of such a group: about `GROUP_TEXT_BYTES`, a few MiB as they are stored."""
LEAVES_AT_ONCE: Final = 1024
"""Leaves of a build that are fetched together."""
LEAVES_ON_LOOP: Final = 8
"""Rendering these takes less time than handing them to a thread."""
RECALL_MAX: Final = 256
"""Groups of leaves whose lengths are looked up on disk at a time."""
LENGTHS_KEPT_BACK: Final = 4096
"""Leaves of a text not all of which is measured whose lengths are written to disk together."""
FEW_LEAVES: Final = 8192
"""Leaves up to which `stored_len` looks at each: more are at least 16 MiB, many by any limit."""
LEVELS_MAX: Final = 4
"""Levels of inner nodes that `stored_len` reads, a round trip each."""

_renders = trio.CapacityLimiter(min(4, max(2, os.cpu_count() or 2)))
"""Threads that render; rendering is all computation, more would only fight for the cores."""


class TableVersion:
    """One version of one table and its text. Shared by all who read it."""

    def __init__(
        self,
        table: Table,
        schema: Schema,
        chunks: ChunkStore,
        stored_len: Callable[[Addresses], int],
        texts: TextCache,
        lengths: LeafLengths,
        workshop: Workshop,
        read_ahead_bytes_max: int,
        nursery: trio.Nursery | None = None,
    ) -> None:
        """Reads ahead in *nursery*; without one, only what is asked for is read.

        *stored_len* gives the bytes that some chunks take in the remote's files.
        """
        self.table = table
        self.schema = schema
        self._chunks = chunks
        self._stored_len = stored_len
        self._texts = texts
        self._lengths = lengths
        self._workshop = workshop
        self._nursery = nursery
        self._layout = TextLayout(table, schema)
        self._form = schema.text_key
        self._key: Hashable = (table.address, self._form)
        self._known_size: int | None = None
        self._size_written = False
        self._expanded: set[Address] = set()
        self._unwritten_nodes: list[Chunk] = []
        self._made_bytes = self._made_pieces = 0
        self._read_ahead = ReadAhead(min(read_ahead_bytes_max, texts.bytes_max // 4))
        self._readers_ahead = trio.CapacityLimiter(2)

    @property
    def address(self) -> Address:
        return self.table.address

    @property
    def as_text(self) -> "TableVersion":
        """Itself: its contents are text."""
        return self

    @property
    def size(self) -> int | None:
        """Bytes of the text, if known."""
        return self._known_size if self._layout.size is None else self._layout.size

    @property
    def size_max(self) -> int:
        """Bytes of the text, never too few."""
        return self._layout.size_max if self._known_size is None else self._known_size

    async def recall_size(self) -> None:
        """Finds the size if it is remembered, without a request to the remote."""
        if self.size is None:
            self._known_size = await self._lengths.get_size(self._form, bytes(self.address))
            self._size_written = self._known_size is not None

    def learn(self, built: BuiltTable) -> None:
        """Takes the measures of leaves that are new in *built*, which this version came from."""
        self._layout.set_measures(built)

    async def stored_len(self) -> int | None:
        """Stored bytes of the leaves that have to be read for the exact size.

        None where these are many, or many requests away.
        """
        if self.size is not None:
            return 0
        for _ in range(LEVELS_MAX):
            # A version that follows one that was measured shares most leaves with it, and their
            # inner nodes are at hand.
            if self._layout.leaf_count_max > FEW_LEAVES and not self._lengths.has_measured(
                self._form
            ):
                return None
            nodes, pieces, leaves = self._layout.frontier(0, EVERYTHING)
            if not len(nodes):
                while await self._recall():
                    pass
                _, pieces, leaves = self._layout.frontier(0, EVERYTHING)
                # The root node is part of the table's message: then it is stored nowhere else.
                stored = self._layout.piece_leaves(pieces)
                return self._stored_len(stored) + self._stored_len(leaves)
            await self._expand(nodes)
        return None

    async def exact_size(self) -> int:
        """Bytes of the text; reads and renders what it lacks for that, in bounded memory."""
        if self.size is None:
            await self._place(0, EVERYTHING)
        if self.size is None:
            raise CorruptionError(f"the leaves of table {self.address} do not add up to a text")
        return self.size

    @property
    def leaf_count_placed(self) -> int:
        """Leaves whose place in the text is known: what the version takes in memory."""
        return self._layout.leaf_count_placed

    @property
    def share_read(self) -> float:
        """How much of what `exact_size` reads it has read, from 0 to 1."""
        if self.size is not None:
            return 1.0
        return min(1.0, self._layout.leaf_count_placed / max(1, self._layout.leaf_count_max))

    async def read(self, offset: int, length: int) -> bytes:
        """The bytes of the text in `[offset, offset + length)`; fewer only at its end."""
        return bytes(await self.view(offset, length))

    async def view(self, offset: int, length: int) -> bytes | memoryview:
        """The same without a copy, where the bytes lie in one piece."""
        if length <= 0:
            return b""
        end = offset + length
        header = self.schema.header
        parts: list[bytes | memoryview] = [header[offset:end]] if offset < len(header) else []
        span = None if self._nursery is None else self._read_ahead.note(offset, length)
        reach = length
        if span is not None and span[0] <= offset:
            # One request for what is asked for and for what is ahead of it.
            reach = span[1] - offset
        elif span is not None and self._nursery is not None:
            self._nursery.start_soon(self._prepare, *span)
        if end > len(header):
            extents = await self._extents(offset, reach)
            texts = await self._pieces([extent.piece for extent in extents])
            for extent in extents:
                text = texts[extent.piece]
                if len(text) != extent.length:
                    await self._distrust(extent, len(text))
                if extent.start < end:
                    parts.append(text.view()[max(0, offset - extent.start) : end - extent.start])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def start_build(self, *, counts_rows: bool = False) -> TextBuild:
        """A build of the next version. Leaves that its text repeats are kept, if all of this
        version's text was read before; else rows, if they are few.

        Where it *counts_rows*, errors speak of rows and not of lines.
        """

        def start(layout: TextLayout | None = None) -> TableBuild:
            build = TableBuild(self.schema, self.table, layout)
            if counts_rows:
                build.count_rows()
            return build

        return TextBuild(self._workshop, ways_to(start, partial(start, self._layout)))

    async def complete(self, finish: TextFinish) -> BuiltTable:
        """The table of a build that has ended."""
        while addresses := finish.needs(LEAVES_AT_ONCE):
            chunks = await self._chunks.get_many(addresses)
            await trio.to_thread.run_sync(finish.feed, chunks)
        return finish.result()

    async def _prepare(self, start: int, stop: int) -> None:
        """Makes the pieces of `[start, stop)`, for whoever comes to read them."""
        async with self._readers_ahead:
            try:
                extents = await self._extents(start, stop - start)
                await self._make_groups([extent.piece for extent in extents])
            except PyfsError as exc:
                # Nobody waits for this; whoever reads there gets the error himself.
                log.debug("reading ahead in table %s: %s", self.address, exc)

    async def _extents(self, offset: int, length: int) -> list[Extent]:
        await self._place(offset, length)
        return self._layout.extents(offset, length)

    async def _place(self, offset: int, length: int) -> None:
        """Finds out which pieces hold `[offset, offset + length)`."""
        while True:
            nodes, pieces, leaves = self._layout.frontier(offset, length)
            if len(nodes):
                await self._expand(nodes)
            elif not pieces and not len(leaves):
                break
            elif not await self._recall():
                # Who asks for all of a text reads its beginning next: that comes last, as what was
                # made last is kept longest.
                await self._make_groups(pieces, last_first=length == EVERYTHING)
                if len(leaves):
                    self._layout.set_measures(await self._render(leaves))
                if self._layout.fresh_count >= LENGTHS_KEPT_BACK:
                    await self._write_lengths()
        if self._layout.size is not None and not self._size_written:
            await self._write_lengths()
        # Who knows the size may read anywhere.
        if self._unwritten_nodes and self.size is not None:
            new, self._unwritten_nodes = self._unwritten_nodes, []
            await self._lengths.put_nodes([(bytes(n.address), n.contents()) for n in new])

    async def _expand(self, nodes: Addresses) -> None:
        kept = await self._recall_nodes(nodes)
        read = await self._chunks.get_batch(kept.missing(nodes))
        # Another reader may have been first.
        fresh = [c for part in (kept, read) for c in part if c.address not in self._expanded]
        self._expanded.update(chunk.address for chunk in fresh)
        self._layout.expand(Chunks(fresh))
        self._unwritten_nodes.extend(read)

    async def _recall_nodes(self, nodes: Addresses) -> Chunks:
        """Those of *nodes* that are remembered on disk."""
        found: list[Chunk] = []
        for address, contents in await self._lengths.get_nodes([bytes(node) for node in nodes]):
            # Damaged: it is read from the remote.
            with contextlib.suppress(CorruptionError):
                found.append(Chunk.verify(Address(address), contents))
        return Chunks(found)

    async def _make_groups(self, pieces: Sequence[int], *, last_first: bool = False) -> None:
        """Makes *pieces*, and so measures their leaves; many at a time."""
        todo = list(pieces)
        # What a piece comes to shows when the first ones are made.
        if self._made_pieces == 0 and self.schema.may_be_long:
            count = self._pieces_per_group()
            first = slice(-count, None) if last_first else slice(count)
            await self._make_group(todo[first])
            del todo[first]
        groups = in_groups(todo, self._pieces_per_group())
        if last_first:
            groups.reverse()
        await each_in_order(self._make_group, groups, GROUPS_AT_ONCE)

    async def _make_group(self, pieces: Sequence[int]) -> None:
        async with self._texts.groups:
            await self._pieces(pieces)

    def _pieces_per_group(self) -> int:
        if self._made_pieces:
            mean = max(1, self._made_bytes // self._made_pieces)
            return min(GROUP_PIECES_MAX, max(1, GROUP_TEXT_BYTES // mean))
        return 1 if self.schema.may_be_long else GROUP_PIECES_MAX

    async def _pieces(self, numbers: Sequence[int]) -> dict[int, Text]:
        return await self._texts.get(self._key, numbers, self._make)

    async def _make(self, pieces: Sequence[int]) -> list[Text]:
        rendered = await self._render(self._layout.piece_leaves(pieces))
        self._layout.set_measures(rendered)
        texts = rendered.take()
        self._made_pieces += len(texts)
        self._made_bytes += sum(map(len, texts))
        return texts

    async def _render(self, leaves: Addresses) -> Rendered:
        if len(leaves) == 1 and leaves[0] == self.table.rows.address:
            # The root node is part of the table's message and stored nowhere else.
            chunks = Chunks([self.table.rows])
        else:
            chunks = await self._chunks.get_batch(leaves)
        if len(leaves) <= LEAVES_ON_LOOP:
            render = Render(self.schema, chunks)
            while addresses := render.needs(BATCH_MAX):
                render.feed(await self._chunks.get_many(addresses))
            return render.result()
        run = trio.to_thread.run_sync
        render, rendered = await run(_start_render, self.schema, chunks, limiter=_renders)
        if rendered is not None:
            return rendered
        while addresses := render.needs(BATCH_MAX):
            values = await self._chunks.get_many(addresses)
            await run(render.feed, values, limiter=_renders)
        return await run(render.result, limiter=_renders)

    async def _recall(self) -> bool:
        """Takes what is remembered of leaves; whether that was anything."""
        if not await self._lengths.has_groups(self._form):
            return False
        for by_last in (False, True):
            keys = self._layout.unremembered(by_last, RECALL_MAX)
            if len(keys):
                records = await self._lengths.get(
                    self._form, [bytes(key) for key in keys], by_last=by_last
                )
                if self._layout.recall(self._form, records):
                    return True
        return False

    async def _write_lengths(self) -> None:
        groups = self._layout.remember(self._form)
        size = self._layout.size
        if size is not None:
            self._known_size = size
            self._size_written = True
        await self._lengths.put(self._form, groups, bytes(self.address), size)

    async def _distrust(self, extent: Extent, actual: int) -> None:
        """Forgets all lengths: this read fails, as its reader may know a wrong size, and the next
        ones measure anew."""
        await self._lengths.forget()
        self._layout = TextLayout(self.table, self.schema)
        self._expanded.clear()
        self._known_size, self._size_written = None, False
        # Pieces are measured when they are made, so they have to be made again.
        self._key = (self.table.address, self._form, object())
        raise CorruptionError(
            f"piece {extent.piece} of table {self.address} has {actual} bytes of text, remembered"
            f" were {extent.length}; the remembered lengths are deleted, open the file again"
        )


def in_groups(pieces: Sequence[int], count: int) -> list[Sequence[int]]:
    """*pieces* in groups of about *count*, of much the same length: a remainder would cost a
    request of its own."""
    number = max(1, round(len(pieces) / count))
    bounds = [len(pieces) * at // number for at in range(number + 1)]
    return [pieces[start:stop] for start, stop in pairwise(bounds) if start < stop]


def _start_render(schema: Schema, chunks: Chunks) -> tuple[Render, Rendered | None]:
    """A rendering, and its result if it needs no other chunks."""
    render = Render(schema, chunks)
    if schema.may_be_long:
        return render, None
    return render, render.result()
