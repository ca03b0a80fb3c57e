"""`Moves`: what `rename` does, which for tables is how most tools save.

| from | to | what it is |
| --- | --- | --- |
| scratch | a table's name | a save of that table |
| a table | a scratch name | it is parked: nothing is dropped while the backup is there |
| a parked table | its own name | it comes back, or its text is saved |
| a table | another table's name | a save of that one, and a drop, in one commit |
| a table | a new table's name | the table is renamed, in one commit |
| a table | its name in another format | nothing: it is the same table |
| scratch | a new table's name | a save of a new table |
| a new table being written | another name | it is saved under that one |
| a branch | a new name | the branch is renamed |
| scratch | a scratch name | a move on local disk |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyfs.errors import (
    AlreadyExistsError,
    CrossDirectoryError,
    DirectoryExpectedError,
    FileExpectedError,
    InvalidTextError,
    NotEmptyError,
    NotPermittedError,
)
from pyfs.repo.new_table import check_table_name
from pyfs.vfs.files import forget_scratch
from pyfs.vfs.names import TableName
from pyfs.vfs.node import (
    AnyNode,
    BranchDirectory,
    Local,
    SchemaDirectory,
    ScratchDirectory,
    ScratchFile,
    ScratchLink,
    TableFile,
)
from pyfs.vfs.writer import Writer

if TYPE_CHECKING:
    from pyfs.vfs.adoption import Adoption
    from pyfs.vfs.branch import Branch
    from pyfs.vfs.drops import Drops
    from pyfs.vfs.files import Files
    from pyfs.vfs.save import Saver
    from pyfs.vfs.schemas import Schemas
    from pyfs.vfs.tree import Tree


class Moves:
    """Renames files."""

    def __init__(
        self,
        tree: Tree,
        files: Files,
        saver: Saver,
        drops: Drops,
        adoption: Adoption,
        schemas: Schemas,
    ) -> None:
        self._tree = tree
        self._files = files
        self._saver = saver
        self._drops = drops
        self._adoption = adoption
        self._schemas = schemas

    async def rename(
        self,
        old_parent: AnyNode,
        old_name: str,
        new_parent: AnyNode,
        new_name: str,
        *,
        keep: bool,
        pid: int,
    ) -> None:
        """Moves *old_name* to *new_name*; with *keep*, what is there must not be replaced."""
        self._saver.check_writable()
        if isinstance(old_parent, SchemaDirectory) or isinstance(new_parent, SchemaDirectory):
            if old_parent is not new_parent or not isinstance(old_parent, SchemaDirectory):
                raise CrossDirectoryError("a schema is copied into its directory, not moved")
            await self._schemas.rename(old_parent, old_name, new_name, keep=keep, pid=pid)
            return
        source = await self._tree.lookup(old_parent, old_name)
        if isinstance(source, BranchDirectory):
            branch = await self._tree.branch_at(source)
            if branch is not None:
                await self._drops.commit_all([branch])
            await self._tree.rename_branch(source, new_parent, new_name)
            return
        if not isinstance(source, TableFile | ScratchFile | ScratchLink | ScratchDirectory):
            raise NotPermittedError(f"{old_name} stays where it is")
        old_entries, old_branch = await self._files.place(old_parent, old_name)
        new_entries, branch = await self._files.place(new_parent, new_name)
        target = await self._files.existing(new_parent, new_name)
        if target is source:
            return
        _check_replaceable(source, target, new_name, keep=keep)
        await self._drops.settle(branch, pid)
        named = None
        if isinstance(new_parent, BranchDirectory) and branch.is_table(new_name):
            named = branch.named(new_name)
        moved: Local | None = source
        if isinstance(source, TableFile) and source.address is None:
            if old_branch is not branch:
                raise CrossDirectoryError("a file is copied from branch to branch, then removed")
            moved = await self._rename_unsaved(source, branch, named, pid)
        elif (
            named is not None
            and isinstance(source, TableFile | ScratchFile)
            and await self._onto_table(source, old_branch, old_name, branch, named, pid)
        ):
            moved = None
        if moved is not None:
            self._park(moved, old_branch, old_name, branch, pid)
            new_entries[new_name] = moved
        elif target is not None and new_entries.get(new_name) is target:
            del new_entries[new_name]
        if old_entries.get(old_name) is source:
            del old_entries[old_name]
        _replaced(target)

    async def _onto_table(
        self,
        source: TableFile | ScratchFile,
        old_branch: Branch,
        old_name: str,
        branch: Branch,
        named: TableName,
        pid: int,
    ) -> bool:
        """Makes *source* the table; False where it is only a local file's new name."""
        table = named.table
        own = isinstance(source, TableFile) and old_branch.find(old_name) is source
        shown = own and old_branch.local.get(old_name) is not source
        if shown and isinstance(source, TableFile):
            if old_branch is not branch:
                raise CrossDirectoryError("a table is copied from branch to branch, then removed")
            # From one of its names to another: it is the same table, and stays.
            if source.table != table:
                await self._rename_table(source, branch, named, pid)
            return True
        if isinstance(source, TableFile) and self._comes_back(source, branch, table):
            await self._drops.come_back(branch, table)
            branch.show_again(source)
            return True
        if not branch.knows(table):
            if isinstance(source, TableFile) and branch.gone.get(source.table) is not None:
                await self._rename_table(source, branch, named, pid)
                return True
            check_table_name(table)
            if isinstance(source, ScratchFile) and not source.path.stat().st_size:
                return False  # its text is yet to come
        node = await self._adoption.save(branch, named, source, pid)
        if isinstance(source, ScratchFile):
            source.linked = False
            source.target = node
            forget_scratch(source)
        return True

    async def _rename_unsaved(
        self, source: TableFile, branch: Branch, named: TableName | None, pid: int
    ) -> Local | None:
        """A new name under which nothing was saved yet becomes *table*, or scratch.

        Returns what the new name means; None where it means a table that was saved just now.
        """
        writers = [handle for handle in source.handles if isinstance(handle, Writer)]
        if named is None:
            if writers:
                raise NotPermittedError(f"{source.name} is being written: close it first")
            return self._files.new_scratch()
        table = named.table
        feed = await self._saver.feed(branch, *named, pid)
        if not branch.knows(table):
            check_table_name(table)
            source.table, source.format = named
            for writer in writers:
                writer.move(source, feed)
            return source
        await self._saver.check_table(branch, table)
        writing = next((writer for writer in writers if writer.dirty), None)
        if writing is None:
            raise InvalidTextError("an empty file is no table: write at least its header")
        await writing.save_as(TableFile(branch, *named), feed)
        return None

    async def _rename_table(
        self, source: TableFile, branch: Branch, named: TableName, pid: int
    ) -> None:
        """A table takes another's name, or a new one: in one commit."""
        table = named.table
        if branch.knows(table):
            await self._adoption.save(branch, named, source, pid, dropped=[source.table])
            return
        check_table_name(table)
        await self._saver.check_rename(branch, source.table)
        version = await source.version()
        removal = branch.gone.get(source.table)
        base = removal.snapshot.commit.address if removal is not None else branch.head
        node = TableFile(branch, *named)
        await self._saver.commit(node, version.address, base, pid, dropped=[source.table])

    def _comes_back(self, source: TableFile, branch: Branch, table: str) -> bool:
        removal = branch.gone.get(table)
        if source.table != table or source.branch is not branch or removal is None:
            return False
        return branch.snapshot.tables.get(table) == source.address

    def _park(
        self, source: Local, old_branch: Branch, old_name: str, branch: Branch, pid: int
    ) -> None:
        """A table that gets a scratch name leaves its own without being dropped."""
        if not isinstance(source, TableFile) or old_branch.local.get(old_name) is source:
            return
        if old_branch is not branch:
            raise CrossDirectoryError("a table is copied from branch to branch, then removed")
        branch.hide(source)
        self._drops.park(branch, TableName(source.table, source.format), pid, source)


def _check_replaceable(source: Local, target: AnyNode | None, name: str, *, keep: bool) -> None:
    if target is None:
        return
    if keep:
        raise AlreadyExistsError(f"{name} is there already")
    if isinstance(target, BranchDirectory):
        raise AlreadyExistsError(f"{name} is a branch")
    if isinstance(target, ScratchDirectory):
        if not isinstance(source, ScratchDirectory):
            raise FileExpectedError(f"{name} is a directory")
        if target.entries:
            raise NotEmptyError(f"{name} is not empty")
    elif isinstance(source, ScratchDirectory):
        raise DirectoryExpectedError(f"{name} is no directory")
    elif not isinstance(target, TableFile | ScratchFile | ScratchLink):
        raise NotPermittedError(f"{name} cannot be replaced")


def _replaced(target: AnyNode | None) -> None:
    """What had the new name lives on for who has it open, and nowhere else."""
    if isinstance(target, TableFile | ScratchFile):
        target.linked = False
    if isinstance(target, ScratchFile):
        forget_scratch(target)
