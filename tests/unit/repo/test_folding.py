"""Small files are folded into the file of a commit that finds enough of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from pyfs._core import Address, Chunk
from pyfs.errors import RemoteError
from pyfs.repo.folding import FILES_OF_A_KIND, FOLDED_BYTES_MAX, files_to_fold
from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryChunks
from tests.support.repositories import golden_remote, head_of, opened, save_text, text_of

SAVES = 100
FILES_MAX = 3 * FILES_OF_A_KIND


def text(number: int) -> bytes:
    return b"i,val\n%d,%d\n" % (number, number)


def lengths(**kinds: int) -> dict[str, int]:
    """So many files of each kind."""
    of_kind = {"tiny": 100, "small": 10_000, "large": FOLDED_BYTES_MAX + 1}
    return {f"{kind}{n}": of_kind[kind] for kind, count in kinds.items() for n in range(count)}


def test_files_of_a_kind_are_folded_when_there_are_enough() -> None:
    assert files_to_fold(lengths(tiny=FILES_OF_A_KIND - 1, small=3), set()) == []
    folded = files_to_fold(lengths(tiny=FILES_OF_A_KIND, small=3), set())
    assert folded == [f"tiny{n}" for n in range(FILES_OF_A_KIND)]


def test_what_is_folded_may_be_what_makes_the_next_kind_enough() -> None:
    files = lengths(tiny=FILES_OF_A_KIND, small=FILES_OF_A_KIND - 1)
    assert sorted(files_to_fold(files, set())) == sorted(files)


def test_large_files_and_those_of_the_appendix_are_left_alone() -> None:
    assert files_to_fold(lengths(large=20), set()) == []
    assert files_to_fold(lengths(tiny=FILES_OF_A_KIND), {"tiny0"}) == []


def test_many_saves_leave_few_files_and_nothing_is_lost(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def main() -> None:
        async with opened(remote, tmp_path / "a") as repository:
            before = len(await commits_of(repository))
            for number in range(SAVES):
                await save_text(repository, "primes", text(number))
                assert len(remote.manifests.stored.specs) <= FILES_MAX
        async with opened(remote, tmp_path / "b") as other:
            assert await text_of(await head_of(other), "primes") == text(SAVES - 1)
            history = await commits_of(other)
            assert len(history) == before + SAVES
            for number, commit in enumerate(reversed(history[:SAVES])):
                assert await text_of(await other.snapshot(commit), "primes") == text(number)

    trio.run(main)


async def commits_of(repository: Repository) -> list[Address]:
    return [commit.address async for commit in repository.log(repository.branches["main"])]


def test_a_fold_that_loses_its_race_is_made_anew(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def main() -> None:
        async with (
            opened(remote, tmp_path / "a") as repository,
            opened(remote, tmp_path / "b") as other,
        ):
            for number in range(3 * FILES_OF_A_KIND):

                async def other_first(number: int = number) -> None:
                    await save_text(other, "primes", text(number), branch="feature/twin")

                remote.manifests.before_swap.append(other_first)
                await save_text(repository, "primes", text(number))
        async with opened(remote, tmp_path / "c") as reader:
            for branch in ("main", "feature/twin"):
                head = await head_of(reader, branch)
                assert await text_of(head, "primes") == text(3 * FILES_OF_A_KIND - 1)
            assert len(await commits_of(reader)) > 3 * FILES_OF_A_KIND
            assert len(remote.manifests.stored.specs) <= FILES_MAX

    trio.run(main)


def test_a_file_that_cannot_be_read_is_no_reason_not_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = golden_remote("primes")
    get_many = MemoryChunks.get_many
    refused = []

    async def get_few(self: MemoryChunks, addresses: Sequence[Address]) -> list[Chunk]:
        if len(addresses) > 3 * FILES_OF_A_KIND:
            refused.append(len(addresses))
            raise RemoteError("the remote is away")
        return await get_many(self, addresses)

    monkeypatch.setattr(MemoryChunks, "get_many", get_few)

    async def main() -> None:
        async with opened(remote, tmp_path / "a") as repository:
            files = len(remote.manifests.stored.specs)
            for number in range(FILES_OF_A_KIND + 2):
                await save_text(repository, "primes", text(number))
            assert len(remote.manifests.stored.specs) == files + FILES_OF_A_KIND + 2
        assert refused

    trio.run(main)
