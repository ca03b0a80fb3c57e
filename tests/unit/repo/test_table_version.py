import gzip
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from pyfs._core import Measure, Text, TextLayout
from pyfs.config import MountConfig
from pyfs.errors import CorruptionError
from pyfs.formats import Format
from pyfs.repo.leaf_lengths import LeafLengths
from pyfs.repo.repository import Repository
from pyfs.repo.table_version import EVERYTHING, TableVersion, in_groups
from pyfs.repo.text_build import Workshop
from pyfs.repo.text_cache import GROUPS_AT_ONCE
from tests.support.memory_remote import MemoryChunks
from tests.support.repositories import ADA, expected, golden_remote

KIB = 1024


class Opened:
    """The table `t` of `history`, and what was fetched for it."""

    def __init__(self, cache_dir: Path, remote: str = "history", table: str = "t") -> None:
        source = golden_remote(remote)
        self.chunks = MemoryChunks(source.files)
        self.lengths = LeafLengths(cache_dir)
        config = MountConfig(url="memory:", cache_dir=cache_dir)
        workshop = Workshop(cache_dir, self.chunks.contains)
        self.repository = Repository(
            source.as_remote(), self.chunks, config, ADA, self.lengths, workshop
        )
        self.table = table

    async def version(self) -> TableVersion:
        await self.repository.refresh(0)
        snapshot = await self.repository.snapshot(self.repository.branches["main"])
        version = (await snapshot.table(self.table)).as_text
        self.chunks.fetched.clear()
        return version


@pytest.mark.parametrize("piece", [1, 7, 100, 4 * KIB, 1 << 20])
def test_pieces_of_any_length_make_the_text(tmp_path: Path, piece: int) -> None:
    async def main() -> None:
        version = await Opened(tmp_path).version()
        whole = expected("history", "main", "t.csv")
        parts = [await version.read(at, piece) for at in range(0, len(whole), piece)]
        assert b"".join(parts) == whole
        assert await version.read(len(whole), piece) == b""
        assert await version.read(len(whole) + 5, piece) == b""
        assert await version.read(0, 0) == b""

    trio.run(main)


def test_reads_anywhere_are_right(tmp_path: Path) -> None:
    async def main() -> None:
        version = await Opened(tmp_path).version()
        whole = expected("history", "main", "t.csv")
        choose = random.Random(1)
        for _ in range(50):
            at, length = choose.randrange(len(whole)), choose.randrange(1, 3000)
            assert await version.read(at, length) == whole[at : at + length]

    trio.run(main)


def test_the_beginning_of_a_large_table_takes_little(tmp_path: Path) -> None:
    async def main() -> None:
        opened = Opened(tmp_path, "flights", "flights")
        version = await opened.version()
        assert version.size is None
        first = await version.read(0, 8 * KIB)
        assert first.startswith(version.schema.header)
        assert len(first) == 8 * KIB
        assert opened.chunks.fetched.total() < TextLayout.PIECE_LEAVES + 5
        assert await version.stored_len() is None

    trio.run(main)


def test_a_size_is_remembered_by_the_next_mount(tmp_path: Path) -> None:
    whole = gzip.decompress(expected("flights", "main", "flights.csv.gz"))

    async def first() -> None:
        opened = Opened(tmp_path, "flights", "flights")
        version = await opened.version()
        assert version.size_max >= len(whole)
        assert await version.exact_size() == len(whole)
        assert version.size == version.size_max == len(whole)
        await opened.lengths.aclose()

    async def second() -> None:
        opened = Opened(tmp_path, "flights", "flights")
        version = await opened.version()
        assert version.size == len(whole)
        assert await version.stored_len() == 0
        assert opened.chunks.fetched.total() == 0
        # Reads go straight to their pieces, once the inner nodes before them are known.
        for at in (len(whole) // 2, len(whole) - 10):
            assert await version.read(at, 10) == whole[at : at + 10]
        inner_nodes = opened.chunks.fetched.total() - 2 * TextLayout.PIECE_LEAVES
        assert inner_nodes < 60
        await opened.lengths.aclose()

    trio.run(first)
    trio.run(second)


def test_the_stored_length_of_a_small_table_is_known(tmp_path: Path) -> None:
    async def main() -> None:
        opened = Opened(tmp_path)
        version = await opened.version()
        stored = await version.stored_len()
        assert stored is not None
        assert 0 < stored < len(expected("history", "main", "t.csv")) * 2

    trio.run(main)


def test_a_remembered_length_that_is_wrong_is_found_out(tmp_path: Path) -> None:
    async def main() -> None:
        opened = Opened(tmp_path, "primes", "primes")
        version = await opened.version()
        form, leaf = version.schema.text_key, version.table.rows.address
        liar = TextLayout(version.table, version.schema)
        liar.set_measures([(leaf, Measure.of_length(9))])
        await opened.lengths.put(form, liar.remember(form), b"", None)
        with pytest.raises(CorruptionError, match="remembered"):
            await version.read(0, 100)
        assert await opened.lengths.get(form, [bytes(leaf)], by_last=False) == []
        assert await version.read(0, EVERYTHING) == expected("primes", "main", "primes.csv")
        assert await version.exact_size() == len(expected("primes", "main", "primes.csv"))

    trio.run(main)


def test_many_readers_at_once_read_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        opened = Opened(tmp_path)
        version = await opened.version()
        whole = expected("history", "main", "t.csv")
        texts = []

        async def read() -> None:
            texts.append(await version.read(0, len(whole)))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(read)
        assert texts == [whole] * 5

    trio.run(main)


@pytest.mark.parametrize("length", [0, 1, 3, 64, 65, 95, 96, 127, 128, 255, 256, 300, 788, 5000])
@pytest.mark.parametrize("count", [1, 3, 4, 64])
def test_groups_are_of_much_the_same_length(length: int, count: int) -> None:
    pieces = range(7, 7 + length)
    groups = in_groups(pieces, count)
    assert [piece for group in groups for piece in group] == list(pieces)
    lengths = [len(group) for group in groups]
    assert max(lengths, default=0) <= -(-3 * count // 2)
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert all(groups)


def test_the_size_of_a_text_is_found_from_its_end(tmp_path: Path) -> None:
    """Who asked for it reads the beginning next: what was made last is kept longest."""

    async def main() -> None:
        version = await Opened(tmp_path, "flights", "flights").version()
        made: list[int] = []
        make = version._make_group

        async def note(pieces: Sequence[int]) -> None:
            made.append(pieces[0])
            await make(pieces)

        version._make_group = note  # type: ignore[method-assign]
        assert await version.exact_size() == len(await version.read(0, EVERYTHING))
        assert len(made) > 3
        assert made == sorted(made, reverse=True)

    trio.run(main)


def test_what_is_under_way_does_not_grow_with_the_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups of leaves take some ten MiB each while they are made."""
    running = most = 0
    make = TableVersion._make

    async def note(version: TableVersion, pieces: Sequence[int]) -> list[Text]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await make(version, pieces)
        finally:
            running -= 1

    monkeypatch.setattr(TableVersion, "_make", note)

    async def main() -> None:
        opened = Opened(tmp_path, "flights", "flights")
        await opened.repository.refresh(0)
        snapshot = await opened.repository.snapshot(opened.repository.branches["main"])
        formats = (Format.CSV, Format.TSV, Format.JSONL)
        versions = [(await snapshot.table("flights", form)).as_text for form in formats]
        async with trio.open_nursery() as nursery:
            for version in versions:
                nursery.start_soon(version.exact_size)

    trio.run(main)
    assert most == GROUPS_AT_ONCE
