"""`CheckedFile`: a file of the cache, every byte of which is verified when it is read.

The contents are followed by a digest of each of their blocks, and a trailer: a mark, the length of
the contents, and a digest of these digests and the length. So a reader of a few bytes verifies few,
and what happens to the file after it was opened is found out as well.
"""

import contextlib
import hashlib
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
    def seal(cls, fd: int) -> Self:
        """The file *fd*, all of which is contents; adds what they are verified by. `OSError`."""
        fd = os.dup(fd)
        try:
            length = os.fstat(fd).st_size
            digests = b"".join(
                _digest(os.pread(fd, BLOCK_BYTES, at)) for at in range(0, length, BLOCK_BYTES)
            )
            head = _LENGTH.pack(_MARK, length)
            _write(fd, digests + head + _digest(digests + head), length)
        except BaseException:
            os.close(fd)
            raise
        return cls(fd, length, digests)

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


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_LEN).digest()


def _write(fd: int, data: bytes, offset: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:], offset + done)
