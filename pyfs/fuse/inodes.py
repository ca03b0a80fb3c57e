"""`InodeTable`: inode number to node, lookup counts, forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfuse3 import ROOT_INODE, InodeT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyfs.vfs.node import AnyNode


class InodeTable:
    """The nodes that the kernel knows.

    A node keeps its number for life, so that a file that was forgotten and is found again has the
    same one. Numbers are never given twice.
    """

    def __init__(self, root: AnyNode) -> None:
        root.inode = ROOT_INODE
        self._nodes: dict[int, AnyNode] = {ROOT_INODE: root}
        self._lookups: dict[int, int] = {}
        self._last = int(ROOT_INODE)

    def __getitem__(self, inode: InodeT) -> AnyNode:
        return self._nodes[inode]

    def __len__(self) -> int:
        return len(self._nodes)

    def number(self, node: AnyNode) -> InodeT:
        """The number of *node*."""
        if not node.inode:
            self._last += 1
            node.inode = self._last
        return InodeT(node.inode)

    def remember(self, node: AnyNode) -> InodeT:
        """The number of *node*, which the kernel is about to be told: counts a lookup."""
        inode = self.number(node)
        self._nodes[inode] = node
        self._lookups[inode] = self._lookups.get(inode, 0) + 1
        return inode

    def forget(self, counts: Iterable[tuple[InodeT, int]]) -> None:
        """The kernel dropped that many lookups of each; one it never had is no error."""
        for inode, count in counts:
            left = self._lookups.get(inode, 0) - count
            if left > 0:
                self._lookups[inode] = left
                continue
            self._lookups.pop(inode, None)
            if inode != ROOT_INODE:
                self._nodes.pop(inode, None)
