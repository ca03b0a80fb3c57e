"""What was not edited stays as it is stored, though a text does not show all of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from pyfs._core import TableBuild
from pyfs.errors import InvalidTextError
from pyfs.formats import Format
from pyfs.repo.repository import Repository
from tests.support.kept import CASES, GOLDEN, Case, hashes
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import built, head_of, opened, text_of

HASHES = hashes()
DATES = next(case for case in CASES if case.table == "dates")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_plain_case = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.table not in ("documents", "texts")],
    ids=lambda case: case.name,
)
"""Those whose fields hold no commas."""


@pytest.fixture(scope="module")
def remote() -> MemoryRemote:
    return MemoryRemote.of_directory(GOLDEN / "remote")


@pytest.fixture
def run(remote: MemoryRemote, tmp_path: Path) -> Callable[..., Any]:
    """Runs something with a repository over `remote`."""

    def run(body: Callable[..., Any], *arguments: Any) -> Any:
        async def main() -> Any:
            async with opened(remote, tmp_path) as repository:
                return await body(repository, *arguments)

        return trio.run(main)

    return run


async def saved(
    repository: Repository,
    case: Case,
    text: bytes,
    format: Format = Format.CSV,
    *,
    read: bool = True,
) -> str:
    """The hash of the table once it has the rows of *text*; *read* before, or never."""
    head = await head_of(repository)
    if read:
        await text_of(head, case.table, format)
    return str((await built(head, case.table, text, format)).address)


async def shown(repository: Repository, case: Case) -> bytes:
    return await text_of(await head_of(repository), case.table)


def lines(text: bytes) -> tuple[bytes, list[bytes]]:
    """The header and the other lines of a text without line ends in fields."""
    header, *rows = text.splitlines(keepends=True)
    return header, rows


@each_case
def test_a_change_gives_dolts_hash(case: Case, run: Callable[..., Any]) -> None:
    text = case.edited(run(shown, case))
    assert run(saved, case, text) == HASHES[case.name]


@each_case
def test_so_it_does_in_whatever_order_the_rows_come(case: Case, run: Callable[..., Any]) -> None:
    header, rows = lines(case.edited(run(shown, case)))
    text = header + b"".join(reversed(rows))
    assert run(saved, case, text) == HASHES[case.name]


@each_case
def test_so_it_does_where_the_old_text_was_never_read(
    case: Case, remote: MemoryRemote, tmp_path: Path
) -> None:
    async def main() -> None:
        async with opened(remote, tmp_path / "reader") as repository:
            text = case.edited(await shown(repository, case))
        async with opened(remote, tmp_path / "writer") as repository:
            assert await saved(repository, case, text, read=False) == HASHES[case.name]

    trio.run(main)


@each_plain_case
def test_so_it_does_where_columns_come_in_another_order(
    case: Case, run: Callable[..., Any]
) -> None:
    header, rows = lines(case.edited(run(shown, case)))
    turned = [b",".join(reversed(line.rstrip(b"\n").split(b","))) for line in (header, *rows)]
    text = b"\n".join([*turned, b""])
    assert run(saved, case, text) == HASHES[case.name]


@each_plain_case
def test_so_it_does_in_tabs(case: Case, run: Callable[..., Any]) -> None:
    text = case.edited(run(shown, case)).replace(b",", b"\t")
    assert run(saved, case, text, Format.TSV) == HASHES[case.name]


async def unchanged(repository: Repository, format: Format) -> dict[str, bool]:
    """Which tables are what they were after their own text was saved, turned around."""
    head = await head_of(repository)
    same = {}
    for table in head.tables:
        text = await text_of(head, table, format)
        rows = text.splitlines(keepends=True)
        names = [] if format is Format.JSONL else [rows.pop(0)]
        again = b"".join([*names, *reversed(rows)])
        change = await built(head, table, again, format)
        same[table] = change.address == (await head.table(table)).address
    return same


@pytest.mark.parametrize("format", [Format.CSV, Format.TSV, Format.JSONL])
def test_a_text_that_is_only_turned_around_changes_nothing(
    format: Format, run: Callable[..., Any]
) -> None:
    same = run(unchanged, format)
    assert all(same.values()), same
    assert len(same) == len({case.table for case in CASES})


@pytest.mark.parametrize(
    ("old", "new", "line", "value"),
    [
        ("1,99-12-31,12", "1,98-12-31,12", 2, "98-12-31"),
        ("1,99-12-31,12", "1,99-12-30,12", 2, "99-12-30"),
        # What another row has.
        ("\n2,2024-01-02", "\n2,99-12-31", 3, "99-12-31"),
        ("\n3,10-", "\n4,10-", 4, "10-01-02"),
    ],
)
def test_what_no_stored_row_shows_is_refused(
    old: str, new: str, line: int, value: str, run: Callable[..., Any]
) -> None:
    text = run(shown, DATES)
    assert text.count(old.encode()) == 1
    with pytest.raises(InvalidTextError) as caught:
        run(saved, DATES, text.replace(old.encode(), new.encode()))
    error = caught.value
    assert (error.line, error.column, error.value) == (line, "d", value)


@pytest.mark.parametrize(
    ("table", "old", "new", "line"),
    [
        ("checked", "\n3,70,140,3\n", "\n3,70,140,30\n", 4),
        ("checked", "\n2,1,2,2\n", "\n2,51,102,2\n", 3),
        ("log_checked", "\n1,2,2\n", "\n60,120,1\n", None),
    ],
)
def test_rows_that_break_a_check_stay_and_none_comes(
    table: str, old: str, new: str, line: int | None, run: Callable[..., Any]
) -> None:
    case = next(case for case in CASES if case.table == table)
    text = run(shown, case)
    assert text.count(old.encode()) == 1
    with pytest.raises(InvalidTextError, match="it breaks the CHECK constraint") as caught:
        run(saved, case, text.replace(old.encode(), new.encode()))
    assert line in (None, caught.value.line)


def test_without_the_old_rows_these_changes_give_other_hashes(run: Callable[..., Any]) -> None:
    """Else the tests above would show nothing."""

    async def alone(repository: Repository, case: Case) -> bool:
        head = await head_of(repository)
        text = case.edited(await shown(repository, case))
        version = await head.table(case.table)
        build = TableBuild(version.as_text.schema, version.as_text.table)
        try:
            build.feed(text)
            return str(build.finish().result().address) == HASHES[case.name]
        except InvalidTextError:
            return False

    assert [case.name for case in CASES if run(alone, case)] == []
