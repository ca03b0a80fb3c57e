"""`SpanCache`: parts of a remote's storage files as they were read, kept on disk.

Storage files never change, so a part that was read once is good for ever. Each is a file of its
own, named by where it starts and ends, in a folder for each storage file:

    spans/<remote>/<storage file>/tail            index and length, with a checksum
    spans/<remote>/<storage file>/dictionaries-<start>    some dictionaries, with a checksum
    spans/<remote>/<storage file>/<start>-<end>

Nothing here is trusted. Whoever decodes a span verifies every chunk; the rest has checksums, and is
dropped where it led to a chunk that is wrong (`drop`). All of it may be deleted, damaged, full or
read-only at any time: that costs a request, never an error. Mounts share the folder; a span appears
whole, by a rename. Spans are written by a thread that nobody waits for.
"""

import contextlib
import hashlib
import logging
import os
import queue
import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from pyfs._core import Addresses, Chunks, TableIndex
from pyfs.disk import LocalFile
from pyfs.errors import CorruptionError
from pyfs.store.cache_limit import CacheLimit
from pyfs.store.chunks import Tail

log = logging.getLogger(__name__)

TAIL: Final = "tail"
DICTIONARIES: Final = "dictionaries-"
CHECKSUM_LEN: Final = 16
UNWRITTEN_BYTES_MAX: Final = 64 * 1024 * 1024
"""What waits to be written; beyond it spans are not kept, as the disk is slower than the remote."""
IN_MEMORY_BYTES_MAX: Final = 8 * 1024 * 1024
IN_MEMORY_SPAN_BYTES_MAX: Final = 1024 * 1024
"""Longer spans are what a stream reads: their chunks are decoded and not asked for again."""

SPAN_NAME: Final = re.compile(r"(0|[1-9][0-9]{0,18})-([1-9][0-9]{0,18})")
OFFSET_MAX: Final = (1 << 63) - 1
"""Of a file."""

Span = tuple[int, int]
"""Start and end in a storage file."""


class SpanCache:
    """Spans and tails of the storage files of one remote. Thread-safe."""

    def __init__(self, directory: Path, remote: str, bytes_max: int) -> None:
        """Keeps nothing on disk if *bytes_max* is 0."""
        self._folder = (
            directory / "spans" / hashlib.blake2b(remote.encode(), digest_size=8).hexdigest()
        )
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._memory: OrderedDict[tuple[str, Span], bytes] = OrderedDict()
        self._memory_bytes = 0
        self._listed: dict[str, tuple[int, list[Span]]] = {}
        self._writer = _Writer(CacheLimit(directory, bytes_max)) if bytes_max > 0 else None

    def chunks(self, index: TableIndex, addresses: Addresses) -> tuple[list[Chunks], Addresses]:
        """Those of *addresses*, of the file of *index*, that are here; and those that are not."""
        found: list[Chunks] = []
        left = addresses
        for spans in (self._in_memory(index.name), self._on_disk(index.name)):
            if not len(left) or not spans:
                continue
            plans, outside = index.plan_within(left, spans)
            complete = True
            here: list[Chunks] = []
            for number, plan in plans:
                data = self._read(index.name, spans[number], plan.offset, plan.length)
                if data is None:
                    complete = False
                    continue
                try:
                    here.append(index.decode(plan, data))
                except CorruptionError:
                    complete = False
                    self._forget(index.name, spans[number])
            found.extend(here)
            left = outside if complete else _without(left, here)
        return found, left

    def read(self, name: str, offset: int, length: int) -> bytes | None:
        """`[offset, offset + length)` of storage file *name*, if it is here. Not verified."""
        for spans in (self._in_memory(name), self._on_disk(name)):
            for span in spans:
                if span[0] <= offset and offset + length <= span[1]:
                    return self._read(name, span, offset, length)
        return None

    def keep(self, name: str, offset: int, data: bytes | LocalFile) -> None:
        """Keeps *data*, which was read at *offset* of storage file *name*."""
        span = (offset, offset + len(data))
        if isinstance(data, bytes) and len(data) <= IN_MEMORY_SPAN_BYTES_MAX:
            with self._lock:
                self._memory_bytes += len(data) - len(self._memory.get((name, span), b""))
                self._memory[name, span] = data
                while self._memory_bytes > IN_MEMORY_BYTES_MAX:
                    _, gone = self._memory.popitem(last=False)
                    self._memory_bytes -= len(gone)
        if self._writer is not None:
            self._writer.write(self._folder / name / _name(span), data)

    def get_tail(self, name: str) -> tuple[str, Tail] | None:
        """The file name with its suffix, and the tail that `put_tail` kept for base *name*."""
        if self._writer is None:
            return None
        body = _checked(self._folder / name / TAIL)
        if body is None:
            return None
        file, file_len, raw = body.split(b"\0", 2)
        return file.decode(), Tail(raw, int(file_len))

    def put_tail(self, name: str, file: str, tail: Tail) -> None:
        """Keeps the tail of *file*, whose base name is *name*."""
        if self._writer is not None:
            body = b"%s\0%d\0%s" % (file.encode(), tail.file_len, tail.data)
            self._writer.write(self._folder / name / TAIL, _checksum(body) + body)

    def get_dictionaries(self, name: str, offset: int, length: int) -> bytes | None:
        """`[offset, offset + length)` of storage file *name*, if it is here, as it was stored."""
        for span in self._in_memory(name):
            if span[0] <= offset and offset + length <= span[1]:
                with self._lock:
                    data = self._memory.get((name, span))
                if data is not None:
                    return data[offset - span[0] : offset - span[0] + length]
        if self._writer is None:
            return None
        body = _checked(self._folder / name / _dictionaries(offset))
        return body if body is not None and len(body) == length else None

    def put_dictionaries(self, name: str, offset: int, data: bytes) -> None:
        """Keeps *data*, dictionaries that were read at *offset* of storage file *name*."""
        if self._writer is not None:
            path = self._folder / name / _dictionaries(offset)
            self._writer.write(path, _checksum(data) + data)

    def drop(self, name: str) -> None:
        """Forgets what does not prove itself of storage file *name*: its tail and dictionaries."""
        with self._lock:
            for key in [key for key in self._memory if key[0] == name]:
                self._memory_bytes -= len(self._memory.pop(key))
        folder = self._folder / name
        with contextlib.suppress(OSError):
            for file in os.listdir(folder):
                if file == TAIL or file.startswith(DICTIONARIES):
                    (folder / file).unlink(missing_ok=True)

    def close(self) -> None:
        """Waits until everything is written."""
        if self._writer is not None:
            self._writer.close()

    def _in_memory(self, name: str) -> list[Span]:
        with self._lock:
            return [span for file, span in self._memory if file == name]

    def _on_disk(self, name: str) -> list[Span]:
        if self._writer is None:
            return []
        try:
            changed = os.stat(self._folder / name).st_mtime_ns
            listed = self._listed.get(name)
            if listed is None or listed[0] != changed:
                spans = [span for file in os.listdir(self._folder / name) if (span := _span(file))]
                listed = self._listed[name] = (changed, spans)
        except OSError:
            return []
        return listed[1]

    def _read(self, name: str, span: Span, offset: int, length: int) -> bytes | None:
        with self._lock:
            data = self._memory.get((name, span))
            if data is not None:
                self._memory.move_to_end((name, span))
                return data[offset - span[0] : offset - span[0] + length]
        return _contents(self._folder / name / _name(span), offset - span[0], length)

    def _forget(self, name: str, span: Span) -> None:
        path = self._folder / name / _name(span)
        log.warning("the cache file %s is damaged; fetching again", path)
        with self._lock:
            self._memory_bytes -= len(self._memory.pop((name, span), b""))
        with contextlib.suppress(OSError):
            path.unlink()


