"""`CacheLimit`: how much the folders of the cache may hold together."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDERS: Final = ("spans", "parquet")
TRIM_TO: Final = 0.9
"""The part of the limit that is left after old files were let go."""
RECOUNT_BYTES: Final = 64 * 1024 * 1024
"""After so many bytes written the folders are counted anew: others write to them too."""


class CacheLimit:
    """Deletes the files that were used longest ago where there are too many. Thread-safe."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._roots = [directory / folder for folder in FOLDERS]
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._used: int | None = None
        self._uncounted = 0

    def has_room_for(self, length: int) -> bool:
        """Whether a file of that length may be kept at all."""
        return length <= self._bytes_max * TRIM_TO

    def wrote(self, length: int) -> None:
        """Counts *length* bytes that were written to one of the folders."""
        with self._lock:
            self._uncounted += length
            if self._used is None or self._uncounted > RECOUNT_BYTES:
                self._used = sum(size for _, size, _ in self._files())
                self._uncounted = 0
            else:
                self._used += length
            if self._used > self._bytes_max:
                self._trim()

    def recount(self) -> None:
        """Counts what is there, whoever wrote it."""
        with self._lock:
            self._used = None
        self.wrote(0)

    def _trim(self) -> None:
        files = sorted(self._files())
        used = sum(size for _, size, _ in files)
        for _, size, path in files:
            if used <= self._bytes_max * TRIM_TO:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
            used -= size
        self._used = used

    def _files(self) -> Iterator[tuple[int, int, str]]:
        """When each file was used last, its size on disk, its path."""
        for root in self._roots:
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    with contextlib.suppress(OSError):
                        found = os.stat(path)
                        yield found.st_mtime_ns, found.st_blocks * 512, path
