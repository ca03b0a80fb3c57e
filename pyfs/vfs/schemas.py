"""`.pyfs/schema/`: the `CREATE TABLE` of each table, which creates or alters it when written.

Other names there are scratch, so that editors can save by rename.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import trio

from pyfs.disk import local_disk
from pyfs.errors import (
    AlreadyExistsError,
    InvalidTextError,
    NotFoundError,
    NotPermittedError,
    PyfsError,
)
from pyfs.vfs.handle import Handle, TextHandle
from pyfs.vfs.names import escape, fits, is_text, unescape
from pyfs.vfs.node import Attributes, Kind, SchemaDirectory, SchemaFile, ScratchFile

if TYPE_CHECKING:
    from pathlib import Path

    from pyfs._core import Address
    from pyfs.vfs.branch import Branch
    from pyfs.vfs.drops import Drops
    from pyfs.vfs.node import AnyNode
    from pyfs.vfs.save import Saver
    from pyfs.vfs.tree import Tree

log = logging.getLogger(__name__)

SCHEMA: Final = "schema"
"""The directory's name in a branch's control directory."""
SUFFIX: Final = ".sql"
TEXT_BYTES_MAX: Final = 1 << 20
FILE_MODE: Final = 0o644


def schema_file_name(table: str) -> str:
    """The name of the file that shows the schema of *table*."""
    return escape(table) + SUFFIX


def schema_table(name: str) -> str | None:
    """The table that a file of this name is the schema of, or None where it is scratch."""
    if name.startswith(".") or not name.endswith(SUFFIX) or not is_text(name):
        return None
    table = unescape(name.removesuffix(SUFFIX))
    return table if table and schema_file_name(table) == name else None


class Schemas:
    """The files of the schema directories."""

    def __init__(self, tree: Tree, saver: Saver, drops: Drops) -> None:
        self._tree = tree
        self._saver = saver
        self._drops = drops

    async def open(self, node: SchemaFile, flags: int, pid: int) -> Handle:
        """Opens a schema; what is written through the handle is saved when it is closed."""
        branch = await self._branch(node.path)
        reads = flags & os.O_ACCMODE != os.O_WRONLY
        text = b"" if flags & os.O_TRUNC else await self._text(branch, node.table)
        if reads and not flags & os.O_TRUNC:
            self._saver.reads.note(branch.name, _reader_key(node.table), pid, branch.head)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            return TextHandle(text)
        self._saver.check_writable()
        base = self._saver.reads.base(branch.name, _reader_key(node.table), pid)
        return SchemaWriter(self, node, branch, text, base or branch.head, pid, flags=flags)

    async def create(
        self, parent: SchemaDirectory, name: str, permissions: int, flags: int
    ) -> SchemaFile | ScratchFile:
        """A new file: the schema of a table, or scratch."""
        table = schema_table(name)
        if name in parent.entries or await self._is_schema(parent, name):
            if flags & os.O_EXCL:
                raise AlreadyExistsError(f"{name} is there already")
            found = await lookup_schema(self._tree, parent, name)
            assert isinstance(found, SchemaFile | ScratchFile)
            return found
        if table is not None:
            return parent.pending.setdefault(name, SchemaFile(parent.path, table))
        scratch = parent.entries[name] = self._scratch(b"", permissions)
        return scratch

    async def rename(
        self, parent: SchemaDirectory, old_name: str, new_name: str, *, keep: bool, pid: int
    ) -> None:
        """An editor's way of saving: scratch onto a schema, or a schema's name for a backup."""
        source = await self._tree.lookup(parent, old_name)
        table = schema_table(new_name)
        if keep and (new_name in parent.entries or await self._is_schema(parent, new_name)):
            raise AlreadyExistsError(f"{new_name} is there already")
        if isinstance(source, SchemaFile):
            if table is not None:
                raise NotPermittedError(
                    f"{old_name} is the schema of a table: rename {source.table}.csv instead"
                )
            # The schema stays: only a copy of its text gets the backup's name.
            branch = await self._branch(parent.path)
            parent.entries[new_name] = self._scratch(await self._text(branch, source.table))
            return
        if not isinstance(source, ScratchFile):
            raise NotPermittedError(f"{old_name} stays where it is")
        if table is None:
            parent.entries[new_name] = source
        else:
            with local_disk(source.path.parent):
                text = source.path.read_bytes()
            branch = await self._branch(parent.path)
            base = self._saver.reads.base(branch.name, _reader_key(table), pid)
            await self.save(branch, table, text, base or branch.head, pid)
            source.linked = False
            if not source.handles:
                source.path.unlink(missing_ok=True)
        del parent.entries[old_name]

    async def remove(self, parent: SchemaDirectory, name: str) -> None:
        """`unlink`: scratch only."""
        node = await self._tree.lookup(parent, name)
        if not isinstance(node, ScratchFile):
            raise NotPermittedError(
                f"{name} shows a table's schema and goes with the table: remove that"
            )
        del parent.entries[name]
        node.linked = False
        if not node.handles:
            node.path.unlink(missing_ok=True)

    async def save(self, branch: Branch, table: str, text: bytes, base: Address, pid: int) -> None:
        """Makes *table* what *text* says, in a commit. Keeps a text that is refused."""
        name = schema_file_name(table)
        try:
            await self._drops.commit_all([branch])
            await branch.update()
            if table not in (await self._saver.repository.snapshot(base)).tables:
                base = branch.head
            edited = await self._saver.repository.edited_table(base, table, text)
            if edited is not None:
                await self._saver.change(branch, {table: edited}, base)
                branch.remembered.pop(table, None)
                await branch.update()
        except PyfsError as exc:
            await self._saver.refused(branch, f"{SCHEMA}/{name}", exc, self._kept(text))
            raise
        self._saver.reads.note(branch.name, _reader_key(table), pid, branch.head)
        log.info("saved the schema of %s on %s", table, branch.name)

    async def has_others(self, node: SchemaFile, name: str) -> bool:
        """Whether another process holds the file for writing."""
        return await self._saver.holders.others(node, name)

    def released(self, node: SchemaFile) -> None:
        """Forgets a new file that came to nothing, or is a table's by now."""
        directory = self._tree.schema_directory(node.path)
        name = schema_file_name(node.table)
        if directory is not None and not node.handles and directory.pending.get(name) is node:
            del directory.pending[name]
            directory.shown[name] = node

    def _kept(self, text: bytes) -> Path | None:
        return self._scratch(text).path if text else None

    def _scratch(self, text: bytes, permissions: int = FILE_MODE) -> ScratchFile:
        scratch = ScratchFile(self._saver.folders.scratch(), permissions)
        with local_disk(scratch.path.parent):
            scratch.path.write_bytes(text)
        return scratch

    async def _branch(self, path: str) -> Branch:
        await self._tree.refresh()
        return await self._tree.branch(path)

    async def _is_schema(self, parent: SchemaDirectory, name: str) -> bool:
        table = schema_table(name)
        return table is not None and table in (await self._branch(parent.path)).snapshot.tables

    async def _text(self, branch: Branch, table: str) -> bytes:
        if table not in branch.snapshot.tables:
            return b""
        return await self._saver.repository.schema_text(branch.snapshot, table)