class _Writer:
    """Writes files in a thread of its own."""

    def __init__(self, limit: CacheLimit) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Path, bytes | LocalFile] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._unwritten = 0
        self._failing = False
        self._closed = False

    def write(self, path: Path, data: bytes | LocalFile) -> None:
        """Writes *data* to *path* soon, or not at all where too much is waiting."""
        in_memory = len(data) if isinstance(data, bytes) else 0
        with self._lock:
            if self._closed or self._unwritten + in_memory > UNWRITTEN_BYTES_MAX:
                return
            self._unwritten += in_memory
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pyfs-cache", daemon=True)
                self._thread.start()
            self._queue.put((path, data))

    def close(self) -> None:
        """Writes what is waiting; takes nothing more."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            path, data = item
            try:
                _replace(path, data)
                self._limit.wrote(len(data))
                self._failing = False
            except OSError as exc:
                # Said once: a full disk fails every write.
                level = logging.DEBUG if self._failing else logging.WARNING
                self._failing = True
                log.log(level, "the cache %s cannot be written, going on without: %s", path, exc)
            if isinstance(data, bytes):
                with self._lock:
                    self._unwritten -= len(data)
            # Nobody else may hold it any more: it goes before the next one is waited for.
            del item, data


def _without(addresses: Addresses, parts: list[Chunks]) -> Addresses:
    for part in parts:
        addresses = part.missing(addresses)
    return addresses


def _replace(path: Path, data: bytes | LocalFile) -> None:
    new = path.with_name(f".{secrets.token_hex(8)}")
    try:
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            if isinstance(data, bytes):
                stream.write(data)
            else:
                data.copy_to(file)
        os.rename(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def _contents(path: Path, offset: int = 0, length: int | None = None) -> bytes | None:
    """A part of a file; None where it is not there in full."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        wanted = os.fstat(file).st_size - offset if length is None else length
        data = os.pread(file, wanted, offset)
        # The files that were used longest ago go first.
        with contextlib.suppress(OSError):
            os.utime(file)
    except OSError:
        return None
    finally:
        os.close(file)
    return data if len(data) == wanted else None


def _checked(path: Path) -> bytes | None:
    """What follows the checksum in a file; None where it is not there as it was written."""
    data = _contents(path)
    if data is None:
        return None
    checksum, body = data[:CHECKSUM_LEN], data[CHECKSUM_LEN:]
    if _checksum(body) != checksum:
        log.warning("the cache file %s is damaged; fetching again", path)
        return None
    return body


def _dictionaries(offset: int) -> str:
    return f"{DICTIONARIES}{offset}"


def _name(span: Span) -> str:
    return f"{span[0]}-{span[1]}"


def _span(name: str) -> Span | None:
    found = SPAN_NAME.fullmatch(name)
    if found is None:
        return None
    start, end = int(found[1]), int(found[2])
    return (start, end) if start < end <= OFFSET_MAX else None


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=CHECKSUM_LEN).digest()
