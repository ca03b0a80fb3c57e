"""`drive`: runs the traversals of `_core`."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import trio

from pyfs._core import Address, Chunk
from pyfs.store.chunks import ChunkStore

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

BATCH_MAX: Final = 256
"""Addresses asked for at a time."""


class Traversal(Protocol[T_co]):
    """An algorithm that says which chunks it needs and is fed them."""

    def needs(self, limit: int) -> list[Address]: ...
    def feed(self, chunks: Sequence[Chunk]) -> None: ...
    def result(self) -> T_co: ...


async def drive_apart(traversal: Traversal[T], store: ChunkStore) -> T:
    """As `drive`, where what comes of chunks takes long: that is done in worker threads."""
    while addresses := traversal.needs(BATCH_MAX):
        chunks = await store.get_many(addresses)
        await trio.to_thread.run_sync(traversal.feed, chunks)
    return traversal.result()


async def drive(traversal: Traversal[T], store: ChunkStore) -> T:
    """Feeds *traversal* from *store* until it needs nothing more; returns its result."""
    while addresses := traversal.needs(BATCH_MAX):
        traversal.feed(await store.get_many(addresses))
    return traversal.result()
