import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from pyfs._core import Address, Measure
from pyfs.errors import CorruptionError
from pyfs.repo.leaf_lengths import FILE_NAME, LeafLengths

SCHEMA = b"s" * Address.LEN


def leaf(number: int) -> Address:
    return Address(number.to_bytes(Address.LEN, "big"))


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


def remember(directory: Path, *entries: tuple[Address, int]) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(SCHEMA, [(leaf, Measure.of_length(length)) for leaf, length in entries])

    run(directory, body)


def recalled(directory: Path, *leaves: Address, schema: bytes = SCHEMA) -> list[int]:
    found: list[tuple[Address, Measure]] = []

    async def body(lengths: LeafLengths) -> None:
        found.extend(await lengths.get(schema, leaves))

    run(directory, body)
    return sorted(measure.length for _, measure in found)


def test_lengths_outlive_the_mount(tmp_path: Path) -> None:
    remember(tmp_path / "cache", (leaf(1), 10), (leaf(2), 0))
    assert recalled(tmp_path / "cache", leaf(1), leaf(2), leaf(3)) == [0, 10]


def test_a_measure_comes_back_whole(tmp_path: Path) -> None:
    measure = Measure.of(b"1,one\n2,two\n")

    async def body(lengths: LeafLengths) -> None:
        await lengths.put(SCHEMA, [(leaf(1), measure)])
        assert await lengths.get(SCHEMA, [leaf(1)]) == [(leaf(1), measure)]

    run(tmp_path, body)
    assert measure != Measure.of_length(measure.length)
    with pytest.raises(CorruptionError):
        Measure.parse(b"short")


def test_a_leaf_under_another_schema_is_another_text(tmp_path: Path) -> None:
    remember(tmp_path, (leaf(1), 10))
    assert recalled(tmp_path, leaf(1), schema=b"t" * Address.LEN) == []


def test_many_lengths_at_once(tmp_path: Path) -> None:
    remember(tmp_path, *((leaf(i), i) for i in range(2000)))
    assert recalled(tmp_path, *map(leaf, range(2000))) == list(range(2000))


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, b"SQLite format 3\0" * 99])
def test_a_damaged_database_is_replaced(tmp_path: Path, damage: bytes) -> None:
    remember(tmp_path, (leaf(1), 10))
    (tmp_path / FILE_NAME).write_bytes(damage)
    assert recalled(tmp_path, leaf(1)) == []
    remember(tmp_path, (leaf(1), 10))
    assert recalled(tmp_path, leaf(1)) == [10]


def test_an_entry_that_was_altered_is_not_believed(tmp_path: Path) -> None:
    remember(tmp_path, (leaf(1), 10), (leaf(2), 20))
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(
            "UPDATE lengths SET measure = ? WHERE leaf = ?",
            (bytes(Measure.of_length(11)), bytes(leaf(1))),
        )
    connection.close()
    assert recalled(tmp_path, leaf(1), leaf(2)) == [20]


def test_a_database_of_another_form_is_not_believed(tmp_path: Path) -> None:
    remember(tmp_path, (leaf(1), 10))
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("PRAGMA user_version = 77")
    connection.close()
    assert recalled(tmp_path, leaf(1)) == []


def delete_all(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def test_the_number_of_entries_is_bounded(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        for start in range(0, 400, 50):
            await lengths.put(
                SCHEMA, [(leaf(i), Measure.of_length(i)) for i in range(start, start + 50)]
            )

    run(tmp_path, body, most=100)
    assert len(recalled(tmp_path, *map(leaf, range(400)))) <= 100


def test_a_folder_that_cannot_be_written_costs_only_the_remembering(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    remember(tmp_path / "file" / "cache", (leaf(1), 10))
    assert recalled(tmp_path / "file" / "cache", leaf(1)) == []


def test_it_may_be_deleted_while_in_use(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(SCHEMA, [(leaf(1), Measure.of_length(10))])
        delete_all(tmp_path)
        await lengths.put(SCHEMA, [(leaf(2), Measure.of_length(20))])
        await lengths.get(SCHEMA, [leaf(1), leaf(2)])

    run(tmp_path, body)
    assert recalled(tmp_path, leaf(1)) == []


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    async def body(lengths: LeafLengths) -> None:
        await lengths.put(SCHEMA, [(leaf(1), Measure.of_length(10))])
        await lengths.forget()
        assert await lengths.get(SCHEMA, [leaf(1)]) == []

    run(tmp_path, body)
