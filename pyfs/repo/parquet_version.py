"""One version of one table as a Parquet file.

A Parquet file says at its end where everything is, so it is made as a whole when it is first read:
of the table's CSV text, on local disk. It is kept in the cache folder for the next reader, and may
be deleted there at any time.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trio

from pyfs._core import Address, Schema, Table
from pyfs.disk import local_disk
from pyfs.repo.table_version import TableVersion

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 1 << 20
SIZE_FACTOR: Final = 64
"""A field of CSV, two bytes with its comma, takes no more than so many times that."""
COLUMN_BYTES: Final = 4096
"""What the file says of one column, in each group of rows."""


class ParquetFolder:
    """The Parquet files that were made, kept in a folder that mounts share."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory = directory / "parquet"
        self._bytes_max = bytes_max
        # Each is all computation, and takes memory.
        self.limiter = trio.CapacityLimiter(1)

    def open(self, table: Address) -> int | None:
        """A descriptor of the file of *table*, if it is there."""
        path = self._path(table)
        try:
            found = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # so that what is read is kept
        return found

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder for the time of making a file."""
        with local_disk(self._directory, "cache-dir"):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._directory, prefix="making-") as folder:
                yield Path(folder)

    def keep(self, table: Address, made: Path) -> None:
        """Moves the file of *table* into the folder; the ones longest unread go."""
        made.replace(self._path(table))
        files = []
        for path in self._directory.glob("*.parquet"):
            with contextlib.suppress(OSError):
                stat = path.stat()
                files.append((stat.st_mtime_ns, stat.st_size, path))
        left = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if left <= self._bytes_max:
                break
            path.unlink(missing_ok=True)
            left -= size

    def _path(self, table: Address) -> Path:
        from pyfs.parquet.export import VERSION  # pyarrow is an extra, and takes a while

        return self._directory / f"{table}-{VERSION}.parquet"


class ParquetVersion:
    """One version of one table as a Parquet file. Shared by all who read it."""

    def __init__(self, text: TableVersion, folder: ParquetFolder) -> None:
        self.as_text: Final = text
        self._folder = folder
        self._file: int | None = None
        self._making = trio.Lock()

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

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
        return None if self._file is None else os.fstat(self._file).st_size

    @property
    def size_max(self) -> int:
        """Bytes of the file, never too few."""
        if self.size is not None:
            return self.size
        columns = len(self.schema.columns) + 1
        rows = self.as_text.size_max
        return min(SIZE_FACTOR * rows + COLUMN_BYTES * columns * (1 + rows // PIECE_BYTES), 1 << 62)

    async def recall_size(self) -> None:
        """Finds the file if it was made before."""
        if self._file is None:
            self._file = await trio.to_thread.run_sync(self._folder.open, self.address)

    async def stored_len(self) -> int | None:
        return 0 if self.size is not None else await self.as_text.stored_len()

    async def exact_size(self) -> int:
        return os.fstat(await self._made()).st_size

    @property
    def share_read(self) -> float:
        return self.as_text.share_read

    async def read(self, offset: int, length: int) -> bytes:
        return os.pread(await self._made(), max(length, 0), offset)

    async def view(self, offset: int, length: int) -> bytes:
        return await self.read(offset, length)

    async def _made(self) -> int:
        async with self._making:
            await self.recall_size()
            if self._file is None:
                with self._folder.workspace() as workspace:
                    self._file = await self._make(workspace)
            return self._file

    async def _make(self, workspace: Path) -> int:
        text = workspace / "text.csv"
        with text.open("wb") as out:
            size = 0
            while piece := await self.as_text.read(size, PIECE_BYTES):
                size += out.write(piece)
        return await trio.to_thread.run_sync(self._convert, text, limiter=self._folder.limiter)

    def _convert(self, text: Path) -> int:
        from pyfs.parquet.export import write_parquet
        from pyfs.parquet.types import columns_of

        made = text.with_suffix(".parquet")
        write_parquet(text, made, columns_of(self.schema.definitions))
        # Opened before others may delete it.
        file = os.open(made, os.O_RDONLY | os.O_CLOEXEC)
        self._folder.keep(self.address, made)
        return file
