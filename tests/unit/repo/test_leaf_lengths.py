import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from pyfs.repo.leaf_lengths import FILE_NAME, LeafLengths

ROOT = Path(__file__).parents[3]
FORM = b"f" * 20
TABLE = b"t" * 20


def group(number: int) -> tuple[bytes, bytes, bytes]:
    """A group that begins with leaf *number* and ends with the next one."""
    return key(number), key(number + 1), b"record %d" % number


def key(number: int) -> bytes:
    return number.to_bytes(20, "big")


def run(
    directory: Path, body: Callable[[LeafLengths], Awaitable[None]], *, most: int = 10_000
) -> None:
    async def main() -> None:
        lengths = LeafLengths(directory, most)
        try:
            await body(lengths)
        finally:
            await lengths.aclose()

    trio.run(main)


def remember(directory: Path, *numbers: int, size: int | None = None) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(number) for number in numbers], TABLE, size)

    run(directory, body)


def recalled(
    directory: Path, *numbers: int, by_last: bool = False, form: bytes = FORM
) -> list[int]:
    found: list[bytes] = []

    async def body(lengths: LeafLengths) -> None:
        found.extend(await lengths.get(form, [key(n) for n in numbers], by_last=by_last))

    run(directory, body)
    return sorted(int(record.split()[1]) for record in found)


def recalled_size(directory: Path, form: bytes = FORM, table: bytes = TABLE) -> int | None:
    found: list[int | None] = []

    async def body(lengths: LeafLengths) -> None:
        found.append(await lengths.get_size(form, table))

    run(directory, body)
    return found[0]


def test_records_outlive_the_mount(tmp_path: Path) -> None:
    remember(tmp_path / "cache", 1, 2)
    assert recalled(tmp_path / "cache", 1, 2, 3) == [1, 2]
    assert recalled(tmp_path / "cache", 1, 2, 3, by_last=True) == [1, 2]
    assert recalled(tmp_path / "cache", 3, by_last=True) == [2]


def test_a_new_record_of_a_leaf_replaces_the_old_one(tmp_path: Path) -> None:
    remember(tmp_path, 1)

    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [(key(1), key(7), b"record 5")], TABLE, None)
        assert await lengths.get(FORM, [key(1)], by_last=False) == [b"record 5"]
        assert await lengths.get(FORM, [key(2)], by_last=True) == []

    run(tmp_path, body)


def test_another_form_is_another_text(tmp_path: Path) -> None:
    remember(tmp_path, 1, size=7)
    assert recalled(tmp_path, 1, form=b"g" * 20) == []
    assert recalled_size(tmp_path, form=b"g" * 20) is None


def test_many_records_at_once(tmp_path: Path) -> None:
    remember(tmp_path, *range(2000))
    assert recalled(tmp_path, *range(2000)) == list(range(2000))


def test_a_size_outlives_the_mount(tmp_path: Path) -> None:
    assert recalled_size(tmp_path) is None
    remember(tmp_path, size=2**40)
    assert recalled_size(tmp_path) == 2**40
    assert recalled_size(tmp_path, table=b"u" * 20) is None


def nodes_of(directory: Path, *numbers: int, put: int = 0, most: int = 10_000) -> list[int]:
    """Which of the nodes *numbers* are remembered, after the first *put* were put."""
    found: list[tuple[bytes, bytes]] = []

    async def body(lengths: LeafLengths) -> None:
        for number in range(put):
            await lengths.put_nodes([(key(number), b"node %d" % number)])
        found.extend(await lengths.get_nodes([key(number) for number in numbers]))

    run(directory, body, most=most)
    assert all(contents == b"node %d" % int.from_bytes(address) for address, contents in found)
    return sorted(int.from_bytes(address) for address, _ in found)


def test_inner_nodes_outlive_the_mount(tmp_path: Path) -> None:
    assert nodes_of(tmp_path, 1, 2, 3, put=3) == [1, 2]
    assert nodes_of(tmp_path, *range(2000)) == [0, 1, 2]


def test_the_number_of_inner_nodes_is_bounded(tmp_path: Path) -> None:
    assert len(nodes_of(tmp_path, *range(300), put=300, most=100)) <= 100


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, b"SQLite format 3\0" * 99])
def test_a_damaged_database_is_replaced(tmp_path: Path, damage: bytes) -> None:
    remember(tmp_path, 1, size=7)
    (tmp_path / FILE_NAME).write_bytes(damage)
    assert recalled(tmp_path, 1) == []
    assert recalled_size(tmp_path) is None
    remember(tmp_path, 1)
    assert recalled(tmp_path, 1) == [1]


