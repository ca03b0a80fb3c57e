"""Dolt's own tables: read, and filled where users fill them, with dolt's hash as the result."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from pyfs._core import BuiltTable
from pyfs.repo.repository import Repository
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.system_tables import system_refusal
from tests.support.repositories import (
    built,
    expected,
    expected_rows,
    golden_remote,
    head_of,
    opened,
    text_of,
)

DOCS = b'doc_name,doc_text\nREADME.md,"hello\nworld"\n'
TABLES = ("docs", "ignore", "nonlocal_tables", "procedures", "query_catalog", "schemas", "tests")


def run_with(remote: str, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]) -> None:
    async def main() -> None:
        async with opened(golden_remote(remote), cache_dir) as repository:
            await body(repository)

    trio.run(main)


def hash_of(table: str) -> str:
    (row,) = expected_rows("system", "main", f"{table}.hash.json")
    return str(row["h"])


def text_by_dolt(table: str) -> bytes:
    return DOCS if table == "dolt_docs" else expected("system", "main", f"{table}.csv")


@pytest.mark.parametrize("table", [f"dolt_{name}" for name in TABLES])
def test_a_table_of_dolts_is_read_and_built_as_it_is(tmp_path: Path, table: str) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        assert str(head.all_tables[table]) == hash_of(table)
        text = await text_of(head, table)
        assert text == (
            DOCS if table == "dolt_docs" else expected("system", "main", f"{table}.csv")
        )
        if system_refusal(table) is None:
            assert await repository.refuses_writes(head, table) is None
            assert str((await built(head, table, text)).address) == hash_of(table)
        else:
            reason = await repository.refuses_writes(head, table)
            assert reason == "Dolt keeps it itself; change what it is about with dolt"

    run_with("system", tmp_path, body)


@pytest.mark.parametrize("table", ["dolt_docs", "dolt_ignore"])
def test_the_first_row_makes_the_table_that_dolt_makes(tmp_path: Path, table: str) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        assert table not in head.all_tables
        text = text_by_dolt(table)
        table_built = await first(repository, head, table, text)
        assert str(table_built.address) == hash_of(table)
        saved = await repository.save("main", head.commit.address, {table: table_built}, None)
        snapshot = await repository.snapshot(saved.commit)
        assert await text_of(snapshot, table) == text
        assert table not in snapshot.tables
        assert snapshot.commit.message == f"Update {table}: +1 -0 ~0 rows"

    run_with("primes", tmp_path, body)


async def first(repository: Repository, head: Snapshot, table: str, text: bytes) -> BuiltTable:
    schema = repository.system_schema(table, await repository.column_tags(head))
    assert schema is not None
    build = repository.start_new(schema)
    build.feed(text)
    return build.finish().result()


def test_other_tables_of_dolts_are_not_made(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        for table in ("dolt_tests", "dolt_schemas", "primes"):
            assert repository.system_schema(table, set()) is None

    run_with("primes", tmp_path, body)
