"""What the text of each leaf measures, remembered on disk between mounts.

A leaf never changes, so neither does its text; it is the schema and the format that give it its
form, hence the key (`Schema.text_key`, leaf address). The database may be deleted at any time.
Whatever is wrong with it costs time, never an answer: an entry carries a checksum, and a database
that sqlite cannot read is thrown away.
"""

import logging
import sqlite3
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from pyfs._core import Address, Measure

log = logging.getLogger(__name__)

FILE_NAME: Final = "lengths.db"
ENTRIES_MAX: Final = 2_000_000
"""About 200 MB of disk and 8 GB of text."""
_FORM: Final = 2
"""Raised when the text of a leaf changes its form: older databases are then thrown away."""
_BATCH: Final = 400
_BUSY_S: Final = 2.0
_HOUR_S: Final = 3600


class LeafLengths:
    """Measures by form and leaf. Shared by all tables of all mounts with one folder."""

    def __init__(self, directory: Path, entries_max: int = ENTRIES_MAX) -> None:
        self._path = directory / FILE_NAME
        self._entries_max = entries_max
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        # One thread at a time: a connection is not shared, and sqlite has one writer anyway.
        self._limiter = trio.CapacityLimiter(1)

    async def get(self, form: bytes, leaves: Sequence[Address]) -> list[tuple[Address, Measure]]:
        """Those of *leaves* whose measure is known."""
        if self._broken or not leaves:
            return []
        return await trio.to_thread.run_sync(self._get, form, leaves, limiter=self._limiter)

    async def put(self, form: bytes, measures: Sequence[tuple[Address, Measure]]) -> None:
        """Remembers the measure of each leaf."""
        if self._broken or not measures:
            return
        await trio.to_thread.run_sync(self._put, form, measures, limiter=self._limiter)

    async def forget(self) -> None:
        """Throws everything away: an entry turned out to be wrong."""
        await trio.to_thread.run_sync(self._discard, limiter=self._limiter)

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._close, limiter=self._limiter)

    def _get(self, form: bytes, leaves: Sequence[Address]) -> list[tuple[Address, Measure]]:
        by_leaf = {bytes(leaf): leaf for leaf in leaves}
        wanted = list(by_leaf)
        found: list[tuple[Address, Measure]] = []
        try:
            connection = self._open()
            for at in range(0, len(wanted), _BATCH):
                batch = wanted[at : at + _BATCH]
                marks = ",".join("?" * len(batch))
                rows = connection.execute(
                    "SELECT leaf, measure, sum FROM lengths WHERE schema = ?"
                    f" AND leaf IN ({marks})",
                    (form, *batch),
                )
                for leaf, measure, checksum in rows:
                    if _is_sound(form, leaf, measure, checksum):
                        found.append((by_leaf[leaf], Measure.parse(measure)))
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)
            return []
        return found

    def _put(self, form: bytes, measures: Sequence[tuple[Address, Measure]]) -> None:
        hour = int(time.time()) // _HOUR_S
        entries = [
            (form, bytes(leaf), bytes(measure), _checksum(form, bytes(leaf), bytes(measure)), hour)
            for leaf, measure in measures
        ]
        try:
            connection = self._open()
            with connection:
                connection.executemany("INSERT OR REPLACE INTO lengths VALUES (?,?,?,?,?)", entries)
                self._trim(connection)
        except (sqlite3.Error, OSError) as exc:
            self._give_up(exc)

    def _trim(self, connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("SELECT count(*) FROM lengths").fetchone()
        if count <= self._entries_max:
            return
        hours = connection.execute(
            "SELECT hour, count(*) FROM lengths GROUP BY hour ORDER BY hour"
        ).fetchall()
        for hour, of_hour in hours:
            # Down to three quarters, so that the next batch does not trim again.
            if count <= self._entries_max * 3 // 4:
                break
            connection.execute("DELETE FROM lengths WHERE hour = ?", (hour,))
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
                    connection.execute("DROP TABLE IF EXISTS lengths")
                    connection.execute(f"PRAGMA user_version = {_FORM}")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS lengths (schema BLOB, leaf BLOB, measure BLOB,"
                    " sum INTEGER, hour INTEGER, PRIMARY KEY (schema, leaf)) WITHOUT ROWID"
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


def _checksum(form: bytes, leaf: bytes, measure: bytes) -> int:
    return zlib.crc32(form + leaf + measure)


def _is_sound(form: bytes, leaf: object, measure: object, checksum: object) -> bool:
    return (
        isinstance(leaf, bytes)
        and isinstance(measure, bytes)
        and _checksum(form, leaf, measure) == checksum
    )
