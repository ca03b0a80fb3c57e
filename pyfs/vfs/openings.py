"""`Openings`: opens under way, and those that were sent to look the name up again.

The page cache and the size belong to an inode, so a table that is written must not share one with
its readers, nor with another writer. An open that meets somebody, or a version that is not current
any more, fails with ESTALE: the kernel then looks the name up anew, once, and opens what it gets.
So does each first open for writing, as the name has to be looked up by all from then on.
The thread is in one system call all the while, so it is known by its number when it comes back.
What its look-up gave it, it gets, whatever happened in between: that was current at that time.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import trio

from pyfs.errors import SupersededError
from pyfs.vfs.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfs.vfs.branch import Branch
    from pyfs.vfs.node import TableFile

RETURN_S: Final = 60.0
"""Within this time a thread comes back, or not at all: its second look-up may have failed. On a
busy machine it takes its time."""


@dataclass(slots=True, eq=False)
class _Opening:
    asked: TableFile
    """What the thread asked for at first."""
    writes: bool
    until: float
    """When it is forgotten, on trio's clock."""
    node: TableFile | None = None
    """What it is about to open, once that is decided."""


class Openings:
    """The opens under way of one mount, by thread."""

    def __init__(self) -> None:
        self._openings: dict[int, _Opening] = {}

    def send_away(self, thread: int, node: TableFile, why: str, *, writes: bool) -> NoReturn:
        """Has the kernel look up again what *thread* asked for as *node*."""
        now = trio.current_time()
        self._openings = {other: o for other, o in self._openings.items() if o.until >= now}
        self._openings[thread] = _Opening(node, writes, now + RETURN_S)
        raise SupersededError(f"{node.name} {why}")

    def meant(self, thread: int, node: TableFile) -> TableFile | None:
        """What *thread* gets, which was sent away and looks up the name of *node*.

        *node* itself, or its twin if others are there; None for any other thread.
        """
        opening = self._of(thread)
        if opening is None or not _same(opening.asked, node):
            return None
        if opening.node is None:
            met = self.is_used(node) if opening.writes else self.is_written(node)
            opening.node = node.branch.set_apart(node) if met else node
        return opening.node

    @contextmanager
    def arrival(self, thread: int, node: TableFile) -> Iterator[bool]:
        """Whether *thread*, which opens *node*, was sent there; keeps others off meanwhile."""
        opening = self._of(thread)
        # Without a look-up it comes by a descriptor's own path (/dev/fd/3), which means the inode.
        meant = opening is not None and (opening.node or opening.asked) is node
        if opening is not None and meant:
            opening.node, opening.until = node, float("inf")
        try:
            yield meant
        finally:
            if meant and self._openings.get(thread) is opening:
                del self._openings[thread]

    @contextmanager
    def claim(self, thread: int, node: TableFile) -> Iterator[None]:
        """Keeps others off *node* until the writer of *thread* is there."""
        opening = _Opening(node, writes=True, until=float("inf"), node=node)
        self._openings[thread] = opening
        try:
            yield
        finally:
            if self._openings.get(thread) is opening:
                del self._openings[thread]

    def has_writer(self, branch: Branch, table: str) -> bool:
        """Whether *table* is about to be opened for writing."""
        return any(
            opening.writes and (opening.asked.branch, opening.asked.table) == (branch, table)
            for opening in self._under_way()
        )

    def is_written(self, node: TableFile) -> bool:
        """Whether a writer has *node* open, or is about to, and is not done."""
        return any(isinstance(h, Writer) and not h.is_saved for h in node.handles) or any(
            opening.writes for opening in self._awaited(node)
        )

    def is_used(self, node: TableFile) -> bool:
        """Whether anybody has *node* open, or is about to."""
        return bool(node.handles) or any(True for _ in self._awaited(node))

    def _of(self, thread: int) -> _Opening | None:
        opening = self._openings.get(thread)
        return opening if opening is not None and opening.until >= trio.current_time() else None

    def _awaited(self, node: TableFile) -> Iterator[_Opening]:
        return (opening for opening in self._under_way() if opening.node is node)

    def _under_way(self) -> Iterator[_Opening]:
        now = trio.current_time()
        return (opening for opening in self._openings.values() if opening.until >= now)


def _same(asked: TableFile, found: TableFile) -> bool:
    """Whether both are the same table's, in the same format, and *found* is no parked backup."""
    return (
        (asked.branch, asked.table, asked.format) == (found.branch, found.table, found.format)
        and found.address is not None
        and not found.branch.is_parked(found)
    )