async def lookup_schema(tree: Tree, parent: SchemaDirectory, name: str) -> AnyNode:
    """What *name* means in a schema directory; `NotFoundError`."""
    if name in parent.entries:
        return parent.entries[name]
    table = schema_table(name)
    if table is not None:
        await tree.refresh()
        branch = await tree.branch(parent.path)
        if table in branch.snapshot.tables:
            return parent.shown.setdefault(name, SchemaFile(parent.path, table))
        if name in parent.pending:
            return parent.pending[name]
    raise NotFoundError(f"branch {parent.path} has no table of which {name} is the schema")


async def schema_entries(tree: Tree, directory: SchemaDirectory) -> dict[str, AnyNode]:
    """What `ls` shows of a schema directory."""
    await tree.refresh()
    branch = await tree.branch(directory.path)
    names = (schema_file_name(table) for table in branch.snapshot.tables)
    found: dict[str, AnyNode] = {
        name: await lookup_schema(tree, directory, name) for name in names if fits(name)
    }
    return found | directory.entries


async def schema_attributes(tree: Tree, node: SchemaFile) -> Attributes:
    """What `stat` tells of a schema: its exact size, that of what is being written if something is.

    Its time is that of the branch's head.
    """
    branch = await tree.branch(node.path)
    written = next((handle.dirty_size for handle in node.handles if handle.dirty_size), None)
    size = written
    if size is None and node.table in branch.snapshot.tables:
        size = len(await tree.repository.schema_text(branch.snapshot, node.table))
    mtime_ns = branch.snapshot.commit.timestamp_ms * 1_000_000
    return Attributes(Kind.FILE, FILE_MODE, size or 0, mtime_ns, 0.0, 0.0)