def test_a_size_that_was_altered_is_not_believed(tmp_path: Path) -> None:
    remember(tmp_path, size=7)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE sizes SET size = 8")
    connection.close()
    assert recalled_size(tmp_path) is None


def test_a_database_of_another_form_is_not_believed(tmp_path: Path) -> None:
    remember(tmp_path, 1)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 77")
    connection.close()
    assert recalled(tmp_path, 1) == []


def delete_all(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def test_the_number_of_records_is_bounded(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        for start in range(0, 400, 50):
            await lengths.put(FORM, [group(i) for i in range(start, start + 50)], key(start), 1)

    run(tmp_path, body, most=100)
    assert len(recalled(tmp_path, *range(400))) <= 100


def test_a_folder_that_cannot_be_written_costs_only_the_remembering(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    remember(tmp_path / "file" / "cache", 1, size=7)
    assert recalled(tmp_path / "file" / "cache", 1) == []
    assert recalled_size(tmp_path / "file" / "cache") is None


def test_it_may_be_deleted_while_in_use(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(1)], TABLE, 7)
        delete_all(tmp_path)
        await lengths.put(FORM, [group(2)], TABLE, 7)
        await lengths.get(FORM, [key(1), key(2)], by_last=False)

    run(tmp_path, body)
    assert recalled(tmp_path, 1) == []


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(1)], TABLE, 7)
        await lengths.forget()
        assert await lengths.get(FORM, [key(1)], by_last=False) == []
        assert await lengths.get_size(FORM, TABLE) is None

    run(tmp_path, body)


# Damage

SEEDS = 200


def test_whatever_a_damaged_database_says_is_survived(tmp_path: Path) -> None:
    """Some bytes of it are others: what is found is right or nothing, and it is usable again."""
    path = tmp_path / FILE_NAME

    async def fill(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(number) for number in range(30)], TABLE, 7)
        await lengths.put_nodes([(key(number), b"node %d" % number) for number in range(30)])

    run(tmp_path, fill)
    good = path.read_bytes()
    keys = [key(number) for number in range(30)]

    async def main() -> None:
        for seed in range(SEEDS):
            chance = random.Random(seed)
            # The first page holds the schema, where a byte has more to say than elsewhere.
            end = 4096 if seed % 2 else len(good)
            damaged = bytearray(good)
            for _ in range(chance.choice([1, 1, 3, 30, 300])):
                damaged[chance.randrange(end)] = chance.randrange(256)
            if seed % 10 == 9:
                del damaged[chance.randrange(len(damaged)) :]
            for file in tmp_path.iterdir():
                file.unlink()
            path.write_bytes(damaged)
            lengths = LeafLengths(tmp_path)
            assert await lengths.get_size(FORM, TABLE) in (7, None), seed
            for by_last in (False, True):
                records = await lengths.get(FORM, keys, by_last=by_last)
                assert all(type(record) is bytes for record in records), seed
            await lengths.get_nodes(keys)
            await fill(lengths)
            await lengths.put(b"g" * 20, [group(1)], TABLE, 8)
            await lengths.aclose()
            # What cannot be written even then is damage that is found by the one who writes next.
            again = LeafLengths(tmp_path)
            await again.put(b"h" * 20, [group(1)], TABLE, 9)
            assert await again.get_size(b"h" * 20, TABLE) == 9, seed
            await again.aclose()

    trio.run(main)


@pytest.mark.parametrize(
    ("what", "other"),
    [
        (b"CREATE TABLE groups", b"CREATE T\xa8BLE groups"),
        (b"groups", b"gr\xffups"),
        (b"record BLOB", b"recurd BLOB"),
        (b"sizes", b"sizez"),
        (b"CREATE INDEX last", b"CREATE INDEX l\x00st"),
    ],
)
def test_a_damaged_schema_is_replaced(tmp_path: Path, what: bytes, other: bytes) -> None:
    remember(tmp_path, 1, size=7)
    path = tmp_path / FILE_NAME
    good = path.read_bytes()
    assert what in good
    path.write_bytes(good.replace(what, other))
    recalled(tmp_path, 1)
    recalled_size(tmp_path)
    remember(tmp_path, 2, size=9)
    assert recalled(tmp_path, 2) == [2]
    assert recalled_size(tmp_path) == 9


