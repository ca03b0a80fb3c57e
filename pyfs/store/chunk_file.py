"""`ChunkFile`: chunks on local disk, in the form of the storage file that they will be."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pyfs._core import Address, Addresses, Chunks, StorageFile, StorageWriter, TableIndex
from pyfs.disk import LocalFile
from pyfs.store.chunks import Tail

FILE_BYTES_MAX: Final = 512 * 1024 * 1024
"""A file is cut at this size; dolt cuts at 1 GiB."""
GAP_BYTES_MAX: Final = 16 * 1024
READ_BYTES_MAX: Final = 1024 * 1024
"""Of one read from a local disk."""
CHUNKS_AT_ONCE: Final = 512
"""Chunks that are copied together."""

Contains = Callable[[Addresses], list[bool]]
"""Whether a remote holds each of some addresses. Called in any thread."""


class ChunkFile:
    """A storage file that is no remote's yet. Its chunks are verified when they are read."""

    def __init__(self, made: StorageFile, data: LocalFile, addresses: list[Addresses]) -> None:
        """*data* is all of the file *made*.

        *addresses* are those of its chunks, in the order in which they were added.
        """
        self.name = made.name
        self.file = made.file
        self.is_archive = made.file != made.name
        self.data = data
        self.tail = Tail(data.read(len(data) - made.tail_len, made.tail_len), len(data))
        open_index = TableIndex.archive if self.is_archive else TableIndex.table
        self.index = open_index(self.name, self.tail.data, len(data))
        self._addresses = addresses

    @property
    def chunk_count(self) -> int:
        return len(self.index)

    def addresses(self) -> list[Address]:
        """Those of its chunks, in the order in which they were added."""
        return list(dict.fromkeys(address for some in self._addresses for address in some))

    def get(self, addresses: Addresses) -> list[Chunks]:
        """The chunks at *addresses*, all of which are here, in any order. Blocks."""
        read = self.data.read
        for plan in self.index.dictionary_plans(addresses):
            self.index.load_dictionaries(plan, read(plan.offset, plan.length))
        plans = self.index.plan(addresses, GAP_BYTES_MAX, READ_BYTES_MAX)
        return [self.index.decode(plan, read(plan.offset, plan.length)) for plan in plans]

    def turned(self, folder: Path, turn: int) -> "ChunkFile":
        """The same chunks in another order, for each *turn* another one. Blocks."""
        writer = ChunkFileWriter(folder, bytes_max=2 * FILE_BYTES_MAX)
        addresses = self.addresses()
        for at in range(0, len(addresses), CHUNKS_AT_ONCE):
            some = Addresses(addresses[at : at + CHUNKS_AT_ONCE])
            writer.add(Chunks.gather(some, self.get(some)))
        (file,) = writer.finish(turn)
        return file


class ChunkFileWriter:
    """Chunks in, storage files on local disk out. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        contains: Contains | None = None,
        *,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        """Leaves out what *contains* says is stored already."""
        self._folder = folder
        self._contains = contains
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._files: list[ChunkFile] = []
        self.left_out: list[Addresses] = []
        """The addresses of what was left out."""
        self._writer = StorageWriter()
        self._data: LocalFile | None = None
        self._addresses: list[Addresses] = []

    def add(self, chunks: Chunks) -> None:
        """Adds *chunks*. `SpaceError` where the disk is full."""
        addresses = chunks.addresses()
        if self._contains is not None:
            held = self._contains(addresses)
            if any(held):
                pairs = list(zip(addresses, held, strict=True))
                self.left_out.append(Addresses([address for address, there in pairs if there]))
                addresses = Addresses([address for address, there in pairs if not there])
                chunks = Chunks.gather(addresses, [chunks])
        if not len(addresses):
            return
        with self._lock:
            if self._data is None:
                self._data = LocalFile(self._folder)
            self._writer.add(chunks)
            self._addresses.append(addresses)
            self._data.append(self._writer.take())
            if len(self._data) >= self._bytes_max:
                self._end_file()

    def finish(self, turn: int = 0) -> list[ChunkFile]:
        """The files with all that was added. Called once. *turn* is that of a `StorageWriter`."""
        with self._lock:
            self._end_file(turn)
            return self._files

    def _end_file(self, turn: int = 0) -> None:
        data, made = self._data, self._writer.finish(turn)
        if data is not None and made is not None:
            data.append(made.data)
            self._files.append(ChunkFile(made, data, self._addresses))
        self._writer, self._data, self._addresses = StorageWriter(), None, []
