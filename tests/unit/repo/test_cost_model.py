"""What each operation asks of the remote grows as docs/PERFORMANCE.md says.

Requests and bytes are counted, at three sizes of table. `n` is rows, `k` changed rows.
"""

import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from pyfs._core import TextLayout
from pyfs.config import KIB, MIB, MountConfig
from pyfs.repo import table_version
from pyfs.repo.contents import TableContents
from pyfs.repo.folding import FIRST_FILES, NEXT_FILES
from pyfs.repo.repository import Repository, open_repository
from pyfs.repo.table_version import EVERYTHING
from pyfs.store.table_set import TableSet
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import ADA, head_of, save_text, text_of

SQL = b"""CREATE TABLE `t` (`n` int NOT NULL, `v` int, `w` varchar(40),
 PRIMARY KEY (`n`), KEY `v` (`v`))"""
SIZES = (2_000, 20_000, 200_000)
STORED_ROW = 28
"""Stored bytes of a row and of its index entry, compressed, with its share of the nodes above."""
NODE = 4 * KIB
READ = 128 * KIB
"""A short read is made so long."""
JOINED = 4 * MIB
"""A joined read is at most so long."""


def levels(n: int) -> int:
    """Levels of the table's tree: some 140 rows a leaf, some 130 children a node."""
    return 1 + max(0, math.ceil(math.log(n / 140, 130)))


def text(n: int, changed: Iterable[int] = ()) -> bytes:
    other = set(changed)
    rows = (
        b"%d,%d,word%d\n" % (i, i * 7919 % 100_003 + (i in other), i % 977) for i in range(1, n + 1)
    )
    return b"n,v,w\n" + b"".join(rows)


@dataclass(frozen=True)
class Cost:
    """Requests and bytes."""

    reads: int
    down: int
    writes: int
    up: int
    manifest_reads: int
    swaps: int


class Meter:
    """What a remote is asked, piece by piece."""

    def __init__(self, remote: MemoryRemote) -> None:
        self._remote = remote
        self._before = self._now()

    def cost(self) -> Cost:
        """What was asked since the last call."""
        now, before = self._now(), self._before
        self._before = now
        return Cost(*(new - old for new, old in zip(now, before, strict=True)))

    def _now(self) -> tuple[int, ...]:
        counts = self._remote.files.counts
        return (
            counts.file_reads,
            counts.file_read_bytes,
            counts.file_writes,
            counts.file_written_bytes,
            self._remote.manifests.reads,
            self._remote.manifests.swaps,
        )


@asynccontextmanager
async def mounted(remote: MemoryRemote, cache_dir: Path) -> AsyncIterator[Repository]:
    """As a mount opens a remote that is not on this machine."""
    config = MountConfig(url="memory:", cache_dir=cache_dir)
    chunks = TableSet(remote.as_remote(), config)
    async with open_repository(remote.as_remote(), chunks, config, ADA) as repository:
        await repository.refresh(0)
        yield repository
    await chunks.aclose()


async def filled(n: int, folder: Path) -> MemoryRemote:
    """A remote with a table of *n* rows, imported by another mount."""
    remote = MemoryRemote()
    await Repository.init(remote.as_remote(), ADA)
    async with mounted(remote, folder / "filling") as repository:
        head = repository.branches["main"]
        empty = await repository.edited_table(head, "t", SQL)
        await repository.save("main", head, {"t": empty}, None)
        meter = Meter(remote)
        await save_text(repository, "t", text(n))
        imported = meter.cost()
        assert (imported.manifest_reads, imported.swaps) == (1, 1)
        assert imported.writes <= 2
        assert imported.up <= STORED_ROW * n + 8 * KIB
    return remote


