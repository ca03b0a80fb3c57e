"""What is remembered on disk between mounts of where texts lie: what the text of each leaf
measures, and the inner nodes that say which leaves there are.

A leaf never changes, so neither does its text; it is the schema and the format that give it its
form, hence the key (`Schema.text_key`, leaf). Leaves are remembered in groups
(`TextLayout.remember`): an entry for each would take longer than rendering it. The database may be
deleted at any time. Whatever is wrong with it costs time, never an answer: an entry carries a
checksum, and a database that sqlite cannot read is thrown away.

It has a rollback journal and no write-ahead log: sqlite maps the index of such a log into memory,
and whoever cut that file off would kill every mount.
"""

import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import trio

log = logging.getLogger(__name__)

R = TypeVar("R")

FILE_NAME: Final = "lengths.db"
ENTRIES_MAX: Final = 32_768
"""Groups, sizes and nodes each: about 120 MB of groups, which is 8 GB of text, and 130 MB of
nodes."""
_FORM: Final = 4
"""Raised when the text of a leaf changes its form: older databases are then thrown away."""
_BATCH: Final = 400
_BUSY_S: Final = 2.0
_HOUR_S: Final = 3600

_FAILURES: Final = (
    sqlite3.Error,
    sqlite3.Warning,
    OSError,
    ValueError,
    TypeError,
    ArithmeticError,
    MemoryError,
)
"""What sqlite3 raises where a database is damaged: a name in it may be no UTF-8, a number too big,
a length more than there is memory."""
_TRANSIENT: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_OF_THE_DISK: Final = frozenset(
    (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    )
)
"""Primary codes of errors that a new database would not be spared."""
_UNWRITABLE: Final = frozenset((sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY))
"""Primary codes of errors after which what is there can still be read."""
_ATTEMPTS: Final = 2

# Where the header of a database has the versions of its format, and what they are without a log.
_MAGIC: Final = b"SQLite format 3\0"
_VERSIONS: Final = slice(18, 20)
_ROLLBACK: Final = b"\x01\x01"


