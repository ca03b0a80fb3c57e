"""Tables of many schemas: read as dolt exports them, written as dolt writes them.

`tests/support/schemas.py` makes the tables from a seed; a failure names them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import trio

from tests.support.column_kinds import GEOMETRIES, KINDS, VECTORS
from tests.support.dolt import Dolt
from tests.support.generated import BRANCHES, Generated
from tests.support.mounts import Mount
from tests.support.repositories import built, head_of, opened_url, text_of
from tests.support.schemas import Table, generate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from pyfs.repo.repository import Repository

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(600)]

SEED = 4
COUNT = 220
MOUNTED = 12

REFUSALS = {"is a key in collation": 4, "has only a prefix of the key's column": 4}
"""Why some tables refuse writes, and how many do for each reason."""


@dataclass(repr=False)
class Shared:
    """What dolt pushed and says of it."""

    tables: list[Table]
    url: str
    remote: Path
    refused: dict[str, str]
    exports: Mapping[str, Mapping[str, bytes]]
    hashes: Mapping[str, Mapping[str, str]]

    @property
    def written(self) -> list[Table]:
        return [table for table in self.tables if table.name not in self.refused]

    def copied(self, to: Path) -> str:
        """The URL of a copy that a test may write to."""
        shutil.copytree(self.remote, to)
        return to.as_uri()


def with_repository(
    url: str, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened_url(url, cache_dir) as repository:
            await body(repository)

    trio.run(main)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Made once: it takes dolt half a minute."""
    if not Dolt.found():
        pytest.skip("the real dolt is not on PATH (https://github.com/dolthub/dolt)")
    home = tmp_path_factory.mktemp("generated")
    tables = generate(SEED, COUNT)
    made = Generated.push(Dolt.at(home / "dolt"), tables, home / "remote")
    refused: dict[str, str] = {}

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        for name in head.tables:
            reason = await repository.refuses_writes(head, name)
            if reason is not None:
                refused[name] = reason

    with_repository(made.remote.as_uri(), home / "cache", body)
    made.push_edited(but=refused)
    exports = {branch: made.exports(branch) for branch in BRANCHES}
    hashes = {branch: made.hashes(branch) for branch in BRANCHES}
    return Shared(tables, made.remote.as_uri(), made.remote, refused, exports, hashes)


def test_the_schemas_are_many_and_unlike(shared: Shared) -> None:
    assert len(shared.tables) >= 200
    lengths = [len(table.rows) for table in shared.tables]
    assert min(lengths) == 0
    assert max(lengths) == 50_000
    assert len({column.kind.sql for table in shared.tables for column in table.columns}) > 60
    assert sum(not table.key for table in shared.tables) > 15
    assert sum(len(table.key) > 1 for table in shared.tables) > 50
    indexes = [index for table in shared.tables for index in table.indexes]
    assert sum(index.unique for index in indexes) > 40
    assert sum(index.spatial for index in indexes) > 10
    columns = [column for table in shared.tables for column in table.columns]
    kinds = {kind.sql for kind in (*KINDS, *GEOMETRIES, *VECTORS)}
    assert kinds <= {column.kind.sql for column in columns}
    assert sum(column.computed is not None for column in columns) > 15
    assert sum(column.nullable for column in columns) > 200
    constraints = [text for table in shared.tables for text in table.constraints]
    assert sum("CHECK" in text for text in constraints) > 10
    assert sum("FOREIGN KEY" in text for text in constraints) > 8


def test_each_reads_as_dolt_exports_it(shared: Shared, tmp_path: Path) -> None:
    different = []

    async def body(repository: Repository) -> None:
        for branch, exports in shared.exports.items():
            head = await head_of(repository, branch)
            assert {name: str(at) for name, at in head.tables.items()} == shared.hashes[branch]
            different.extend(
                [
                    (branch, table.name, table.create())
                    for table in shared.tables
                    if await text_of(head, table.name) != exports[table.name]
                ]
            )

    with_repository(shared.url, tmp_path / "cache", body)
    assert different == []


def test_what_refuses_writes_is_known(shared: Shared) -> None:
    counts: dict[str, int] = {}
    for name, reason in shared.refused.items():
        known = [part for part in REFUSALS if part in reason]
        assert known, f"{name}: {reason}"
        counts[known[0]] = counts.get(known[0], 0) + 1
    assert counts == REFUSALS


def test_saving_what_dolt_exports_makes_no_commit(shared: Shared, tmp_path: Path) -> None:
    changed = []

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        changes = {}
        for table in shared.written:
            text = shared.exports["main"][table.name]
            changes[table.name] = await built(head, table.name, text)
            if changes[table.name].address != head.tables[table.name]:
                changed.append((table.name, table.create()))
        assert changed == []
        saved = await repository.save("main", head.commit.address, changes, None)
        assert not saved.changed
        assert saved.commit == head.commit.address

    with_repository(shared.copied(tmp_path / "remote"), tmp_path / "cache", body)


def test_the_same_change_gives_dolts_hashes(shared: Shared, tmp_path: Path, dolt: Dolt) -> None:
    url = shared.copied(tmp_path / "remote")
    different = []

    async def body(repository: Repository) -> None:
        head, theirs = await head_of(repository), await head_of(repository, "edited")
        changes = {}
        for table in shared.written:
            changes[table.name] = await built(head, table.name, table.text(table.edited))
            # Once the old text was read, what it shares with the new one is kept.
            await text_of(head, table.name)
            edited = await built(head, table.name, shared.exports["edited"][table.name])
            if {changes[table.name].address, edited.address} != {theirs.tables[table.name]}:
                different.append((table.name, table.create()))
        assert different == []
        await repository.save("main", head.commit.address, changes, None)
        ours = await head_of(repository)
        assert ours.commit.root == theirs.commit.root

    with_repository(url, tmp_path / "cache", body)
    clone = dolt.clone(url, "clone")
    clone.check()
    assert clone.sql("select dolt_hashof_db('main') = dolt_hashof_db('origin/edited')") == [
        ["true"]
    ]


@pytest.mark.fuse
def test_some_through_the_mount(shared: Shared, tmp_path: Path, dolt: Dolt) -> None:
    written = [table for table in shared.written if 0 < len(table.rows) <= 2000]
    chosen = written[:: len(written) // MOUNTED][:MOUNTED]
    mount = Mount(shared.copied(tmp_path / "remote"), tmp_path / "mount")
    mount.home.mkdir()
    try:
        mount.mount()
        for table in chosen:
            file = mount / "main" / f"{table.name}.csv"
            text = file.read_bytes()
            assert text == shared.exports["main"][table.name], table.create()
            file.write_bytes(text)
        assert len(mount.log()) == 2
        for table in chosen:
            (mount / "main" / f"{table.name}.csv").write_bytes(table.text(table.edited))
        assert len(mount.log()) == 2 + len(chosen)
        assert mount.umount().returncode == 0
    finally:
        mount.close()
    clone = dolt.clone(mount.url, "clone")
    clone.check()
    for table in chosen:
        assert clone.hash_of(table.name) == shared.hashes["edited"][table.name], table.create()
