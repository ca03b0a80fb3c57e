"""`Operations`: the kernel's words to the file system's and back."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

import pyfuse3
from pyfuse3 import EntryAttributes, FileInfo, FUSEError

from pyfs.fuse.errors import handler
from pyfs.fuse.handles import HandleTable
from pyfs.fuse.inodes import InodeTable
from pyfs.vfs.names import NAME_BYTES_MAX
from pyfs.vfs.node import AnyNode, Attributes, Kind, ScratchDirectory, ScratchFile, ScratchLink
from pyfs.vfs.processes import process_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyfuse3 import (
        FileHandleT,
        FileNameT,
        FlagT,
        InodeT,
        ModeT,
        ReaddirToken,
        RequestContext,
        SetattrFields,
        StatvfsData,
    )

    from pyfs.vfs.file_system import FileSystem
    from pyfs.vfs.handle import Handle

BLOCK_BYTES: Final = 256 << 10
"""What readers are told to read at a time. A file whose size was not known when it was opened is
read as its reader asks, so with less it takes longer; with more, most reads are of two pieces of
text, which are copied to make one."""
FREE_BYTES: Final = 1 << 50
"""What `df` shows as free: the remote has no end that is known here."""

_TYPE: Final = {
    Kind.DIRECTORY: stat.S_IFDIR,
    Kind.FILE: stat.S_IFREG,
    Kind.SYMLINK: stat.S_IFLNK,
}


class Operations(pyfuse3.Operations):
    """The handlers of one mount."""

    enable_writeback_cache = False
    supports_dot_lookup = False

    def __init__(self, file_system: FileSystem) -> None:
        super().__init__()
        self._tree = file_system.tree
        self._files = file_system.files
        self._moves = file_system.moves
        self._sync = file_system.sync
        self._inodes = InodeTable(self._tree.root)
        self._open: HandleTable[Handle] = HandleTable()
        self._listings: HandleTable[list[tuple[str, AnyNode]]] = HandleTable()
        self._owner = (os.getuid(), os.getgid())

    # Names and attributes

    @handler
    async def lookup(
        self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext
    ) -> EntryAttributes:
        node = await self._files.lookup(self._inodes[parent_inode], os.fsdecode(name), ctx.pid)
        return await self._entry(node)

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        self._inodes.forget(inode_list)

    @handler
    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        node = self._inodes[inode]
        return self._attributes(inode, await self._files.attributes(node, ctx.pid))

    @handler
    async def setattr(
        self,
        inode: InodeT,
        attr: EntryAttributes,
        fields: SetattrFields,
        fh: FileHandleT | None,
        ctx: RequestContext,
    ) -> EntryAttributes:
        node = self._inodes[inode]
        if fields.update_size:
            if fh is not None:
                await self._open[fh].truncate(attr.st_size)
            else:
                await self._files.truncate(node, attr.st_size, process_of(ctx.pid), ctx.pid)
        # Owner, mode and times of a table are accepted and forgotten: tools set them and would
        # complain, but a commit has no place for them.
        if isinstance(node, ScratchFile | ScratchDirectory) and fields.update_mode:
            node.permissions = stat.S_IMODE(attr.st_mode)
        if isinstance(node, ScratchFile) and fields.update_mtime:
            node.mtime_ns = attr.st_mtime_ns
        return self._attributes(inode, await self._tree.attributes(node))

    @handler
    async def readlink(self, inode: InodeT, ctx: RequestContext) -> FileNameT:
        node = self._inodes[inode]
        if not isinstance(node, ScratchLink):
            raise FUSEError(errno.EINVAL)
        return pyfuse3.FileNameT(os.fsencode(node.target))

    @handler
    async def statfs(self, ctx: RequestContext) -> StatvfsData:
        data = pyfuse3.StatvfsData()
        data.f_bsize = data.f_frsize = BLOCK_BYTES
        data.f_blocks = data.f_bfree = data.f_bavail = FREE_BYTES // BLOCK_BYTES
        data.f_files = data.f_ffree = data.f_favail = 1 << 32
        data.f_namemax = NAME_BYTES_MAX - max(
            len(shown.suffix) for shown in self._tree.config.formats
        )
        return data

    # Directories

    @handler
    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        return self._listings.add(await self._tree.entries(self._inodes[inode]))

    @handler
    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        listing = self._listings[fh]
        for number in range(start_id, len(listing)):
            name, node = listing[number]
            inode = self._inodes.number(node)
            entry = self._attributes(inode, await self._tree.listed_attributes(node))
            file_name = pyfuse3.FileNameT(os.fsencode(name))
            if not pyfuse3.readdir_reply(token, file_name, entry, number + 1):
                return
            self._inodes.remember(node)

    @handler
    async def releasedir(self, fh: FileHandleT) -> None:
        self._listings.remove(fh)

    @handler
    async def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        await self._sync()

    @handler
    async def mkdir(
        self, parent_inode: InodeT, name: FileNameT, mode: ModeT, ctx: RequestContext
    ) -> EntryAttributes:
        permissions = stat.S_IMODE(mode & ~ctx.umask)
        parent = self._inodes[parent_inode]
        node = await self._files.make_directory(parent, os.fsdecode(name), permissions)
        return await self._entry(node)

    @handler
    async def rmdir(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        await self._files.remove_directory(self._inodes[parent_inode], os.fsdecode(name))

    @handler
    async def symlink(
        self, parent_inode: InodeT, name: FileNameT, target: FileNameT, ctx: RequestContext
    ) -> EntryAttributes:
        parent = self._inodes[parent_inode]
        node = await self._files.make_link(parent, os.fsdecode(name), os.fsdecode(target))
        return await self._entry(node)

    @handler
    async def link(
        self,
        inode: InodeT,
        new_parent_inode: InodeT,
        new_name: FileNameT,
        ctx: RequestContext,
    ) -> EntryAttributes:
        # A second name for a table would show another version after the next save.
        raise FUSEError(errno.EPERM)

    @handler
    async def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        await self._files.remove(self._inodes[parent_inode], os.fsdecode(name), process_of(ctx.pid))

    @handler
    async def rename(
        self,
        parent_inode_old: InodeT,
        name_old: FileNameT,
        parent_inode_new: InodeT,
        name_new: FileNameT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> None:
        if flags & ~pyfuse3.RENAME_NOREPLACE:
            raise FUSEError(errno.EINVAL)
        await self._moves.rename(
            self._inodes[parent_inode_old],
            os.fsdecode(name_old),
            self._inodes[parent_inode_new],
            os.fsdecode(name_new),
            keep=bool(flags & pyfuse3.RENAME_NOREPLACE),
            pid=process_of(ctx.pid),
        )

    # Files

    @handler
    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        node = self._inodes[inode]
        return self._opened(await self._files.open(node, flags, process_of(ctx.pid), ctx.pid))

    @handler
    async def create(
        self,
        parent_inode: InodeT,
        name: FileNameT,
        mode: ModeT,
        flags: FlagT,
        ctx: RequestContext,
    ) -> tuple[FileInfo, EntryAttributes]:
        permissions = stat.S_IMODE(mode & ~ctx.umask)
        parent = self._inodes[parent_inode]
        node, handle = await self._files.create(
            parent, os.fsdecode(name), permissions, flags, process_of(ctx.pid), ctx.pid
        )
        return self._opened(handle), await self._entry(node)

    @handler
    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        # Any buffer will do for pyfuse3.
        return await self._open[fh].read(off, size)  # type: ignore[return-value]

    @handler
    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        return await self._open[fh].write(off, buf)

    @handler
    async def flush(self, fh: FileHandleT) -> None:
        await self._open[fh].flush()

    @handler
    async def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        await self._open[fh].fsync()

    @handler
    async def release(self, fh: FileHandleT) -> None:
        await self._open.remove(fh).release()

    # Extended attributes: ENOSYS, so that the kernel asks once and not before every write. That
    # is what the base class answers.

    async def _entry(self, node: AnyNode) -> EntryAttributes:
        attributes = await self._tree.attributes(node)
        return self._attributes(self._inodes.remember(node), attributes)

    def _opened(self, handle: Handle) -> FileInfo:
        # A node's contents never change behind the kernel's back, so its pages may stay.
        return FileInfo(fh=self._open.add(handle), direct_io=handle.direct, keep_cache=True)

    def _attributes(self, inode: InodeT, attributes: Attributes) -> EntryAttributes:
        entry = EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = pyfuse3.ModeT(_TYPE[attributes.kind] | attributes.permissions)
        entry.st_nlink = 1
        entry.st_uid, entry.st_gid = self._owner
        entry.st_size = attributes.size
        entry.st_blksize = BLOCK_BYTES
        entry.st_blocks = -(-attributes.size // 512)
        entry.st_atime_ns = entry.st_mtime_ns = entry.st_ctime_ns = attributes.mtime_ns
        entry.attr_timeout = attributes.valid_s
        entry.entry_timeout = attributes.name_valid_s
        return entry