class SchemaWriter(Handle):
    """Collects the text of a schema and saves it when its last holder closes it.

    An empty text is an unfinished save. A refused text stays refused until it is changed.
    """

    direct = True

    def __init__(
        self,
        schemas: Schemas,
        node: SchemaFile,
        branch: Branch,
        text: bytes,
        base: Address,
        pid: int,
        *,
        flags: int,
    ) -> None:
        self._schemas = schemas
        self._node = node
        self._branch = branch
        self._text = bytearray(text)
        self._base = base
        self._pid = pid
        self._append = bool(flags & os.O_APPEND)
        self._dirty = False
        self._refusal: PyfsError | None = None
        self._lock = trio.Lock()
        node.handles.add(self)

    @property
    def dirty_size(self) -> int | None:
        return len(self._text) if self._dirty else None

    async def read(self, offset: int, length: int) -> bytes:
        return bytes(self._text[offset : offset + length])

    async def write(self, offset: int, data: bytes) -> int:
        if self._append:
            offset = len(self._text)
        if offset > TEXT_BYTES_MAX - len(data):
            raise InvalidTextError(f"more than {TEXT_BYTES_MAX} bytes are no schema")
        self._text.extend(bytes(max(0, offset - len(self._text))))
        self._text[offset : offset + len(data)] = data
        self._dirty, self._refusal = True, None
        return len(data)

    async def truncate(self, size: int) -> None:
        if size > TEXT_BYTES_MAX:
            raise InvalidTextError(f"more than {TEXT_BYTES_MAX} bytes are no schema")
        del self._text[size:]
        self._text.extend(bytes(size - len(self._text)))
        self._dirty, self._refusal = True, None

    async def flush(self) -> None:
        async with self._lock:
            name = schema_file_name(self._node.table)
            if self._dirty and await self._schemas.has_others(self._node, name):
                log.debug("%s is still held by another process", name)
                return
            await self._complete()

    async def fsync(self) -> None:
        async with self._lock:
            await self._complete()

    async def release(self) -> None:
        async with self._lock:
            try:
                await self._complete()
            except PyfsError:
                pass  # reported in status and log; nobody waits for this answer
            finally:
                self._node.handles.discard(self)
                self._schemas.released(self._node)

    async def _complete(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if not self._dirty or not self._text:
            return
        try:
            await self._schemas.save(
                self._branch, self._node.table, bytes(self._text), self._base, self._pid
            )
        except PyfsError as exc:
            self._refusal = exc
            raise
        finally:
            self._dirty = False
        self._base = self._branch.head


def _reader_key(table: str) -> str:
    """Reading a schema is not reading rows: it has a key of its own."""
    return f"{SCHEMA}/{table}"