class LeafLengths:
    """Records of measures, and sizes of texts, by form. Shared by all mounts with one folder."""

    def __init__(self, directory: Path, entries_max: int = ENTRIES_MAX) -> None:
        self._path = directory / FILE_NAME
        self._entries_max = entries_max
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._unwritable = False
        self._measured: set[bytes] = set()
        self._with_groups: set[bytes] = set()
        # One thread at a time: a connection is not shared, and sqlite has one writer anyway.
        self._limiter = trio.CapacityLimiter(1)

    def has_measured(self, form: bytes) -> bool:
        """Whether all of a text of *form* is known to have been measured, now or before."""
        return form in self._measured

    async def has_groups(self, form: bytes) -> bool:
        """Whether any group of *form* may be here."""
        if form in self._with_groups:
            return True
        if self._broken:
            return False
        found = await trio.to_thread.run_sync(self._has_groups, form, limiter=self._limiter)
        if found:
            self._with_groups.add(form)
        return found

    async def get(self, form: bytes, keys: Sequence[bytes], *, by_last: bool) -> list[bytes]:
        """The records of groups that begin with one of *keys*, or else end with one."""
        if self._broken or not keys:
            return []
        return await trio.to_thread.run_sync(self._get, form, keys, by_last, limiter=self._limiter)

    async def get_size(self, form: bytes, table: bytes) -> int | None:
        """The bytes of the text of *table*, if all of it was measured."""
        if self._broken:
            return None
        size = await trio.to_thread.run_sync(self._get_size, form, table, limiter=self._limiter)
        if size is not None:
            self._measured.add(form)
        return size

    async def put(
        self,
        form: bytes,
        groups: Sequence[tuple[bytes, bytes, bytes]],
        table: bytes,
        size: int | None,
    ) -> None:
        """Remembers *groups* (`TextLayout.remember`), and the size of the text of *table*."""
        if size is not None:
            self._measured.add(form)
        if self._broken or self._unwritable:
            return
        await trio.to_thread.run_sync(self._put, form, groups, table, size, limiter=self._limiter)

    async def get_nodes(self, addresses: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Those of some inner nodes that are here: address and contents. Not verified."""
        if self._broken or not addresses:
            return []
        return await trio.to_thread.run_sync(self._get_nodes, addresses, limiter=self._limiter)

    async def put_nodes(self, nodes: Sequence[tuple[bytes, bytes]]) -> None:
        """Remembers inner nodes, so that a place in a text is found without the remote."""
        if nodes and not self._broken and not self._unwritable:
            await trio.to_thread.run_sync(self._put_nodes, nodes, limiter=self._limiter)

    async def forget(self) -> None:
        """Throws everything away: an entry turned out to be wrong."""
        await trio.to_thread.run_sync(self._discard, limiter=self._limiter)

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._close, limiter=self._limiter)

    def _has_groups(self, form: bytes) -> bool:
        query = "SELECT 1 FROM groups WHERE form = ? LIMIT 1"
        rows: list[tuple[Any, ...]] = self._use(
            lambda connection: connection.execute(query, (form,)).fetchall(), []
        )
        return bool(rows)

    def _get(self, form: bytes, keys: Sequence[bytes], by_last: bool) -> list[bytes]:
        column = "last" if by_last else "first"
        query = f"SELECT record FROM groups WHERE form = ? AND {column} IN"
        rows = self._select(query, keys, form)
        return [record for (record,) in rows if isinstance(record, bytes)]

    def _select(self, query: str, keys: Sequence[bytes], *before: bytes) -> list[tuple[Any, ...]]:
        """What *query* finds, which ends before a list of *keys*; nothing where that fails."""

        def select(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = []
            for at in range(0, len(keys), _BATCH):
                batch = keys[at : at + _BATCH]
                marks = ",".join("?" * len(batch))
                found += connection.execute(f"{query} ({marks})", (*before, *batch))
            return found

        return self._use(select, [])

    def _get_size(self, form: bytes, table: bytes) -> int | None:
        query = "SELECT size, sum FROM sizes WHERE form = ? AND tbl = ?"
        # All of them: a statement that has not ended would keep the database locked.
        rows: list[tuple[Any, ...]] = self._use(
            lambda connection: connection.execute(query, (form, table)).fetchall(), []
        )
        for size, checksum in rows:
            if isinstance(size, int) and _checksum(form, table, size) == checksum:
                return size
        return None

    def _get_nodes(self, addresses: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        rows = self._select("SELECT address, contents FROM nodes WHERE address IN", addresses)
        return [(k, raw) for k, raw in rows if isinstance(k, bytes) and isinstance(raw, bytes)]

    def _put_nodes(self, nodes: Sequence[tuple[bytes, bytes]]) -> None:
        hour = int(time.time()) // _HOUR_S

        def put(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO nodes VALUES (?,?,?)",
                    [(address, contents, hour) for address, contents in nodes],
                )
                self._trim(connection, "nodes")

        self._use(put, None)

    def _put(
        self,
        form: bytes,
        groups: Sequence[tuple[bytes, bytes, bytes]],
        table: bytes,
        size: int | None,
    ) -> None:
        hour = int(time.time()) // _HOUR_S

        def put(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO groups VALUES (?,?,?,?,?)",
                    [(form, first, last, record, hour) for first, last, record in groups],
                )
                if size is not None:
                    entry = (form, table, size, _checksum(form, table, size), hour)
                    connection.execute("INSERT OR REPLACE INTO sizes VALUES (?,?,?,?,?)", entry)
                self._trim(connection, "groups")
                self._trim(connection, "sizes")

        self._use(put, None)

    def _trim(self, connection: sqlite3.Connection, table: str) -> None:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        if count <= self._entries_max:
            return
        hours = connection.execute(
            f"SELECT hour, count(*) FROM {table} GROUP BY hour ORDER BY hour"
        ).fetchall()
        for hour, of_hour in hours:
            # Down to three quarters, so that the next batch does not trim again.
            if count <= self._entries_max * 3 // 4:
                break
            connection.execute(f"DELETE FROM {table} WHERE hour = ?", (hour,))
            count -= of_hour

    def _use(self, work: Callable[[sqlite3.Connection], R], otherwise: R) -> R:
        """What *work* makes of the database, or of a new one if this one is damaged or was
        deleted; *otherwise* where there is none."""
        for _ in range(_ATTEMPTS):
            if self._broken:
                break
            try:
                if self._connection is None:
                    self._connection = self._connect()
                return work(self._connection)
            except _FAILURES as exc:
                if not self._recover(exc):
                    break
        return otherwise

    def _recover(self, exc: Exception) -> bool:
        """After an error: whether it is worth another attempt, with a new database."""
        self._close()
        code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code & 0xFF in _TRANSIENT:
            return False
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return True
        if code & 0xFF in _UNWRITABLE and not self._unwritable:
            log.info("no more text lengths are remembered in %s: %s", self._path, exc)
            self._unwritable = True
            return False
        if isinstance(exc, OSError) or code & 0xFF in _OF_THE_DISK:
            log.info("text lengths are not remembered in %s: %s", self._path, exc)
            self._broken = True
            return False
        log.warning("%s is damaged, its entries are found anew: %s", self._path, exc)
        self._remove_files()
        self._broken = os.path.lexists(self._path)
        return not self._broken

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_header()
        # One thread at a time, but not always the same one.
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False)
        try:
            connection.execute("PRAGMA mmap_size = 0").close()
            connection.execute("PRAGMA cell_size_check = ON").close()
            connection.execute("PRAGMA journal_mode = TRUNCATE").close()
            # Losing the last entries in a power cut costs reading those leaves once more.
            connection.execute("PRAGMA synchronous = OFF").close()
            ((form,),) = connection.execute("PRAGMA user_version").fetchall()
            if form != _FORM:
                self._make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            # Another mount may have been first.
            ((form,),) = connection.execute("PRAGMA user_version").fetchall()
            if form == _FORM:
                return
            for table in ("lengths", "groups", "sizes", "nodes"):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(
                "CREATE TABLE groups (form BLOB, first BLOB, last BLOB, record BLOB,"
                " hour INTEGER, UNIQUE (form, first))"
            )
            connection.execute("CREATE INDEX last ON groups (form, last)")
            connection.execute(
                "CREATE TABLE sizes (form BLOB, tbl BLOB, size INTEGER, sum INTEGER,"
                " hour INTEGER, UNIQUE (form, tbl))"
            )
            connection.execute(
                "CREATE TABLE nodes (address BLOB PRIMARY KEY, contents BLOB, hour INTEGER)"
            )
            connection.execute(f"PRAGMA user_version = {_FORM}")

    def _check_header(self) -> None:
        """Removes a database that has a write-ahead log, before sqlite maps that."""
        try:
            with self._path.open("rb") as file:
                header = file.read(_VERSIONS.stop)
        except FileNotFoundError:
            return
        if header and (header[: len(_MAGIC)] != _MAGIC or header[_VERSIONS] != _ROLLBACK):
            self._remove_files()

    def _discard(self) -> None:
        self._close()
        self._remove_files()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(*_FAILURES):
                self._connection.close()
            self._connection = None

    def _remove_files(self) -> None:
        # A journal without its database is nothing; the other way round it would be rolled back.
        for suffix in ("-journal", "-wal", "-shm", ""):
            with suppress(OSError):
                self._path.with_name(FILE_NAME + suffix).unlink(missing_ok=True)


def _checksum(form: bytes, table: bytes, size: int) -> int:
    return zlib.crc32(b"%s%s%d" % (form, table, size))
