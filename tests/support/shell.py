"""A file system without a kernel, and the system calls of tools on it."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio
from trio.testing import MockClock

from pyfs.config import MountConfig
from pyfs.errors import NotFoundError, PyfsError, SupersededError
from pyfs.vfs.file_system import FileSystem, open_file_system
from tests.support.memory_repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from pyfs.vfs.handle import Handle
    from pyfs.vfs.node import AnyNode, Attributes, Node

PRIMES = b"p,i\n2,1\n3,2\n5,3\n"


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Runs *main* with a clock that jumps: whatever waits a second waits no time at all."""
    # Threads at work look idle to the clock; it jumps only once they surely are done.
    trio.run(main, clock=MockClock(autojump_threshold=0.05))


class FakeKernel:
    """Notes what the kernel was told to forget."""

    def __init__(self) -> None:
        self.pages: list[tuple[Node, bool]] = []
        self.names: list[str] = []

    async def forget_pages(self, node: Node, *, attributes_only: bool) -> None:
        self.pages.append((node, attributes_only))

    async def forget_name(self, parent: Node, name: str) -> None:
        self.names.append(name)


class FakeHolders:
    """Says of files what a test wants said."""

    def __init__(self) -> None:
        self.held = False
        self.killers: dict[int, str] = {}

    async def others(self, node: Node, name: str) -> bool:
        return self.held

    def killer(self, pid: int) -> str | None:
        return self.killers.get(pid)


class FakeReads:
    """Remembers reads by process number alone."""

    def __init__(self) -> None:
        self._commits: dict[tuple[str, str, int], Any] = {}

    def note(self, branch: str, table: str, pid: int, commit: Any) -> None:
        self._commits[branch, table, pid] = commit

    def note_source(self, table: str, pid: int, commit: Any) -> None:
        pass

    def source(self, pid: int) -> None:
        return None

    def base(self, branch: str, table: str, pid: int) -> Any:
        return self._commits.get((branch, table, pid))


class Shell:
    """System calls, by path. Every call is by process *pid* unless said otherwise."""

    def __init__(self, file_system: FileSystem, repository: MemoryRepository) -> None:
        self.fs = file_system
        self.repository = repository
        self.kernel: FakeKernel = file_system.saver.kernel  # type: ignore[assignment]
        self.holders: FakeHolders = file_system.saver.holders  # type: ignore[assignment]
        self.pid = 1_000_001

    def of(self, pid: int) -> Shell:
        """The same for another process."""
        other = Shell(self.fs, self.repository)
        other.pid = pid
        return other

    async def node(self, path: str) -> AnyNode:
        node: AnyNode = self.fs.tree.root
        for name in path.split("/"):
            node = await self.fs.tree.lookup(node, name)
        return node

    async def exists(self, path: str) -> bool:
        try:
            await self.node(path)
        except NotFoundError:
            return False
        return True

    async def _parent(self, path: str) -> tuple[AnyNode, str]:
        parent, _, name = path.rpartition("/")
        return (await self.node(parent) if parent else self.fs.tree.root), name

    async def open(self, path: str, flags: int = os.O_RDONLY) -> Handle:
        """As the kernel opens: creates if asked, and looks up once more after ESTALE."""
        for _ in range(2):
            parent, name = await self._parent(path)
            try:
                node = await self.fs.files.lookup(parent, name, self.pid)
            except NotFoundError:
                if not flags & os.O_CREAT:
                    raise
                made = await self.fs.files.create(parent, name, 0o644, flags, self.pid)
                return made[1]
            try:
                return await self.fs.files.open(node, flags, self.pid)
            except SupersededError:
                continue
        raise AssertionError("looked up twice, superseded twice")

    async def truncate(self, path: str, size: int) -> None:
        """As `truncate(2)`, which looks up once more after ESTALE."""
        parent, name = await self._parent(path)
        for _ in range(2):
            node = await self.fs.files.lookup(parent, name, self.pid)
            try:
                return await self.fs.files.truncate(node, size, self.pid)
            except SupersededError:
                continue
        raise AssertionError("looked up twice, superseded twice")

    async def close(self, handle: Handle) -> None:
        try:
            await handle.flush()
        finally:
            await handle.release()

    async def read(self, path: str) -> bytes:
        handle = await self.open(path)
        text = b""
        while piece := await handle.read(len(text), 4096):
            text += piece
        await self.close(handle)
        return text

    async def write(self, path: str, *pieces: bytes, flags: int = os.O_TRUNC | os.O_CREAT) -> None:
        """As `cmd > path`: the shell's clean flush comes first."""
        handle = await self.open(path, os.O_WRONLY | flags)
        try:
            if flags & os.O_APPEND:
                await handle.flush()
            at = (await self.stat(path)).size if flags & os.O_APPEND else 0
            for piece in pieces:
                await handle.write(at, piece)
                at += len(piece)
        except BaseException:
            await self._give_up(handle)
            raise
        await self.close(handle)

    async def _give_up(self, handle: Handle) -> None:
        with suppress(PyfsError):
            await handle.flush()
        await handle.release()

    async def append(self, path: str, text: bytes) -> None:
        await self.write(path, text, flags=os.O_APPEND)

    async def stat(self, path: str) -> Attributes:
        return await self.fs.tree.attributes(await self.node(path))

    async def ls(self, path: str = "") -> list[str]:
        directory = await self.node(path) if path else self.fs.tree.root
        return [name for name, _ in await self.fs.tree.entries(directory)]

    async def unlink(self, path: str) -> None:
        await self.fs.files.remove(*await self._parent(path), self.pid)

    async def mkdir(self, path: str) -> None:
        await self.fs.files.make_directory(*await self._parent(path), 0o755)

    async def rmdir(self, path: str) -> None:
        await self.fs.files.remove_directory(*await self._parent(path))

    async def symlink(self, path: str, target: str) -> None:
        await self.fs.files.make_link(*await self._parent(path), target)

    async def rename(self, old: str, new: str, *, keep: bool = False) -> None:
        await self.fs.moves.rename(
            *await self._parent(old), *await self._parent(new), keep=keep, pid=self.pid
        )

    def recovered(self) -> dict[str, bytes]:
        """What the recovery folder holds: the table's name to the text."""
        files = self.fs.saver.folders._recovery.rglob("*.*")
        return {path.name.rpartition("-")[0] or path.name: path.read_bytes() for path in files}


@asynccontextmanager
async def shell(
    state_dir: Path, repository: MemoryRepository | None = None, **settings: Any
) -> AsyncIterator[Shell]:
    """A shell on a file system over *repository*; by default one with `primes` on main."""
    repository = repository or MemoryRepository({"primes": PRIMES})
    config = MountConfig(url="memory:", state_dir=state_dir, **settings)
    async with open_file_system(
        repository,  # type: ignore[arg-type]  # its addresses are strings
        config,
        kernel=FakeKernel(),
        holders=FakeHolders(),  # type: ignore[arg-type]
    ) as file_system:
        file_system.saver.reads = FakeReads()  # type: ignore[assignment]
        yield Shell(file_system, repository)
