"""The text of leaves: rendered once for all who want it meanwhile, the last ones kept."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import trio

from pyfs._core import Address, Chunk, Measure, Render, Schema
from pyfs.concurrency import map_concurrently
from pyfs.store.chunks import ChunkStore
from pyfs.store.traversal import BATCH_MAX

LEAVES_PER_RENDER: Final = 256
"""About 1 MiB of text: enough for a thread to be worth it, little enough to share cores."""
LEAVES_ON_LOOP: Final = 8
"""Rendering these takes less time than handing them to a thread."""
RENDERS_MAX: Final = 4
"""Threads that render; rendering is all computation, more would only fight for the cores."""


Text: TypeAlias = tuple[bytes, Measure]
"""The text of a leaf, and its measure."""


class LeafTexts:
    """Texts by form and leaf, bounded in bytes. One for all tables of a mount."""

    def __init__(self, chunks: ChunkStore, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._chunks = chunks
        self._texts: OrderedDict[tuple[bytes, Address], Text] = OrderedDict()
        self._bytes = 0
        self._landing: dict[tuple[bytes, Address], trio.Event] = {}
        self._limiter = trio.CapacityLimiter(RENDERS_MAX)

    async def get(
        self, schema: Schema, leaves: Sequence[Address], embedded: Mapping[Address, Chunk]
    ) -> dict[Address, Text]:
        """The text of each of *leaves*; *embedded* are chunks that no store holds."""
        found: dict[Address, Text] = {}
        wanted = list(dict.fromkeys(leaves))
        while wanted:
            missing: list[Address] = []
            landing: set[trio.Event] = set()
            for leaf in wanted:
                key = (schema.text_key, leaf)
                text = self._texts.get(key)
                if text is not None:
                    self._texts.move_to_end(key)
                    found[leaf] = text
                elif key in self._landing:
                    landing.add(self._landing[key])
                else:
                    missing.append(leaf)
            if missing:
                found.update(await self._render_all(schema, missing, embedded))
            for event in landing:
                await event.wait()
            # What another task failed to render, or what the cache lost meanwhile.
            wanted = [leaf for leaf in wanted if leaf not in found]
        return found

    def keep(self, schema: Schema, leaf: Address, text: Text) -> None:
        """Adds a text; the least recently used go."""
        key = (schema.text_key, leaf)
        self._bytes += len(text[0]) - (len(self._texts[key][0]) if key in self._texts else 0)
        self._texts[key] = text
        self._texts.move_to_end(key)
        while self._bytes > self.bytes_max and len(self._texts) > 1:
            _, dropped = self._texts.popitem(last=False)
            self._bytes -= len(dropped[0])

    async def _render_all(
        self, schema: Schema, leaves: Sequence[Address], embedded: Mapping[Address, Chunk]
    ) -> dict[Address, Text]:
        """Fetches all *leaves* at once and renders them in portions, which land one by one."""
        portions = [
            leaves[at : at + LEAVES_PER_RENDER] for at in range(0, len(leaves), LEAVES_PER_RENDER)
        ]
        texts: dict[Address, Text] = {}
        under_way = [self._take_off(schema, portion) for portion in portions]
        try:
            stored = [leaf for leaf in leaves if leaf not in embedded]
            chunks = dict(embedded)
            if stored:
                fetched = await self._chunks.get_many(stored)
                chunks.update(zip(stored, fetched, strict=True))

            async def render(number: int) -> None:
                portion = portions[number]
                rendered = await self._render(schema, [chunks[leaf] for leaf in portion])
                for leaf, text in zip(portion, rendered, strict=True):
                    texts[leaf] = text
                    self.keep(schema, leaf, text)
                self._land(schema, portion, under_way[number])

            await map_concurrently(render, range(len(portions)))
        finally:
            for portion, landed in zip(portions, under_way, strict=True):
                self._land(schema, portion, landed)
        return texts

    def _take_off(self, schema: Schema, leaves: Sequence[Address]) -> trio.Event:
        landed = trio.Event()
        self._landing.update(((schema.text_key, leaf), landed) for leaf in leaves)
        return landed

    def _land(self, schema: Schema, leaves: Sequence[Address], landed: trio.Event) -> None:
        if landed.is_set():
            return
        # No await between these lines: nobody can see one without the other.
        for leaf in leaves:
            del self._landing[schema.text_key, leaf]
        landed.set()

    async def _render(self, schema: Schema, chunks: Sequence[Chunk]) -> list[Text]:
        render = Render(schema, chunks)
        in_thread = len(chunks) > LEAVES_ON_LOOP
        while addresses := render.needs(BATCH_MAX):
            values = await self._chunks.get_many(addresses)
            if in_thread:
                await trio.to_thread.run_sync(render.feed, values, limiter=self._limiter)
            else:
                render.feed(values)
        if in_thread:
            return await trio.to_thread.run_sync(render.result, limiter=self._limiter)
        return render.result()
