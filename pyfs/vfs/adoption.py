"""`Adoption`: texts that become tables by another way than being written under the table's name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyfs.disk import local_disk
from pyfs.errors import InvalidTextError, PyfsError
from pyfs.formats import Format
from pyfs.vfs.names import TableName, file_name
from pyfs.vfs.node import ScratchFile, TableFile
from pyfs.vfs.writer import EMPTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfs.vfs.branch import Branch
    from pyfs.vfs.save import Saver
    from pyfs.vfs.spool import Spool
    from pyfs.vfs.tree import Tree


class Adoption:
    """Saves scratch files and other tables' versions as tables."""

    def __init__(self, tree: Tree, saver: Saver) -> None:
        self._tree = tree
        self._saver = saver

    async def save(
        self,
        branch: Branch,
        named: TableName,
        source: ScratchFile | TableFile,
        pid: int,
        *,
        dropped: Sequence[str] = (),
    ) -> TableFile:
        """Commits the text of *source* as the table that is *named*; returns its new node.

        The commit drops *dropped* too. A text that is refused is kept in the recovery folder.
        """
        table = named.table
        written = Format.CSV if isinstance(source, TableFile) else named.format
        spool = self._saver.folders.spool(branch.name, table, written.suffix)
        try:
            await self._saver.check_table(branch, table)
            await self._copy(source, spool)
            if not spool.size:
                raise InvalidTextError(EMPTY)
            feed = await self._saver.feed(branch, table, written, pid)
            feed.abandon()
            built = await feed.finish(spool)
            base = self._saver.base(branch, table, pid) or branch.head
            node = TableFile(branch, *named)
            await self._saver.commit(node, built, base, pid, dropped=dropped)
        except PyfsError as exc:
            text = spool.path if spool.size else None
            await self._saver.refused(branch, file_name(table, written), exc, text)
            raise
        else:
            return node
        finally:
            spool.remove()

    async def _copy(self, source: ScratchFile | TableFile, spool: Spool) -> None:
        if isinstance(source, TableFile):
            if source.snapshot is not None:
                await spool.fill(await source.snapshot.table(source.table, Format.CSV))
            return
        with local_disk(spool.path.parent), source.path.open("rb") as text:
            size = os.fstat(text.fileno()).st_size
            while spool.size < size:
                copied = os.copy_file_range(
                    text.fileno(), spool.fileno(), size - spool.size, spool.size, spool.size
                )
                if not copied:
                    break
                spool.size += copied

    async def scratch_flushed(self, node: ScratchFile) -> None:
        """*node* was written and closed. One with a table's name asks to be saved."""
        if node.target is not None:
            target = node.target
            if await self._saver.holders.others(node, target.name):
                return
            aimed = TableName(target.table, target.format)
            node.target = await self.save(target.branch, aimed, node, pid=0)
            return
        place = self._place(node)
        if place is None or not node.path.stat().st_size:
            return
        branch, name = place
        named = branch.named(name)
        if named is None or not branch.is_table(name):
            return
        if await self._saver.holders.others(node, name):
            return
        node.target = await self.save(branch, named, node, pid=0)
        node.linked = False
        if branch.local.get(name) is node:
            del branch.local[name]
        await self._saver.kernel.forget_name(branch.directory, name)

    def _place(self, node: ScratchFile) -> tuple[Branch, str] | None:
        for branch in self._tree.seen:
            for name, local in branch.local.items():
                if local is node:
                    return branch, name
        return None
