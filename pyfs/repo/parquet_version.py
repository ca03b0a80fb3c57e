"""One version of one table as a Parquet file.

A Parquet file says at its end where everything is, so it is made as a whole when it is first read:
of the table's CSV text, on local disk. It is kept in the cache folder for the next reader. There it
may be deleted or damaged at any time, and the folder may be full or read-only: then the file is
made once more, or elsewhere. It is the same file whenever and wherever it is made.
"""

import contextlib
import io
import logging
import os
import secrets
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from pyfs._core import Address, Schema, Table
from pyfs.disk import LocalFile, local_disk
from pyfs.errors import CorruptionError, DiskError, SpaceError
from pyfs.repo.table_version import TableVersion
from pyfs.store.cache_limit import CacheLimit
from pyfs.store.checked_file import CheckedFile, CheckedWriter, DamagedFileError

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 1 << 20
SIZE_FACTOR: Final = 64
"""A field of CSV, two bytes with its comma, takes no more than so many times that."""
COLUMN_BYTES: Final = 4096
"""What the file says of one column, in each group of rows."""
TEXT_IN_MEMORY_BYTES_MAX: Final = 64 << 20
"""Text of which a file is made in memory where no disk can be written."""
FILES_IN_MEMORY_BYTES_MAX: Final = 32 << 20
"""Such files together."""
DAMAGES_IN_CACHE_MAX: Final = 1
"""Times that a file is made anew in the cache folder before that is given up for it."""
ATTEMPTS: Final = 4
"""Times that a file is read before the disk is given up."""


