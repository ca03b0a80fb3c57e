"""A remote in memory, without threads: what the mock clock and deterministic schedules need."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import trio

from pyfs._core import Address, Addresses, Chunk, Chunks, Manifest, StorageFile, TableIndex
from pyfs.disk import LocalFile
from pyfs.errors import AlreadyExistsError, CorruptionError, NotFoundError
from pyfs.store.chunk_file import ChunkFile
from pyfs.store.chunks import Remote, Tail
from pyfs.store.counts import RequestCounts

Hook = Callable[[], Awaitable[None]]


class MemoryFiles:
    """Storage files by name."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.counts = RequestCounts()

    async def read_tail(self, name: str, length: int) -> Tail:
        await trio.lowlevel.checkpoint()
        data = self.file(name)
        return Tail(self._counted(data[-length:]), len(data))

    async def read(self, name: str, offset: int, length: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return self._counted(self.file(name)[offset : offset + length])

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        await trio.lowlevel.checkpoint()
        if isinstance(data, LocalFile):
            data = data.read(0, len(data))
        self.counts.file_writes += 1
        self.counts.file_written_bytes += len(data)
        if self.files.setdefault(name, data) != data:
            raise AlreadyExistsError(f"{name} holds other bytes")

    def file(self, name: str) -> bytes:
        try:
            return self.files[name]
        except KeyError:
            self.counts.file_reads += 1
            raise NotFoundError(f"there is no file {name}") from None

    def _counted(self, data: bytes) -> bytes:
        self.counts.file_reads += 1
        self.counts.file_read_bytes += len(data)
        return data


class MemoryManifests:
    """One manifest, and what may happen around its swap."""

    def __init__(self, manifest: Manifest = Manifest.EMPTY) -> None:
        self.stored = manifest
        self.reads = 0
        self.swaps = 0
        self.before_swap: list[Hook] = []
        """Each is called once, before one swap: another writer may come first."""
        self.after_swap: list[Hook] = []
        """Each is called once, after a swap that was carried out: its answer may get lost."""

    async def read(self) -> Manifest:
        await trio.lowlevel.checkpoint()
        self.reads += 1
        return self.stored

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        await trio.lowlevel.checkpoint()
        if self.before_swap:
            await self.before_swap.pop(0)()
        self.swaps += 1
        if self.stored.lock != expected.lock:
            return self.stored
        self.stored = wanted
        if self.after_swap:
            await self.after_swap.pop(0)()
        return self.stored


class MemoryChunks:
    """The chunks of a memory remote; counts what is read."""

    def __init__(self, files: MemoryFiles) -> None:
        self._files = files
        self._indexes: dict[str, TableIndex] = {}
        self._kept: dict[Address, Chunk] = {}
        self.fetched: Counter[Address] = Counter()
        self.batches = 0

    async def update(self, manifest: Manifest) -> None:
        await trio.lowlevel.checkpoint()
        indexes = {}
        for name, count in manifest.specs:
            indexes[name] = self._indexes.get(name) or self._open(name, count)
        self._indexes = indexes

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        await trio.lowlevel.checkpoint()
        self.batches += 1
        found = {a: self._kept[a] for a in addresses if a in self._kept}
        missing = [a for a in dict.fromkeys(addresses) if a not in found]
        self.fetched.update(missing)
        for index in self._indexes.values():
            found.update((chunk.address, chunk) for chunk in self._read(index, missing))
        for address in addresses:
            if address not in found:
                raise CorruptionError(f"chunk {address} is in no file")
        return [found[a] for a in addresses]

    async def get_batch(self, addresses: Addresses) -> Chunks:
        return Chunks(await self.get_many(list(addresses)))

    def contains(self, addresses: Addresses | Sequence[Address]) -> list[bool]:
        answers = [index.contains(addresses) for index in self._indexes.values()]
        return [any(column) for column in zip(*answers, strict=True)] or [False] * len(addresses)

    def stored_len(self, addresses: Addresses | Sequence[Address]) -> int:
        return sum(index.stored_len(addresses) for index in self._indexes.values())

    def keep(self, chunks: Sequence[Chunk]) -> None:
        self._kept.update((chunk.address, chunk) for chunk in chunks)

    def adopt(self, file: StorageFile | ChunkFile) -> None:
        data = file.data
        if isinstance(data, LocalFile):
            data = data.read(0, len(data))
        assert self._files.files[file.file] == data

    def file_lengths(self) -> dict[str, int]:
        return {
            name: len(self._files.file(name + (".darc" if index.kind == "archive" else "")))
            for name, index in self._indexes.items()
        }

    def addresses_in(self, names: Sequence[str]) -> list[Address]:
        return list(dict.fromkeys(a for name in names for a in self._indexes[name].addresses()))

    def _open(self, name: str, count: int) -> TableIndex:
        data = self._files.files.get(name)
        if data is not None:
            return TableIndex.table(name, data[-TableIndex.table_tail_len(count) :], len(data))
        data = self._files.files.get(name + ".darc")
        if data is None:
            raise NotFoundError(f"there is no file {name}")
        return TableIndex.archive(name, data, len(data))

    def _read(self, index: TableIndex, addresses: Sequence[Address]) -> list[Chunk]:
        data = self._files.file(index.name + (".darc" if index.kind == "archive" else ""))
        there = index.contains(addresses)
        here = [a for a, held in zip(addresses, there, strict=True) if held]
        for plan in index.dictionary_plans(here):
            index.load_dictionaries(plan, data[plan.offset : plan.offset + plan.length])
        chunks: list[Chunk] = []
        for plan in index.plan(here, 0, 1 << 20):
            chunks += index.decode(plan, data[plan.offset : plan.offset + plan.length])
        return chunks


class MemoryRemote:
    """A remote of the two above."""

    def __init__(self) -> None:
        self.files = MemoryFiles()
        self.manifests = MemoryManifests()

    @staticmethod
    def of_directory(directory: Path) -> "MemoryRemote":
        """A copy of a `file://` remote."""
        remote = MemoryRemote()
        for path in directory.iterdir():
            if path.name == "manifest":
                remote.manifests.stored = Manifest.parse(path.read_bytes())
            elif path.is_file() and path.name != "LOCK":
                remote.files.files[path.name] = path.read_bytes()
        return remote

    def write_directory(self, directory: Path) -> None:
        """Makes a `file://` remote of it."""
        directory.mkdir()
        for name, data in self.files.files.items():
            (directory / name).write_bytes(data)
        (directory / "manifest").write_bytes(self.manifests.stored.text())

    def as_remote(self) -> Remote:
        return Remote(url="memory:", files=self.files, manifests=self.manifests)
