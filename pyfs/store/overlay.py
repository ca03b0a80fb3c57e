"""`Overlay`: chunks just made, before those of a remote."""

from collections.abc import Sequence

from pyfs._core import Address, Addresses, Chunk, Chunks
from pyfs.store.chunks import ChunkStore


class Overlay:
    """Serves *chunks* first and *below* for the rest."""

    def __init__(self, chunks: Sequence[Chunk], below: ChunkStore) -> None:
        self._chunks = {chunk.address: chunk for chunk in chunks}
        self._below = below

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        missing = [address for address in addresses if address not in self._chunks]
        fetched = await self._below.get_many(missing) if missing else []
        found = {chunk.address: chunk for chunk in fetched}
        return [self._chunks.get(address) or found[address] for address in addresses]

    async def get_batch(self, addresses: Addresses) -> Chunks:
        return Chunks(await self.get_many(list(addresses)))
