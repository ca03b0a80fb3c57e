"""Schemas that pyfs writes are those that the real dolt would have written."""

from pathlib import Path

import pytest
import trio

from tests.support.dolt import Clone, Dolt
from tests.support.repositories import head_of, opened_url

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]

CREATES = [
    "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) NOT NULL DEFAULT 'x', KEY k (a(3)))",
    "CREATE TABLE t (a int, b text, UNIQUE KEY (b)) COMMENT='keyless'",
    "CREATE TABLE t (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, d decimal(5,2) DEFAULT 1.5,"
    " e enum('a','b') DEFAULT 'b', s set('x','y'), b bit(3) DEFAULT b'101') AUTO_INCREMENT=7",
    "CREATE TABLE t (a int, b int, g int GENERATED ALWAYS AS (a + b * 2) STORED,"
    " PRIMARY KEY (b, a), CHECK (a > 0 AND b IN (1,2)), CONSTRAINT c CHECK (g IS NOT NULL))",
    "CREATE TABLE t (a varchar(5) COLLATE utf8mb4_0900_ai_ci, b char(3) CHARACTER SET latin1,"
    " c datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), j json,"
    " p point SRID 4326, y year DEFAULT 2020) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci",
    "CREATE TABLE t (id int PRIMARY KEY, p point NOT NULL SRID 4326, q geometry NOT NULL,"
    " SPATIAL KEY sp (p) COMMENT 'where', SPATIAL INDEX (q), KEY k (id))",
    "CREATE TABLE t (a int UNIQUE PRIMARY KEY, b time DEFAULT '10:00', c time DEFAULT '1:2:3.5',"
    " d float(5,2), e float(30), f double(9,3), g int8, h float(24), i float(25), j tinytext,"
    " KEY (j(63)), CHECK (a > 0), CHECK (a > 0), CHECK (a > 0))",
    "CREATE TABLE t (a int, q polygon NOT NULL, SPATIAL KEY (q), SPATIAL KEY (q))",
    "CREATE TABLE t (id int PRIMARY KEY, e enum('a','A','á') DEFAULT 'A',"
    " s set('a','á') COLLATE utf8mb4_0900_as_ci DEFAULT 'á,a',"
    " f set('a','b') COLLATE utf8mb4_0900_ai_ci DEFAULT 'B')",
]


def write_schema(url: str, cache_dir: Path, table: str, text: str) -> None:
    """Saves *text* as the schema of *table* on main."""

    async def main() -> None:
        async with opened_url(url, cache_dir) as repository:
            head = (await head_of(repository)).commit.address
            built = await repository.edited_table(head, table, text.encode())
            assert built is not None
            await repository.save("main", head, {table: built}, None)

    trio.run(main)


def shown(clone: Clone, table: str) -> str:
    return clone.sql(f"show create table {table}")[0][1]


def root_of(clone: Clone) -> str:
    return clone.sql("select dolt_hashof_db('HEAD')")[0][0]


@pytest.mark.parametrize("text", CREATES)
def test_a_created_table_is_dolts(dolt: Dolt, primes_url: str, tmp_path: Path, text: str) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    theirs.commit(text)
    write_schema(primes_url, tmp_path / "cache", "t", text)
    ours = dolt.clone(primes_url, "ours")
    ours.check()
    assert shown(ours, "t") == shown(theirs, "t")
    assert root_of(ours) == root_of(theirs)


ALTERS = {
    "columns": [["add column n int default 3 after i", "add column z text"]],
    "a name, then a type": [
        ["rename column val to v"],
        ["modify column v bigint", "add index (v)"],
    ],
    "an AUTO_INCREMENT key": [
        ["drop primary key"],
        ["add column id int primary key auto_increment first"],
    ],
    "a drop": [["drop column val", "comment='one column'"]],
    "keys": [["add unique index (val)", "modify column val int not null"]],
    "the primary key": [
        ["modify column val int not null"],
        ["drop primary key, add primary key (i, val)"],
    ],
}


@pytest.mark.parametrize("case", ALTERS)
def test_an_altered_table_is_dolts(dolt: Dolt, primes_url: str, tmp_path: Path, case: str) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    for alters in ALTERS[case]:
        theirs.commit(*(f"alter table primes {alter}" for alter in alters))
        write_schema(primes_url, tmp_path / "cache", "primes", shown(theirs, "primes"))
    ours = dolt.clone(primes_url, "ours")
    ours.check()
    assert shown(ours, "primes") == shown(theirs, "primes")
    assert root_of(ours) == root_of(theirs)


