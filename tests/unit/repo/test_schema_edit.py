import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from pyfs._core import Address, BuiltTable
from pyfs.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidNameError,
    InvalidTextError,
    UnsupportedError,
)
from pyfs.repo.change import Edited
from pyfs.repo.repository import Repository, Saved
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    GOLDEN,
    expected_rows,
    golden_remote,
    head_of,
    opened,
    save_text,
    text_of,
)

CASES: list[dict[str, Any]] = json.loads((GOLDEN / "schema" / "cases.json").read_text())
REFUSED = {
    "rename and retype",
}
"""What pyfs refuses that dolt does; the core's tests say why."""


def run_with(
    remote: MemoryRemote, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened(remote, cache_dir) as repository:
            await body(repository)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


async def edited(repository: Repository, table: str, text: str) -> Edited:
    head = (await head_of(repository)).commit.address
    built = await repository.edited_table(head, table, text.encode())
    assert built is not None
    return built


async def save(repository: Repository, table: str, text: str) -> Saved:
    head = (await head_of(repository)).commit.address
    return await repository.save("main", head, {table: await edited(repository, table, text)}, None)


async def last_message(repository: Repository) -> str:
    return (await head_of(repository)).commit.message


def test_schemas_are_shown_as_dolt_shows_them(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        for table in head.tables:
            (row,) = expected_rows("types", "main", f"{table}.schema.json")
            text = await repository.schema_text(head, table)
            assert text.decode() == row["Create Table"] + ";\n"

    run_with(golden_remote("types"), tmp_path, body)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["what"] not in REFUSED], ids=lambda case: case["what"]
)
def test_the_database_is_dolts_after_an_edit(tmp_path: Path, case: dict[str, Any]) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        saved = await save(repository, case["table"], case["text"])
        assert saved.changed
        after = await head_of(repository)
        assert after.commit.root == Address.parse(case["root"])
        assert after.commit.message == f"Alter {case['table']}"
        assert after.commit.parents == [head.commit.address]
        text = await repository.schema_text(after, case["table"])
        assert text.decode() == case["text"] + ";\n"

    run_with(MemoryRemote.of_directory(GOLDEN / "schema" / "remote"), tmp_path, body)


def test_a_created_table_takes_rows(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        await save(repository, "t", "CREATE TABLE t (b int, a int, PRIMARY KEY (a), KEY (b))")
        assert await last_message(repository) == "Create t"
        await save_text(repository, "t", b"a,b\n2,1\n1,\n")
        assert await last_message(repository) == "Update t: +2 -0 ~0 rows"
        assert await text_of(await head_of(repository), "t") == b"b,a\n,1\n1,2\n"
        await save(repository, "t", "CREATE TABLE t (a int PRIMARY KEY, b bigint, KEY (b))")
        assert await text_of(await head_of(repository), "t") == b"a,b\n1,\n2,1\n"

    run_with(golden_remote("primes"), tmp_path, body)


def test_the_text_of_a_table_as_it_is_is_no_change(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        for table in head.tables:
            text = await repository.schema_text(head, table)
            assert await repository.edited_table(head.commit.address, table, text) is None

    run_with(golden_remote("types"), tmp_path, body)


def test_rows_that_stay_are_not_read(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        text = (await repository.schema_text(head, "primes")).decode()
        built = await edited(repository, "primes", text.replace(";", " COMMENT='c'"))
        assert isinstance(built.table, BuiltTable)
        assert built.table.measured_count == 0
        assert built.table.table.rows.address == (await head.table("primes")).table.rows.address

    run_with(golden_remote("primes"), tmp_path, body)


def test_another_clients_change_is_not_undone(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = (await head_of(repository)).commit.address
        text = (await repository.schema_text(await head_of(repository), "primes")).decode()
        built = await edited(repository, "primes", text.replace("`val` int", "`val` bigint"))
        await save(repository, "primes", text.replace("`val` int", "`val` int COMMENT 'c'"))
        with pytest.raises(ConflictError):
            await repository.save("main", base, {"primes": built}, None)

    run_with(golden_remote("primes"), tmp_path, body)


def test_texts_are_refused_with_a_reason(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        for table, text, error, part in [
            ("primes", "CREATE TABLE p (i int)", InvalidTextError, "that of table"),
            ("primes", "", InvalidTextError, "CREATE is expected"),
            ("primes", "CREATE TABLE primes (i date)", InvalidTextError, "for a date"),
            ("dolt_x", "CREATE TABLE dolt_x (i int)", UnsupportedError, "Dolt's own"),
            ("PRIMES", "CREATE TABLE PRIMES (i int)", AlreadyExistsError, "same name"),
            ("x" * 65, f"CREATE TABLE {'x' * 65} (i int)", InvalidNameError, "no name"),
        ]:
            with pytest.raises(error, match=part):
                await edited(repository, table, text)

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_row_without_a_place_is_named(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        text = "CREATE TABLE primes (i tinyint PRIMARY KEY, val decimal(2,0))"
        with pytest.raises(InvalidTextError, match=r"the row on line \d+ of the table has"):
            await edited(repository, "primes", text)

    run_with(golden_remote("primes"), tmp_path, body)


def test_foreign_keys_stay(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        text = (await repository.schema_text(head, "child")).decode()
        await save(repository, "child", text.replace("`qty` int", "`qty` int COMMENT 'c'"))
        after = await head_of(repository)
        assert after.root.foreign_keys == head.root.foreign_keys
        assert "FOREIGN KEY" in (await repository.schema_text(after, "child")).decode()
        parent = (await repository.schema_text(after, "parent")).decode()
        with pytest.raises(UnsupportedError, match="fk_parent"):
            await edited(repository, "parent", parent.replace("`id` int", "`id` bigint"))

    run_with(golden_remote("types"), tmp_path, body)


async def make(repository: Repository, table: str) -> Saved:
    return await save(repository, table, f"CREATE TABLE `{table}` (`n` int NOT NULL PRIMARY KEY)")


@pytest.mark.parametrize(
    ("golden", "name", "reason"),
    [
        ("primes", "Primes", "there is a table 'primes'"),
        ("system", "V", "there is a view 'v'"),
    ],
)
def test_a_name_that_dolt_cannot_tell_from_another_is_taken(
    golden: str, name: str, reason: str, tmp_path: Path
) -> None:
    remote = golden_remote(golden)

    async def body(repository: Repository) -> None:
        with pytest.raises(AlreadyExistsError, match=reason):
            await make(repository, name)
        await make(repository, f"{name}2")

    run_with(remote, tmp_path, body)


@pytest.mark.parametrize(
    ("key_type", "twice", "shown"),
    [
        ("int", ("7", "07"), "7"),
        ("decimal(5,2)", ("1.5", "1.50"), '"1.50"'),
        ("datetime", ("2020-01-02", "2020-01-02 00:00:00"), '"2020-01-02 00:00:00"'),
        ("enum('a','b')", ("b", "2"), '"b"'),
        ("varchar(9)", ("x y", "x y"), '"x y"'),
    ],
)
def test_a_key_that_stands_twice_is_named_as_it_is_shown(
    key_type: str, twice: tuple[str, str], shown: str, tmp_path: Path
) -> None:
    async def body(repository: Repository) -> None:
        await save(repository, "t", f"CREATE TABLE t (k {key_type} NOT NULL PRIMARY KEY)")
        with pytest.raises(InvalidTextError, match=re.escape(f"primary key (k) = ({shown})")):
            await save_text(repository, "t", "\n".join(("k", *twice, "")).encode())

    run_with(golden_remote("primes"), tmp_path, body)
