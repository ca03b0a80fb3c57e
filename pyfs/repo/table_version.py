"""One version of one table, and its text.

The text is the header and the texts of the leaves, one after the other. Where a leaf begins is
known once every leaf before it has been measured; a leaf is measured by rendering it, or its
length is remembered from an earlier time (`LeafLengths`).
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import trio

from pyfs._core import (
    Address,
    BuiltTable,
    Extent,
    Measure,
    Schema,
    Table,
    TableBuild,
    TableFinish,
    TextLayout,
)
from pyfs.concurrency import map_concurrently
from pyfs.errors import CorruptionError, PyfsError
from pyfs.repo.leaf_lengths import LeafLengths
from pyfs.repo.leaf_texts import LeafTexts, Text
from pyfs.repo.read_ahead import ReadAhead
from pyfs.store.chunks import ChunkStore

log = logging.getLogger(__name__)

EVERYTHING: Final = 2**63 - 1
"""As a length: the rest of the text."""
LEAF_TEXT_GUESS: Final = 4096
"""Bytes of text in a leaf: what 4 KiB of stored rows come to, more or less."""
LEAVES_AT_ONCE: Final = 1024
"""Leaves fetched and rendered together: about 4 MiB of text."""
GROUPS_AT_ONCE: Final = 4
"""So many such groups are under way at a time: while one is fetched others are rendered."""
RECALL_MAX: Final = 4096
"""Leaves whose length is looked up on disk at a time."""
LENGTHS_KEPT_BACK: Final = 256
"""Lengths written to disk together."""
FEW_LEAVES: Final = 8192
"""Leaves up to which `stored_len` looks at each: more are at least 16 MiB, many by any limit."""
LEVELS_MAX: Final = 4
"""Levels of inner nodes that `stored_len` reads, a round trip each."""


class TableVersion:
    """One version of one table and its text. Shared by all who read it."""

    def __init__(
        self,
        table: Table,
        schema: Schema,
        chunks: ChunkStore,
        stored_len: Callable[[Sequence[Address]], int],
        texts: LeafTexts,
        lengths: LeafLengths,
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
        self._nursery = nursery
        self._layout = TextLayout(table, schema)
        self._known_size: int | None = None
        self._expanded: set[Address] = set()
        self._recalled: set[Address] = set()
        self._measured: list[tuple[Address, Measure]] = []
        self._read_ahead = ReadAhead(min(read_ahead_bytes_max, texts.bytes_max // 4))
        self._readers_ahead = trio.CapacityLimiter(2)
        # The root node is part of the table's message and stored nowhere else.
        self._embedded = {table.rows.address: table.rows}

    @property
    def address(self) -> Address:
        return self.table.address

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
            for _, whole in await self._lengths.get(self.schema.text_key, [self.address]):
                self._known_size = whole.length

    async def stored_len(self) -> int | None:
        """Stored bytes of the leaves that have to be read for the exact size.

        None where these are many, or many requests away.
        """
        if self.size is not None:
            return 0
        for _ in range(LEVELS_MAX):
            if self._layout.leaf_count_max > FEW_LEAVES:
                return None
            nodes, leaves = self._layout.frontier(0, EVERYTHING, 2 * FEW_LEAVES)
            if not nodes:
                await self._recall(leaves)
                _, leaves = self._layout.frontier(0, EVERYTHING, 2 * FEW_LEAVES)
                stored = [leaf for leaf in leaves if leaf not in self._embedded]
                return self._stored_len(stored)
            await self._expand(nodes)
        return None

    async def exact_size(self) -> int:
        """Bytes of the text; reads and renders what it lacks for that, in bounded memory."""
        if self.size is None:
            await self._place(0, EVERYTHING)
        if self.size is None:
            raise CorruptionError(f"the leaves of table {self.address} do not add up to a text")
        return self.size

    async def read(self, offset: int, length: int) -> bytes:
        """The bytes of the text in `[offset, offset + length)`; fewer only at its end."""
        if length <= 0:
            return b""
        end = offset + length
        parts = [self.schema.header[offset:end]]
        if end > len(self.schema.header):
            extents = await self._extents(offset, length)
            leaves = [extent.leaf for extent in extents]
            texts = await self._texts.get(self.schema, leaves, self._embedded)
            for extent in extents:
                text, _ = texts[extent.leaf]
                if len(text) != extent.length:
                    await self._distrust(extent, len(text))
                parts.append(text[max(0, offset - extent.start) : end - extent.start])
        found = b"".join(parts)
        if self._nursery is not None and len(found) == length:
            span = self._read_ahead.note(offset, length)
            if span is not None:
                self._nursery.start_soon(self._prepare, *span)
        return found

    def start_build(self) -> TableBuild:
        """A build of the next version. Leaves that its text repeats are kept, if all of this
        version's text was read before."""
        return TableBuild(self.schema, self.table, self._layout)

    async def complete(self, finish: TableFinish) -> BuiltTable:
        """The table of a build that has ended."""
        while addresses := finish.needs(LEAVES_AT_ONCE):
            chunks = await self._chunks.get_many(addresses)
            await trio.to_thread.run_sync(finish.feed, chunks)
        return finish.result()

    async def _prepare(self, start: int, stop: int) -> None:
        """Renders `[start, stop)` into the cache of texts."""
        async with self._readers_ahead:
            try:
                extents = await self._extents(start, stop - start)
                await map_concurrently(self._render_group, _groups([e.leaf for e in extents]))
            except PyfsError as exc:
                # Nobody waits for this; whoever reads there gets the error himself.
                log.debug("reading ahead in table %s: %s", self.address, exc)

    async def _render_group(self, leaves: Sequence[Address]) -> dict[Address, Text]:
        return await self._texts.get(self.schema, leaves, self._embedded)

    async def _extents(self, offset: int, length: int) -> list[Extent]:
        await self._place(offset, length)
        return self._layout.extents(offset, length)

    async def _place(self, offset: int, length: int) -> None:
        """Finds out which leaves hold `[offset, offset + length)`."""
        # As many at a time as the range may hold: a short read must not fetch a long text.
        limit = min(GROUPS_AT_ONCE * LEAVES_AT_ONCE, length // LEAF_TEXT_GUESS + 2)
        while True:
            nodes, leaves = self._layout.frontier(offset, length, limit)
            if not nodes and not leaves:
                break
            if nodes:
                await self._expand(nodes)
            if leaves:
                await self._measure(offset, leaves)
        if self._layout.size is not None:
            await self._write_lengths()

    async def _expand(self, nodes: Sequence[Address]) -> None:
        chunks = await self._chunks.get_many(nodes)
        # Another reader may have been first.
        fresh = [chunk for chunk in chunks if chunk.address not in self._expanded]
        self._expanded.update(chunk.address for chunk in fresh)
        self._layout.expand(fresh)

    async def _measure(self, offset: int, leaves: Sequence[Address]) -> None:
        if any(leaf not in self._recalled for leaf in leaves):
            # Those that come after are looked up along with these: it is the look-up that costs.
            _, upcoming = self._layout.frontier(offset, EVERYTHING, RECALL_MAX)
            if await self._recall([*leaves, *upcoming]):
                return
        await map_concurrently(self._measure_group, _groups(leaves))
        if len(self._measured) >= LENGTHS_KEPT_BACK:
            await self._write_lengths()

    async def _measure_group(self, leaves: Sequence[Address]) -> None:
        texts = await self._render_group(leaves)
        measures = [(leaf, measure) for leaf, (_, measure) in texts.items()]
        self._layout.set_measures(measures)
        self._recalled.difference_update(texts)
        self._measured.extend(measures)

    async def _recall(self, leaves: Sequence[Address]) -> bool:
        """Takes what is remembered of *leaves*; whether that was anything."""
        asked = [leaf for leaf in dict.fromkeys(leaves) if leaf not in self._recalled]
        known = await self._lengths.get(self.schema.text_key, asked)
        self._recalled.update(asked)
        self._layout.set_measures(known)
        return bool(known)

    async def _write_lengths(self) -> None:
        measured, self._measured = self._measured, []
        if self._layout.size is not None and self._known_size is None:
            self._known_size = self._layout.size
            measured.append((self.address, Measure.of_length(self._known_size)))
        await self._lengths.put(self.schema.text_key, measured)

    async def _distrust(self, extent: Extent, actual: int) -> None:
        await self._lengths.forget()
        raise CorruptionError(
            f"leaf {extent.leaf} of table {self.address} has {actual} bytes of text, remembered"
            f" were {extent.length}; the remembered lengths are deleted, mount again"
        )


def _groups(leaves: Sequence[Address]) -> list[Sequence[Address]]:
    return [leaves[at : at + LEAVES_AT_ONCE] for at in range(0, len(leaves), LEAVES_AT_ONCE)]
