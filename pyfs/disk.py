"""This machine's disk: a full one in the words of `pyfs.errors`, and files without a name."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfs.errors import DiskError, SpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES: Final = 1 << 20
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def local_disk(folder: Path, option: str = "state-dir") -> Iterator[None]:
    """Turns what goes wrong in *folder* on the local disk into `SpaceError` and `DiskError`.

    *option* is the option of `-o` that says where that folder is.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            raise SpaceError(
                f"the local disk has no room for what is written to {folder} ({exc.strerror}): "
                f"free some, or mount with -o {option}= in a folder that has room"
            ) from exc
        raise DiskError(
            f"the local disk failed in {folder} ({exc.strerror or exc}): check that disk and "
            f"folder, or mount with -o {option}= in another folder"
        ) from exc


def why_unusable(folder: Path) -> str | None:
    """What keeps files from being made in *folder*, which is made if it is not there; or None."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as exc:
        return _obstacle(folder) or exc.strerror or str(exc)


def _obstacle(folder: Path) -> str | None:
    """What is where *folder*, or a folder on the way to it, would have to be."""
    for path in (folder, *folder.parents):
        name = "it" if path == folder else path
        if os.path.isdir(path):
            return None
        if os.path.isfile(path):
            return f"{name} is a file"
        if os.path.exists(path):
            return f"{name} is no directory"
        if os.path.islink(path):
            return f"{name} is a link to nothing"
    return None


class LocalFile:
    """Bytes on local disk under no name: whatever ends this process, nothing is left of them.

    Thread-safe. It is closed when nobody refers to it any more.
    """

    def __init__(self, folder: Path, option: str = "state-dir") -> None:
        """Makes *folder* if it is not there; *option* as for `local_disk`."""
        self._folder, self._option = folder, option
        with local_disk(folder, option):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Closed when this object goes.
            self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
        self._fd = self._file.fileno()
        self._length = 0

    def __del__(self) -> None:
        with suppress(AttributeError):
            self._file.close()

    def __len__(self) -> int:
        return self._length

    def append(self, data: bytes) -> int:
        """Writes *data* behind what is there, one caller at a time; returns where."""
        offset, done = self._length, 0
        with local_disk(self._folder, self._option), memoryview(data) as view:
            while done < len(data):
                done += os.pwrite(self._fd, view[done:], offset + done)
        self._length += len(data)
        return offset

    @property
    def path(self) -> Path:
        """By this path this process can open it once more."""
        return Path(f"/proc/self/fd/{self._fd}")

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer only at the end."""
        return os.pread(self._fd, length, offset)

    def pieces(self) -> Iterator[bytes]:
        """All of it, one piece after the other."""
        return (self.read(at, PIECE_BYTES) for at in range(0, self._length, PIECE_BYTES))

    def copy_to(self, fd: int) -> None:
        """Writes all of it to *fd*."""
        done = 0
        while done < self._length:
            done += os.sendfile(fd, self._fd, done, self._length - done)


class Window(io.RawIOBase):
    """A part of a `LocalFile`, read as a file of its own."""

    def __init__(self, file: LocalFile, start: int, stop: int) -> None:
        self._file = file
        self._start, self._stop = start, stop
        self._at = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._at, os.SEEK_END: self._stop}
        self._at = max(self._start, base[whence] + offset)
        return self.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(self._at, max(0, min(len(buffer), self._stop - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
