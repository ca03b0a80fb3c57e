"""What the mount shows: directories, table files, control files, and this mount's own scratch.

A node is an identity: the kernel's inode. A table file shows one version of its table for life,
except that a save through it makes it the new version (editors compare inode numbers); a version
that comes from elsewhere is a new node under the same name, as the kernel's page cache belongs to
the inode and two versions in one cache would mix.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pyfs.errors import NotFoundError
from pyfs.vfs.names import file_name

if TYPE_CHECKING:
    from pathlib import Path

    from pyfs._core import Address
    from pyfs.formats import Format
    from pyfs.repo.contents import TableContents
    from pyfs.repo.snapshot import Snapshot
    from pyfs.vfs.branch import Branch
    from pyfs.vfs.handle import Handle


FILE_MODE: Final = 0o644
"""Permissions of a file that this mount's user may write."""


class Kind(Enum):
    """What a node is to `stat`."""

    DIRECTORY = "directory"
    FILE = "file"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What `stat` tells of a node."""

    kind: Kind
    permissions: int
    size: int
    mtime_ns: int
    valid_s: float
    """How long the kernel may keep these; 0 for an estimated size."""
    name_valid_s: float
    """How long the kernel may keep the name's meaning."""


class Node:
    """Anything that has an inode."""

    def __init__(self) -> None:
        self.inode = 0
        """The kernel's number, given by the layer that talks to it."""


class BranchDirectory(Node):
    """A branch, or a directory on the way to one; the root is the one with the path ""."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.born_ns = time.time_ns()


class ControlDirectory(Node):
    """The `.pyfs` of the root or of a branch."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        """The branch, or "" for the mount's own."""


class HiddenBranches(Node):
    """`.pyfs/branches`: the branches whose place in the tree is taken by a table's file."""


class ControlFile(Node):
    """A file of a control directory, such as `status`."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        self.path = path
        self.name = name


class SchemaDirectory(Node):
    """`.pyfs/schema` of a branch."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.entries: dict[str, ScratchFile] = {}
        """What editors leave beside the schemas."""
        self.shown: dict[str, SchemaFile] = {}
        self.pending: dict[str, SchemaFile] = {}
        """Files of tables that are not there yet, while they are written."""


class SchemaFile(Node):
    """The `CREATE TABLE` of a table, at the branch's head."""

    def __init__(self, path: str, table: str) -> None:
        super().__init__()
        self.path = path
        self.table = table
        self.handles: set[Handle] = set()


class SystemDirectory(Node):
    """`.pyfs/system`: Dolt's own tables on a branch."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class TextDirectory(Node):
    """`.pyfs/docs` or `.pyfs/views`: what Dolt's own tables hold, a file for each row."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        self.path = path
        self.name = name


class TableFile(Node):
    """One version of a table in one format, or one that is being written anew (no version yet)."""

    def __init__(
        self,
        branch: Branch,
        table: str,
        format: Format,
        snapshot: Snapshot | None = None,
        version: TableContents | None = None,
    ) -> None:
        super().__init__()
        self.branch = branch
        self.table = table
        self.format = format
        self.snapshot = snapshot
        self.address: Address | None = snapshot.all_tables[table] if snapshot else None
        self.mtime_ns = snapshot.commit.timestamp_ms * 1_000_000 if snapshot else time.time_ns()
        self.handles: set[Handle] = set()
        self.header = b""
        """What a table of Dolt's own shows that is made by filling it."""
        self.linked = True
        """Whether a name means it. What is written to a removed file goes nowhere."""
        self.saving = False
        """A save through this node is under way: it is about to be the new version."""
        self.emptied = False
        """Truncated and closed without a byte: an unfinished save, soon forgotten."""
        self._version = version

    @property
    def name(self) -> str:
        """The name of the file."""
        return file_name(self.table, self.format)

    @property
    def known(self) -> TableContents | None:
        """The version, if it has been read."""
        return self._version

    @property
    def is_unused(self) -> bool:
        """Whether it is a new name under which nothing was ever saved and nobody writes."""
        return self.address is None and not self.handles

    async def version(self) -> TableContents:
        """The version this node shows, read on first use."""
        if self._version is None:
            if self.snapshot is None:
                raise NotFoundError(f"table {self.table} has no saved version yet")
            snapshot = self.snapshot
            version = await snapshot.table(self.table, self.format)
            if snapshot is self.snapshot:
                self._version = version
            return version
        return self._version

    def become(self, snapshot: Snapshot, version: TableContents) -> None:
        """Shows what a save through this node made."""
        if version.address != self.address:
            self.mtime_ns = snapshot.commit.timestamp_ms * 1_000_000
        self.snapshot = snapshot
        self.address = version.address
        self._version = version
        self.emptied = False

    def twin(self) -> TableFile:
        """Another node for the same version."""
        twin = TableFile(self.branch, self.table, self.format, self.snapshot, self._version)
        twin.mtime_ns = self.mtime_ns
        twin.emptied = self.emptied
        return twin

    def dirty_size(self) -> int | None:
        """The size of what is being written through this node, or None."""
        if self.emptied:
            return 0
        return next((size for h in self.handles if (size := h.dirty_size) is not None), None)


class ScratchFile(Node):
    """A file on this machine's disk that no commit ever holds."""

    def __init__(self, path: Path, permissions: int) -> None:
        super().__init__()
        self.path = path
        self.permissions = permissions
        self.mtime_ns: int | None = None
        """As `utimens` set it, or None for the disk's."""
        self.handles: set[Handle] = set()
        self.linked = True
        self.target: TableFile | None = None
        """The table file it was renamed onto while still open: what is written now is saved."""


class ScratchLink(Node):
    """A symbolic link, such as emacs's lock."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target
        self.born_ns = time.time_ns()


class ScratchDirectory(Node):
    """A dot-name directory within a branch's."""

    def __init__(self, branch: Branch, permissions: int) -> None:
        super().__init__()
        self.branch = branch
        self.permissions = permissions
        self.born_ns = time.time_ns()
        self.entries: dict[str, Local] = {}


Local = TableFile | ScratchFile | ScratchLink | ScratchDirectory
"""What this mount alone has under a name; a table file here is a version parked as a backup."""

AnyNode = (
    BranchDirectory
    | ControlDirectory
    | HiddenBranches
    | ControlFile
    | SchemaDirectory
    | SchemaFile
    | SystemDirectory
    | TextDirectory
    | TableFile
    | ScratchFile
    | ScratchLink
    | ScratchDirectory
)
