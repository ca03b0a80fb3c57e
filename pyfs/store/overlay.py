"""`Overlay`: chunks just made, before those of a remote."""

from collections.abc import Sequence

import trio

from pyfs._core import Address, Addresses, Chunk, Chunks
from pyfs.store.chunk_file import ChunkFile
from pyfs.store.chunks import ChunkStore


class Overlay:
    """Serves *chunks* first, then those of *files*, and *below* for the rest."""

    def __init__(
        self, chunks: Sequence[Chunk], below: ChunkStore, files: Sequence[ChunkFile] = ()
    ) -> None:
        self._chunks = {chunk.address: chunk for chunk in chunks}
        self._below = below
        self._files = files

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        found = {a: chunk for a in addresses if (chunk := self._chunks.get(a)) is not None}
        missing = Addresses([address for address in addresses if address not in found])
        for file in self._files:
            here, missing = file.index.split(missing)
            if len(here):
                for part in await trio.to_thread.run_sync(file.get, here):
                    found.update((chunk.address, chunk) for chunk in part)
        if len(missing):
            fetched = await self._below.get_many(list(missing))
            found.update((chunk.address, chunk) for chunk in fetched)
        return [found[address] for address in addresses]

    async def get_batch(self, addresses: Addresses) -> Chunks:
        return Chunks(await self.get_many(list(addresses)))
