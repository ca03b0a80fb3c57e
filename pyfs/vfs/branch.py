"""`Branch`: one branch as this mount sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from pyfs.errors import NotFoundError
from pyfs.formats import Format
from pyfs.repo.system_tables import MADE_BY_FILLING, is_system_table
from pyfs.vfs.names import TableName, file_name, fits, is_temporary, table_name
from pyfs.vfs.node import Local, TableFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyfs._core import Address
    from pyfs.errors import PyfsError
    from pyfs.repo.contents import TableContents
    from pyfs.repo.repository import Repository
    from pyfs.repo.snapshot import Snapshot
    from pyfs.vfs.node import BranchDirectory


@dataclass(slots=True, eq=False)
class Removal:
    """A table that was removed or renamed away here, and is not yet dropped on the branch."""

    table: str
    snapshot: Snapshot
    """The commit at which it was removed."""
    pid: int
    """The process that removed it."""
    due: float
    """When the drop is committed, on trio's clock."""
    names: set[Format]
    """The names that are hidden. The others go with the drop."""
    backups: list[Local]
    """What its names were renamed to. While one of these is there, nothing is dropped."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A save that was refused or could not be pushed."""

    name: str
    error: PyfsError
    recovery: Path | None
    """Where the text was kept."""
    at: float = field(default_factory=time.time)


