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

import errno
import fcntl
import itertools
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyfs.disk import local_disk
from pyfs.errors import PyfsError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from pyfs.repo.contents import TableContents

log = logging.getLogger(__name__)

COPY_BYTES = 1 << 20
MODE = 0o600
"""The mode of texts: only their owner may read them."""
NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS})
"""How a file system says that a file cannot have a name there too."""


class Spool:
    """One text on local disk. Sizes and offsets are bytes.

    A text that is kept elsewhere may grow there too, but what is kept of it stays as it is.
    """

    def __init__(self, path: Path, stay: set[Path]) -> None:
        """*stay* are the files that are kept where they are."""
        self.path = path
        self._stay = stay
        self._fd = _new_file(path)
        self.size = 0

    def read(self, offset: int, length: int) -> bytes:
        with local_disk(self.path.parent):
            return os.pread(self._fd, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        if offset < self.size:
            self._leave_kept(self.size)
        done = 0
        with local_disk(self.path.parent):
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], offset + done)
        self.size = max(self.size, offset + len(data))

    def truncate(self, size: int) -> None:
        self._leave_kept(min(size, self.size))
        with local_disk(self.path.parent):
            os.ftruncate(self._fd, size)
        self.size = size

    def fileno(self) -> int:
        return self._fd

    def remove(self) -> None:
        """Closes it and deletes the file, unless it is to stay."""
        os.close(self._fd)
        if self.path not in self._stay:
            self.path.unlink(missing_ok=True)

    def _leave_kept(self, length: int) -> None:
        """Goes on with a copy of the first *length* bytes if the file is kept as it is."""
        with local_disk(self.path.parent):
            if os.fstat(self._fd).st_nlink <= 1 and self.path not in self._stay:
                return
            # A name that the next mount would read as this one.
            other = self.path.with_stem(f"{self.path.stem}b")
            fd = _new_file(other)
            try:
                done = 0
                while done < length:
                    done += os.sendfile(fd, self._fd, done, length - done)
            except OSError:
                os.close(fd)
                other.unlink()
                raise
        self.remove()
        self.path, self._fd = other, fd

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
        self._state_dir = state_dir
        self._numbers = itertools.count(1)
        self._stay: set[Path] = set()
        """Spools that could be kept only where they are."""
        self.rescued: list[Path] = []
        """Where texts are by now that earlier mounts had not saved."""
        with local_disk(state_dir):
            _private(self._mounts)
            _private(self._recovery)
            self._rescue()
            self._home, self._lock = self._claim()
            _private(self._home / "scratch")

    def spool(self, branch: str, table: str, suffix: str) -> Spool:
        """A new, empty spool for a text of *table*; *suffix* says in which format."""
        with local_disk(self._state_dir):
            folder = _private(self._home / "spool" / _component(branch))
        name = f"{_component(table)}-{next(self._numbers)}{suffix}"
        return Spool(folder / name, self._stay)

    def scratch(self) -> Path:
        """The path for a new scratch file."""
        return self._home / "scratch" / str(next(self._numbers))

    def recover(self, text: Path, branch: str, name: str) -> Path:
        """Keeps *text* of the file *name* in the recovery folder; returns where.

        It takes no room: the file gets a second name there. Where that cannot be, a copy is made,
        and where there is no room for one, a spool stays where it is until the next mount.
        """
        try:
            with local_disk(self._state_dir):
                return _keep(text, _private(self._recovery / _component(branch)), name)
        except PyfsError as exc:
            if self._home / "spool" not in text.parents:
                raise
            log.warning("%s stays where it is: %s", text, exc)
            self._stay.add(text)
            return text

    def close(self) -> None:
        """Deletes this mount's folders, but for texts that could not be kept elsewhere."""
        if self._stay:
            self._empty(self._home)
        else:
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
            self._empty(home)
            os.close(lock)

    def _empty(self, home: Path) -> None:
        """Moves the texts of *home* to the recovery folder, and deletes the rest."""
        for text in sorted(home.glob("spool/*/*")):
            stat = text.stat()
            # One with a second name is in the recovery folder already.
            if not stat.st_size or stat.st_nlink > 1:
                continue
            name = text.stem.rpartition("-")[0] + text.suffix
            try:
                target = _keep(text, _private(self._recovery / text.parent.name), name)
            except OSError as exc:
                log.warning("%s stays where it is until the next mount: %s", text, exc)
                return
            text.unlink()
            self.rescued.append(target)
            log.warning("kept what an earlier mount had not saved: %s", target)
        shutil.rmtree(home, ignore_errors=True)


def _component(name: str) -> str:
    """*name* as one component of a path."""
    quoted = quote(name, safe=" @~+=,()", errors="surrogateescape")
    return (f"%2E{quoted[1:]}" if quoted.startswith(".") else quoted)[:200]


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _new_file(path: Path) -> int:
    with local_disk(path.parent):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)


def _keep(text: Path, folder: Path, name: str) -> Path:
    """Gives *text* a second name after *name* in *folder*, or copies it there; returns where."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    stem, dot, ending = name.rpartition(".")
    base, suffix = f"{_component(stem)}-{stamp}", dot + _component(ending)
    for number in itertools.count(1):
        target = folder / (f"{base}{suffix}" if number == 1 else f"{base}-{number}{suffix}")
        try:
            _link(text, target)
        except FileExistsError:
            continue
        return target
    raise AssertionError("itertools.count does not end")


def _link(text: Path, target: Path) -> None:
    with text.open("rb") as source:
        os.fchmod(source.fileno(), MODE)
        try:
            os.link(text, target)
        except OSError as exc:
            if exc.errno not in NO_LINKS:
                raise
            _copy(source, target)
            return
        try:
            os.fsync(source.fileno())
        except OSError as exc:
            log.warning("%s may not outlive a power failure: %s", target, exc)


def _copy(source: BinaryIO, target: Path) -> None:
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        with open(out, "wb") as copy:
            shutil.copyfileobj(source, copy, COPY_BYTES)
            copy.flush()
            os.fsync(out)
    except OSError:
        target.unlink()
        raise


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
