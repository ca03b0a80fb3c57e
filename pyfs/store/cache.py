"""`ChunkCache`: chunks in memory, bounded in bytes, least recently used out first."""

from collections import OrderedDict
from typing import Final

from pyfs._core import Address, Chunk

OVERHEAD_BYTES: Final = 200
"""What a cached chunk costs besides its contents."""


class ChunkCache:
    """Chunks by address, at most *bytes_max* bytes of them."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._chunks: OrderedDict[Address, Chunk] = OrderedDict()

    def get(self, address: Address) -> Chunk | None:
        """The chunk at *address*, if it is here; it is now the most recently used."""
        chunk = self._chunks.get(address)
        if chunk is not None:
            self._chunks.move_to_end(address)
        return chunk

    def put(self, chunk: Chunk) -> None:
        """Keeps *chunk*, and lets go of others if it must."""
        if chunk.address in self._chunks:
            return
        self._chunks[chunk.address] = chunk
        self._bytes += len(chunk) + OVERHEAD_BYTES
        while self._bytes > self._bytes_max and len(self._chunks) > 1:
            _, gone = self._chunks.popitem(last=False)
            self._bytes -= len(gone) + OVERHEAD_BYTES
