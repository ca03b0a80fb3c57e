"""`ChunkSet`: what this layer asks of the chunks of a remote."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from pyfs._core import Address, Addresses, Chunk, Chunks, Manifest, StorageFile
from pyfs.errors import CorruptionError, NotFoundError, RemoteError
from pyfs.store.chunk_file import ChunkFile
from pyfs.store.chunks import ChunkStore

T = TypeVar("T")

REREADS_MAX: Final = 5
"""As often as dolt reads the manifest again when a file that it names is gone."""


class ChunkSet(ChunkStore, Protocol):
    """The chunks of the storage files that one manifest names."""

    async def update(self, manifest: Manifest) -> None:
        """From now on the files of *manifest*; `NotFoundError` if one of them is gone."""

    def contains(self, addresses: Addresses | Sequence[Address]) -> list[bool]:
        """Whether the remote holds each of *addresses*."""

    def stored_len(self, addresses: Addresses | Sequence[Address]) -> int:
        """Bytes that *addresses* take in the remote's files."""

    def keep(self, chunks: Sequence[Chunk]) -> None:
        """Remembers chunks that the remote holds, as if they had been read."""

    def adopt(self, file: StorageFile | ChunkFile) -> None:
        """Takes *file*, which the remote holds, for the next manifest that names it."""

    def file_lengths(self) -> Mapping[str, int]:
        """The files and their bytes."""

    def addresses_in(self, names: Sequence[str]) -> list[Address]:
        """The addresses of all chunks in these files, each once."""


class NoChunks:
    """The chunks of a remote without any."""

    async def update(self, manifest: Manifest) -> None:
        raise AssertionError(f"a remote without chunks has manifest {manifest.lock}")

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        raise CorruptionError(f"chunk {addresses[0]} is in none of no files")

    def contains(self, addresses: Addresses | Sequence[Address]) -> list[bool]:
        return [False] * len(addresses)

    async def get_batch(self, addresses: Addresses) -> Chunks:
        return Chunks(await self.get_many(list(addresses)))

    def stored_len(self, addresses: Addresses | Sequence[Address]) -> int:
        return 0

    def keep(self, chunks: Sequence[Chunk]) -> None:
        pass

    def adopt(self, file: StorageFile | ChunkFile) -> None:
        pass

    def file_lengths(self) -> Mapping[str, int]:
        return {}

    def addresses_in(self, names: Sequence[str]) -> list[Address]:
        return []


class Rereading:
    """Reads chunks; where a file is gone, from those that took its place.

    On `file://` a conjoin replaces files by one with the same chunks and deletes them, so that a
    reader with an older manifest finds them gone.
    """

    def __init__(
        self,
        chunks: ChunkStore,
        number_of_reads: Callable[[], int],
        reread: Callable[[int], Awaitable[None]],
    ) -> None:
        """*reread* reads the manifest, unless that was done since *number_of_reads* told this."""
        self._chunks = chunks
        self._number_of_reads = number_of_reads
        self._reread = reread

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        return await self._again(lambda: self._chunks.get_many(addresses))

    async def get_batch(self, addresses: Addresses) -> Chunks:
        return await self._again(lambda: self._chunks.get_batch(addresses))

    async def _again(self, get: Callable[[], Awaitable[T]]) -> T:
        for _ in range(REREADS_MAX):
            begun = self._number_of_reads()
            try:
                return await get()
            except NotFoundError as exc:
                gone = exc
            await self._reread(begun)
        raise RemoteError(f"files of the remote vanish while they are read: {gone}") from gone
