"""`Drops`: tables that were removed here, until they come back or their drop is committed.

Many tools save by removing or renaming away a file and creating it anew. A drop is therefore
committed only when nothing follows it: at the next operation of another process once the removing
one has ended, after the drop delay, at fsync of the directory, or at unmount.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

import trio

from pyfs.errors import PyfsError
from pyfs.vfs.branch import Removal
from pyfs.vfs.names import file_name
from pyfs.vfs.processes import ProcessStat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyfs.vfs.branch import Branch
    from pyfs.vfs.names import TableName
    from pyfs.vfs.node import Local, TableFile
    from pyfs.vfs.save import Saver


class Drops:
    """The removed tables of all branches."""

    def __init__(self, saver: Saver, nursery: trio.Nursery, delay_s: float) -> None:
        self._saver = saver
        self._nursery = nursery
        self._delay_s = delay_s

    def remove(self, branch: Branch, name: TableName, pid: int) -> None:
        """Hides a name of a table, and drops the table unless it comes back."""
        removal = self._removal(branch, name, pid)
        if not removal.backups:
            self._let_go(branch, removal)

    def park(self, branch: Branch, name: TableName, pid: int, backup: Local) -> None:
        """Hides a name of a table, which *backup* keeps: nothing is dropped while it is there."""
        self._removal(branch, name, pid).backups.append(backup)

    def backup_removed(self, branch: Branch, backup: Local, pid: int) -> None:
        """A backup of a parked table was removed: with the last one the table really goes."""
        for removal in branch.gone.values():
            if backup in removal.backups:
                removal.backups.remove(backup)
                removal.pid = pid
                if not removal.backups:
                    self._let_go(branch, removal)

    def _removal(self, branch: Branch, name: TableName, pid: int) -> Removal:
        new = Removal(name.table, branch.snapshot, pid, math.inf, set(), [])
        removal = branch.gone.setdefault(name.table, new)
        removal.names.add(name.format)
        removal.pid = pid
        return removal

    def _let_go(self, branch: Branch, removal: Removal) -> None:
        removal.due = trio.current_time() + self._delay_s
        self._nursery.start_soon(self._drop_later, branch)

    async def come_back(self, branch: Branch, table: str) -> None:
        """The name of *table* is created again, or its backup is renamed back."""
        async with branch.dropping:
            branch.gone.pop(table, None)

    async def settle(self, branch: Branch, pid: int) -> None:
        """Before *pid* does something on *branch*: commits what ended processes removed."""
        if not branch.gone:
            return
        await self._commit(
            branch,
            lambda removal: (
                not removal.backups and removal.pid != pid and ProcessStat.read(removal.pid) is None
            ),
        )

    async def commit_all(self, branches: Iterable[Branch]) -> None:
        """Commits every drop now. Raises the first error, after trying them all."""
        first: PyfsError | None = None
        for branch in branches:
            error = await self._commit(branch, lambda removal: not removal.backups)
            first = first or error
        if first is not None:
            raise first

    def forget_later(self, node: TableFile) -> None:
        """*node* was emptied and closed: an unfinished save, forgotten unless it goes on."""
        node.emptied = True
        node.branch.note = f"{node.name} was emptied and not written: the branch keeps its rows"
        self._nursery.start_soon(self._forget, node)

    async def _forget(self, node: TableFile) -> None:
        await trio.sleep(self._delay_s)
        if node.emptied and not node.handles:
            node.branch.forget_unsaved(node)
            await self._saver.kernel.forget_pages(node, attributes_only=True)

    async def _drop_later(self, branch: Branch) -> None:
        await trio.sleep(self._delay_s)
        now = trio.current_time()
        dues = [removal.due for removal in branch.gone.values() if not removal.backups]
        # `rm *.csv` is one commit: the last removal's timer drops them all.
        if dues and max(dues) <= now:
            await self._commit(branch, lambda removal: not removal.backups)

    async def _commit(self, branch: Branch, wanted: Callable[[Removal], bool]) -> PyfsError | None:
        first: PyfsError | None = None
        async with branch.dropping:
            removals = [removal for removal in branch.gone.values() if wanted(removal)]
            for base, group in groupby(removals, lambda removal: removal.snapshot.commit.address):
                same_base = list(group)
                tables = [removal.table for removal in same_base]
                try:
                    branch.remembered |= {r.table: r.snapshot for r in same_base}
                    await self._saver.drop(branch, tables, base)
                    await branch.update()
                except PyfsError as exc:
                    first = first or exc
                    for removal in same_base:
                        await self._saver.refused(branch, name_of(removal), exc, None)
                for table in tables:
                    branch.gone.pop(table, None)
        return first


def name_of(removal: Removal) -> str:
    """The name of a file that was removed; the first, of several."""
    return file_name(removal.table, min(removal.names))