class InMemory:
    """A file that no disk takes."""

    def __init__(self, contents: bytes) -> None:
        self._contents = contents

    def __len__(self) -> int:
        return len(self._contents)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer only at the end."""
        return self._contents[offset : offset + length]


class ParquetFolder:
    """The Parquet files that were made, kept in a folder that mounts share."""

    def __init__(self, cache_dir: Path, work_dir: Path, bytes_max: int) -> None:
        """What the cache does not take is in *work_dir*, as long as it is used."""
        self._directory = cache_dir / "parquet"
        self._limit = CacheLimit(cache_dir, bytes_max)
        self.places: Final = ((self._directory, "cache-dir"), (work_dir, "state-dir"))
        """Folders in which a file can be made, and the options that say where they are."""
        # Each is all computation, and takes memory.
        self.limiter = trio.CapacityLimiter(1)
        self.in_memory = trio.Lock()
        self._in_memory: weakref.WeakSet[InMemory] = weakref.WeakSet()

    def open(self, table: Address) -> CheckedFile | None:
        """The file of *table*, if it is there. It is verified as it is read."""
        return CheckedFile.open(self._path(table))

    def forget(self, table: Address) -> None:
        """Deletes the file of *table*, which is damaged."""
        path = self._path(table)
        log.warning("the Parquet file %s is damaged; making it once more", path)
        with contextlib.suppress(OSError):
            path.unlink()

    def make(self, version: "ParquetVersion", text: LocalFile, place: Path) -> CheckedFile:
        """The file of *version*, whose CSV text is *text*, made in the folder *place*."""
        name = place / f".{secrets.token_hex(8)}"
        try:
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                # Not by its name, which others may take away at any time.
                writer = CheckedWriter(fd)
                version.write(text.path, writer.restart)
                made = writer.finish()
            finally:
                os.close(fd)
            if place == self._directory and self._limit.has_room_for(len(made)):
                self._keep(name, version.address)
        finally:
            with contextlib.suppress(OSError):
                name.unlink()
        return made

    def make_in_memory(self, version: "ParquetVersion", text: bytearray) -> InMemory | None:
        """The file of *version*, whose CSV text is *text*; None where there are too many."""
        targets: list[io.BytesIO] = []

        def start() -> io.BytesIO:
            targets[:] = [io.BytesIO()]
            return targets[0]

        version.write(text, start)
        made = InMemory(targets[0].getvalue())
        if sum(map(len, self._in_memory)) + len(made) > FILES_IN_MEMORY_BYTES_MAX:
            return None
        self._in_memory.add(made)
        return made

    def _keep(self, made: Path, table: Address) -> None:
        path = self._path(table)
        try:
            made.rename(path)
        except OSError as exc:
            log.warning("the Parquet file %s cannot be kept: %s", path, exc.strerror)
            return
        self._limit.recount()

    def _path(self, table: Address) -> Path:
        from pyfs.parquet.export import VERSION  # pyarrow is an extra, and takes a while

        return self._directory / f"{table}-{VERSION}.parquet"


class ParquetVersion:
    """One version of one table as a Parquet file. Shared by all who read it."""

    def __init__(self, text: TableVersion, folder: ParquetFolder) -> None:
        self.as_text: Final = text
        self._folder = folder
        self._file: CheckedFile | InMemory | None = None
        self._size: int | None = None
        self._damages = 0
        self._making = trio.Lock()

    @property
    def table(self) -> Table:
        return self.as_text.table

    @property
    def schema(self) -> Schema:
        return self.as_text.schema

    @property
    def address(self) -> Address:
        return self.as_text.address

    @property
    def size(self) -> int | None:
        """Bytes of the file, once it is made."""
        return self._size

    @property
    def size_max(self) -> int:
        """Bytes of the file, never too few."""
        if self._size is not None:
            return self._size
        columns = len(self.schema.columns) + 1
        rows = self.as_text.size_max
        return min(SIZE_FACTOR * rows + COLUMN_BYTES * columns * (1 + rows // PIECE_BYTES), 1 << 62)

    async def recall_size(self) -> None:
        """Finds the file if it was made before."""
        if self._file is None:
            self._take(await trio.to_thread.run_sync(self._folder.open, self.address))

    async def stored_len(self) -> int | None:
        return 0 if self.size is not None else await self.as_text.stored_len()

    async def exact_size(self) -> int:
        return len(await self._made()) if self._size is None else self._size

    @property
    def share_read(self) -> float:
        return self.as_text.share_read

    async def read(self, offset: int, length: int) -> bytes:
        for _ in range(ATTEMPTS):
            file = await self._made()
            try:
                return await trio.to_thread.run_sync(file.read, offset, max(length, 0))
            except DamagedFileError as exc:
                damage = str(exc)
                if self._file is file:
                    self._file = None
                    self._damages += 1
                    await trio.to_thread.run_sync(self._folder.forget, self.address)
        raise CorruptionError(
            f"the local disk does not keep the Parquet file of table {self.address} as it is "
            f"written ({damage}): mount with -o cache-dir= and -o state-dir= on another disk"
        )

    async def view(self, offset: int, length: int) -> bytes:
        return await self.read(offset, length)

    def write(self, text: Path | bytearray, start: Callable[[], io.IOBase]) -> None:
        """Writes the file to what *start* gives, empty, each time it is called. Blocks.

        *text* is the table's CSV text.
        """
        from pyfs.parquet.export import write_parquet
        from pyfs.parquet.types import columns_of

        write_parquet(text, start, columns_of(self.schema.definitions))

    def _take(self, file: CheckedFile | InMemory | None) -> None:
        self._file = file
        if file is not None:
            self._size = len(file)

    async def _made(self) -> CheckedFile | InMemory:
        async with self._making:
            if self._damages <= DAMAGES_IN_CACHE_MAX:
                await self.recall_size()
            if self._file is None:
                self._take(await self._make())
            assert self._file is not None
            return self._file

    async def _make(self) -> CheckedFile | InMemory:
        for place, option in self._folder.places[self._damages > DAMAGES_IN_CACHE_MAX :]:
            try:
                return await self._make_in(place, option)
            except (SpaceError, DiskError) as exc:
                log.warning("no Parquet file can be made in %s: %s", place, exc)
                failure = exc
        async with self._folder.in_memory:
            made = await self._make_in_memory()
        if made is None:
            raise failure
        return made

    async def _make_in(self, place: Path, option: str) -> CheckedFile:
        def convert() -> CheckedFile:
            with local_disk(place, option):
                return self._folder.make(self, text, place)

        text = await trio.to_thread.run_sync(LocalFile, place, option)
        while piece := await self.as_text.read(len(text), PIECE_BYTES):
            text.append(piece)
        return await trio.to_thread.run_sync(convert, limiter=self._folder.limiter)

    async def _make_in_memory(self) -> InMemory | None:
        text = bytearray()
        while piece := await self.as_text.read(len(text), PIECE_BYTES):
            text += piece
            if len(text) > TEXT_IN_MEMORY_BYTES_MAX:
                return None
        make = self._folder.make_in_memory
        return await trio.to_thread.run_sync(make, self, text, limiter=self._folder.limiter)
