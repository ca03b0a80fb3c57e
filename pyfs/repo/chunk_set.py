"""`ChunkSet`: what this layer asks of the chunks of a remote."""

from collections.abc import Sequence
from typing import Protocol

from pyfs._core import Address, Chunk, Manifest
from pyfs.store.chunks import ChunkStore


class ChunkSet(ChunkStore, Protocol):
    """The chunks of the storage files that one manifest names."""

    async def update(self, manifest: Manifest) -> None:
        """From now on the files of *manifest*; `NotFoundError` if one of them is gone."""

    def contains(self, addresses: Sequence[Address]) -> list[bool]:
        """Whether the remote holds each of *addresses*."""

    def stored_len(self, addresses: Sequence[Address]) -> int:
        """Bytes that *addresses* take in the remote's files."""

    def keep(self, chunks: Sequence[Chunk]) -> None:
        """Remembers chunks that the remote holds, as if they had been read."""
