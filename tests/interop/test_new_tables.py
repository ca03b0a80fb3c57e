"""New tables made through a mount, and by the real dolt from the same text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import Mount, copied
from tests.support.repositories import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dolt import Dolt

pytestmark = [pytest.mark.dolt, pytest.mark.fuse, pytest.mark.timeout(300)]

TEXTS = {
    entry["table"]: entry
    for entry in json.loads((GOLDEN / "import" / "new_tables.json").read_text())["tables"]
}


@pytest.fixture
def mount(primes_url: str, tmp_path: Path) -> Iterator[Mount]:
    mount = Mount(primes_url, tmp_path / "mount")
    mount.home.mkdir()
    try:
        yield mount.mount()
    finally:
        mount.close()


@pytest.mark.parametrize("table", ["every_type", "uuid_key", "keyless_duplicates", "many"])
def test_a_text_becomes_the_table_that_dolt_makes_of_it(
    mount: Mount, tmp_path: Path, dolt: Dolt, table: str
) -> None:
    text = TEXTS[table]["text"]
    theirs = dolt.clone(mount.url, "theirs")
    (theirs.directory / "text.csv").write_text(text)
    if TEXTS[table]["keyed"]:
        key = text.partition(",")[0]
        theirs.dolt("schema", "import", "-c", "--pks", key, table, "text.csv")
        theirs.dolt("table", "import", "-u", table, "text.csv")
    else:
        theirs.dolt("table", "import", "-c", table, "text.csv")
    (theirs.directory / "text.csv").unlink()

    (mount / "main" / f"{table}.csv").write_text(text)
    assert mount.umount().returncode == 0
    ours = dolt.clone(mount.url, "ours")
    ours.check()
    query = "select dolt_hashof_db('WORKING')"
    assert ours.hash_of(table) == theirs.hash_of(table)
    assert ours.sql(query) == theirs.sql(query)
    assert ours.export(table) == theirs.export(table)


def test_renaming_a_table_is_dolts_rename_table(mount: Mount, dolt: Dolt) -> None:
    theirs = dolt.clone(mount.url, "theirs")
    theirs.dolt("sql", "-q", "rename table primes to numbers")
    (mount / "main" / "primes.csv").rename(mount / "main" / "numbers.csv")
    assert mount.umount().returncode == 0
    ours = dolt.clone(mount.url, "ours")
    ours.check()
    query = "select dolt_hashof_db('WORKING')"
    assert ours.sql(query) == theirs.sql(query)
    assert len(ours.sql("select * from dolt_diff where commit_hash = hashof('HEAD')")) <= 2


def test_a_removed_table_is_dropped_as_dolt_drops_it(mount: Mount, dolt: Dolt) -> None:
    theirs = dolt.clone(mount.url, "theirs", "merged")
    theirs.dolt("sql", "-q", "drop table twins")
    (mount / "merged" / "twins.csv").unlink()
    assert mount.umount().returncode == 0
    ours = dolt.clone(mount.url, "ours", "merged")
    ours.check()
    query = "select dolt_hashof_db('WORKING')"
    assert ours.sql(query) == theirs.sql(query)


def test_cp_makes_a_copy_with_the_tables_schema(tmp_path: Path, dolt: Dolt) -> None:
    """On its own branch as `CREATE TABLE … LIKE` does; on another one it is the same table."""
    url = copied("primes", tmp_path)
    clone = dolt.clone(url, "clone")
    clone.commit(
        "create table goods (code varchar(9), price decimal(8,2) default 1.5, at datetime,"
        " note text, kind enum('a','b'), n int unsigned, primary key (code), unique key k (n),"
        " key at_price (at, price))",
        "insert into goods values ('x', 2.5, '2024-01-02', 'note', 'a', 7), ('a', 1, null, null,"
        " 'b', 3)",
    )
    clone.dolt("push", "origin", "main")
    address = clone.hash_of("goods")
    clone.dolt("sql", "-q", "create table doubled like goods")
    clone.dolt("sql", "-q", "insert into doubled select * from goods")

    mount = Mount(url, tmp_path / "mount")
    mount.home.mkdir()
    try:
        mount.mount()
        assert mount.sh("cp goods.csv doubled.csv").returncode == 0
        assert mount.sh("cp goods.csv ../merged/").returncode == 0
        assert mount.umount().returncode == 0
    finally:
        mount.close()
    ours = dolt.clone(url, "ours")
    ours.check()
    assert ours.hash_of("doubled") == clone.hash_of("doubled")
    other = dolt.clone(url, "other", "merged")
    other.check()
    assert other.hash_of("goods") == address
