"""Small files are folded into the file of a commit that finds enough of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from pyfs._core import Address, Chunk
from pyfs.errors import RemoteError
from pyfs.repo.folding import (
    COMMIT_CHUNKS_MAX,
    FIRST_FILES,
    FOLDED_CHUNKS_MAX,
    NEXT_FILES,
    files_to_fold,
)
from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryChunks
from tests.support.repositories import golden_remote, head_of, opened, save_text, text_of

SAVES = 300
FILES_MAX = FIRST_FILES + 2 * NEXT_FILES


def text(number: int) -> bytes:
    return b"i,val\n%d,%d\n" % (number, number)


def files(**kinds: int) -> list[tuple[str, int]]:
    """So many files of each kind, each with its chunks."""
    chunks = {"tiny": COMMIT_CHUNKS_MAX, "small": COMMIT_CHUNKS_MAX + 1, "large": FOLDED_CHUNKS_MAX}
    return [(f"{kind}{n}", chunks[kind]) for kind, count in kinds.items() for n in range(count)]


def test_files_of_a_kind_are_folded_when_there_are_enough() -> None:
    assert files_to_fold(files(tiny=FIRST_FILES - 1, small=3)) == []
    folded = files_to_fold(files(tiny=FIRST_FILES, small=3))
    assert folded == [f"tiny{n}" for n in range(FIRST_FILES)]
    assert len(files_to_fold(files(small=NEXT_FILES, tiny=3))) == NEXT_FILES


def test_what_is_folded_may_be_what_makes_the_next_kind_enough() -> None:
    all_files = files(tiny=FIRST_FILES, small=NEXT_FILES - 1)
    assert files_to_fold(all_files) == [name for name, _ in all_files]


def test_large_files_are_left_alone() -> None:
    assert len(files_to_fold(files(large=NEXT_FILES))) == NEXT_FILES
    larger = [(name, count + 1) for name, count in files(large=20)]
    assert files_to_fold(larger) == []


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
            for number in range(2 * FIRST_FILES):

                async def other_first(number: int = number) -> None:
                    await save_text(other, "primes", text(number), branch="feature/twin")

                remote.manifests.before_swap.append(other_first)
                await save_text(repository, "primes", text(number))
        async with opened(remote, tmp_path / "c") as reader:
            for branch in ("main", "feature/twin"):
                head = await head_of(reader, branch)
                assert await text_of(head, "primes") == text(2 * FIRST_FILES - 1)
            assert len(await commits_of(reader)) > 2 * FIRST_FILES
            assert len(remote.manifests.stored.specs) <= FILES_MAX

    trio.run(main)


def test_a_file_that_cannot_be_read_is_no_reason_not_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = golden_remote("primes")
    get_many = MemoryChunks.get_many
    refused = []

    async def get_few(self: MemoryChunks, addresses: Sequence[Address]) -> list[Chunk]:
        if len(addresses) > 3 * FIRST_FILES:
            refused.append(len(addresses))
            raise RemoteError("the remote is away")
        return await get_many(self, addresses)

    monkeypatch.setattr(MemoryChunks, "get_many", get_few)

    async def main() -> None:
        async with opened(remote, tmp_path / "a") as repository:
            files = len(remote.manifests.stored.specs)
            for number in range(FIRST_FILES + 2):
                await save_text(repository, "primes", text(number))
            assert len(remote.manifests.stored.specs) == files + FIRST_FILES + 2
        assert refused

    trio.run(main)