async def own_bytes(remote: MemoryRemote, cache_dir: Path) -> int:
    """Stored bytes of the table's nodes."""
    config = MountConfig(url="memory:", cache_dir=cache_dir)
    chunks = TableSet(remote.as_remote(), config)
    async with open_repository(remote.as_remote(), chunks, config, ADA) as repository:
        await repository.refresh(0)
        version = (await table_of(repository)).as_text
        layout = TextLayout(version.table, version.schema)
        inner = 0
        while len(nodes := layout.frontier(0, EVERYTHING)[0]):
            inner += chunks.stored_len(nodes)
            layout.expand(await chunks.get_batch(nodes))
        _, pieces, _ = layout.frontier(0, EVERYTHING)
        await chunks.aclose()
        return inner + chunks.stored_len(layout.piece_leaves(pieces))


async def table_of(repository: Repository) -> TableContents:
    return await (await head_of(repository)).table("t")


@pytest.mark.parametrize("n", SIZES)
def test_reading(n: int, tmp_path: Path) -> None:
    async def main() -> None:
        remote = await filled(n, tmp_path)
        own = await own_bytes(remote, tmp_path / "own")
        lengths = [len(file) for file in remote.files.files.values()]
        meter = Meter(remote)
        async with mounted(remote, tmp_path / "cold") as repository:
            opened = meter.cost()
            assert opened.manifest_reads == 1
            # The end of each file, which has its index, and the map of branches.
            assert opened.reads <= len(lengths) + 1
            assert opened.down <= sum(min(length, READ) for length in lengths) + 4 * NODE
            version = await table_of(repository)
            listed = meter.cost()
            # Commit, root value, table and schema stand beside the index, as inner nodes do.
            assert (listed.reads, listed.down) == (0, 0)
            await version.read(0, NODE)
            head = meter.cost()
            # The dictionary stands before the first leaves.
            assert head.reads <= 1
            assert head.down <= READ
            await version.exact_size()
            whole = meter.cost()
            assert whole.reads <= levels(n) + 2 + 4 * own // JOINED
            assert whole.down <= 1.05 * own
            await version.read(len(text(n)) // 2, MIB)
            assert meter.cost() == Cost(0, 0, 0, 0, 0, 0), "what was read is not read again"
            await repository.refresh(0)
            assert meter.cost() == Cost(0, 0, 0, 0, 1, 0), "a refresh is one read of the manifest"

    trio.run(main)


@pytest.mark.parametrize("n", SIZES)
def test_reading_where_sizes_are_known(n: int, tmp_path: Path) -> None:
    async def main() -> None:
        remote = await filled(n, tmp_path)
        async with mounted(remote, tmp_path / "mine") as repository:
            await text_of(await head_of(repository), "t")
        for span in (tmp_path / "mine" / "spans").glob("*/*/*-*"):
            span.unlink()
        meter = Meter(remote)
        async with mounted(remote, tmp_path / "mine") as repository:
            version = await table_of(repository)
            assert await version.exact_size() == len(text(n))
            known = meter.cost()
            # Map of branches, commit, root value, table, schema.
            assert known.reads <= 5
            assert known.down <= 5 * READ
            # As the kernel reads: the inner nodes on the way are remembered.
            for offset in range(len(text(n)) // 2, len(text(n)) // 2 + MIB, READ):
                await version.read(offset, READ)
            part = meter.cost()
            assert part.reads <= 3
            assert part.down <= min(3 * MIB, len(text(n))) + READ

    trio.run(main)


@pytest.mark.parametrize("n", SIZES)
def test_saving(n: int, tmp_path: Path) -> None:
    async def main() -> None:
        remote = await filled(n, tmp_path)
        stored = sum(map(len, remote.files.files.values()))
        assert stored <= STORED_ROW * n + 8 * KIB
        meter = Meter(remote)
        async with mounted(remote, tmp_path / "saving") as repository:
            await text_of(await head_of(repository), "t")
            meter.cost()
            await save_text(repository, "t", text(n, [n // 2]))
            one = meter.cost()
            assert (one.manifest_reads, one.writes, one.swaps) == (1, 1, 1)
            # The way to the entry in the index, which nobody has read yet, and to its new place.
            assert one.reads <= 2 * levels(n) + 1
            # The path to the row; in the index one to where the entry went and one to the new.
            assert one.up <= 3 * levels(n) * NODE + 2 * KIB
            k = 100
            step = n // k
            await save_text(repository, "t", text(n, range(1, n, step)))
            some = meter.cost()
            assert (some.manifest_reads, some.swaps) == (1, 1)
            assert some.reads <= 2 * levels(n) + 4 * stored // JOINED + 8
            assert some.writes <= 2
            assert some.up <= min(k * 3 * NODE + one.up, stored + 8 * KIB)
            await save_text(repository, "t", text(n, range(1, n, step)))
            assert meter.cost() == Cost(0, 0, 0, 0, 1, 0), "what is there already is no save"

    trio.run(main)


@pytest.mark.parametrize("measured", [True, False])
def test_a_next_version_costs_what_is_new(
    measured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_version, "FEW_LEAVES", 100)  # what a million rows have is many

    async def main() -> None:
        remote = await filled(SIZES[-1], tmp_path)
        async with mounted(remote, tmp_path / "mine") as mine:
            if measured:
                await text_of(await head_of(mine), "t")
            async with mounted(remote, tmp_path / "other") as other:
                await save_text(other, "t", text(SIZES[-1], [SIZES[-1] // 2]))
            meter = Meter(remote)
            await mine.refresh(0)
            version = await table_of(mine)
            stored = await version.stored_len()
            if measured:
                # Its size is exact for the price of the changed leaf and those beside it.
                assert stored is not None
                assert stored < TextLayout.PIECE_LEAVES * NODE
                assert await version.exact_size() >= len(text(SIZES[-1])) - 1
                assert meter.cost().reads <= 6
            else:
                assert stored is None

    trio.run(main)


def test_commits_cost_no_more_after_many(tmp_path: Path) -> None:
    n, commits = 1_000, 420

    async def main() -> None:
        remote = await filled(n, tmp_path)
        async with mounted(remote, tmp_path / "saving") as repository:
            await text_of(await head_of(repository), "t")
            await save_text(repository, "t", text(n, [1]))
            meter = Meter(remote)
            alone: list[int] = []
            folding: list[int] = []
            for number in range(2, commits + 2):
                files = len(remote.manifests.stored.specs)
                await save_text(repository, "t", text(n, [number]))
                cost = meter.cost()
                assert (cost.manifest_reads, cost.writes, cost.swaps) == (1, 1, 1)
                # What is folded was written from here: it is at hand.
                assert (cost.reads, cost.down) == (0, 0)
                folds = len(remote.manifests.stored.specs) <= files
                (folding if folds else alone).append(cost.up)
        assert len(folding) == commits // (FIRST_FILES + 1)
        # The paths to the row and its index entry, and two nodes of the map of ancestors.
        assert max(alone) <= 3 * levels(n) * NODE + 2 * KIB + 2 * NODE
        own = sum(alone) / len(alone)
        assert sum(alone) + sum(folding) <= 1.4 * own * commits
        names = {name for name, _ in remote.manifests.stored.specs}
        assert len(names) <= FIRST_FILES + 2 * NEXT_FILES
        # Commits repeat most of each other, and folded files do not.
        stored = [data for name, data in remote.files.files.items() if name.split(".")[0] in names]
        assert sum(map(len, stored)) <= own * commits / 4
        async with mounted(remote, tmp_path / "cold"):
            # One for the end of each file, one for the map of branches.
            assert meter.cost().reads <= len(names) + 1

    trio.run(main)


@pytest.mark.parametrize("n", SIZES)
def test_what_was_saved_from_here_is_not_read_again(n: int, tmp_path: Path) -> None:
    async def main() -> None:
        remote = await filled(n, tmp_path)
        meter = Meter(remote)
        async with mounted(remote, tmp_path / "filling") as repository:
            assert await text_of(await head_of(repository), "t") == text(n)
            await save_text(repository, "t", text(n, range(0, n, 7)))
            await save_text(repository, "t", text(n, range(1, n, 7)))
        async with mounted(remote, tmp_path / "filling") as repository:
            assert await text_of(await head_of(repository), "t") == text(n, range(1, n, 7))
        assert meter.cost().reads == 0

    trio.run(main)