class Branch:
    """What a branch holds at its head, and what this mount has on top of it.

    No method but `update` awaits, so none sees half of another's change.
    """

    def __init__(
        self, directory: BranchDirectory, repository: Repository, formats: Sequence[Format]
    ) -> None:
        self.directory = directory
        self.formats = formats
        """Those in which it shows each table."""
        self._repository = repository
        self._snapshot: Snapshot | None = None
        self._shown: dict[TableName, TableFile] = {}
        self.local: dict[str, Local] = {}
        """By file name: scratch, tables being written anew, versions parked as backups."""
        self._unfilled: dict[str, TableFile] = {}
        """Dolt's own tables that a first row would make."""
        self.gone: dict[str, Removal] = {}
        self.remembered: dict[str, Snapshot] = {}
        """The last commit that had a table which this mount dropped."""
        self.dropping = trio.Lock()
        """Held while drops are committed, and while a removed name comes back."""
        self.sizing: dict[str, TableContents] = {}
        """By file name: those whose exact size somebody waits for."""
        self.message: str | None = None
        self.failure: Failure | None = None
        self.note: str | None = None
        """Something that is no failure but that a user may wonder about."""

    @property
    def name(self) -> str:
        return self.directory.path

    @property
    def is_read(self) -> bool:
        """Whether its head was read once."""
        return self._snapshot is not None

    @property
    def snapshot(self) -> Snapshot:
        """The head as last shown; `update` comes first."""
        if self._snapshot is None:
            raise NotFoundError(f"branch {self.name} has not been read yet")
        return self._snapshot

    @property
    def head(self) -> Address:
        return self.snapshot.commit.address

    async def update(self) -> Snapshot:
        """Shows the head of the repository's last refresh."""
        while True:
            head = self._repository.branches.get(self.name)
            if head is None:
                raise NotFoundError(f"no branch {self.name}")
            if self._snapshot is not None and self._snapshot.commit.address == head:
                return self._snapshot
            snapshot = await self._repository.snapshot(head)
            if self._repository.branches.get(self.name) == head:
                self._show(snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        for key, node in list(self._shown.items()):
            # A node under a save is about to be the head's version itself.
            if not node.saving and snapshot.all_tables.get(key.table) != node.address:
                del self._shown[key]
        for name, local in list(self.local.items()):
            # An empty file waited for its text; now another client has made the table.
            if isinstance(local, TableFile) and local.is_unused and local.table in snapshot.tables:
                del self.local[name]

    def find(self, name: str) -> Local | None:
        """What *name* means in this branch's directory, its subdirectories aside."""
        if name in self.local:
            return self.local[name]
        named = self.named(name)
        if named is None or named.table not in self.snapshot.tables or self._is_hidden(*named):
            return None
        return self.table_file(*named)

    def named(self, name: str) -> TableName | None:
        """The table, and the format, that a file of this name would be; None for scratch."""
        return table_name(name, self.formats)

    def _is_hidden(self, table: str, format: Format) -> bool:
        removal = self.gone.get(table)
        return removal is not None and format in removal.names

    def table_file(self, table: str, format: Format) -> TableFile:
        """The node of a table that is at the head."""
        key = TableName(table, format)
        node = self._shown.get(key)
        if node is None:
            node = self._shown[key] = TableFile(self, table, format, self.snapshot)
        return node

    def system_tables(self) -> dict[str, TableFile]:
        """Dolt's own tables by file name, those that a first row would make too."""
        there = [table for table in self.snapshot.all_tables if is_system_table(table)]
        shown = (self.table_file(table, Format.CSV) for table in there)
        found = {node.name: node for node in shown}
        for table in MADE_BY_FILLING:
            if table in there:
                self._unfilled.pop(table, None)
                continue
            node = self._unfilled.setdefault(table, TableFile(self, table, Format.CSV))
            schema = self._repository.system_schema(table, set())
            node.header = schema.header if schema is not None else b""
            found[node.name] = node
        return found

    def names(self) -> dict[str, Local]:
        """Everything `ls` shows, subdirectories of branches aside."""
        nodes: dict[str, Local] = {
            name: self.table_file(table, shown)
            for table in self.snapshot.tables
            for shown in self.formats
            if not self._is_hidden(table, shown) and fits(name := file_name(table, shown))
        }
        return nodes | self.local

    def unlisted(self) -> list[str]:
        """Tables whose names are too long for a directory."""
        longest = max(self.formats, key=len)
        return [table for table in self.snapshot.tables if not fits(file_name(table, longest))]

    def is_current(self, node: TableFile) -> bool:
        """Whether the name of *node* still means it."""
        if self._unfilled.get(node.table) is node:
            return True
        return self._shown.get(_key(node)) is node or node in self.local.values()

    def is_parked(self, node: TableFile) -> bool:
        """Whether *node* is a version that stands here under another name, as a backup."""
        return node.address is not None and node in self.local.values()

    def set_apart(self, node: TableFile) -> TableFile:
        """Gives the name of *node* a twin, so that its readers and a writer do not meet."""
        twin = node.twin()
        self._shown[_key(node)] = twin
        return twin

    def hide(self, node: TableFile) -> None:
        """*node* loses the table's name; what shows the table later is another node."""
        if self._shown.get(_key(node)) is node:
            del self._shown[_key(node)]

    def show_again(self, node: TableFile) -> None:
        """*node*, of the head's version, gets the table's name back."""
        self._shown[_key(node)] = node

    def saved(self, node: TableFile, snapshot: Snapshot, version: TableContents) -> None:
        """A save made *version*, now shown by *node*."""
        node.become(snapshot, version)
        table = node.table
        self._shown[_key(node)] = node
        self._unfilled.pop(table, None)
        self.gone.pop(table, None)
        self.remembered.pop(table, None)
        self.note = None
        if self.local.get(node.name) is node:
            del self.local[node.name]

    def forget_unsaved(self, node: TableFile) -> None:
        """Lets the name of *node* mean what the head has: its save came to nothing."""
        node.emptied = False
        if self.local.get(node.name) is node:
            del self.local[node.name]

    def is_table(self, name: str) -> bool:
        """Whether a file of this name is a table's: at the head, removed here, or quite new.

        A new name of a shape that tools use for temporary files is none.
        """
        named = self.named(name)
        if named is None:
            return False
        temporary = is_temporary(name, self.snapshot.tables, self.formats)
        return self.knows(named.table) or not temporary

    def knows(self, table: str) -> bool:
        """Whether *table* has a schema: it is at the head, or was before this mount dropped it."""
        return table in self.snapshot.tables or table in self.gone or table in self.remembered

    async def last_version(
        self,
        table: str,
        format: Format,
    ) -> TableContents | None:
        """The version under whose schema a text for *table* is read, or None for a new table."""
        if table in self.snapshot.all_tables:
            return await self.table_file(table, format).version()
        if table in self.gone:
            return await self.gone[table].snapshot.table(table, format)
        if table in self.remembered:
            return await self.remembered[table].table(table, format)
        return None


def _key(node: TableFile) -> TableName:
    return TableName(node.table, node.format)
