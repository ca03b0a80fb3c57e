"""Tables that leave memory while they are built."""

import errno
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs._core import BuiltTable, TableBuild
from pyfs.disk import LocalFile
from pyfs.errors import DuplicateKeyError, InvalidTextError, ReadAnewError, RemoteError, SpaceError
from pyfs.repo import text_build
from pyfs.repo.repository import Repository
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.text_build import StreamedTable
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    built,
    golden_remote,
    head_of,
    opened,
    save_text,
    saved_tables,
    stream_everything,
    text_of,
)

ROWS = [b"%d,%d\n" % (n, n * n % 9973) for n in range(1, 8001)]
HEADER = b"i,val\n"


def text(rows: list[bytes]) -> bytes:
    return HEADER + b"".join(rows)


def run_with(
    remote: MemoryRemote, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened(remote, cache_dir) as repository:
            await body(repository)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


async def in_memory(head: Snapshot, whole: bytes) -> BuiltTable:
    """The same table, built at once."""
    version = (await head.table("primes")).as_text
    build = TableBuild(version.schema, version.table)
    build.feed(whole)
    return build.finish().result()


def shuffled() -> list[bytes]:
    rows = ROWS.copy()
    random.Random(1).shuffle(rows)
    return rows


def late() -> list[bytes]:
    """In order but for the last row, which comes when the first ones have left memory."""
    return [*ROWS[1:], ROWS[0]]


@pytest.mark.parametrize("rows", [ROWS, shuffled(), late()], ids=["ordered", "shuffled", "late"])
def test_rows_in_any_order_make_one_table(
    tmp_path: Path, rows: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        table = await built(head, "primes", text(rows))
        assert isinstance(table, StreamedTable)
        assert table.address == (await in_memory(head, text(rows))).address
        assert (await repository.save("main", head.commit.address, {"primes": table}, None)).changed
        async with opened(remote, tmp_path / "other") as other:
            assert await saved_tables(other) == {"primes": text(ROWS)}

    run_with(remote, tmp_path, body)
    assert list((tmp_path / "state").rglob("*.*")) == []


def test_a_text_unlike_the_old_one_is_built_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_build, "DIFFERING_BYTES_MAX", 10_000)

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", text(ROWS))
        head = await head_of(repository)
        await text_of(head, "primes")
        version = (await head.table("primes")).as_text
        build = version.start_build()
        build.feed(text(ROWS[:7000]))
        assert build.held_bytes < 1000  # all of it is there already
        with pytest.raises(ReadAnewError):
            build.feed(b"".join(row.replace(b",", b",1") for row in ROWS[7000:]))
        # What the new text does not have counts as well: its rows are read at the end.
        build = version.start_build()
        build.feed(text(ROWS[:10]))
        with pytest.raises(ReadAnewError):
            build.finish()
        changed = text([*ROWS[:4000], *(row.replace(b",", b",1") for row in ROWS[4000:])])
        table = await built(head, "primes", changed)
        assert table.address == (await in_memory(head, changed)).address

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_lost_race_uploads_no_table_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)
    remote = golden_remote("primes")
    create = remote.files.create
    large: list[str] = []

    async def note(name: str, data: bytes | LocalFile) -> None:
        large.extend([name] if isinstance(data, LocalFile) else [])
        await create(name, data)

    async def other_writer() -> None:
        async with opened(remote, tmp_path / "other") as other:
            await other.create_branch("theirs", other.branches["main"])

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        table = await built(head, "primes", text(ROWS))
        remote.files.create = note  # type: ignore[method-assign]
        remote.manifests.before_swap += [other_writer]
        assert (await repository.save("main", head.commit.address, {"primes": table}, None)).changed
        assert len(large) == 1
        assert await saved_tables(repository) == {"primes": text(ROWS)}

    run_with(remote, tmp_path, body)


def test_a_name_taken_by_other_bytes_is_avoided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)
    remote = golden_remote("primes")
    create = remote.files.create
    refused: list[str] = []

    async def refuse_once(name: str, data: bytes | LocalFile) -> None:
        if isinstance(data, LocalFile) and not refused:
            refused.append(name)
            remote.files.files[name] = b"the same chunks, compressed by another"
        await create(name, data)

    async def body(repository: Repository) -> None:
        remote.files.create = refuse_once  # type: ignore[method-assign]
        assert (await save_text(repository, "primes", text(ROWS))).changed
        assert refused[0] not in dict(remote.manifests.stored.specs)
        async with opened(remote, tmp_path / "other") as other:
            assert await saved_tables(other) == {"primes": text(ROWS)}

    run_with(remote, tmp_path, body)


