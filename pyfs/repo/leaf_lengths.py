"""What is remembered on disk between mounts of where texts lie: what the text of each leaf
measures, and the inner nodes that say which leaves there are.

A leaf never changes, so neither does its text; it is the schema and the format that give it its
form, hence the key (`Schema.text_key`, leaf). Leaves are remembered in groups
(`TextLayout.remember`): an entry for each would take longer than rendering it. The database may be
deleted at any time. Whatever is wrong with it costs time, never an answer: an entry carries a
checksum, and a database that sqlite cannot read is thrown away.
"""

import logging
import sqlite3
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import trio

log = logging.getLogger(__name__)

FILE_NAME: Final = "lengths.db"
ENTRIES_MAX: Final = 32_768
"""Groups, sizes and nodes each: about 120 MB of groups, which is 8 GB of text, and 130 MB of
nodes."""
_FORM: Final = 3
"""Raised when the text of a leaf changes its form: older databases are then thrown away."""
_BATCH: Final = 400
_BUSY_S: Final = 2.0
_HOUR_S: Final = 3600


class LeafLengths:
    """Records of measures, and sizes of texts, by form. Shared by all mounts with one folder."""

    def __init__(self, directory: Path, entries_max: int = ENTRIES_MAX) -> None:
        self._path = directory / FILE_NAME
        self._entries_max = entries_max
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._measured: set[bytes] = set()
        # One thread at a time: a connection is not shared, and sqlite has one writer anyway.
        self._limiter = trio.CapacityLimiter(1)

    def has_measured(self, form: bytes) -> bool:
        """Whether all of a text of *form* is known to have been measured, now or before."""
        return form in self._measured

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
        if self._broken:
            return
        await trio.to_thread.run_sync(self._put, form, groups, table, size, limiter=self._limiter)

    async def get_nodes(self, addresses: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Those of some inner nodes that are here: address and contents. Not verified."""
        if self._broken or not addresses:
            return []
        return await trio.to_thread.run_sync(self._get_nodes, addresses, limiter=self._limiter)

    async def put_nodes(self, nodes: Sequence[tuple[bytes, bytes]]) -> None:
        """Remembers inner nodes, so that a place in a text is found without the remote."""
        if not self._broken and nodes:
            await trio.to_thread.run_sync(self._put_nodes, nodes, limiter=self._limiter)

    async def forget(self) -> None:
        """Throws everything away: an entry turned out to be wrong."""
        await trio.to_thread.run_sync(self._discard, limiter=self._limiter)

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._close, limiter=self._limiter)

    def _get(self, form: bytes, keys: Sequence[bytes], by_last: bool) -> list[bytes]:
        column = "last" if by_last else "first"
        query = f"SELECT record FROM groups WHERE form = ? AND {column} IN"
        rows = self._select(query, keys, form)
        return [record for (record,) in rows if isinstance(record, bytes)]

    def _select(self, query: str, keys: Sequence[bytes], *before: bytes) -> list[tuple[Any, ...]]:
        """What *query* finds, which ends before a list of *keys*; nothing where that fails."""
        found: list[tuple[Any, ...]] = []
        try:
            connection = self._open()
            for at in range(0, len(keys), _BATCH):
                batch = keys[at : at + _BATCH]
                marks = ",".join("?" * len(batch))
                found += connection.execute(f"{query} ({marks})", (*before, *batch))
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)
            return []
        return found

    def _get_size(self, form: bytes, table: bytes) -> int | None:
        try:
            row = (
                self._open()
                .execute("SELECT size, sum FROM sizes WHERE form = ? AND tbl = ?", (form, table))
                .fetchone()
            )
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)
            return None
        if row is None or not isinstance(row[0], int) or _checksum(form, table, row[0]) != row[1]:
            return None
        return row[0]

    def _get_nodes(self, addresses: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        rows = self._select("SELECT address, contents FROM nodes WHERE address IN", addresses)
        return [(key, raw) for key, raw in rows if isinstance(raw, bytes)]

    def _put_nodes(self, nodes: Sequence[tuple[bytes, bytes]]) -> None:
        hour = int(time.time()) // _HOUR_S
        try:
            connection = self._open()
            with connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO nodes VALUES (?,?,?)",
                    [(address, contents, hour) for address, contents in nodes],
                )
                self._trim(connection, "nodes")
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)

    def _put(
        self,
        form: bytes,
        groups: Sequence[tuple[bytes, bytes, bytes]],
        table: bytes,
        size: int | None,
    ) -> None:
        hour = int(time.time()) // _HOUR_S
        try:
            connection = self._open()
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
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)

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

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = self._connect()
            except sqlite3.DatabaseError:
                self._remove_files()
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One thread at a time, but not always the same one.
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False)
        try:
            (form,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("PRAGMA journal_mode = WAL")
            # Losing the last entries in a power cut costs reading those leaves once more.
            connection.execute("PRAGMA synchronous = OFF")
            with connection:
                if form != _FORM:
                    for table in ("lengths", "groups", "sizes", "nodes"):
                        connection.execute(f"DROP TABLE IF EXISTS {table}")
                    connection.execute(f"PRAGMA user_version = {_FORM}")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS groups (form BLOB, first BLOB, last BLOB,"
                    " record BLOB, hour INTEGER, UNIQUE (form, first))"
                )
                connection.execute("CREATE INDEX IF NOT EXISTS last ON groups (form, last)")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS sizes (form BLOB, tbl BLOB, size INTEGER,"
                    " sum INTEGER, hour INTEGER, UNIQUE (form, tbl))"
                )
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS nodes (address BLOB PRIMARY KEY, contents BLOB,"
                    " hour INTEGER)"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_up(self, exc: Exception) -> None:
        """After an error: a damaged database is replaced, anything else ends the remembering."""
        self._close()
        if isinstance(exc, sqlite3.DatabaseError) and not isinstance(exc, sqlite3.OperationalError):
            log.info("throwing away %s: %s", self._path, exc)
            self._remove_files()
            return
        if isinstance(exc, sqlite3.OperationalError) and "locked" in str(exc):
            return
        log.info("text lengths are not remembered in %s: %s", self._path, exc)
        self._broken = True

    def _discard(self) -> None:
        self._close()
        self._remove_files()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _remove_files(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(FILE_NAME + suffix).unlink(missing_ok=True)


def _checksum(form: bytes, table: bytes, size: int) -> int:
    return zlib.crc32(b"%s%s%d" % (form, table, size))
