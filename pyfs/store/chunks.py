"""The protocols of this layer: what a remote gives, and what a reader of chunks asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyfs._core import Address, Addresses, Chunk, Chunks, Manifest
from pyfs.disk import LocalFile
from pyfs.store.counts import RequestCounts
from pyfs.store.health import Health, Patience


@dataclass(frozen=True, slots=True)
class Tail:
    """The last bytes of a stored file, and the length of the whole."""

    data: bytes
    file_len: int


class TableFiles(Protocol):
    """The storage files of one remote. A name has its `.darc` suffix if it is an archive's."""

    async def read_tail(self, name: str, length: int) -> Tail:
        """The last *length* bytes of *name*, or all of it; `NotFoundError` if it is not there."""

    async def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly `[offset, offset + length)` of *name*, or an error."""

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        """Stores *name* durably, unless it is there: then it must hold the same bytes.

        A file's name covers only its addresses and lengths. Where other bytes stand under the name,
        raises `AlreadyExistsError`.
        """


class ManifestStore(Protocol):
    """The manifest of one remote."""

    async def read(self) -> Manifest:
        """What is stored now (a consistent read); `Manifest.EMPTY` when nothing is."""

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        """Replaces *expected* by *wanted* if it is still there; returns what is stored afterwards.

        Another manifest than *wanted* means that another writer was first. The answer to a
        write that was carried out can be lost, so a refusal is never taken at its word; nor
        does "not ours" prove that ours was never there: another writer may have built upon it.
        """


@dataclass(frozen=True, slots=True)
class Remote:
    """One remote: its files and its manifest. Opened by `pyfs.remote.open_remote`."""

    url: str
    """Canonical, without credentials."""
    files: TableFiles
    manifests: ManifestStore
    local: bool = False
    """Whether its files are on this machine, so that copies of them would gain nothing."""
    counts: RequestCounts = field(default_factory=RequestCounts)
    health: Health = field(default_factory=Health)
    patience: Patience = field(default_factory=Patience)


class ChunkStore(Protocol):
    """Reads chunks, wherever they are."""

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        """The chunks at *addresses*, in that order; `CorruptionError` for one that is nowhere."""

    async def get_batch(self, addresses: Addresses) -> Chunks:
        """The same for many chunks, without a Python object for each."""
