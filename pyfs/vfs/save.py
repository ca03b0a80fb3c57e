"""`Saver`: turns texts into commits, and keeps what could not become one."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import trio

from pyfs.errors import (
    InvalidTextError,
    PyfsError,
    ReadOnlyError,
    UnsupportedError,
)
from pyfs.formats import Format
from pyfs.parquet import in_rows
from pyfs.vfs.branch import Failure
from pyfs.vfs.feed import feed_first_rows, feed_new_table, feed_rows
from pyfs.vfs.parquet_feed import feed_new_parquet, feed_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pyfs._core import Address, Schema
    from pyfs.config import MountConfig
    from pyfs.repo.change import Change, Wanted
    from pyfs.repo.repository import Repository, Saved
    from pyfs.vfs.branch import Branch
    from pyfs.vfs.feed import Feed
    from pyfs.vfs.node import Node, TableFile
    from pyfs.vfs.processes import Holders, LastReads
    from pyfs.vfs.spool import LocalFolders
    from pyfs.vfs.writer import Writer

log = logging.getLogger(__name__)


class Kernel(Protocol):
    """What the kernel has to forget. Neither call waits for a handler of this mount."""

    async def forget_pages(self, node: Node, *, attributes_only: bool) -> None:
        """The attributes of *node*, and what is cached of its contents."""

    async def forget_name(self, parent: Node, name: str) -> None:
        """What *name* means in *parent*. Never called while *parent* is being changed."""


class Saver:
    """Commits and pushes tables of this mount's branches."""

    def __init__(
        self,
        repository: Repository,
        folders: LocalFolders,
        config: MountConfig,
        *,
        reads: LastReads,
        holders: Holders,
        kernel: Kernel,
    ) -> None:
        self.repository = repository
        self.folders = folders
        self.reads = reads
        self.holders = holders
        self.kernel = kernel
        self._read_only = config.read_only
        self._closing = False
        self._ending = False
        self._under_way = 0
        self._idle = trio.Event()
        self._idle.set()
        # Parsing gives up the GIL; more threads than this would only compete.
        self._limiter = trio.CapacityLimiter(4)
        self.writers: set[Writer] = set()
        """The files that are open for writing a table."""
        self.failures: list[Failure] = []
        """All of this mount, oldest first."""

    def refuse_new(self) -> None:
        """Refuses files to be opened or changed from now on; saves under way go on."""
        self._ending = True

    async def idle(self) -> None:
        """Returns once no save is under way."""
        await self._idle.wait()

    @contextmanager
    def _push_under_way(self) -> Iterator[None]:
        self._check_open()
        self._under_way += 1
        if self._idle.is_set():
            self._idle = trio.Event()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def close(self) -> None:
        """Refuses every save from now on."""
        self._ending = self._closing = True

    def writers_of(self, branch: Branch, table: str) -> list[Writer]:
        """Who has *table* open for writing and is not done."""
        return [
            writer
            for writer in self.writers
            if not writer.is_saved and (writer.node.branch, writer.node.table) == (branch, table)
        ]

    def check_writable(self) -> None:
        """Raises `ReadOnlyError` where nothing can be written at all, or not any more."""
        if self._read_only:
            raise ReadOnlyError("this mount is read-only (-o ro)")
        if self._ending:
            raise ReadOnlyError("this mount is being unmounted")

    def _check_open(self) -> None:
        if self._read_only or self._closing:
            self.check_writable()

    async def check_table(self, branch: Branch, table: str) -> None:
        """Raises `UnsupportedError` for a table that pyfs cannot maintain."""
        self.check_writable()
        if table not in branch.snapshot.all_tables:
            return
        reason = await self.repository.refuses_writes(branch.snapshot, table)
        if reason is not None:
            branch.note = f"table {table} is read-only: {reason}"
            raise UnsupportedError(f"table {table} of branch {branch.name} is read-only: {reason}")

    async def check_rename(self, branch: Branch, table: str) -> None:
        """Raises `UnsupportedError` for a table whose name other objects hold on to."""
        reason = await self.repository.refuses_rename(branch.snapshot, table)
        if reason is not None:
            raise UnsupportedError(
                f"table {table} of branch {branch.name} keeps its name: {reason}"
            )

    async def feed(
        self,
        branch: Branch,
        table: str,
        format: Format,
        pid: int,
    ) -> Feed[Any]:
        """A feed for a text of *table*, under its present or last schema, else for a new table.

        *pid* is the process that writes it.
        """
        version = await branch.last_version(table, format)
        if version is not None:
            feed = feed_parquet if format is Format.PARQUET else feed_rows
            return feed(version.as_text, self._limiter)
        taken = await self.repository.column_tags(branch.snapshot)
        decided = self.repository.system_schema(table, taken)
        if decided is not None:
            return feed_first_rows(self.repository, decided, self._limiter)
        copied = await self._copied(table, format, taken, pid)
        if format is Format.PARQUET:
            return feed_new_parquet(
                table,
                lambda text: self.repository.schema_of(table, text, branch.snapshot, taken),
                self.repository.start_new_counting,
                copied,
                self._limiter,
            )
        return feed_new_table(self.repository, table, format, taken, copied, self._limiter)

    async def _copied(
        self,
        table: str,
        format: Format,
        taken: set[int],
        pid: int,
    ) -> Schema | None:
        """The schema of the table that process *pid* may be copying to *table*."""
        source = self.reads.source(pid)
        if source is None:
            return None
        name, commit = source
        schema = (await (await self.repository.snapshot(commit)).table(name)).schema
        if schema.refuses_writes() is not None or schema.checks:
            return None
        try:
            copy = schema.copy_for(table, name == table, taken)
            return copy if format is Format.PARQUET else copy.in_format(format)
        except UnsupportedError as exc:
            log.info("the schema of %s is not copied to %s: %s", name, table, exc)
            return None

    def base(self, branch: Branch, table: str, pid: int) -> Address | None:
        """The commit that a save by process *pid* is based on, if it has seen the table."""
        if table in branch.remembered:
            return None  # dropped by this mount itself: what was read before is no base
        return self.reads.base(branch.name, table, pid)

    async def commit(
        self,
        node: TableFile,
        built: Change,
        base: Address,
        pid: int,
        *,
        dropped: Sequence[str] = (),
    ) -> Address:
        """Commits and pushes *built* as the table of *node*, which shows it from then on.

        Returns the commit.
        """
        branch = node.branch
        changes: dict[str, Change] = {node.table: built, **dict.fromkeys(dropped)}
        was = branch.remembered.get(node.table)
        revived = {} if was is None else {node.table: was.commit.address}
        message = branch.message
        node.saving = True
        try:
            with self._push_under_way():
                saved = await self.repository.save(
                    branch.name, base, changes, message, revived=revived
                )
            if saved.changed and branch.message is message:
                branch.message = None
            self.reads.note(branch.name, node.table, pid, saved.commit)
            for table in dropped:
                branch.remembered[table] = branch.snapshot
                branch.gone.pop(table, None)
            await self._show(node, saved.commit)
        except InvalidTextError as exc:
            if node.format is Format.PARQUET:
                raise in_rows(exc) from exc
            raise
        finally:
            node.saving = False
        log.info("saved %s on %s: commit %s", node.name, branch.name, saved.commit)
        return saved.commit

    async def _show(self, node: TableFile, commit: Address) -> None:
        """Shows the new version before the save is answered: editors stat at once."""
        branch = node.branch
        try:
            snapshot = await self.repository.snapshot(commit)
            version = await snapshot.table(node.table, node.format)
            if node.format is not Format.PARQUET:  # which is made anew as a whole
                await version.exact_size()
            branch.saved(node, snapshot, version)
            await branch.update()
        except PyfsError as exc:
            # The commit is on the remote: the save did not fail, whatever happens here.
            log.warning("reading what was just saved failed: %s", exc)
            branch.forget_unsaved(node)

    async def change(self, branch: Branch, changes: Mapping[str, Wanted], base: Address) -> Saved:
        """Commits and pushes *changes*, through no file of their own."""
        message = branch.message
        with self._push_under_way():
            saved = await self.repository.save(branch.name, base, changes, message)
        if saved.changed and branch.message is message:
            branch.message = None
        return saved

    async def drop(self, branch: Branch, tables: list[str], base: Address) -> None:
        """Commits and pushes that *tables* are dropped."""
        saved = await self.change(branch, dict.fromkeys(tables), base)
        log.info("dropped %s on %s: commit %s", ", ".join(tables), branch.name, saved.commit)

    async def refused(self, branch: Branch, name: str, error: PyfsError, text: Path | None) -> None:
        """Keeps *text* and the reason why it is not a commit, and tells status and log."""
        recovery = None
        if text is not None:
            try:
                recovery = await trio.to_thread.run_sync(
                    self.folders.recover, text, branch.name, name
                )
            except PyfsError as exc:
                log.error("the text of %s could not be kept: %s", name, exc)  # noqa: TRY400
        branch.failure = Failure(name, error, recovery)
        self.failures.append(branch.failure)
        kept = f"; the text is kept in {recovery}" if recovery else ""
        log.warning("save of %s on %s refused: %s%s", name, branch.name, error, kept)
