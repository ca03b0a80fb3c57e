"""Foreign keys hold after every save, as dolt keeps them (`tests/golden/foreign_keys`)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from pyfs._core import BuiltTable
from pyfs.errors import ConflictError, InvalidTextError, UnsupportedError
from pyfs.repo.repository import Repository
from pyfs.repo.snapshot import Snapshot
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    GOLDEN,
    built,
    head_of,
    opened,
    save_text,
    saved_tables,
    stream_everything,
    text_of,
)

KEYS = GOLDEN / "foreign_keys"
ANSWERS: dict[str, list[dict[str, Any]]] = json.loads((KEYS / "cases.json").read_text())


def names(kind: str) -> list[str]:
    return [case["name"] for case in ANSWERS[kind]]


def run_with(cache_dir: Path, body: Callable[[Repository], Awaitable[None]]) -> None:
    async def main() -> None:
        async with opened(MemoryRemote.of_directory(KEYS / "remote"), cache_dir) as repository:
            await body(repository)

    trio.run(main)


async def save_schema(repository: Repository, table: str, text: str) -> None:
    head = (await head_of(repository)).commit.address
    edit = await repository.edited_table(head, table, text.encode())
    assert edit is not None
    await repository.save("main", head, {table: edit}, None)


async def changes_of(
    head: Snapshot, texts: Mapping[str, str | None]
) -> dict[str, BuiltTable | None]:
    return {
        table: None if text is None else await built(head, table, text.encode())
        for table, text in texts.items()
    }


@pytest.mark.parametrize("way", ["built", "edited", "streamed"])
@pytest.mark.parametrize("number", range(len(ANSWERS["changes"])), ids=names("changes"))
def test_a_change_gives_dolts_root(
    tmp_path: Path, number: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = ANSWERS["changes"][number]
    if way == "streamed":
        stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        if way == "edited":
            for table in head.tables:
                await text_of(head, table)
        for table in case["tables"]:
            assert await repository.refuses_writes(head, table) is None
        changes = await changes_of(head, case["tables"])
        saved = await repository.save("main", head.commit.address, changes, None)
        assert str((await head_of(repository)).commit.root) == case["root"]
        assert saved.changed

    run_with(tmp_path, body)


@pytest.mark.parametrize("way", ["built", "streamed"])
@pytest.mark.parametrize("number", range(len(ANSWERS["refusals"])), ids=names("refusals"))
def test_what_dolt_refuses_is_refused(
    tmp_path: Path, number: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = ANSWERS["refusals"][number]
    if way == "streamed":
        stream_everything(monkeypatch)

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        before = await saved_tables(repository)
        changes = await changes_of(head, case["tables"])
        with pytest.raises(InvalidTextError) as caught:
            await repository.save("main", head.commit.address, changes, None)
        error = caught.value
        assert error.reason.startswith(case["why"])
        line, column, value = case["where"]
        if line:
            assert (error.line, error.column, error.value) == (line, column, value)
        assert await saved_tables(repository) == before

    run_with(tmp_path, body)


@pytest.mark.parametrize("number", range(len(ANSWERS["schemas"])), ids=names("schemas"))
def test_a_schema_gives_dolts_root(tmp_path: Path, number: int) -> None:
    case = ANSWERS["schemas"][number]
    table = case["table"]

    async def body(repository: Repository) -> None:
        head = (await head_of(repository)).commit.address
        if "refused" in case:
            with pytest.raises((InvalidTextError, UnsupportedError)):
                await save_schema(repository, table, case["text"])
            assert repository.branches["main"] == head
            return
        await save_schema(repository, table, case["text"])
        after = await head_of(repository)
        assert (await repository.schema_text(after, table)).decode() == case["shown"]
        assert str(after.commit.root) == case["root"]
        again = await repository.edited_table(after.commit.address, table, case["shown"].encode())
        assert again is None

    run_with(tmp_path, body)


@pytest.mark.parametrize("case", ANSWERS["renames"], ids=lambda case: case["old"])
def test_a_renamed_table_gives_dolts_root(tmp_path: Path, case: dict[str, str]) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        assert await repository.refuses_rename(head, case["old"]) is None
        changes = {case["old"]: None, case["new"]: head.tables[case["old"]]}
        await repository.save("main", head.commit.address, changes, None)
        assert str((await head_of(repository)).commit.root) == case["root"]

    run_with(tmp_path, body)


async def edited(head: Snapshot, table: str, old: bytes, new: bytes) -> BuiltTable:
    """*table* with one part of its text replaced."""
    text = await text_of(head, table)
    assert text.count(old) == 1
    return await built(head, table, text.replace(old, new))


def test_what_follows_is_named_in_the_message(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        country = await edited(head, "country", b"\nde\n", b"\n")
        await repository.save("main", head.commit.address, {"country": country}, None)
        message = (await head_of(repository)).commit.message
        assert message == "Update city, country, house, street: +0 -6 ~3 rows"

    run_with(tmp_path, body)


def test_equal_rows_without_a_key_all_follow(tmp_path: Path) -> None:
    """Dolt 2.3.1 leaves one of them, which names nothing then."""

    async def body(repository: Repository) -> None:
        await save_text(repository, "log", b"who,what\n8,w\n8,w\n8,w\n2,x\n")
        head = await head_of(repository)
        tree = await edited(head, "tree", b"\n8,\n", b"\n")
        await repository.save("main", head.commit.address, {"tree": tree}, None)
        assert (await saved_tables(repository))["log"] == b"who,what\n2,x\n"

    run_with(tmp_path, body)


def test_a_key_that_another_row_has_too_is_left_to_dolt(tmp_path: Path) -> None:
    """Dolt takes the children along, although they have a parent still."""

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        wide = await edited(head, "wide", b"1,1,2\n", b"")
        with pytest.raises(UnsupportedError, match="another has the same key"):
            await repository.save("main", head.commit.address, {"wide": wide}, None)
        text = await text_of(head, "wide")
        await save_text(repository, "wide", text + b"7,7,1\n7,7,2\n")
        assert (await save_text(repository, "wide", text + b"7,7,2\n")).changed  # nobody names it

    run_with(tmp_path, body)


def test_a_child_is_checked_against_what_others_saved_meanwhile(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        book = await edited(base, "book", b"13,,,", b"13,4,,")
        author = await edited(base, "author", b"4,,1900\n", b"")
        await repository.save("main", base.commit.address, {"author": author}, None)
        with pytest.raises(InvalidTextError, match="no row with id = 4") as caught:
            await repository.save("main", base.commit.address, {"book": book}, None)
        assert (caught.value.line, caught.value.column) == (5, "author_id")

    run_with(tmp_path, body)


def test_a_parent_is_checked_against_what_others_saved_meanwhile(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        book = await edited(base, "book", b"13,,,", b"13,4,,")
        author = await edited(base, "author", b"4,,1900\n", b"")
        await repository.save("main", base.commit.address, {"book": book}, None)
        with pytest.raises(InvalidTextError, match="cannot be removed: 1 row of table 'book'"):
            await repository.save("main", base.commit.address, {"author": author}, None)

    run_with(tmp_path, body)


def test_rows_that_others_added_follow_too(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        country = await edited(base, "country", b"\njp\n", b"\n")
        city = await edited(base, "city", b"5,jp,nara\n", b"5,jp,nara\n6,jp,kobe\n")
        await repository.save("main", base.commit.address, {"city": city}, None)
        await repository.save("main", base.commit.address, {"country": country}, None)
        saved = await saved_tables(repository)
        assert b"jp" not in saved["city"]
        assert saved["street"] == b"city,no\n1,1\n1,2\n2,1\n3,7\n"

    run_with(tmp_path, body)


def test_a_table_whose_rows_followed_is_a_conflict_for_who_had_read_it(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        city = await edited(base, "city", b"4,,atlantis", b"4,,mu")
        country = await edited(base, "country", b"\njp\n", b"\n")
        await repository.save("main", base.commit.address, {"country": country}, None)
        with pytest.raises(ConflictError):
            await repository.save("main", base.commit.address, {"city": city}, None)

    run_with(tmp_path, body)


def test_a_new_row_does_not_follow_the_parent_that_goes(tmp_path: Path) -> None:
    """It was just written: that its parent goes at once can only be a mistake."""

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        changes = {
            "country": await edited(head, "country", b"\njp\n", b"\n"),
            "city": await edited(head, "city", b"5,jp,nara\n", b"5,jp,nara\n6,jp,kobe\n"),
        }
        with pytest.raises(InvalidTextError, match="no row with name = jp"):
            await repository.save("main", head.commit.address, changes, None)

    run_with(tmp_path, body)


def test_a_parent_is_not_dropped_alone(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        with pytest.raises(UnsupportedError, match="foreign key 'by_code' of table 'book'"):
            await repository.save("main", head.commit.address, {"author": None}, None)
        both: dict[str, BuiltTable | None] = {"author": None, "book": None}
        assert (await repository.save("main", head.commit.address, both, None)).changed

    run_with(tmp_path, body)


def test_a_chain_that_is_too_long_is_refused(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        chain = b"".join(b"%d,%d\n" % (n, n - 1) for n in range(101, 130))
        await save_text(repository, "tree", b"id,above\n100,\n" + chain)
        head = await head_of(repository)
        tree = await edited(head, "tree", b"100,\n", b"")
        with pytest.raises(UnsupportedError, match="more than 15"):
            await repository.save("main", head.commit.address, {"tree": tree}, None)

    run_with(tmp_path, body)


def test_a_child_that_comes_back_has_its_keys_again(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        first = await head_of(repository)
        text = await text_of(first, "book")
        await repository.save("main", first.commit.address, {"book": None}, None)
        gone = await head_of(repository)
        assert "book" not in gone.tables
        assert gone.root.foreign_keys != first.root.foreign_keys
        change = {"book": await built(first, "book", text)}
        await repository.save(
            "main", gone.commit.address, change, None, revived={"book": first.commit.address}
        )
        assert (await head_of(repository)).commit.root == first.commit.root

    run_with(tmp_path, body)


def test_keys_to_parents_that_are_gone_do_not_come_back(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        first = await head_of(repository)
        text = await text_of(first, "book")
        both = {"book": None, "author": None}
        await repository.save("main", first.commit.address, both, None)
        gone = await head_of(repository)
        change = {"book": await built(first, "book", text)}
        await repository.save(
            "main", gone.commit.address, change, None, revived={"book": first.commit.address}
        )
        after = await head_of(repository)
        assert after.root.foreign_keys == gone.root.foreign_keys

    run_with(tmp_path, body)


def test_a_key_whose_name_another_client_took_is_a_conflict(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = (await head_of(repository)).commit.address
        edits = []
        for table in ("one", "two"):
            key = "CONSTRAINT same FOREIGN KEY (x) REFERENCES tree (id)"
            text = f"CREATE TABLE {table} (x int, {key})"
            edit = await repository.edited_table(base, table, text.encode())
            assert edit is not None
            edits.append(edit)
        await repository.save("main", base, {"one": edits[0]}, None)
        with pytest.raises(ConflictError, match="'same'"):
            await repository.save("main", base, {"two": edits[1]}, None)

    run_with(tmp_path, body)


def test_keys_that_another_client_changed_are_a_conflict(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        text = (await repository.schema_text(head, "staff")).decode()
        lines = [line for line in text.splitlines() if "FOREIGN" not in line]
        without = "\n".join(lines).replace("(`boss`),", "(`boss`)")
        base = head.commit.address
        dropped = await repository.edited_table(base, "staff", without.encode())
        cascading = text.replace("(`id`)\n)", "(`id`) ON DELETE CASCADE\n)")
        changed = await repository.edited_table(base, "staff", cascading.encode())
        assert dropped is not None
        assert changed is not None
        assert (await repository.save("main", base, {"staff": dropped}, None)).changed
        assert (await head_of(repository)).commit.message == "Alter staff"
        assert not (await repository.save("main", base, {"staff": dropped}, None)).changed
        with pytest.raises(ConflictError, match="foreign keys of table 'staff'"):
            await repository.save("main", base, {"staff": changed}, None)

    run_with(tmp_path, body)