def test_what_the_remote_holds_is_not_uploaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", text(ROWS))
        before = remote.files.counts.file_written_bytes
        # Never read here, so that all rows are built again.
        async with opened(remote, tmp_path / "other") as other:
            assert (await save_text(other, "primes", text([*ROWS, b"9000,1\n"]))).changed
            assert remote.files.counts.file_written_bytes - before < before / 4

    run_with(remote, tmp_path, body)


def test_a_remote_that_lets_go_of_chunks_refuses_the_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", text(ROWS))
        head = await head_of(repository)
        table = await built(head, "primes", text([*ROWS, b"9000,1\n"]))
        assert isinstance(table, StreamedTable)
        assert table.left_out
        monkeypatch.setattr(repository._set, "contains", lambda addresses: [False] * len(addresses))
        with pytest.raises(RemoteError, match="save again"):
            await repository.save("main", head.commit.address, {"primes": table}, None)
        assert (await head_of(repository)).commit.address == head.commit.address

    run_with(golden_remote("primes"), tmp_path, body)


@pytest.mark.parametrize("rows", [ROWS, shuffled()], ids=["leaves", "runs"])
def test_a_full_disk_refuses_the_text(
    tmp_path: Path, rows: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)
    append, room = LocalFile.append, [10]

    def full(self: LocalFile, data: bytes) -> int:
        room[0] -= 1
        if room[0] < 0:
            raise SpaceError("the local disk has no room")
        return append(self, data)

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        monkeypatch.setattr(LocalFile, "append", full)
        with pytest.raises(SpaceError):
            await built(head, "primes", text(rows))

    run_with(golden_remote("primes"), tmp_path, body)
    assert list((tmp_path / "state").rglob("*.*")) == []


def test_no_room_on_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pwrite(fd: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = LocalFile(tmp_path)
    monkeypatch.setattr("os.pwrite", pwrite)
    with pytest.raises(SpaceError, match="no room"):
        file.append(b"data")


@pytest.mark.parametrize("place", [1, 4000, 7999])
def test_a_bad_end_is_told_as_in_a_small_table(
    tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        twice = text([*ROWS, ROWS[place]])
        with pytest.raises(DuplicateKeyError) as whole:
            await in_memory(head, twice)
        with pytest.raises(DuplicateKeyError) as streamed:
            await built(head, "primes", twice)
        assert str(streamed.value) == str(whole.value)
        assert whole.value.line == 8002

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_build_that_failed_lets_go_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream_everything(monkeypatch)

    def files() -> int:
        count = 0
        for fd in os.listdir("/proc/self/fd"):
            with suppress(FileNotFoundError):  # that of this listing
                # Not those that other tests left to the garbage collector.
                count += os.readlink(f"/proc/self/fd/{fd}").startswith(f"{tmp_path}/state/builds/")
        return count

    async def body(repository: Repository) -> None:
        version = (await (await head_of(repository)).table("primes")).as_text
        builds = []
        for end in (ROWS[0], b"9000,x\n"):
            build = version.start_build()
            builds.append(build)
            build.feed(text(ROWS))
            for part in build._bench.under_way:
                assert part.exception() is None
            assert files()
            with pytest.raises((ReadAnewError, InvalidTextError)):
                build.feed(end)
            assert not files()

    run_with(golden_remote("primes"), tmp_path, body)


@pytest.mark.parametrize("order", ["ordered", "shuffled"])
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEAF_BYTES", "RUN_BYTES"):
        monkeypatch.setattr(text_build, name, 20_000)

    async def body(repository: Repository) -> None:
        version = (await (await head_of(repository)).table("primes")).as_text

        def most_held(count: int) -> int:
            build = version.start_build()
            build.feed(HEADER)
            most = 0
            for start in range(0, count, 100):
                place = [
                    n * 7919 % count if order == "shuffled" else n
                    for n in range(start, start + 100)
                ]
                build.feed(b"".join(b"%d,%d\n" % (n + 1, n) for n in place))
                most = max(most, build.held_bytes)
            assert build.finish().result().row_count == count
            return most

        few, some, many = map(most_held, (4000, 16_000, 64_000))
        # What is known of each leaf and of each block of sorted rows stays: a byte a row.
        assert some <= few + 16_000
        assert many <= few + 64_000

    run_with(golden_remote("primes"), tmp_path, body)
