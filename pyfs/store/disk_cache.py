"""`DiskCache`: chunks and file indexes on disk, shared by all mounts of a user.

Everything here is immutable and can be had again from the remote, so the cache may be deleted,
damaged or full at any moment: that costs time, never an error or wrong data.
"""

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pyfs._core import Address, Chunk
from pyfs.errors import CorruptionError
from pyfs.store.chunks import Tail

log = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
CHECKSUM_LEN: Final = 16
LOOKUP_MAX: Final = 500
"""Addresses asked for in one statement; SQLite allows 999 and more."""
TRIM_TO: Final = 0.9
"""The part of the limit that is left after old chunks were let go."""


class DiskCache:
    """Chunks by address and file tails by name, in one SQLite database. Thread-safe."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._path = directory / f"chunks-{SCHEMA_VERSION}.db"
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._broken = bytes_max <= 0

    def get(self, addresses: Sequence[Address]) -> list[Chunk]:
        """Those of *addresses* that are here, in any order. What is damaged is not."""
        found: list[Chunk] = []
        for start in range(0, len(addresses), LOOKUP_MAX):
            keys = [bytes(address) for address in addresses[start : start + LOOKUP_MAX]]
            marks = ",".join("?" * len(keys))
            sql = f"SELECT address, contents FROM chunk WHERE address IN ({marks})"
            for address, contents in self._query(sql, keys):
                try:
                    found.append(Chunk.verify(Address(address), contents))
                except (CorruptionError, TypeError):
                    log.warning("the cache %s is damaged; fetching again", self._path)
        return found

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Keeps *chunks*; lets go of the oldest if there are too many bytes."""
        rows = [(bytes(chunk.address), chunk.contents(), len(chunk)) for chunk in chunks]
        with self._lock:
            database = self._open()
            if database is None:
                return
            try:
                with database:
                    database.executemany(
                        "INSERT OR IGNORE INTO chunk (address, contents, length) VALUES (?, ?, ?)",
                        rows,
                    )
                    self._trim(database)
            except sqlite3.Error as exc:
                self._give_up(exc)

    def get_tail(self, remote: str, name: str) -> tuple[str, Tail] | None:
        """The file name with its suffix, and the tail that `put_tail` kept for base *name*."""
        sql = "SELECT file, file_len, data, checksum FROM tail WHERE remote = ? AND name = ?"
        for file, file_len, data, checksum in self._query(sql, [remote, name]):
            if _checksum(file, file_len, data) == checksum:
                return file, Tail(data, file_len)
            log.warning("the cache %s is damaged; fetching again", self._path)
        return None

    def put_tail(self, remote: str, name: str, file: str, tail: Tail) -> None:
        """Keeps the tail of *file*, whose base name is *name*."""
        checksum = _checksum(file, tail.file_len, tail.data)
        row = (remote, name, file, tail.file_len, tail.data, checksum)
        with self._lock:
            database = self._open()
            if database is None:
                return
            try:
                with database:
                    database.execute("INSERT OR REPLACE INTO tail VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.Error as exc:
                self._give_up(exc)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None
            self._broken = True

    def _query(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            database = self._open()
            if database is None:
                return []
            try:
                return database.execute(sql, values).fetchall()
            except sqlite3.Error as exc:
                self._give_up(exc)
                return []

    def _open(self) -> sqlite3.Connection | None:
        if self._database is not None or self._broken:
            return self._database
        try:
            self._database = self._connect()
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)
        return self._database

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._prepare()
        except sqlite3.DatabaseError:
            # Not a database any more: begin anew. Other mounts keep the old file open.
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return self._prepare()

    def _prepare(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        try:
            # Losing the newest entries to a crash costs a fetch: nothing here needs fsync.
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            with database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS chunk (id INTEGER PRIMARY KEY,"
                    " address BLOB UNIQUE NOT NULL, contents BLOB NOT NULL,"
                    " length INTEGER NOT NULL)"
                )
                database.execute(
                    "CREATE TABLE IF NOT EXISTS tail (remote TEXT, name TEXT, file TEXT NOT NULL,"
                    " file_len INTEGER NOT NULL, data BLOB NOT NULL, checksum BLOB NOT NULL,"
                    " PRIMARY KEY (remote, name))"
                )
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _trim(self, database: sqlite3.Connection) -> None:
        used = database.execute("PRAGMA page_count").fetchone()[0]
        free = database.execute("PRAGMA freelist_count").fetchone()[0]
        page = database.execute("PRAGMA page_size").fetchone()[0]
        excess = (used - free) * page - self._bytes_max
        if excess <= 0:
            return
        excess += int(self._bytes_max * (1 - TRIM_TO))
        last = None
        for row, length in database.execute("SELECT id, length FROM chunk ORDER BY id"):
            last = row
            excess -= length
            if excess <= 0:
                break
        if last is not None:
            database.execute("DELETE FROM chunk WHERE id <= ?", (last,))

    def _give_up(self, exc: Exception) -> None:
        log.warning("the cache %s cannot be used, going on without it: %s", self._path, exc)
        if self._database is not None:
            self._database.close()
        self._database = None
        self._broken = True


def _checksum(file: object, file_len: object, data: object) -> bytes:
    if not isinstance(data, bytes):
        return b""
    digest = hashlib.blake2b(f"{file}\0{file_len}\0".encode(), digest_size=CHECKSUM_LEN)
    digest.update(data)
    return digest.digest()
