"""`Files`: opens, creates and removes files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyfs.disk import local_disk
from pyfs.errors import (
    AlreadyExistsError,
    FileExpectedError,
    NotEmptyError,
    NotFoundError,
    NotPermittedError,
    UnsupportedError,
)
from pyfs.repo.new_table import check_table_name
from pyfs.vfs.control import MESSAGE
from pyfs.vfs.handle import Handle, Reader, ScratchHandle, TextHandle
from pyfs.vfs.names import CONTROL
from pyfs.vfs.node import (
    FILE_MODE,
    AnyNode,
    Attributes,
    BranchDirectory,
    ControlFile,
    Local,
    SchemaDirectory,
    SchemaFile,
    ScratchDirectory,
    ScratchFile,
    ScratchLink,
    TableFile,
    TextDirectory,
)
from pyfs.vfs.processes import process_of, removed_by, works_for
from pyfs.vfs.system_texts import DOCS
from pyfs.vfs.writer import FixedText, Writer

if TYPE_CHECKING:
    from pyfs.vfs.adoption import Adoption
    from pyfs.vfs.branch import Branch
    from pyfs.vfs.drops import Drops
    from pyfs.vfs.openings import Openings
    from pyfs.vfs.save import Saver
    from pyfs.vfs.schemas import Schemas
    from pyfs.vfs.tree import Tree
    from pyfs.vfs.writer import OldText


def writes(flags: int) -> bool:
    """Whether a file opened with *flags* can be written."""
    return flags & os.O_ACCMODE != os.O_RDONLY


def reads(flags: int) -> bool:
    """Whether a file opened with *flags* can be read."""
    return flags & os.O_ACCMODE != os.O_WRONLY


class Files:
    """The files of the tree, opened, created and removed."""

    def __init__(
        self,
        tree: Tree,
        saver: Saver,
        drops: Drops,
        adoption: Adoption,
        schemas: Schemas,
        openings: Openings,
    ) -> None:
        self._tree = tree
        self._adoption = adoption
        self._saver = saver
        self._drops = drops
        self._schemas = schemas
        self._openings = openings

    # Opening

    async def lookup(self, parent: AnyNode, name: str, thread: int) -> AnyNode:
        """What *name* means in *parent* to *thread*.

        A table that is being written means its text to the process that writes it, and the head
        to everyone else.
        """
        node = await self._tree.lookup(parent, name)
        if not isinstance(node, TableFile):
            return node
        meant = self._openings.meant(thread, node)
        if meant is not None:
            return meant
        if node.address is None or node.branch.is_parked(node):
            return node
        writers = self._saver.writers_of(node.branch, node.table)
        if not writers:
            return node
        pid = process_of(thread)
        same = (w for w in writers if w.node.format == node.format)
        own = (w.node for w in same if works_for(pid, w.pid))
        others = any(w.node is node for w in writers)
        return next(own, None) or (node.branch.set_apart(node) if others else node)

    async def attributes(self, node: AnyNode, thread: int) -> Attributes:
        """What `stat` of *node* tells *thread*: of a text that is being written only its writer.

        The kernel may have looked the name up before it was written.
        """
        if isinstance(node, TableFile) and node.address is not None:
            unsaved = [h.pid for h in node.handles if isinstance(h, Writer) and h.dirty]
            if unsaved:
                pid = process_of(thread)
                as_saved = not any(works_for(pid, writer) for writer in unsaved)
                return await self._tree.attributes(node, as_saved=as_saved)
        return await self._tree.attributes(node)

    async def open(self, node: AnyNode, flags: int, pid: int, thread: int | None = None) -> Handle:
        """Opens *node* as *thread* of process *pid* asks, by default its first thread.

        Raises `SupersededError` where the name has to be looked up again, because it means, or
        is made to mean, another node.
        """
        match node:
            case TableFile():
                return await self._open_table(node, flags, pid, thread or pid)
            case ScratchFile():
                return self._open_scratch(node, flags)
            case ControlFile():
                return await self._open_control(node, flags)
            case SchemaFile():
                return await self._schemas.open(node, flags, pid)
            case _:
                raise FileExpectedError("a directory cannot be opened as a file")

    async def _open_table(self, node: TableFile, flags: int, pid: int, thread: int) -> Handle:
        branch = node.branch
        with self._openings.arrival(thread, node) as meant:
            if node.address is None:
                if not meant and not branch.is_current(node):
                    self._openings.send_away(thread, node, "is no file", writes=writes(flags))
                if writes(flags):
                    return await self._open_for_writing(node, flags, pid)
                return TextHandle(node.header)
            if branch.is_parked(node):
                if writes(flags):
                    raise NotPermittedError(
                        "a backup of a table cannot be written, only renamed back"
                    )
                return await self._open_for_reading(node, pid)
            await self._tree.refresh()
            await branch.update()
            if writes(flags):
                if not meant:
                    self._check_free(node, thread, writes=True)
                with self._openings.claim(thread, node):
                    return await self._open_for_writing(node, flags, pid)
            # Reading the version takes time, in which a writer may come.
            if not node.emptied:
                await node.version()
            if not meant:
                self._check_free(node, thread, writes=False)
            if node.emptied:
                return TextHandle(node.header)
            return await self._open_for_reading(node, pid)

    def _check_free(self, node: TableFile, thread: int, *, writes: bool) -> None:
        """Has the name looked up again where *node* is not current, or others are in the way.

        And for each writer: from then on the kernel asks what the name means.
        """
        openings = self._openings
        if not node.branch.is_current(node):
            openings.send_away(thread, node, "has a newer version", writes=writes)
        if openings.is_used(node) if writes else openings.is_written(node):
            openings.send_away(thread, node, "is open elsewhere", writes=writes)
        # All that ask from another PID namespace are 0: who comes back could be another one.
        if writes and thread:
            openings.send_away(thread, node, "is to be written", writes=True)

    async def _open_for_reading(self, node: TableFile, pid: int) -> Handle:
        version = await node.version()
        if node.snapshot is not None:
            # Not the head, which may be newer: a save of what is read here is based on this.
            commit = node.snapshot.commit.address
            self._saver.reads.note(node.branch.name, node.table, pid, commit)
            self._saver.reads.note_source(node.table, pid, commit)
        # A writer that is done may write once more.
        shared = any(isinstance(handle, Writer) for handle in node.handles)
        return Reader(node, version, direct=shared or version.size is None)

    async def _open_for_writing(self, node: TableFile, flags: int, pid: int) -> Handle:
        branch = node.branch
        await self._saver.check_table(branch, node.table)
        await self._drops.settle(branch, pid)
        writer = await self._writer(node, flags, pid)
        if reads(flags) and not flags & os.O_TRUNC:
            self._saver.reads.note(branch.name, node.table, pid, writer.base)
        return writer

    async def _writer(self, node: TableFile, flags: int, pid: int) -> Writer:
        branch = node.branch
        feed = await self._saver.feed(branch, node.table, node.format, pid)
        old: OldText | None = None
        if node.header and node.address is None:
            old = FixedText(node.header)
        elif not node.emptied and node.address is not None:
            old = await node.version()
        spool = self._saver.folders.spool(branch.name, node.table, node.format.suffix)
        # What is kept of the old text is of the version that the node shows.
        shown = branch.snapshot if node.snapshot is None else node.snapshot
        writer = Writer(
            node,
            old,
            branch.head if flags & os.O_TRUNC else shown.commit.address,
            flags=flags,
            pid=pid,
            spool=spool,
            feed=feed,
            saver=self._saver,
            abandoned=self._drops.forget_later,
        )
        if flags & os.O_TRUNC:
            await writer.truncate(0)
        return writer

    def _open_scratch(self, node: ScratchFile, flags: int) -> ScratchHandle:
        async def save() -> None:
            await self._adoption.scratch_flushed(node)

        return ScratchHandle(node, flags, save, lambda: forget_scratch(node))

    async def _open_control(self, node: ControlFile, flags: int) -> Handle:
        if not writes(flags):
            return TextHandle(await self._tree.control_text(node))
        if node.name != MESSAGE:
            raise NotPermittedError(f"{node.name} says how things are and cannot be written")
        self._saver.check_writable()
        branch = await self._tree.branch(node.path)

        async def take(text: bytes) -> None:
            branch.message = text.decode(errors="replace").strip("\n") or None

        keep = not flags & os.O_TRUNC
        return TextHandle(await self._tree.control_text(node) if keep else b"", take)

    # Creating

    async def create(
        self,
        parent: AnyNode,
        name: str,
        permissions: int,
        flags: int,
        pid: int,
        thread: int | None = None,
    ) -> tuple[AnyNode, Handle]:
        """Creates *name*: a table, new or one that comes back, a table's schema, else scratch."""
        self._saver.check_writable()
        if isinstance(parent, SchemaDirectory):
            made = await self._schemas.create(parent, name, permissions, flags)
            return made, await self.open(made, flags & ~(os.O_CREAT | os.O_EXCL), pid)
        entries, branch = await self.place(parent, name)
        known = await self.existing(parent, name)
        if known is not None:
            if flags & os.O_EXCL or not isinstance(known, TableFile | ScratchFile):
                raise AlreadyExistsError(f"{name} is there already")
            return known, await self.open(known, flags, pid, thread)
        named = branch.named(name) if isinstance(parent, BranchDirectory) else None
        if named is not None and branch.is_table(name):
            if branch.knows(named.table):
                await self._saver.check_table(branch, named.table)
                await self._drops.come_back(branch, named.table)
            else:
                check_table_name(named.table)
                await self._drops.settle(branch, pid)
            node = TableFile(branch, named.table, named.format)
            entries[name] = node
            try:
                return node, await self._writer(node, flags & ~os.O_TRUNC, pid)
            except BaseException:
                branch.forget_unsaved(node)
                raise
        if branch.gone:
            await self._drops.settle(branch, pid)
        scratch = entries[name] = self.new_scratch(permissions)
        return scratch, self._open_scratch(scratch, flags & ~(os.O_CREAT | os.O_EXCL))

    def new_scratch(self, permissions: int = FILE_MODE) -> ScratchFile:
        """A new scratch file, empty."""
        scratch = ScratchFile(self._saver.folders.scratch(), permissions)
        with local_disk(scratch.path.parent):
            os.close(os.open(scratch.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return scratch

    async def existing(self, parent: AnyNode, name: str) -> AnyNode | None:
        """What *name* means in *parent*, or None."""
        try:
            return await self._tree.lookup(parent, name)
        except NotFoundError:
            return None

    async def place(self, parent: AnyNode, name: str) -> tuple[dict[str, Local], Branch]:
        """The entries that a new local file in *parent* goes to, and the branch they are of."""
        if isinstance(parent, ScratchDirectory):
            return parent.entries, parent.branch
        branch = None
        if isinstance(parent, BranchDirectory) and name != CONTROL:
            branch = await self._tree.branch_at(parent)
        if isinstance(parent, TextDirectory):
            how = "add a row to .pyfs/system/dolt_docs.csv" if parent.name == DOCS else "use dolt"
            why = f".pyfs/{parent.name}/{name} cannot be made here: {how}"
            (await self._tree.branch(parent.path)).note = why
            raise NotPermittedError(why)
        if branch is None:
            raise NotPermittedError(f"{name}: files live in the directories of branches only")
        return branch.local, branch

    async def make_directory(self, parent: AnyNode, name: str, permissions: int) -> AnyNode:
        """`mkdir`: a scratch directory for a dot name within a branch, else a branch."""
        in_branch = isinstance(parent, BranchDirectory) and parent.path
        if isinstance(parent, ScratchDirectory) or (in_branch and name.startswith(".")):
            self._saver.check_writable()
            entries, branch = await self.place(parent, name)
            if await self.existing(parent, name) is not None:
                raise AlreadyExistsError(f"{name} is there already")
            node = entries[name] = ScratchDirectory(branch, permissions)
            return node
        # The new branch starts from a head, which must not have what was removed from it.
        await self._drops.commit_all(self._tree.seen)
        return await self._tree.make_branch(parent, name)

    async def make_link(self, parent: AnyNode, name: str, target: str) -> ScratchLink:
        """`symlink`: scratch, whatever its name."""
        self._saver.check_writable()
        entries, branch = await self.place(parent, name)
        if await self.existing(parent, name) is not None:
            raise AlreadyExistsError(f"{name} is there already")
        if branch.named(name) is not None:
            raise UnsupportedError(f"{name} would be a table, and a link is none")
        node = entries[name] = ScratchLink(target)
        return node

    # Removing

    async def remove(self, parent: AnyNode, name: str, pid: int) -> None:
        """`unlink`."""
        self._saver.check_writable()
        if isinstance(parent, SchemaDirectory):
            await self._schemas.remove(parent, name)
            return
        node = await self._tree.lookup(parent, name)
        if isinstance(node, BranchDirectory | ScratchDirectory):
            raise FileExpectedError(f"{name} is a directory")
        entries, branch = await self.place(parent, name)
        named = branch.named(name) if isinstance(parent, BranchDirectory) else None
        if named is not None and isinstance(node, TableFile) and node.address is not None:
            await self._check_drop(branch, named.table, name, pid)
        entries.pop(name, None)
        if isinstance(node, TableFile) and (named is None or node.address is None):
            self._drops.backup_removed(branch, node, pid)
        if isinstance(node, TableFile | ScratchFile):
            node.linked = False
        if isinstance(node, TableFile):
            branch.hide(node)
        if isinstance(node, ScratchFile):
            self._drops.backup_removed(branch, node, pid)
            forget_scratch(node)
        if named is not None and named.table in branch.snapshot.tables:
            await self._drops.settle(branch, pid)
            # Another of its names may have been removed before.
            if named.table in branch.snapshot.tables:
                self._drops.remove(branch, named, pid)

    async def _check_drop(self, branch: Branch, table: str, name: str, pid: int) -> None:
        """Refuses what `rm` does for good and the commit would refuse: who waits for that?"""
        names = removed_by(pid)
        if names is None or table not in branch.snapshot.tables:
            return
        others = {found.table for other in names if (found := branch.named(other)) is not None}
        dropped = {*branch.gone, *others}
        reason = await self._saver.repository.refuses_drop(branch.snapshot, table, dropped)
        if reason is not None:
            error = UnsupportedError(f"table {table!r} cannot be dropped: {reason}")
            await self._saver.refused(branch, name, error, None)
            raise error

    async def remove_directory(self, parent: AnyNode, name: str) -> None:
        """`rmdir`: a branch, or an empty scratch directory."""
        self._saver.check_writable()
        node = await self._tree.lookup(parent, name)
        if not isinstance(node, ScratchDirectory):
            await self._tree.remove_branch(parent, name)
            return
        if node.entries:
            raise NotEmptyError(f"{name} is not empty")
        entries, _ = await self.place(parent, name)
        del entries[name]

    # Changing

    async def truncate(self, node: AnyNode, size: int, pid: int, thread: int | None = None) -> None:
        """`truncate` by path: a save of its own, unless someone is writing the file just now."""
        self._saver.check_writable()
        match node:
            case TableFile():
                writing = next((h for h in node.handles if isinstance(h, Writer) and h.dirty), None)
                if writing is not None:
                    await writing.truncate(size)
                    return
            case ScratchFile():
                with local_disk(node.path.parent):
                    os.truncate(node.path, size)
                return
            case _:
                pass
        handle = await self.open(node, os.O_WRONLY, pid, thread)
        try:
            await handle.truncate(size)
            await handle.flush()
        finally:
            await handle.release()


def forget_scratch(node: ScratchFile) -> None:
    """Deletes the file of a scratch node that is neither named nor open any more."""
    if not node.linked and not node.handles:
        node.path.unlink(missing_ok=True)
