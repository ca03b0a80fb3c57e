"""Open files: `Handle`, and those that collect no save."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import trio

from pyfs.disk import local_disk
from pyfs.errors import NotPermittedError, PyfsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyfs.repo.contents import TableContents
    from pyfs.vfs.node import ScratchFile, TableFile


class Handle:
    """An open file. Offsets and lengths are bytes."""

    direct = False
    """Whether the kernel must not cache what is read and written through it."""

    @property
    def dirty_size(self) -> int | None:
        """The size of what was written through it and is not saved yet, or None."""
        return None

    async def read(self, offset: int, length: int) -> bytes | memoryview:
        """The bytes there; short only at the end."""
        raise NotPermittedError("the file is not open for reading")

    async def write(self, offset: int, data: bytes) -> int:
        """Takes *data*; returns how much of it."""
        raise NotPermittedError("the file is not open for writing")

    async def truncate(self, size: int) -> None:
        """Cuts or extends the text."""
        raise NotPermittedError("the file is not open for writing")

    async def flush(self) -> None:
        """One of its holders closed it."""

    async def fsync(self) -> None:
        """What was written has to be durable when this returns."""

    async def release(self) -> None:
        """The last of its holders closed it. Never raises."""


class Reader(Handle):
    """Reads the version that was current when it was opened."""

    def __init__(self, node: TableFile, version: TableContents, *, direct: bool) -> None:
        self._node = node
        self._version = version
        # The kernel may cache only what has a known end: it would cut reads at a wrong one.
        self.direct = direct
        node.handles.add(self)

    async def read(self, offset: int, length: int) -> bytes | memoryview:
        return await self._version.view(offset, length)

    async def release(self) -> None:
        self._node.handles.discard(self)


class TextHandle(Handle):
    """A control file's text, as it was when it was opened; what is written is taken at the end."""

    direct = True

    def __init__(self, text: bytes, take: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        self._text = bytearray(text)
        self._take = take
        self._dirty = False

    @property
    def dirty_size(self) -> int | None:
        return len(self._text)

    async def read(self, offset: int, length: int) -> bytes:
        return bytes(self._text[offset : offset + length])

    async def write(self, offset: int, data: bytes) -> int:
        if self._take is None:
            raise NotPermittedError("this file says how things are and cannot be written")
        if offset > MESSAGE_BYTES_MAX - len(data):
            raise NotPermittedError(f"more than {MESSAGE_BYTES_MAX} bytes are no message")
        self._text[len(self._text) :] = bytes(max(0, offset - len(self._text)))
        self._text[offset : offset + len(data)] = data
        self._dirty = True
        return len(data)

    async def truncate(self, size: int) -> None:
        if self._take is None:
            raise NotPermittedError("this file says how things are and cannot be written")
        del self._text[size:]
        self._dirty = True

    async def flush(self) -> None:
        if self._dirty and self._take is not None:
            self._dirty = False
            await self._take(bytes(self._text))

    async def fsync(self) -> None:
        await self.flush()


MESSAGE_BYTES_MAX = 1 << 20
"""Longest commit message."""


class ScratchHandle(Handle):
    """A file of this machine's disk.

    Short reads and writes are done in place: they go to the page cache, and a thread would cost
    ten times as much.
    """

    def __init__(
        self,
        node: ScratchFile,
        flags: int,
        save: Callable[[], Awaitable[None]],
        forget: Callable[[], None],
    ) -> None:
        self._node = node
        self._append = bool(flags & os.O_APPEND)
        self._save = save
        self._forget = forget
        self._dirty = False
        self._refusal: PyfsError | None = None
        # Append is ours to do: pwrite with O_APPEND ignores its offset.
        mode = flags & (os.O_ACCMODE | os.O_TRUNC)
        with local_disk(node.path.parent):
            self._fd = os.open(node.path, mode | os.O_CLOEXEC)
        node.handles.add(self)

    async def read(self, offset: int, length: int) -> bytes:
        with local_disk(self._node.path.parent):
            return os.pread(self._fd, length, offset)

    async def write(self, offset: int, data: bytes) -> int:
        with local_disk(self._node.path.parent):
            if self._append:
                offset = os.fstat(self._fd).st_size
            done = 0
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], offset + done)
        self._touched()
        return len(data)

    async def truncate(self, size: int) -> None:
        with local_disk(self._node.path.parent):
            os.ftruncate(self._fd, size)
        self._touched()

    def _touched(self) -> None:
        self._dirty = True
        self._refusal = None
        self._node.mtime_ns = None

    async def flush(self) -> None:
        # Only a file that was renamed onto a table, or would be a new one, has something to save.
        if self._refusal is not None:
            raise self._refusal
        if self._dirty:
            try:
                await self._save()
            except PyfsError as exc:
                self._refusal = exc
                raise
            self._dirty = False

    async def fsync(self) -> None:
        with local_disk(self._node.path.parent):
            await trio.to_thread.run_sync(os.fsync, self._fd)
        await self.flush()

    async def release(self) -> None:
        os.close(self._fd)
        self._node.handles.discard(self)
        self._forget()