SPATIAL = [
    ["add spatial index (p)"],
    ["add spatial key s (q) comment 'shapes', add column n int"],
    ["rename column q to shape"],
    ["drop index p"],
    # A column that is dropped with its key leaves the key's entries behind in dolt.
    ["drop index s", "drop column shape"],
]


def test_spatial_keys_come_and_go_as_in_dolt(dolt: Dolt, primes_url: str, tmp_path: Path) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    theirs.commit(
        "create table t (id int primary key, p point not null, q geometry not null srid 0)",
        "insert into t with recursive n (i) as (select 0 union all select i + 1 from n"
        " where i < 3000) select i, point(i % 97 - 40, i / 7), st_geomfromtext(concat("
        "'linestring(', i, ' 0,', -i, ' ', i % 13, ')')) from n",
    )
    theirs.dolt("push", "origin", "main")
    for number, alters in enumerate(SPATIAL):
        theirs.commit(*(f"alter table t {alter}" for alter in alters))
        write_schema(primes_url, tmp_path / "cache", "t", shown(theirs, "t"))
        ours = dolt.clone(primes_url, f"ours-{number}")
        ours.check()
        assert root_of(ours) == root_of(theirs), alters


CONVERSIONS = [
    ("double", ["1.5", "-2.5", "1e20", "0.1"], "varchar(40)"),
    ("decimal(9,3)", ["1.500", "-2.5", "7"], "bigint"),
    ("varchar(30)", ["'2024-01-02'", "'2024-1-2 3:4:5'"], "datetime(3)"),
    ("datetime(6)", ["'2024-01-02 03:04:05.5'", "'0000-00-00'"], "date"),
    ("datetime(6)", ["'2024-01-02 03:04:05.5'"], "timestamp"),
    ("datetime(6)", ["'2024-01-02 03:04:05.5'"], "datetime"),
    ("enum('a','b','5')", ["'a'", "'5'"], "enum('x','5','a')"),
    ("set('a','b')", ["'a,b'", "''"], "varchar(9)"),
    ("json", ['\'{"bb": 1.0, "a": [1e3]}\''], "longtext"),
    ("varchar(20)", ["'{\"b\":1}'", "'5'"], "json"),
    ("bit(16)", ["24930", "1"], "blob"),
    ("varbinary(8)", ["'ab'"], "int unsigned"),
    ("year", ["2024", "0"], "time"),
]
ADDED = ["json NOT NULL", "set('a') NOT NULL", "timestamp(3) NOT NULL", "polygon NOT NULL"]


@pytest.mark.parametrize(("before", "values", "after"), CONVERSIONS)
def test_a_converted_column_is_dolts(
    dolt: Dolt, primes_url: str, tmp_path: Path, before: str, values: list[str], after: str
) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    rows = ", ".join(f"({number}, {value})" for number, value in enumerate([*values, "NULL"]))
    theirs.commit(
        f"create table t (id int primary key, v {before}, key (id))", f"insert into t values {rows}"
    )
    theirs.dolt("push", "origin", "main")
    theirs.commit(f"alter table t modify column v {after}")
    write_schema(primes_url, tmp_path / "cache", "t", shown(theirs, "t"))
    ours = dolt.clone(primes_url, "ours")
    ours.check()
    assert ours.export("t") == theirs.export("t")
    assert root_of(ours) == root_of(theirs)


def test_columns_that_are_not_null_are_added_as_in_dolt(
    dolt: Dolt, primes_url: str, tmp_path: Path
) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    theirs.commit(*(f"alter table primes add column n{n} {t}" for n, t in enumerate(ADDED)))
    write_schema(primes_url, tmp_path / "cache", "primes", shown(theirs, "primes"))
    ours = dolt.clone(primes_url, "ours")
    ours.check()
    assert root_of(ours) == root_of(theirs)


def test_a_new_column_has_the_time_and_uuids(dolt: Dolt, primes_url: str, tmp_path: Path) -> None:
    theirs = dolt.clone(primes_url, "theirs")
    theirs.commit(
        "alter table primes add column at datetime default current_timestamp,"
        " add column u char(36) not null default (uuid())"
    )
    write_schema(primes_url, tmp_path / "cache", "primes", shown(theirs, "primes"))
    ours = dolt.clone(primes_url, "ours")
    ours.check()
    assert shown(ours, "primes") == shown(theirs, "primes")
    counted = "select count(distinct at), count(distinct u) = count(*), min(is_uuid(u))"
    assert ours.sql(f"{counted}, min(abs(timestampdiff(minute, at, now()))) < 9 from primes") == [
        ["1", "true", "true", "true"]
    ]
