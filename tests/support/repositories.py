"""Repositories over golden remotes."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyfs._core import BuiltTable
from pyfs.config import MountConfig
from pyfs.errors import ReadAnewError
from pyfs.formats import Format
from pyfs.remote import open_remote
from pyfs.repo import push, text_build
from pyfs.repo.author import Author
from pyfs.repo.repository import Repository, Saved, open_repository
from pyfs.repo.snapshot import Snapshot
from pyfs.store.table_set import TableSet
from tests.support.memory_remote import MemoryChunks, MemoryRemote

GOLDEN = Path(__file__).parents[1] / "golden"
REMOTES = GOLDEN / "remotes"
ADA = Author("Ada Lovelace", "ada@example.com")


def golden_remote(name: str) -> MemoryRemote:
    """A copy of a remote that dolt pushed."""
    return MemoryRemote.of_directory(REMOTES / name)


def expected(remote: str, branch: str, file: str) -> bytes:
    """What dolt answered about a golden remote."""
    return (REMOTES / f"{remote}.expected" / branch / file).read_bytes()


def expected_rows(remote: str, branch: str, file: str) -> list[dict[str, Any]]:
    """The rows of one of dolt's answers in JSON."""
    rows: list[dict[str, Any]] = json.loads(expected(remote, branch, file))["rows"]
    return rows


@asynccontextmanager
async def opened(
    remote: MemoryRemote, cache_dir: Path, **settings: Any
) -> AsyncIterator[Repository]:
    """A repository of its own over *remote*, as another machine would have it."""
    config = MountConfig(url="memory:", cache_dir=cache_dir, state_dir=cache_dir / "state")
    config = replace(config, **settings)
    chunks = MemoryChunks(remote.files)
    async with open_repository(remote.as_remote(), chunks, config, ADA) as repository:
        await repository.refresh(0)
        yield repository


@asynccontextmanager
async def opened_url(url: str, cache_dir: Path) -> AsyncIterator[Repository]:
    """A repository of its own over the remote at *url*, as a mount has it."""
    config = MountConfig(url=url, cache_dir=cache_dir, state_dir=cache_dir / "state")
    async with open_remote(config) as remote:
        chunks = TableSet(remote, config)
        try:
            async with open_repository(remote, chunks, config, ADA) as repository:
                await repository.refresh(0)
                yield repository
        finally:
            await chunks.aclose()


async def head_of(repository: Repository, branch: str = "main") -> Snapshot:
    """The branch's head as of the last refresh."""
    return await repository.snapshot(repository.branches[branch])


async def text_of(snapshot: Snapshot, table: str, format: Format = Format.CSV) -> bytes:
    """The whole text of a table."""
    version = await snapshot.table(table, format)
    return await version.read(0, await version.exact_size())


async def built(
    snapshot: Snapshot, table: str, text: bytes, format: Format = Format.CSV
) -> BuiltTable:
    """*table* with the rows of *text*."""
    version = (await snapshot.table(table, format)).as_text
    build = version.start_build()
    while True:
        try:
            for at in range(0, len(text), 1000):
                build.feed(text[at : at + 1000])
            return await version.complete(build.finish())
        except ReadAnewError:
            build = build.anew()


def stream_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the smallest tables leave memory while they are built."""
    for name in ("LEAF_BYTES", "RUN_BYTES"):
        monkeypatch.setattr(text_build, name, 1)
    monkeypatch.setattr(push, "DATA_APART_BYTES", 1)


async def save_text(
    repository: Repository,
    table: str,
    text: bytes,
    *,
    branch: str = "main",
    base: Snapshot | None = None,
    message: str | None = None,
) -> Saved:
    """Saves *text* as *table*, based on *base* or the head as of the last refresh."""
    base = base or await head_of(repository, branch)
    change = await built(base, table, text)
    return await repository.save(branch, base.commit.address, {table: change}, message)


async def saved_tables(repository: Repository, branch: str = "main") -> Mapping[str, bytes]:
    """The text of every table at the branch's head on the remote."""
    await repository.refresh(0)
    snapshot = await head_of(repository, branch)
    return {name: await text_of(snapshot, name) for name in snapshot.tables}
