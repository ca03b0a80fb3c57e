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
    from pyfs.vfs.node import Local, TableFile
    from pyfs.vfs.save import Saver


class Drops:
    """The removed tables of all branches."""

    def __init__(self, saver: Saver, nursery: trio.Nursery, delay_s: float) -> None:
        self._saver = saver
        self._nursery = nursery
        self._delay_s = delay_s

    def remove(self, branch: Branch, table: str, pid: int) -> None:
        """Hides *table* and drops it unless it comes back."""
        due = trio.current_time() + self._delay_s
        branch.gone[table] = Removal(table, branch.snapshot, pid, due)
        self._nursery.start_soon(self._drop_later, branch)

    def park(self, branch: Branch, table: str, pid: int, backup: Local) -> None:
        """Hides *table*, which *backup* keeps: nothing is dropped while that is there."""
        branch.gone[table] = Removal(table, branch.snapshot, pid, math.inf, backup)

    def backup_removed(self, branch: Branch, backup: Local, pid: int) -> None:
        """The backup of a parked table was removed: now the table really goes."""
        for removal in list(branch.gone.values()):
            if removal.parked is backup:
                self.remove(branch, removal.table, pid)

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
                removal.parked is None
                and removal.pid != pid
                and ProcessStat.read(removal.pid) is None
            ),
        )

    async def commit_all(self, branches: Iterable[Branch]) -> None:
        """Commits every drop now. Raises the first error, after trying them all."""
        first: PyfsError | None = None
        for branch in branches:
            error = await self._commit(branch, lambda removal: removal.parked is None)
            first = first or error
        if first is not None:
            raise first

    def forget_later(self, node: TableFile) -> None:
        """*node* was emptied and closed: an unfinished save, forgotten unless it goes on."""
        node.emptied = True
        name = file_name(node.table)
        node.branch.note = f"{name} was emptied and not written: the branch keeps its rows"
        self._nursery.start_soon(self._forget, node)

    async def _forget(self, node: TableFile) -> None:
        await trio.sleep(self._delay_s)
        if node.emptied and not node.handles:
            node.branch.forget_unsaved(node)
            await self._saver.kernel.forget_pages(node, attributes_only=True)

    async def _drop_later(self, branch: Branch) -> None:
        await trio.sleep(self._delay_s)
        now = trio.current_time()
        dues = [removal.due for removal in branch.gone.values() if removal.parked is None]
        # `rm *.csv` is one commit: the last removal's timer drops them all.
        if dues and max(dues) <= now:
            await self._commit(branch, lambda removal: removal.parked is None)

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
                    for table in tables:
                        await self._saver.refused(branch, file_name(table), exc, None)
                for table in tables:
                    branch.gone.pop(table, None)
        return first
