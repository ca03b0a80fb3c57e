"""`Tree`: finds, lists and describes what the mount shows; makes and removes branches."""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from pyfs.errors import (
    AlreadyExistsError,
    DirectoryExpectedError,
    DiskError,
    InvalidNameError,
    NotEmptyError,
    NotFoundError,
    NotPermittedError,
    RemoteError,
    SpaceError,
    UnsupportedError,
)
from pyfs.store.watched import TROUBLES
from pyfs.vfs.branch import Branch
from pyfs.vfs.control import BRANCH_FILES, MESSAGE, MOUNT_FILES, STATUS, ControlTexts
from pyfs.vfs.names import CONTROL, branch_name, child_segment, escape, is_text, unescape
from pyfs.vfs.node import (
    FILE_MODE,
    AnyNode,
    Attributes,
    BranchDirectory,
    ControlDirectory,
    ControlFile,
    HiddenBranches,
    Kind,
    SchemaDirectory,
    SchemaFile,
    ScratchDirectory,
    ScratchFile,
    ScratchLink,
    SystemDirectory,
    TableFile,
    TextDirectory,
)
from pyfs.vfs.schemas import SCHEMA, lookup_schema, schema_attributes, schema_entries
from pyfs.vfs.system_texts import TEXT_DIRECTORIES, texts_of

if TYPE_CHECKING:
    from pyfs.config import MountConfig
    from pyfs.repo.repository import Repository
    from pyfs.store.counts import RequestCounts
    from pyfs.vfs.openings import Openings
    from pyfs.vfs.save import Saver

log = logging.getLogger(__name__)

ControlNode: TypeAlias = (
    ControlDirectory
    | ControlFile
    | HiddenBranches
    | SchemaDirectory
    | SystemDirectory
    | TextDirectory
)
DIRECTORY_MODE: Final = 0o755
VALID_S_MAX: Final = 1.0
"""Longest time for which the kernel may keep a name or attributes."""
PATIENCE_S: Final = 2.0
"""How long the way to a branch's control directory waits for a remote that may be down."""
HIDDEN: Final = "branches"
SYSTEM: Final = "system"


