"""`FileSystem`: the parts of the mount, wired together."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from pyfs.errors import PyfsError
from pyfs.store.counts import RequestCounts
from pyfs.vfs.adoption import Adoption
from pyfs.vfs.drops import Drops
from pyfs.vfs.files import Files
from pyfs.vfs.moves import Moves
from pyfs.vfs.openings import Openings
from pyfs.vfs.processes import LastReads
from pyfs.vfs.save import Saver
from pyfs.vfs.schemas import Schemas
from pyfs.vfs.spool import LocalFolders
from pyfs.vfs.tree import Tree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyfs.config import MountConfig
    from pyfs.repo.repository import Repository
    from pyfs.vfs.processes import Holders
    from pyfs.vfs.save import Kernel

log = logging.getLogger(__name__)


class FileSystem:
    """What the mount shows and does, for whoever stands between it and the kernel."""

    def __init__(
        self,
        repository: Repository,
        saver: Saver,
        config: MountConfig,
        nursery: trio.Nursery,
        counts: RequestCounts,
    ) -> None:
        self.saver = saver
        openings = Openings()
        self.tree = Tree(repository, saver, config, counts, openings)
        self.drops = Drops(saver, nursery, config.drop_delay_s)
        self._adoption = Adoption(self.tree, saver)
        schemas = Schemas(self.tree, saver, self.drops)
        self.files = Files(self.tree, saver, self.drops, self._adoption, schemas, openings)
        self.moves = Moves(self.tree, self.files, saver, self.drops, self._adoption, schemas)
        self.ending = False
        """Whether the mount is about to end."""

    async def sync(self) -> None:
        """Commits what is pending. Raises the first error, after trying everything."""
        await self.drops.commit_all(self.tree.seen)

    async def finish(self) -> list[str]:
        """Commits what is pending and refuses every further save. Returns what went wrong.

        A text whose writer has not closed it yet is no save: it is kept in the recovery folder.
        """
        troubles = []
        try:
            await self.sync()
        except PyfsError as exc:
            troubles.append(str(exc))
        self.saver.close()
        return troubles + self.keep_unsaved()

    def keep_unsaved(self) -> list[str]:
        """Keeps every unsaved text in the recovery folder; says so, a line for each."""
        return [line for writer in self.saver.writers if (line := writer.give_up()) is not None]


@asynccontextmanager
async def open_file_system(
    repository: Repository,
    config: MountConfig,
    *,
    kernel: Kernel,
    holders: Holders,
    counts: RequestCounts | None = None,
) -> AsyncIterator[FileSystem]:
    """A file system over *repository*. At the end its local folders are removed.

    *counts* are what the remote was asked, for the status.
    """
    folders = await trio.to_thread.run_sync(LocalFolders, config.state_dir, config.url)
    try:
        saver = Saver(
            repository,
            folders,
            config,
            reads=LastReads(),
            holders=holders,
            kernel=kernel,
        )
        async with _background() as nursery:
            yield FileSystem(repository, saver, config, nursery, counts or RequestCounts())
    finally:
        folders.close()


@asynccontextmanager
async def _background() -> AsyncIterator[trio.Nursery]:
    """A nursery that is cancelled at the end, and hides behind the error that ends it."""
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise
