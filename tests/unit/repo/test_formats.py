"""Tables in other formats than CSV: their texts, and what is made of texts."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs.errors import InvalidTextError, PyfsError
from pyfs.formats import Format
from pyfs.repo.repository import Repository
from pyfs.repo.snapshot import Snapshot
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    GOLDEN,
    built,
    golden_remote,
    head_of,
    opened,
    save_text,
    saved_tables,
    text_of,
)

TEXTS = [Format.TSV, Format.JSONL]


def run(
    cache_dir: Path,
    body: Callable[[Repository], Awaitable[None]],
    remote: MemoryRemote | None = None,
) -> None:
    async def main() -> None:
        async with opened(remote or golden_remote("types"), cache_dir) as repository:
            await body(repository)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


async def writable(repository: Repository, snapshot: Snapshot) -> list[str]:
    tables = snapshot.tables
    return [t for t in tables if await repository.refuses_writes(snapshot, t) is None]


@pytest.mark.parametrize("format", TEXTS)
@pytest.mark.parametrize("read_before", [False, True], ids=["built", "edited"])
@pytest.mark.parametrize(("old", "new"), [("main", "edited"), ("edited", "main"), ("main", "main")])
def test_a_generated_tables_text_gives_dolts_hash(
    tmp_path: Path, old: str, new: str, read_before: bool, format: Format
) -> None:
    """Forty tables that dolt stored twice: from the one to the other by way of a text."""
    hashes = json.loads((GOLDEN / "generated" / "tables.json").read_text())["hashes"][new]

    async def body(repository: Repository) -> None:
        base, wanted = await head_of(repository, old), await head_of(repository, new)
        different = []
        tables = await writable(repository, base)
        for name in tables:
            if read_before:
                await text_of(base, name, format)
            table = await built(base, name, await text_of(wanted, name, format), format)
            if str(table.address) != hashes[name]:
                different.append(name)
        assert different == []
        assert len(tables) > 25

    run(tmp_path, body, MemoryRemote.of_directory(GOLDEN / "generated" / "remote"))


@pytest.mark.parametrize("format", TEXTS)
def test_saving_what_is_shown_makes_no_commit(tmp_path: Path, format: Format) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        texts = {t: await text_of(head, t, format) for t in await writable(repository, head)}
        changes = {t: await built(head, t, text, format) for t, text in texts.items()}
        saved = await repository.save("main", head.commit.address, changes, None)
        assert not saved.changed
        assert len(changes) == 14

    run(tmp_path, body)


def test_a_save_in_one_format_is_read_in_all(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        before = await text_of(head, "parent")
        text = b'{"n":7,"name":"m\\u00fcller"}\n'
        change = await built(head, "latin", text, Format.JSONL)
        assert change.format == Format.JSONL
        await repository.save("main", head.commit.address, {"latin": change}, None)
        assert (await saved_tables(repository))["latin"] == "name,n\nmüller,7\n".encode()
        head = await head_of(repository)
        assert await text_of(head, "latin", Format.TSV) == "name\tn\nmüller\t7\n".encode()
        assert await text_of(head, "parent") == before

    run(tmp_path, body)


def test_what_is_remembered_of_one_format_is_not_taken_for_another(tmp_path: Path) -> None:
    """Sizes and measures outlive the mount, each for its format."""
    remote = golden_remote("history")
    sizes: dict[Format, int] = {}

    async def first(repository: Repository) -> None:
        head = await head_of(repository)
        for format in [Format.CSV, *TEXTS]:
            sizes[format] = len(await text_of(head, "t", format))

    async def second(repository: Repository) -> None:
        head = await head_of(repository)
        for format in [*TEXTS, Format.CSV]:
            version = await head.table("t", format)
            assert version.size == sizes[format]
            assert len(await text_of(head, "t", format)) == sizes[format]

    run(tmp_path, first, remote)
    run(tmp_path, second, remote)
    assert len(set(sizes.values())) == 2  # tabs are as long as commas


SCHEMA = b"""CREATE TABLE `made` (
  `id` int NOT NULL AUTO_INCREMENT,
  `plain` varchar(20) DEFAULT 'none',
  `bare` varchar(20) NOT NULL DEFAULT 'x',
  `must` int NOT NULL,
  `twice` int NOT NULL DEFAULT ((`must` * 2)),
  `size` enum('s','m') NOT NULL,
  `sum` int GENERATED ALWAYS AS ((`id` + `must`)) STORED,
  `virtual` int GENERATED ALWAYS AS ((`must` + 1)),
  `doc` json,
  `bits` varbinary(4),
  PRIMARY KEY (`id`)
);
"""


async def made(repository: Repository, text: bytes) -> list[dict[str, object]]:
    """The rows of the table of that schema once *text* is saved as it."""
    head = await head_of(repository)
    if "made" not in head.tables:
        table = await repository.edited_table(head.commit.address, "made", SCHEMA)
        await repository.save("main", head.commit.address, {"made": table}, None)
        head = await head_of(repository)
    change = await built(head, "made", text, Format.JSONL)
    await repository.save("main", head.commit.address, {"made": change}, None)
    shown = await text_of(await head_of(repository), "made", Format.JSONL)
    again = await built(await head_of(repository), "made", shown, Format.JSONL)
    assert again.address == change.address
    return [json.loads(line) for line in shown.splitlines()]


def test_what_a_row_lacks_is_null_or_its_default(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        rows = await made(
            repository,
            b'{"must":5}\n{"id":7,"must":6,"plain":null,"twice":1,"doc":{"b":[],"a":1.0}}\n'
            b'{"must":7,"twice":0,"size":"m","bits":"AP8="}\n{"id":0,"must":8,"sum":17}\n',
        )
        lacking: dict[str, object] = {
            "plain": None,
            "bare": "x",
            "size": "s",
            "doc": None,
            "bits": None,
        }
        numbers: list[dict[str, object]] = [
            {"id": 1, "must": 5, "twice": 10, "sum": 6, "virtual": 6},
            {"id": 7, "must": 6, "twice": 1, "sum": 13, "virtual": 7},
            {"id": 8, "must": 7, "twice": 0, "sum": 15, "virtual": 8},
            {"id": 9, "must": 8, "twice": 16, "sum": 17, "virtual": 9},
        ]
        own: list[dict[str, object]] = [
            {},
            {"doc": {"a": 1, "b": []}},
            {"size": "m", "bits": "AP8="},
            {},
        ]
        assert rows == [lacking | of | more for of, more in zip(numbers, own, strict=True)]

    run(tmp_path, body)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        (b'{"must":1}\n{"id":2}\n', 2, "", "the row lacks column"),
        (b'{"must":null}\n', 1, "must", "NOT NULL"),
        (b'{"must":1,"sum":9}\n', 1, "sum", "the column is generated"),
        (b'{"must":1,"virtual":3}\n', 1, "virtual", "the column is generated"),
        (b'{"must":1,"size":null}\n', 1, "size", "NOT NULL"),
        (b'{"must":1,"bare":null}\n', 1, "bare", "NOT NULL"),
        (b'{"must":1,"size":"l"}\n', 1, "size", "not one of"),
        (b'{"must":1,"nonsense":1}\n', 1, "", "which is no column of the table"),
    ],
)
def test_what_a_row_must_have(
    tmp_path: Path, text: bytes, line: int, column: str, reason: str
) -> None:
    async def body(repository: Repository) -> None:
        with pytest.raises(InvalidTextError) as caught:
            await made(repository, text)
        assert (caught.value.line, caught.value.column or "") == (line, column)
        assert reason in caught.value.reason

    run(tmp_path, body)


@pytest.mark.parametrize("format", TEXTS)
def test_one_changed_row_of_many_is_all_that_is_read(tmp_path: Path, format: Format) -> None:
    """The text that stays the same is passed over in these formats too."""

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        text = await text_of(head, "t", format)
        lines = text.splitlines(keepends=True)
        rows = [line for line in lines if line is not lines[len(lines) // 2]]
        change = await built(head, "t", b"".join(rows), format)
        assert 0 < change.measured_count < 5
        assert change.row_count == len(lines) - (2 if format == Format.TSV else 1)
        saved = await repository.save("main", head.commit.address, {"t": change}, None)
        assert saved.changed
        head = await head_of(repository)
        assert await text_of(head, "t", format) == b"".join(rows)
        # What was measured while it was built is remembered for this format.
        assert (await head.table("t", format)).size == len(b"".join(rows))

    run(tmp_path, body, golden_remote("history"))


def test_a_bad_row_in_json_is_refused_at_once(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        build = (await head.table("latin", Format.JSONL)).as_text.start_build()
        build.feed(b'{"name":"a","n":1}\n{"name":"b","n":')
        with pytest.raises(InvalidTextError) as caught:
            build.feed(b'"x"}\n')
        error = caught.value
        assert (error.line, error.column, error.value) == (2, "n", "x")
        with pytest.raises(PyfsError):
            build.feed(b"\n")
        await save_text(repository, "latin", b"name,n\na,1\n")

    run(tmp_path, body)
