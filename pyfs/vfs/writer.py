"""`Writer`: an open file that collects a save of a table."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final, Protocol

import trio

from pyfs.errors import ConflictError, InvalidTextError, PyfsError
from pyfs.formats import Format
from pyfs.vfs.handle import Handle
from pyfs.vfs.spool import COPY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfs._core import Address
    from pyfs.vfs.feed import Feed
    from pyfs.vfs.node import TableFile
    from pyfs.vfs.save import Saver
    from pyfs.vfs.spool import Spool

log = logging.getLogger(__name__)

EMPTY: Final = "an empty file is no table: write at least its header (in JSON an empty line)"


class OldText(Protocol):
    """The text that writes start from (`TableVersion`)."""

    async def exact_size(self) -> int: ...
    async def read(self, offset: int, length: int) -> bytes: ...


class FixedText:
    """An old text of a few bytes."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    async def exact_size(self) -> int:
        return len(self._text)

    async def read(self, offset: int, length: int) -> bytes:
        return self._text[offset : offset + length]


class Writer(Handle):
    """Collects a text in a spool and commits it when it is complete.

    It is parsed as it comes, so that `write` itself refuses what cannot be right. A refused save
    stays refused until the text is begun anew, whatever was reported already: some editors
    swallow what `fsync` said and believe `close`.

    Complete means: `fsync`, or a `flush` when no other process holds the file (a shell flushes for
    every child). An empty text is an unfinished save.
    """

    direct = True

    def __init__(
        self,
        node: TableFile,
        old: OldText | None,
        head: Address,
        *,
        flags: int,
        pid: int,
        spool: Spool,
        feed: Feed[Any],
        saver: Saver,
        abandoned: Callable[[TableFile], None],
    ) -> None:
        self._node = node
        self._old = old
        """The text that writes start from, until it is copied or cut away."""
        self._head = head
        """The commit that the old text is of; without one, the head when it was opened."""
        self._kept_old = False
        self._append = bool(flags & os.O_APPEND)
        self._appended_from: int | None = None
        """Where what is not saved begins, if all of that was appended."""
        self._pid = pid
        self._spool = spool
        self._feed = feed
        self._saver = saver
        self._abandoned = abandoned
        self._dirty = self._saved = False
        self._refusal: PyfsError | None = None
        self._refused_at: int | None = None
        """Where the tool wrote what was refused. Its place did not move: it may write on there."""
        self._reported = False
        self._ended = False
        """Its last holder has closed it; only a stray descriptor writes on."""
        self._lock = trio.Lock()
        node.handles.add(self)
        saver.writers.add(self)

    @property
    def dirty(self) -> bool:
        """Whether something was written that is not saved."""
        return self._dirty

    @property
    def node(self) -> TableFile:
        """The file."""
        return self._node

    @property
    def pid(self) -> int:
        """The process that opened it."""
        return self._pid

    @property
    def is_saved(self) -> bool:
        """Whether all that was written is saved: it is most likely being closed."""
        return self._saved and not self._dirty

    @property
    def base(self) -> Address:
        """The commit that what is kept of the old text is of."""
        return self._head

    @property
    def dirty_size(self) -> int | None:
        return self._spool.size if self._dirty and not self._ended else None

    async def read(self, offset: int, length: int) -> bytes:
        if self._old is not None:
            return await self._old.read(offset, length)
        return self._spool.read(offset, length)

    async def write(self, offset: int, data: bytes) -> int:
        async with self._lock:
            self._saver.check_writable()
            try:
                stored_at = await self._store(offset, data)
            except PyfsError as exc:
                # The text has a hole now: it must not be saved even if the tool goes on.
                self._refusal, self._refused_at = exc, offset
                raise
            finally:
                self._dirty, self._ended = True, False
            if self._refusal is None:
                await self._parse(stored_at, data)
            if self._refusal is not None:
                self._refused_at = offset
                raise self._refusal
            return len(data)

    async def _store(self, offset: int, data: bytes) -> int:
        """Writes to the spool; returns where."""
        await self._copy_old(offset)
        goes_on = self._refusal is not None and offset == self._refused_at
        if self._append or goes_on:
            offset = self._spool.size
        if offset == 0 and not goes_on:
            self._begin_anew(fresh=self._spool.size == 0)
        self._spool.write(offset, data)
        return offset

    async def truncate(self, size: int) -> None:
        async with self._lock:
            self._saver.check_writable()
            self._appended_from = None
            if size == 0:
                self._old = None
                self._kept_old = False
                self._spool.truncate(0)
                self._begin_anew(fresh=True)
            else:
                await self._copy_old(None)
                if size != self._spool.size:
                    self._spool.truncate(size)
                    self._begin_anew(fresh=False)
            self._dirty, self._ended = True, False

    async def flush(self) -> None:
        async with self._lock:
            if not self._dirty and self._refusal is None:
                return
            name = self._node.name
            if self._dirty and await self._saver.holders.others(self._node, name):
                log.debug("%s is still held by another process", name)
                if self._refusal is not None:
                    raise self._refusal
                return
            killer = self._saver.holders.killer(self._pid) if self._dirty else None
            if killer is not None and self._refusal is None:
                self._refusal = InvalidTextError(f"the writing process was ended by {killer}")
            await self._complete(empty_is_error=False)

    async def fsync(self) -> None:
        async with self._lock:
            if self._dirty or self._refusal is not None:
                await self._complete(empty_is_error=True)

    async def release(self) -> None:
        async with self._lock:
            try:
                if self._dirty and not self._ended:
                    await self._complete(empty_is_error=False)
            except PyfsError:
                pass  # reported in status and log; nobody waits for this answer
            finally:
                self._node.handles.discard(self)
                self._saver.writers.discard(self)
                unfinished = self._dirty and self._spool.size == 0 and self._refusal is None
                self._spool.remove()
                if unfinished:
                    self._abandoned(self._node)

    def move(self, node: TableFile, feed: Feed[Any]) -> None:
        """What is written is to become the table of *node*, through *feed*."""
        self._node.handles.discard(self)
        self._node, self._feed = node, feed
        node.handles.add(self)
        feed.abandon()

    async def save_as(self, node: TableFile, feed: Feed[Any]) -> None:
        """Saves what was written so far as the table of *node*; if that fails, all stays."""
        async with self._lock:
            old = self._node, self._feed
            self.move(node, feed)
            try:
                await self._commit()
            except PyfsError:
                self.move(*old)
                raise

    def give_up(self) -> str | None:
        """Keeps what was written so far in the recovery folder: the mount ends before the save.

        Returns a line that says so, or None if nothing is unsaved.
        """
        if not self._dirty or not self._spool.size or self._reported or not self._node.linked:
            return None
        self._reported = True
        branch, name = self._node.branch.name, self._node.name
        kept = self._saver.folders.recover(self._spool.path, branch, name)
        line = f"{name} on {branch} was not saved; the text is kept in {kept}"
        log.error(line)
        return line

    async def _copy_old(self, written_at: int | None) -> None:
        """Makes the spool hold the whole text, if it still stands for the old version's.

        Where the write comes at the end of that, the old text is parsed on the way, so that a bad
        line that is appended is refused at once.
        """
        if self._old is None:
            return
        if not self._append and written_at != await self._old.exact_size():
            self._feed.abandon()
        while piece := await self._old.read(self._spool.size, COPY_BYTES):
            offset = self._spool.size
            self._spool.write(offset, piece)
            await self._feed.write(offset, piece, self._spool)
        self._old = None
        self._kept_old = True
        if self._append:
            self._appended_from = self._spool.size

    def _begin_anew(self, *, fresh: bool) -> None:
        self._refusal = self._refused_at = None
        self._reported = False
        if fresh:
            self._feed.restart()
        else:
            self._feed.abandon()

    async def _parse(self, offset: int, data: bytes) -> None:
        try:
            await self._feed.write(offset, data, self._spool)
        except PyfsError as exc:
            self._refusal = exc

    async def _complete(self, *, empty_is_error: bool) -> None:
        """Commits the text, or raises why not. Keeps a refused text."""
        if not self._node.linked:
            self._dirty = False
            return
        if self._refusal is None and self._spool.size == 0:
            if not empty_is_error:
                return
            self._refusal = InvalidTextError(EMPTY)
        if self._refusal is None:
            try:
                await self._commit()
            except PyfsError as exc:
                self._refusal = exc
            else:
                return
        if not self._reported:
            await self._report()
        if not empty_is_error:
            await self._end_refused()
        raise self._refusal

    async def _commit(self) -> None:
        while True:
            try:
                await self._commit_once()
            except ConflictError:
                if not await self._follow_head():
                    raise
            else:
                return

    async def _follow_head(self) -> bool:
        """Puts what was appended behind the text that others saved meanwhile, if it fits there."""
        node, start = self._node, self._appended_from
        if start is None or node.format is Format.PARQUET:
            return False
        branch = node.branch
        await self._saver.repository.refresh(0)
        snapshot = await branch.update()
        if node.table not in snapshot.all_tables or snapshot.commit.address == self._head:
            return False
        spool = self._saver.folders.spool(branch.name, node.table, node.format.suffix)
        try:
            await spool.fill(await snapshot.table(node.table, node.format))
            begin = spool.size
            # In JSON every row names its columns.
            fits = node.format is Format.JSONL or _header(spool) == _header(self._spool)
            while fits and (piece := self._spool.read(start, COPY_BYTES)):
                spool.write(spool.size, piece)
                start += len(piece)
            feed = await self._saver.feed(branch, node.table, node.format, self._pid)
        except BaseException:
            spool.remove()
            raise
        if not fits:
            spool.remove()
            return False
        feed.abandon()
        self._spool.remove()
        self._spool, self._feed = spool, feed
        self._head, self._appended_from = snapshot.commit.address, begin
        return True

    async def _commit_once(self) -> None:
        node = self._node
        branch = node.branch
        built = await self._feed.finish(self._spool)
        base = None
        if not self._kept_old:
            base = self._saver.base(branch, node.table, self._pid)
        renamed = branch.find(node.name) is not node
        self._head = await self._saver.commit(node, built, base or self._head, self._pid)
        self._dirty, self._saved = False, True
        if self._appended_from is not None:
            self._appended_from = self._spool.size
        await self._saver.kernel.forget_pages(node, attributes_only=self._has_readers())
        if renamed:
            await self._saver.kernel.forget_name(branch.directory, node.name)

    def _has_readers(self) -> bool:
        return any(not handle.direct for handle in self._node.handles)

    async def _report(self) -> None:
        if self._refusal is None:
            return
        self._reported = True
        text = self._spool.path if self._spool.size else None
        await self._saver.refused(self._node.branch, self._node.name, self._refusal, text)

    async def _end_refused(self) -> None:
        """The name means the head's version again, for who looks before `release` comes."""
        self._ended = True
        self._node.branch.forget_unsaved(self._node)
        await self._saver.kernel.forget_pages(self._node, attributes_only=self._has_readers())


def _header(text: Spool) -> bytes:
    """The first line, or as much of it as decides whether rows have the same columns."""
    return text.read(0, COPY_BYTES).partition(b"\n")[0]
