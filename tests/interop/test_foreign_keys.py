"""Foreign keys hold after every save, and what follows from it is what dolt makes of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.errors import InvalidTextError, UnsupportedError
from tests.support.dolt import Dolt
from tests.support.foreign_keys import CHANGES, REFUSALS, SCHEMA_CHANGES, Recorded
from tests.support.mounts import Mount
from tests.support.repositories import built, head_of, opened_url

if TYPE_CHECKING:
    from pathlib import Path

    from pyfs._core import BuiltTable

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Made once; each test leaves its clone as it was."""
    if not Dolt.found():
        pytest.skip("the real dolt is not on PATH (https://github.com/dolthub/dolt)")
    home = tmp_path_factory.mktemp("keys")
    return Recorded.make(Dolt.at(home / "dolt"), home / "remote")


def copied(recorded: Recorded, to: Path) -> str:
    shutil.copytree(recorded.clone.directory.parent.parent / "remote", to)
    return to.as_uri()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_same_change_gives_dolts_root(
    recorded: Recorded, tmp_path: Path, change: object
) -> None:
    chosen = next(known for known in CHANGES if known is change)
    answer = recorded.answer(chosen)

    async def main() -> None:
        url = copied(recorded, tmp_path / "remote")
        async with opened_url(url, tmp_path / "cache") as repository:
            head = await head_of(repository)
            changes: dict[str, BuiltTable | None] = {
                table: None if text is None else await built(head, table, text.encode())
                for table, text in answer["tables"].items()
            }
            await repository.save("main", head.commit.address, changes, None)
            assert str((await head_of(repository)).commit.root) == answer["root"]

    trio.run(main)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_what_dolt_refuses_is_refused(recorded: Recorded, tmp_path: Path, refusal: object) -> None:
    chosen = next(known for known in REFUSALS if known is refusal)
    answer = recorded.refusal(chosen)

    async def main() -> None:
        url = copied(recorded, tmp_path / "remote")
        async with opened_url(url, tmp_path / "cache") as repository:
            head = await head_of(repository)
            (table,) = answer["tables"]
            change = await built(head, table, answer["tables"][table].encode())
            with pytest.raises(InvalidTextError):
                await repository.save("main", head.commit.address, {table: change}, None)

    trio.run(main)


@pytest.mark.parametrize("change", SCHEMA_CHANGES, ids=lambda change: change.name)
def test_a_schema_gives_dolts_root(recorded: Recorded, tmp_path: Path, change: object) -> None:
    chosen = next(known for known in SCHEMA_CHANGES if known is change)
    answer = recorded.schema_change(chosen)
    table = answer["table"]

    async def main() -> None:
        url = copied(recorded, tmp_path / "remote")
        async with opened_url(url, tmp_path / "cache") as repository:
            head = (await head_of(repository)).commit.address
            try:
                edit = await repository.edited_table(head, table, answer["text"].encode())
                assert edit is not None
                await repository.save("main", head, {table: edit}, None)
            except (InvalidTextError, UnsupportedError):
                assert chosen.refused
                return
            assert str((await head_of(repository)).commit.root) == answer["root"]

    trio.run(main)


@pytest.mark.fuse
def test_through_the_mount(recorded: Recorded, tmp_path: Path, dolt: Dolt) -> None:
    mount = Mount(copied(recorded, tmp_path / "remote"), tmp_path / "mount")
    mount.home.mkdir()
    try:
        mount.mount()
        books = mount / "main" / "book.csv"
        text = books.read_text()
        with pytest.raises(OSError, match="Invalid argument"):
            books.write_text(text + "20,99,,none\n")
        status = (mount / "main" / ".pyfs" / "status").read_text()
        assert "line: 7\n" in status
        assert "column: author_id\n" in status
        assert "foreign key 'by_id'" in status
        countries = mount / "main" / "country.csv"
        countries.write_text(countries.read_text().replace("jp\n", ""))
        assert "jp" not in (mount / "main" / "city.csv").read_text()
        schema = (mount / "main" / ".pyfs" / "schema" / "book.sql").read_text()
        books.unlink()
        assert mount.run(["sync", "."]).returncode == 0
        assert not books.exists()
        books.write_text(text)
        assert (mount / "main" / ".pyfs" / "schema" / "book.sql").read_text() == schema
        without = schema.replace(
            "REFERENCES `author` (`id`)", "REFERENCES `author` (`id`) ON DELETE CASCADE"
        )
        (mount / "main" / ".pyfs" / "schema" / "book.sql").write_text(without)
        assert mount.umount().returncode == 0
    finally:
        mount.close()
    clone = dolt.clone(mount.url, "clone")
    assert "No problems found" in clone.dolt("fsck")
    assert clone.sql("select id from city order by id") == [["1"], ["2"], ["3"], ["4"]]
    clone.dolt("sql", "-q", "delete from author where id = 3")
    assert clone.sql("select count(*) from book") == [["4"]]