class Tree:
    """The directories and files of the mount.

    Names below the root are looked up at a head that is at most `refresh_s` old when the kernel
    stops trusting the answer: an answer is valid until the next refresh is due.
    """

    def __init__(
        self,
        repository: Repository,
        saver: Saver,
        config: MountConfig,
        counts: RequestCounts,
        openings: Openings,
    ) -> None:
        self.repository = repository
        self.config = config
        self.texts = ControlTexts(repository, saver, config, counts)
        self._saver = saver
        self._openings = openings
        self.root = BranchDirectory("")
        self._directories: dict[str, BranchDirectory] = {"": self.root}
        self._branches: dict[str, Branch] = {}
        self._control: dict[tuple[str, str], ControlNode] = {}

    # Branches

    async def refresh(self, patience_s: float = math.inf) -> None:
        """Reads the manifest again if it is older than `refresh_s`; may take *patience_s*."""
        if patience_s == math.inf:
            await self.repository.refresh(self.config.refresh_s)
        else:
            await self.repository.refresh_within(self.config.refresh_s, patience_s)
        # The default branch cannot be deleted, so this is a disk that is not mounted or a table
        # that was emptied. Showing an empty directory would tell rsync to delete the other side.
        if not self.repository.branches:
            error = RemoteError(
                f"{self.config.url} holds no database any more: see whether its disk is mounted, "
                "or who deleted it"
            )
            self.repository.health.failed(error)
            raise error

    async def branch(self, name: str) -> Branch:
        """The branch called *name*, at the head of the last refresh; `NotFoundError`."""
        branch = self._branches.get(name)
        if branch is None or name not in self.repository.branches:
            if name not in self.repository.branches:
                self._branches.pop(name, None)
                raise NotFoundError(f"no branch {name}")
            branch = self._branches.setdefault(
                name, Branch(self._directory(name), self.repository, self.config.formats)
            )
        await branch.update()
        return branch

    async def branch_at(self, directory: BranchDirectory) -> Branch | None:
        """The branch that *directory* is, or None for the root and the directories between."""
        if directory.path not in self.repository.branches:
            return None
        return await self.branch(directory.path)

    @property
    def seen(self) -> list[Branch]:
        """The branches that were looked into."""
        return list(self._branches.values())

    def _directory(self, path: str) -> BranchDirectory:
        return self._directories.setdefault(path, BranchDirectory(path))

    def _below(self, path: str) -> dict[str, BranchDirectory]:
        """The subdirectories of *path* that branches make, by file name."""
        segments = {
            segment
            for branch in self.repository.branches
            if (segment := child_segment(path, branch)) is not None
        }
        return {segment: self._directory(branch_name(path, segment)) for segment in segments}

    def _exists(self, path: str) -> bool:
        branches = self.repository.branches
        return path in branches or any(name.startswith(path + "/") for name in branches)

    # Finding

    async def lookup(self, parent: AnyNode, name: str) -> AnyNode:
        """What *name* means in *parent*; `NotFoundError`, `DirectoryExpectedError`."""
        match parent:
            case BranchDirectory():
                return await self._lookup_in_branch(parent, name)
            case ScratchDirectory():
                if name in parent.entries:
                    return parent.entries[name]
                raise NotFoundError(name)
            case ControlDirectory():
                return self._lookup_in_control(parent, name)
            case SchemaDirectory():
                return await lookup_schema(self, parent, name)
            case SystemDirectory() | TextDirectory():
                found = dict(await self.entries(parent))
                if name in found:
                    return found[name]
                raise NotFoundError(f"{name} is none of Dolt's own tables here")
            case HiddenBranches():
                await self.refresh()
                hidden = await self._hidden()
                if name in hidden:
                    return hidden[name]
                raise NotFoundError(f"no hidden branch {unescape(name)}")
            case _:
                raise DirectoryExpectedError(f"{name} is looked up in a file")

    async def _lookup_in_branch(self, parent: BranchDirectory, name: str) -> AnyNode:
        # What is this mount's own needs no remote, and works while that is dead.
        if name == CONTROL:
            return self._control_directory(parent.path)
        seen = self._branches.get(parent.path)
        if seen is not None and name in seen.local:
            return seen.local[name]
        # So that control directories are reached while the remote fails; tables are read from it.
        holds_branches = parent.path not in self.repository.branches
        known = None
        if holds_branches or self.repository.health.failing:
            known = self._known_directory(parent, name)
            if known is not None and self.repository.health.failing:
                return known
        try:
            await self.refresh(math.inf if known is None else PATIENCE_S)
        except TROUBLES:
            known = known or self._known_directory(parent, name)
            if known is None:
                raise
            return known
        branch = await self.branch_at(parent)
        found = branch.find(name) if branch is not None else None
        if found is not None:
            return found
        directory = self._subdirectory(parent.path, name)
        if directory is not None:
            return directory
        raise NotFoundError(
            f"{name} is neither a table nor a branch in {parent.path or 'the root'}"
        )

    def _known_directory(self, parent: BranchDirectory, name: str) -> BranchDirectory | None:
        """The subdirectory called *name* that the last refresh showed."""
        found = self._subdirectory(parent.path, name)
        seen = self._branches.get(parent.path)
        if found is not None and seen is not None and seen.is_read and seen.find(name) is not None:
            return None  # a table's file has its place
        return found

    def _subdirectory(self, parent: str, name: str) -> BranchDirectory | None:
        path = branch_name(parent, name)
        if is_text(name) and escape(unescape(name)) == name and self._exists(path):
            return self._directory(path)
        return None

    def _control_directory(self, path: str) -> ControlDirectory:
        if path and path not in self.repository.branches:
            raise NotFoundError(f"{path} is no branch")
        node = self._control.setdefault((path, ""), ControlDirectory(path))
        assert isinstance(node, ControlDirectory)
        return node

    def _lookup_in_control(self, parent: ControlDirectory, name: str) -> AnyNode:
        if name in (BRANCH_FILES if parent.path else MOUNT_FILES):
            return self._control.setdefault((parent.path, name), ControlFile(parent.path, name))
        if name == SCHEMA and parent.path:
            return self._control.setdefault((parent.path, SCHEMA), SchemaDirectory(parent.path))
        if name == SYSTEM and parent.path:
            return self._control.setdefault((parent.path, name), SystemDirectory(parent.path))
        if name in TEXT_DIRECTORIES and parent.path:
            return self._control.setdefault((parent.path, name), TextDirectory(parent.path, name))
        if name == HIDDEN and not parent.path:
            return self._control.setdefault(("", HIDDEN), HiddenBranches())
        raise NotFoundError(f"no control file {name}")

    def schema_directory(self, path: str) -> SchemaDirectory | None:
        """The schema directory of a branch, if it was looked into."""
        node = self._control.get((path, SCHEMA))
        return node if isinstance(node, SchemaDirectory) else None

    async def _hidden(self) -> dict[str, BranchDirectory]:
        """The branches that cannot be reached, as a table's file has their place."""
        hidden = {}
        for name in self.repository.branches:
            parent, _, segment = name.rpartition("/")
            if parent in self.repository.branches:
                branch = await self.branch(parent)
                if branch.find(escape(segment)) is not None:
                    hidden[escape(name).replace("/", "%2F")] = self._directory(name)
        return hidden

    async def _texts(self, directory: TextDirectory) -> dict[str, ControlFile]:
        """The files of a directory whose files are rows of one of Dolt's own tables."""
        branch = await self.branch(directory.path)
        found = {}
        for name in await texts_of(branch.snapshot, directory.name):
            key = (directory.path, f"{directory.name}/{name}")
            node = self._control.setdefault(key, ControlFile(*key))
            assert isinstance(node, ControlFile)
            found[name] = node
        return found

    async def entries(self, directory: AnyNode) -> list[tuple[str, AnyNode]]:
        """What `ls` shows, in a stable order."""
        found: dict[str, AnyNode] = {}
        match directory:
            case BranchDirectory():
                await self.refresh()
                if directory.path and not self._exists(directory.path):
                    raise NotFoundError(f"branch {directory.path} is gone")
                branch = await self.branch_at(directory)
                found |= self._below(directory.path)
                if branch is not None:
                    found |= branch.names()
            case ScratchDirectory():
                found |= directory.entries
            case ControlDirectory():
                of_branch = (*BRANCH_FILES, SCHEMA, SYSTEM, *TEXT_DIRECTORIES)
                names = of_branch if directory.path else (HIDDEN, *MOUNT_FILES)
                found |= {name: self._lookup_in_control(directory, name) for name in names}
            case SchemaDirectory():
                found |= await schema_entries(self, directory)
            case SystemDirectory():
                await self.refresh()
                found |= (await self.branch(directory.path)).system_tables()
            case TextDirectory():
                await self.refresh()
                found |= await self._texts(directory)
            case HiddenBranches():
                await self.refresh()
                found |= await self._hidden()
            case _:
                raise DirectoryExpectedError("a file has no entries")
        return sorted(found.items())

    # Describing

    async def attributes(self, node: AnyNode, *, as_saved: bool = False) -> Attributes:
        """What `stat` tells. Waits for the exact size of a file that is open.

        *as_saved*: without what is being written to a table.
        """
        match node:
            case TableFile():
                return await self._table_attributes(node, as_saved=as_saved)
            case ControlFile():
                size = len(await self.control_text(node))
                mode = FILE_MODE if node.name == MESSAGE else 0o444
                return Attributes(Kind.FILE, mode, size, time.time_ns(), 0.0, 0.0)
            case SchemaFile():
                return await schema_attributes(self, node)
            case BranchDirectory() if node.path in self.repository.branches:
                return await self._branch_attributes(node)
            case BranchDirectory():
                return self._directory_attributes(node.born_ns, self._valid_s())
            case _:
                return self.local_attributes(node)

    async def _branch_attributes(self, node: BranchDirectory) -> Attributes:
        branch = None
        if not self._is_out_of_reach(node.path):
            with suppress(*TROUBLES):
                branch = await self.branch(node.path)
        if branch is None:
            # Its control directory is there all the same.
            return self._directory_attributes(node.born_ns, 0.0)
        born_ns = branch.snapshot.commit.timestamp_ms * 1_000_000
        return self._directory_attributes(born_ns, self._valid_s())

    def _is_out_of_reach(self, path: str) -> bool:
        """Whether a branch was not read and cannot be just now."""
        branch = self._branches.get(path)
        return self.repository.health.failing and (branch is None or not branch.is_read)

    async def listed_attributes(self, node: AnyNode) -> Attributes:
        """What a directory listing tells of an entry: waits for nothing.

        A size that is not known is 0 and valid for no time, so that the kernel asks again.
        """
        if isinstance(node, TableFile):
            size = node.dirty_size()
            if size is None and node.known is not None:
                size = node.known.size
            valid_s = 0.0 if size is None or node.handles else self._valid_s()
            mtime = node.mtime_ns
            return Attributes(
                Kind.FILE, FILE_MODE, size or 0, mtime, valid_s, self._name_valid_s(node)
            )
        if isinstance(node, BranchDirectory):
            return self._directory_attributes(node.born_ns, 0.0)
        return await self.attributes(node)

    def local_attributes(self, node: AnyNode) -> Attributes:
        """The attributes of what needs neither remote nor waiting."""
        match node:
            case ScratchFile():
                return _scratch_attributes(node)
            case ScratchLink():
                size = len(node.target.encode(errors="surrogateescape"))
                return Attributes(Kind.SYMLINK, 0o777, size, node.born_ns, 0.0, 0.0)
            case ScratchDirectory():
                return Attributes(Kind.DIRECTORY, node.permissions, 0, node.born_ns, 0.0, 0.0)
            case _:
                return self._directory_attributes(self.root.born_ns, 0.0)

    def _directory_attributes(self, mtime_ns: int, valid_s: float) -> Attributes:
        return Attributes(Kind.DIRECTORY, DIRECTORY_MODE, 0, mtime_ns, valid_s, valid_s)

    async def _table_attributes(self, node: TableFile, *, as_saved: bool) -> Attributes:
        written = node.dirty_size()
        if written is None:
            size, exact = await self._size(node)
        else:
            size, exact = (await self._size(node))[0] if as_saved else written, False
        valid_s = self._valid_s()
        fresh = node.address is None or node in node.branch.local.values()
        return Attributes(
            Kind.FILE,
            FILE_MODE,
            size,
            node.mtime_ns,
            valid_s if exact and not fresh else 0.0,
            0.0 if fresh else self._name_valid_s(node),
        )

    async def _size(self, node: TableFile) -> tuple[int, bool]:
        """The size to show, and whether it is exact. Never too small."""
        if node.address is None:
            return len(node.header), False
        version = await node.version()
        if version.size is not None:
            return version.size, True
        if self.config.size != "lazy" and (
            node.handles or self.config.size == "exact" or await self._is_small(node)
        ):
            sizing = node.branch.sizing
            sizing[node.name] = version
            try:
                return await version.exact_size(), True
            except (DiskError, SpaceError) as exc:
                # The file cannot be made now; whoever reads it is told, but not who lists it.
                log.warning("the size of %s is not known: %s", node.name, exc)
            finally:
                sizing.pop(node.name, None)
        return version.size_max, False

    async def _is_small(self, node: TableFile) -> bool:
        stored = await (await node.version()).stored_len()
        return stored is not None and stored <= self.config.exact_size_limit_bytes

    def _name_valid_s(self, node: TableFile) -> float:
        # A save through one of several names changes what the others mean; and a table that is
        # being written means one thing to who writes it, another to everyone else.
        branch, table = node.branch, node.table
        written = self._openings.has_writer(branch, table) or self._saver.writers_of(branch, table)
        changing = len(self.config.formats) > 1 or written or not branch.is_current(node)
        return 0.0 if changing else self._valid_s()

    def _valid_s(self) -> float:
        left = self.repository.refreshed_at + self.config.refresh_s - time.time()
        return min(max(left, 0.0), VALID_S_MAX)

    async def control_text(self, node: ControlFile) -> bytes:
        """What reading the control file gives."""
        if not node.path:
            return self.texts.of_mount(self.seen)
        branch = self._branches.get(node.path)
        if node.name == STATUS and (branch is None or not branch.is_read):
            # A status is there for when the remote is not.
            if self._is_out_of_reach(node.path):
                return self.texts.unread_status(node.path)
            try:
                await self.refresh()
                branch = await self.branch(node.path)
            except TROUBLES:
                return self.texts.unread_status(node.path)
        if branch is None or node.name.startswith("log"):
            await self.refresh()
            branch = await self.branch(node.path)
        return await self.texts.of_branch(branch, node.name)

    # Branches made and removed

    async def make_branch(self, parent: AnyNode, name: str) -> BranchDirectory:
        """`mkdir`: a branch at the head of the one it is nested in, else of the default one."""
        self._saver.check_writable()
        await self.refresh()
        path = self._new_path(parent, name)
        nested_in = path.rpartition("/")[0]
        source = nested_in if nested_in in self.repository.branches else None
        source = source or self.repository.default_branch
        if source is None:
            raise NotFoundError("the remote has no branch to start from: run pyfs init first")
        await self.repository.create_branch(path, self.repository.branches[source])
        return self._directory(path)

    async def rename_branch(self, node: BranchDirectory, parent: AnyNode, name: str) -> None:
        """`rename`: the branch keeps its directory, files that are open, and scratch."""
        path = self._new_path(parent, name)
        if self._has_nested(node.path) or node.path not in self.repository.branches:
            raise UnsupportedError(f"there are branches below {node.path}, which would stay behind")
        branch = await self.branch(node.path)
        await self.repository.rename_branch(node.path, path)
        for key in [key for key in self._control if key[0] == node.path]:
            del self._control[key]
        self._branches.pop(node.path, None)
        self._directories.pop(node.path, None)
        node.path = path
        self._branches[path] = branch
        self._directories[path] = node

    def _new_path(self, parent: AnyNode, name: str) -> str:
        """The name of the branch that is about to be made as *name* in *parent*."""
        if not isinstance(parent, BranchDirectory):
            raise NotPermittedError("branches are made beside branches, not in a control directory")
        if not is_text(name) or escape(unescape(name)) != name:
            raise InvalidNameError(f"{name!r} is no name for a branch")
        path = branch_name(parent.path, name)
        if self._exists(path):
            raise AlreadyExistsError(f"there is a branch {path} already")
        return path

    def _has_nested(self, path: str) -> bool:
        return any(other.startswith(path + "/") for other in self.repository.branches)

    async def remove_branch(self, parent: AnyNode, name: str) -> None:
        """`rmdir`: deletes the branch, tables or not; `NotPermittedError` for the default one."""
        self._saver.check_writable()
        node = await self.lookup(parent, name)
        if not isinstance(node, BranchDirectory):
            raise NotPermittedError(f"{name} is no branch")
        path = node.path
        if self._has_nested(path):
            raise NotEmptyError(f"there are branches below {path}")
        if path == self.repository.default_branch:
            raise NotPermittedError(f"{path} is the default branch and cannot be removed")
        branch = self._branches.get(path)
        if branch is not None:
            branch.gone.clear()
        await self.repository.delete_branch(path)
        self._branches.pop(path, None)
        self._directories.pop(path, None)


def _scratch_attributes(node: ScratchFile) -> Attributes:
    try:
        stat = node.path.stat()
    except FileNotFoundError:
        return Attributes(Kind.FILE, node.permissions, 0, node.mtime_ns or 0, 0.0, 0.0)
    mtime_ns = node.mtime_ns if node.mtime_ns is not None else stat.st_mtime_ns
    return Attributes(Kind.FILE, node.permissions, stat.st_size, mtime_ns, 0.0, 0.0)