# What others do to its files while it is in use


def test_nothing_of_it_is_mapped_into_memory(tmp_path: Path) -> None:
    """Whoever cuts off a file that is mapped kills the process."""

    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(1)], TABLE, 7)
        assert await lengths.get_size(FORM, TABLE) == 7
        assert str(tmp_path) not in Path("/proc/self/maps").read_text()
        for path in tmp_path.iterdir():
            os.truncate(path, 0)
        assert await lengths.get_size(FORM, TABLE) in (7, None)
        await lengths.put(FORM, [group(2)], TABLE, 8)
        await lengths.put(FORM, [group(2)], TABLE, 8)
        assert await lengths.get_size(FORM, TABLE) == 8

    run(tmp_path, body)
    assert recalled(tmp_path, 2) == [2]


def test_a_database_with_a_log_is_replaced(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE groups (x)")
    remember(tmp_path, 1)
    connection.close()
    assert recalled(tmp_path, 1) == [1]
    assert {path.name for path in tmp_path.iterdir()} <= {FILE_NAME, FILE_NAME + "-journal"}


def test_what_is_written_after_it_was_deleted_is_remembered(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(FORM, [group(1)], TABLE, 7)
        delete_all(tmp_path)
        await lengths.put(FORM, [group(2)], TABLE, 7)

    run(tmp_path, body)
    assert recalled(tmp_path, 1, 2) == [2]


def test_a_full_disk_costs_only_the_remembering(tmp_path: Path) -> None:
    remember(tmp_path, 1)
    script = """
import resource, sys
from pathlib import Path
import trio
from pyfs.repo.leaf_lengths import LeafLengths
from tests.unit.repo.test_leaf_lengths import FORM, TABLE, group, key

async def main():
    lengths = LeafLengths(Path(sys.argv[1]))
    assert await lengths.get(FORM, [key(1)], by_last=False)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    await lengths.put(FORM, [group(2)], TABLE, 7)
    await lengths.get(FORM, [key(1)], by_last=False)
    await lengths.aclose()

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False, cwd=ROOT)
    assert done.returncode == 0
    assert recalled(tmp_path, 1, 2) == [1]


def test_a_database_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, 1, size=7)
    before = (tmp_path / FILE_NAME).read_bytes()
    connect = sqlite3.connect

    def read_only(path: Path, *, timeout: float, check_same_thread: bool) -> sqlite3.Connection:
        return connect(
            f"file:{path}?mode=ro", uri=True, timeout=timeout, check_same_thread=check_same_thread
        )

    monkeypatch.setattr(sqlite3, "connect", read_only)

    async def body(lengths: LeafLengths) -> None:
        for _ in range(2):
            assert await lengths.get_size(FORM, TABLE) == 7
            await lengths.put(FORM, [group(2)], TABLE, 8)
            await lengths.put_nodes([(key(1), b"node")])
            assert await lengths.get(FORM, [key(1), key(2)], by_last=False) == [b"record 1"]

    run(tmp_path, body)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_mounts_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
import trio
from pyfs.repo.leaf_lengths import LeafLengths
from tests.unit.repo.test_leaf_lengths import FORM, TABLE, group

async def main():
    lengths = LeafLengths(Path(sys.argv[1]))
    first = int(sys.argv[2])
    for number in range(first, first + 30):
        await lengths.put(FORM, [group(number)], TABLE, None)
    await lengths.aclose()

trio.run(main)
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path, str(first)], cwd=ROOT)
        for first in (0, 100)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    numbers = [first + number for first in (0, 100) for number in range(30)]
    assert recalled(tmp_path, *numbers) == numbers


def test_whether_a_form_has_any_groups(tmp_path: Path) -> None:
    async def put(lengths: LeafLengths) -> None:
        assert not await lengths.has_groups(FORM)
        await lengths.put(FORM, [group(1)], TABLE, None)
        assert await lengths.has_groups(FORM)
        assert not await lengths.has_groups(b"g" * 20)

    async def look(lengths: LeafLengths) -> None:
        assert await lengths.has_groups(FORM)

    run(tmp_path, put)
    run(tmp_path, look)
