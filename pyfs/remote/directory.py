"""A remote in a directory: storage files, a manifest file, and the lock that dolt takes too."""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trio

from pyfs._core import Manifest
from pyfs.disk import LocalFile
from pyfs.errors import (
    AccessError,
    AlreadyExistsError,
    ConfigurationError,
    NotFoundError,
    RemoteError,
    SpaceError,
)
from pyfs.store.chunks import Remote, Tail
from pyfs.store.counts import RequestCounts

LOCK_WAIT_S: Final = 10.0
"""How long to wait for the lock. Dolt holds it for milliseconds, and gives up after 100 ms."""
LOCK_POLL_S: Final = 0.005
MODE: Final = 0o600
"""The mode of the files that dolt makes."""


def directory_remote(directory: Path, url: str) -> Remote:
    """The remote in *directory*."""
    counts = RequestCounts()
    files, manifests = DirectoryFiles(directory, counts), DirectoryManifests(directory, counts)
    return Remote(url, files, manifests, local=True, counts=counts)


class DirectoryFiles:
    """Storage files in a directory."""

    def __init__(self, directory: Path, counts: RequestCounts) -> None:
        self._directory = directory
        self._counts = counts

    async def read_tail(self, name: str, length: int) -> Tail:
        return await trio.to_thread.run_sync(self._read_tail, name, length)

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return await trio.to_thread.run_sync(self._read, name, offset, length)

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        # Not abandoned on cancellation: half a file must not be left under a thread's feet.
        await trio.to_thread.run_sync(self._create, name, data)

    def _read_tail(self, name: str, length: int) -> Tail:
        with self._open(name) as file:
            file_len = os.fstat(file).st_size
            length = min(length, file_len)
            data = self._pread(file, name, file_len - length, length)
            return Tail(data, file_len)

    def _read(self, name: str, offset: int, length: int) -> bytes:
        with self._open(name) as file:
            return self._pread(file, name, offset, length)

    def _pread(self, file: int, name: str, offset: int, length: int) -> bytes:
        with _explained(f"reading {self._directory / name}"):
            data = os.pread(file, length, offset)
            while len(data) < length:
                more = os.pread(file, length - len(data), offset + len(data))
                if not more:
                    raise RemoteError(
                        f"{self._directory / name} ends at byte {offset + len(data)},"
                        f" {offset + length} were promised: it is cut off"
                    )
                data += more
        self._counts.file_reads += 1
        self._counts.file_read_bytes += length
        return data

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[int]:
        with _explained(f"opening {self._directory / name}"):
            file = os.open(self._directory / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield file
        finally:
            os.close(file)

    def _create(self, name: str, data: bytes | LocalFile) -> None:
        path = self._directory / name
        with _explained(f"writing {path}"):
            self._directory.mkdir(parents=True, exist_ok=True)
            temporary = self._directory / f"nbs_table_{secrets.token_hex(8)}"
            try:
                _write_durably(temporary, data)
                # A link, unlike a rename, never replaces: another encoder may have packed the
                # same chunks into other bytes, and readers hold offsets into those.
                os.link(temporary, path)
            except FileExistsError:
                if not _holds(path, data):
                    raise AlreadyExistsError(f"{path} holds other bytes") from None
            finally:
                temporary.unlink(missing_ok=True)
            _sync_directory(self._directory)
        self._counts.file_writes += 1
        self._counts.file_written_bytes += len(data)


class DirectoryManifests:
    """The manifest in a file."""

    def __init__(self, directory: Path, counts: RequestCounts) -> None:
        self._directory = directory
        self._path = directory / "manifest"
        self._counts = counts

    async def read(self) -> Manifest:
        return await trio.to_thread.run_sync(self._read)

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        return await trio.to_thread.run_sync(self._swap, expected, wanted)

    def _read(self) -> Manifest:
        self._counts.manifest_reads += 1
        try:
            with _explained(f"reading {self._path}"):
                return Manifest.parse(self._path.read_bytes())
        except NotFoundError:
            return Manifest.EMPTY

    def _swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        self._counts.manifest_writes += 1
        with _explained(f"replacing {self._path}"):
            self._directory.mkdir(parents=True, exist_ok=True)
            with self._locked():
                stored = self._read()
                if stored.lock != expected.lock:
                    return stored
                if stored.gc_gen != wanted.gc_gen:
                    return stored
                self._check_files(stored, wanted)
                temporary = self._directory / f"nbs_manifest_{secrets.token_hex(8)}"
                try:
                    _write_durably(temporary, wanted.text())
                    temporary.rename(self._path)
                finally:
                    temporary.unlink(missing_ok=True)
                _sync_directory(self._directory)
        return wanted

    def _check_files(self, stored: Manifest, wanted: Manifest) -> None:
        known = {name for name, _ in stored.specs}
        for name, _ in wanted.specs:
            paths = (self._directory / name, self._directory / f"{name}.darc")
            if name not in known and not any(path.exists() for path in paths):
                raise RemoteError(f"{paths[0]} vanished before the manifest could name it")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # BSD locks, as dolt takes them; POSIX locks would not keep it out.
        file = os.open(self._directory / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            deadline = time.monotonic() + LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise RemoteError(
                            f"{self._directory / 'LOCK'} has been locked for {LOCK_WAIT_S:.0f} s;"
                            " see which process holds it with lsof or fuser"
                        ) from None
                    time.sleep(LOCK_POLL_S)
            yield
        finally:
            os.close(file)


@contextlib.contextmanager
def _explained(doing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        raise NotFoundError(f"{doing}: it is not there") from exc
    except NotADirectoryError as exc:
        raise ConfigurationError(f"{doing}: a part of the path is no directory") from exc
    except PermissionError as exc:
        raise AccessError(f"{doing}: {exc.strerror}; check its owner and mode") from exc
    except OSError as exc:
        if exc.errno in (28, 122):  # ENOSPC, EDQUOT
            raise SpaceError(f"{doing}: {exc.strerror}") from exc
        raise RemoteError(f"{doing}: {exc.strerror or exc}") from exc


def _write_durably(path: Path, data: bytes | LocalFile) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    with os.fdopen(file, "wb") as stream:
        if isinstance(data, bytes):
            stream.write(data)
        else:
            data.copy_to(file)
        stream.flush()
        os.fsync(stream.fileno())


def _holds(path: Path, data: bytes | LocalFile) -> bool:
    if path.stat().st_size != len(data):
        return False
    pieces = [data] if isinstance(data, bytes) else data.pieces()
    with path.open("rb") as stream:
        return all(stream.read(len(piece)) == piece for piece in pieces)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
