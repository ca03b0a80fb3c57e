"""Readers and writers who open one table at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.errors import ConflictError, InvalidTextError, SupersededError
from pyfs.vfs.openings import RETURN_S
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, Shell, run, shell

if TYPE_CHECKING:
    from pathlib import Path

    from pyfs.vfs.node import AnyNode

PATH = "main/primes.csv"
FIRST = 5_000_000
"""Above all process numbers, so that nobody is related."""
MORE = PRIMES + b"7,4\n"


async def found(sh: Shell) -> AnyNode:
    """What the kernel finds for the process of *sh*."""
    return await sh.fs.files.lookup(await sh.node("main"), "primes.csv", sh.pid)


async def size(sh: Shell) -> int:
    return (await sh.fs.tree.attributes(await found(sh))).size


def test_everyone_who_opens_a_superseded_file_gets_the_new_version(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            node = await sh.node(PATH)
            sh.repository.push("main", {"primes": MORE})
            readers = [sh.of(FIRST + 1), sh.of(FIRST + 2)]
            for reader in readers:
                with pytest.raises(SupersededError):
                    await sh.fs.files.open(node, os.O_RDONLY, reader.pid)
            for reader in readers:
                handle = await sh.fs.files.open(await found(reader), os.O_RDONLY, reader.pid)
                assert await handle.read(0, 100) == MORE
                await reader.close(handle)

    run(main)


def test_a_table_that_is_written_is_the_head_for_all_but_the_writer(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            early = await sh.node(PATH)
            writer = await sh.open(PATH, os.O_WRONLY | os.O_TRUNC)
            await writer.write(0, MORE[:5])
            assert await size(sh) == 5
            assert (await sh.fs.files.attributes(early, sh.pid)).size == 5
            assert (await sh.fs.files.attributes(early, FIRST + 1)).size == len(PRIMES)
            for other in (sh.of(FIRST + 1), sh.of(FIRST + 2)):
                # By a name that the kernel knew before.
                with pytest.raises(SupersededError):
                    await sh.fs.files.open(early, os.O_RDONLY, other.pid)
                node = await found(other)
                handle = await sh.fs.files.open(node, os.O_RDONLY, other.pid)
                assert await handle.read(0, 100) == PRIMES
                assert (await sh.fs.tree.attributes(node)).size == len(PRIMES)
                assert await size(other) == len(PRIMES)
                await other.close(handle)
            await writer.write(5, MORE[5:])
            await sh.close(writer)
            for other in (sh, sh.of(FIRST + 1), sh.of(FIRST + 3)):
                assert await found(other) is early  # a save keeps its inode
                assert await other.read(PATH) == MORE

    run(main)


def test_a_writer_and_its_readers_never_share_a_file(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            reader = await sh.of(FIRST + 1).open(PATH)
            writer = await sh.open(PATH, os.O_WRONLY | os.O_APPEND)
            # Before anything is written: what will be is not for others.
            late = await sh.of(FIRST + 2).open(PATH)
            await writer.write(len(PRIMES), b"7,4\n")
            for other in (sh.of(FIRST + 1), sh.of(FIRST + 2)):
                assert await size(other) == len(PRIMES)
            await sh.close(writer)
            for handle in (reader, late):
                assert await handle.read(0, 100) == PRIMES
                await sh.close(handle)
            assert await sh.of(FIRST + 1).read(PATH) == MORE

    run(main)


def test_a_save_of_what_a_slow_open_found_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            slow = sh.of(FIRST + 1)
            writer = await sh.open(PATH, os.O_WRONLY | os.O_TRUNC)
            await writer.write(0, MORE)
            with pytest.raises(SupersededError):
                await sh.fs.files.open(writer.node, os.O_RDONLY, slow.pid)  # type: ignore[attr-defined]
            node = await found(slow)
            await sh.close(writer)
            # It was the head when it was looked up, within the same system call.
            handle = await sh.fs.files.open(node, os.O_RDONLY, slow.pid)
            assert await handle.read(0, 100) == PRIMES
            await slow.close(handle)
            with pytest.raises(ConflictError):
                await slow.write(PATH, PRIMES + b"11,5\n")
            assert await sh.read(PATH) == MORE

    run(main)


def test_of_two_writers_the_second_hears_of_the_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            first = await sh.open(PATH, os.O_RDWR)
            second = await sh.of(FIRST + 1).open(PATH, os.O_RDWR)
            assert first.node is not second.node  # type: ignore[attr-defined]
            await first.write(len(PRIMES), b"7,4\n")
            await second.write(len(PRIMES), b"11,5\n")
            await sh.close(first)
            with pytest.raises(ConflictError):
                await second.flush()
            await second.release()
            assert await sh.read(PATH) == MORE
            assert sh.recovered() == {"primes": PRIMES + b"11,5\n"}

    run(main)


def test_who_does_not_come_back_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        async with shell(tmp_path, repository, refresh_s=0.0) as sh:
            node = await sh.node(PATH)
            repository.push("main", {"primes": MORE})
            for _ in range(2):
                with pytest.raises(SupersededError):
                    await sh.fs.files.open(node, os.O_RDONLY, sh.pid)
                await trio.sleep(RETURN_S + 1)

    run(main)


def test_writers_at_once_lose_no_row_that_was_said_to_be_saved(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            kept: list[int] = []

            async def write(pid: int) -> None:
                for number in range(5):
                    row = 100 * (pid - FIRST) + number
                    text = await sh.of(pid).read(PATH)
                    try:
                        await sh.of(pid).write(PATH, text + b"%d,1\n" % row)
                    except ConflictError:
                        continue
                    kept.append(row)

            async def read(pid: int) -> None:
                for _ in range(20):
                    assert (await sh.of(pid).read(PATH)).startswith(PRIMES)

            async with trio.open_nursery() as nursery:
                for pid in range(FIRST + 1, FIRST + 4):
                    nursery.start_soon(write, pid)
                    nursery.start_soon(read, 10 + pid)
            rows = (await sh.read(PATH)).decode().splitlines()[4:]
            assert sorted(int(row.split(",")[0]) for row in rows) == sorted(kept)
            assert kept

    run(main)


def test_rows_that_several_append_at_once_all_come(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:

            async def append(pid: int) -> None:
                for number in range(5):
                    await sh.of(pid).append(PATH, b"%d,1\n" % (100 * (pid - FIRST) + number))

            async with trio.open_nursery() as nursery:
                for pid in range(FIRST + 1, FIRST + 5):
                    nursery.start_soon(append, pid)
            rows = [int(line.split(b",")[0]) for line in (await sh.read(PATH)).splitlines()[1:]]
            assert sorted(rows) == [2, 3, 5] + [100 * p + n for p in range(1, 5) for n in range(5)]

    run(main)


@pytest.mark.parametrize(
    ("theirs", "row", "why"),
    [
        (PRIMES + b"7,4\n", b"7,9\n", InvalidTextError),
        (b"p,x\n2,1\n", b"7,4\n", ConflictError),
        (None, b"7,4\n", ConflictError),
    ],
    ids=["the same key", "other columns", "dropped"],
)
def test_what_cannot_follow_the_head_is_refused_and_kept(
    tmp_path: Path, theirs: bytes | None, row: bytes, why: type[Exception]
) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            writer = await sh.open(PATH, os.O_WRONLY | os.O_APPEND)
            await writer.write(len(PRIMES), row)
            sh.repository.push("main", {"primes": theirs})
            with pytest.raises(why):
                await writer.flush()
            await writer.release()
            (kept,) = sh.recovered().values()
            assert kept.endswith(row)

    run(main)


def test_a_writer_goes_on_appending_behind_what_others_saved(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            writer = await sh.open(PATH, os.O_WRONLY | os.O_APPEND)
            expected = PRIMES
            for number in range(1, 4):
                sh.repository.push("main", {"primes": expected + b"%d,0\n" % (10 * number)})
                await writer.write(0, b"%d,1\n" % (10 * number + 1))
                await writer.fsync()
                expected += b"%d,0\n%d,1\n" % (10 * number, 10 * number + 1)
            await sh.close(writer)
            assert await sh.read(PATH) == expected

    run(main)


def test_a_process_reads_the_head_beside_its_own_writer(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            writer = await sh.open(PATH, os.O_RDWR)
            await writer.write(len(PRIMES), b"7,4\n")
            assert await sh.read(PATH) == PRIMES
            await sh.close(writer)
            assert await sh.read(PATH) == MORE

    run(main)


def test_a_name_may_be_kept_again_once_a_writer_did_not_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            with pytest.raises(SupersededError):
                await sh.fs.files.open(await sh.node(PATH), os.O_WRONLY, sh.pid)
            assert (await sh.stat(PATH)).name_valid_s == 0
            await trio.sleep(RETURN_S + 1)
            assert (await sh.stat(PATH)).name_valid_s > 0

    run(main)
