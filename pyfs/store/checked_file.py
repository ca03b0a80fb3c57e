"""`CheckedFile`: a file of the cache, every byte of which is verified when it is read.

The contents are followed by a digest of each of their blocks, and a trailer: a mark, the length of
the contents, and a digest of these digests and the length. So a reader of a few bytes verifies few,
and what happens to the file after it was opened is found out as well.
"""

import contextlib
import hashlib
import io
import os
import struct
from pathlib import Path
from typing import Final, Self

BLOCK_BYTES: Final = 64 * 1024
DIGEST_LEN: Final = 16
_MARK: Final = b"pyfs\0sum"
_LENGTH: Final = struct.Struct(">8sQ")
_TRAILER_LEN: Final = _LENGTH.size + DIGEST_LEN


class DamagedFileError(Exception):
    """The file is not as it was written."""


class CheckedFile:
    """An open file. Thread-safe; closed when nobody refers to it any more."""

    def __init__(self, fd: int, length: int, digests: bytes) -> None:
        """Owns *fd* from now on."""
        self._fd = fd
        self._length = length
        self._digests = digests

    def __del__(self) -> None:
        os.close(self._fd)

    def __len__(self) -> int:
        """Bytes of the contents."""
        return self._length

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The file at *path*, if a sealed one is there. What it holds is not verified yet."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            size = os.fstat(fd).st_size
            trailer = os.pread(fd, _TRAILER_LEN, max(0, size - _TRAILER_LEN))
            mark, length = _LENGTH.unpack(trailer[: _LENGTH.size])
            digests_len = -(-length // BLOCK_BYTES) * DIGEST_LEN
            if mark == _MARK and length + digests_len + _TRAILER_LEN == size:
                digests = os.pread(fd, digests_len, length)
                if _digest(digests + trailer[: _LENGTH.size]) == trailer[_LENGTH.size :]:
                    # The files that were used longest ago go first.
                    with contextlib.suppress(OSError):
                        os.utime(fd)
                    opened, fd = cls(fd, length, digests), -1
                    return opened
        except (OSError, struct.error):
            pass
        finally:
            if fd >= 0:
                os.close(fd)
        return None

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer only at the end. Raises `DamagedFileError`."""
        end = min(offset + length, self._length)
        if offset >= end:
            return b""
        first, last = offset // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        start = first * BLOCK_BYTES
        wanted = min((last + 1) * BLOCK_BYTES, self._length) - start
        try:
            data = os.pread(self._fd, wanted, start)
        except OSError as exc:
            raise DamagedFileError(exc.strerror) from exc
        if len(data) != wanted:
            raise DamagedFileError("it is cut off")
        with memoryview(data) as view:
            for block in range(first, last + 1):
                at = block * BLOCK_BYTES - start
                kept = self._digests[block * DIGEST_LEN : (block + 1) * DIGEST_LEN]
                if _digest(view[at : at + BLOCK_BYTES]) != kept:
                    raise DamagedFileError(f"other bytes than were written, at {start + at}")
        return data[offset - start : end - start]


class CheckedWriter(io.RawIOBase):
    """Writes such a file from its start. What is verified later is what was to be written, and not
    what the disk made of it meanwhile. Raises `OSError`."""

    def __init__(self, fd: int) -> None:
        """Writes to *fd*, which stays the caller's."""
        super().__init__()
        self._fd = fd
        self._length = 0
        self._digests = bytearray()
        self._block = _hash()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        with memoryview(data).cast("B") as view:
            _write(self._fd, view, self._length)
            done = 0
            while done < len(view):
                room = BLOCK_BYTES - self._length % BLOCK_BYTES
                piece = view[done : done + room]
                self._block.update(piece)
                done += len(piece)
                self._length += len(piece)
                if self._length % BLOCK_BYTES == 0:
                    self._end_block()
            return done

    def restart(self) -> Self:
        """Itself, and nothing was written."""
        os.ftruncate(self._fd, 0)
        self._length = 0
        self._digests.clear()
        self._block = _hash()
        return self

    def finish(self) -> CheckedFile:
        """The file, now that all of it was written."""
        if self._length % BLOCK_BYTES:
            self._end_block()
        digests = bytes(self._digests)
        head = _LENGTH.pack(_MARK, self._length)
        _write(self._fd, digests + head + _digest(digests + head), self._length)
        return CheckedFile(os.dup(self._fd), self._length, digests)

    def _end_block(self) -> None:
        self._digests += self._block.digest()
        self._block = _hash()


def _hash() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=DIGEST_LEN)


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_LEN).digest()


def _write(fd: int, data: bytes | memoryview, offset: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], offset + done)
