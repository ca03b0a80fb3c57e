"""Inode numbers and lookup counts."""

import pytest
from pyfuse3 import ROOT_INODE, InodeT

from pyfs.fuse.inodes import InodeTable
from pyfs.vfs.node import BranchDirectory, ScratchLink


def test_a_node_keeps_its_number_and_numbers_are_never_given_twice() -> None:
    root, first, second = BranchDirectory(""), ScratchLink("a"), ScratchLink("b")
    table = InodeTable(root)
    assert table.number(root) == ROOT_INODE
    inode = table.remember(first)
    table.forget([(inode, 1)])
    assert table.remember(second) != inode
    assert table.remember(first) == inode
    assert table[inode] is first


def test_a_node_is_known_until_every_lookup_is_forgotten() -> None:
    link = ScratchLink("a")
    table = InodeTable(BranchDirectory(""))
    inode = table.remember(link)
    table.remember(link)
    table.forget([(inode, 1)])
    assert table[inode] is link
    table.forget([(inode, 1)])
    with pytest.raises(KeyError):
        table[inode]


def test_forgetting_what_was_never_known_is_no_error() -> None:
    root = BranchDirectory("")
    table = InodeTable(root)
    table.forget([(InodeT(77), 5), (ROOT_INODE, 1)])
    assert table[ROOT_INODE] is root
