"""The folders on local disk: texts on their way to a save, scratch, and what could not be saved.

```
<state>/mounts/<remote>/<number>/lock                     held while that mount lives
                                /spool/<branch>/<table>-<n>.<format>
                                /scratch/<n>
<state>/recovery/<remote>/<branch>/<table>-<time>.<format>     never deleted by pyfs
```

A text that a crashed mount left in its spool is moved to the recovery folder by the next mount of
the same remote.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyfs.disk import local_disk

if TYPE_CHECKING:
    from pathlib import Path

    from pyfs.repo.contents import TableContents

log = logging.getLogger(__name__)

COPY_BYTES = 1 << 20


class Spool:
    """One text on local disk. Sizes and offsets are bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with local_disk():
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0

    def read(self, offset: int, length: int) -> bytes:
        with local_disk():
            return os.pread(self._fd, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        done = 0
        with local_disk():
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], offset + done)
        self.size = max(self.size, offset + len(data))

    def truncate(self, size: int) -> None:
        with local_disk():
            os.ftruncate(self._fd, size)
        self.size = size

    def fileno(self) -> int:
        return self._fd

    def remove(self) -> None:
        """Closes it and deletes the file."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)

    async def fill(self, version: TableContents) -> None:
        """Appends the rest of the text of *version*, of which it holds the beginning."""
        while piece := await version.read(self.size, COPY_BYTES):
            self.write(self.size, piece)


class LocalFolders:
    """Where one mount keeps its files on local disk. All are private to the user."""

    def __init__(self, state_dir: Path, url: str) -> None:
        remote = quote(url, safe="")[-200:]
        self._mounts = state_dir / "mounts" / remote
        self._recovery = state_dir / "recovery" / remote
        self._numbers = itertools.count(1)
        with local_disk():
            _private(self._mounts)
            _private(self._recovery)
            self._rescue()
            self._home, self._lock = self._claim()
            _private(self._home / "scratch")

    def spool(self, branch: str, table: str, suffix: str) -> Spool:
        """A new, empty spool for a text of *table*; *suffix* says in which format."""
        with local_disk():
            folder = _private(self._home / "spool" / _component(branch))
        return Spool(folder / f"{_component(table)}-{next(self._numbers)}{suffix}")

    def scratch(self) -> Path:
        """The path for a new scratch file."""
        return self._home / "scratch" / str(next(self._numbers))

    def recover(self, text: Path, branch: str, name: str) -> Path:
        """Copies *text* of the file *name* to the recovery folder; returns where."""
        with local_disk():
            target = _free(_private(self._recovery / _component(branch)), name)
            with open(target, "xb", opener=_private_opener) as out, text.open("rb") as source:
                shutil.copyfileobj(source, out, COPY_BYTES)
                out.flush()
                os.fsync(out.fileno())
        return target

    def close(self) -> None:
        """Deletes this mount's folders. What is to be kept is in the recovery folder by now."""
        shutil.rmtree(self._home, ignore_errors=True)
        os.close(self._lock)

    def _claim(self) -> tuple[Path, int]:
        for number in itertools.count(1):
            home = self._mounts / str(number)
            _private(home)
            lock = _try_lock(home / "lock")
            if lock is not None:
                return home, lock
        raise AssertionError("itertools.count does not end")

    def _rescue(self) -> None:
        for home in self._mounts.iterdir():
            lock = _try_lock(home / "lock")
            if lock is None:
                continue
            for text in sorted(home.glob("spool/*/*")):
                if text.stat().st_size:
                    name = text.stem.rpartition("-")[0] + text.suffix
                    folder = _private(self._recovery / text.parent.name)
                    target = _free(folder, name)
                    text.rename(target)
                    log.warning("kept what an earlier mount had not saved: %s", target)
            shutil.rmtree(home, ignore_errors=True)
            os.close(lock)


def _component(name: str) -> str:
    """*name* as one component of a path."""
    quoted = quote(name, safe=" @~+=,()", errors="surrogateescape")
    return (f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted)[:200]


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _free(folder: Path, name: str) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    stem, dot, ending = name.rpartition(".")
    base, suffix = f"{_component(stem)}-{stamp}", dot + _component(ending)
    for number in itertools.count(1):
        target = folder / (f"{base}{suffix}" if number == 1 else f"{base}-{number}{suffix}")
        if not target.exists():
            return target
    raise AssertionError("itertools.count does not end")


def _try_lock(path: Path) -> int | None:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    # Another mount may have deleted the folder between the two calls above.
    if not path.exists() or os.fstat(lock).st_ino != path.stat().st_ino:
        os.close(lock)
        return None
    return lock
