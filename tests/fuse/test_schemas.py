"""Schemas through `.pyfs/schema/`, by ordinary tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.mounts import Mount

pytestmark = pytest.mark.fuse

PRIMES = """\
CREATE TABLE `primes` (
  `i` int NOT NULL,
  `val` int,
  PRIMARY KEY (`i`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin;
"""
SCHEMA = ".pyfs/schema"
CREATE = "CREATE TABLE t (id int PRIMARY KEY, name varchar(20) NOT NULL)"


def schema(mount: Mount, table: str, branch: str = "main") -> str:
    return (mount / branch / SCHEMA / f"{table}.sql").read_text()


def test_a_schema_is_read_as_dolt_prints_it(primes: Mount) -> None:
    done = primes.sh(f"ls {SCHEMA}; cat {SCHEMA}/primes.sql; stat -c %s {SCHEMA}/primes.sql")
    assert done.stdout == f"primes.sql\n{PRIMES}{len(PRIMES)}\n", done.stderr


def test_a_table_is_created_then_saved(primes: Mount) -> None:
    done = primes.sh(
        f"echo '{CREATE}' > {SCHEMA}/t.sql && cat t.csv &&"
        r" printf 'name,id\nada,2\ngrace,1\n' > $OUT/t.csv && cp $OUT/t.csv t.csv && cat t.csv"
    )
    assert done.stdout == "id,name\nid,name\n1,grace\n2,ada\n", done.stderr
    assert primes.log()[:2] == ["Update t: +2 -0 ~0 rows", "Create t"]
    assert "`name` varchar(20) NOT NULL,\n" in schema(primes, "t")


CHANGE = "sed 's/`val` int,/`val` bigint,/'"
EDITS = {
    "sed -i": "sed -i 's/`val` int,/`val` bigint,/' FILE",
    "cp": f"{CHANGE} FILE > $OUT/x; cp $OUT/x FILE",
    "external >": f"{CHANGE} FILE > $OUT/x; cat $OUT/x > FILE",
    "group": f'x=$({CHANGE} FILE); {{ echo "-- an edit"; echo "$x"; }} > FILE',
    "perl -pi": "perl -pi -e 's/`val` int,/`val` bigint,/' FILE",
    "dd fsync": f"{CHANGE} FILE > $OUT/x; dd if=$OUT/x of=FILE conv=fsync status=none",
}


@pytest.mark.parametrize("tool", EDITS)
def test_an_edit_is_one_commit(primes: Mount, tool: str) -> None:
    before = (primes / "main" / "primes.csv").read_bytes()
    count = len(primes.log())
    done = primes.sh(EDITS[tool].replace("FILE", f"{SCHEMA}/primes.sql"))
    assert (done.returncode, done.stderr) == (0, "")
    assert schema(primes, "primes") == PRIMES.replace("`val` int,", "`val` bigint,")
    assert (primes / "main" / "primes.csv").read_bytes() == before
    assert primes.log()[0] == "Alter primes"
    assert len(primes.log()) == count + 1


def test_columns_are_added_dropped_and_renamed(primes: Mount) -> None:
    file = f"{SCHEMA}/primes.sql"
    rows = (primes / "main" / "primes.csv").read_text().splitlines()[1:]
    assert primes.sh(f"sed -i 's/`val`/`value`/' {file}").returncode == 0
    assert primes.sh("head -1 primes.csv").stdout == "i,value\n"
    assert primes.sh(f"sed -i \"2i\\  \\`n\\` int DEFAULT '7',\" {file}").returncode == 0
    text = (primes / "main" / "primes.csv").read_text()
    assert text.splitlines() == ["n,i,value", *(f"7,{row}" for row in rows)]
    assert primes.sh(f"sed -i '/`value`/d' {file}").returncode == 0
    text = (primes / "main" / "primes.csv").read_text()
    assert text.splitlines() == ["n,i", *(f"7,{row.split(',')[0]}" for row in rows)]


def test_the_same_text_makes_no_commit(primes: Mount) -> None:
    before = primes.log()
    file = f"{SCHEMA}/primes.sql"
    done = primes.sh(
        f"cp {file} $OUT/x; cp $OUT/x {file}; touch {file}; tr A-Z a-z < $OUT/x > {file}"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert primes.log() == before


REFUSED = {
    "a mistake": (
        "env printf 'CREATE TABLE primes (\\n  i int,\\n  val intt\\n)' > FILE",
        "not supported",
        "line 3, column 3",
    ),
    "an end too soon": (
        "/bin/echo 'CREATE TABLE primes (i int' > FILE",
        "Invalid argument",
        "line: 1",
    ),
    "another name": ("/bin/echo 'CREATE TABLE p (i int)' > FILE", "Invalid argument", "column: 14"),
    "two statements": (
        "/bin/echo 'CREATE TABLE primes (i int); SELECT 1' > FILE",
        "Invalid argument",
        "one statement",
    ),
    "a row without a place": (
        "sed -i 's/`val` int/`val` tinyint unsigned/; s/,$/,/' FILE;"
        " sed -i 's/`val` tinyint unsigned/`val` decimal(2,1)/' FILE",
        "Invalid argument",
        "the row on line",
    ),
    "a value that dolt does not convert": (
        "sed -i 's/`val` int/`val` date/' FILE",
        "Invalid argument",
        "dolt does not take it for a date",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_text_changes_nothing(primes: Mount, what: str) -> None:
    script, said, status = REFUSED[what]
    before = (primes / "main" / "primes.csv").read_bytes()
    done = primes.sh(script.replace("FILE", f"{SCHEMA}/primes.sql"))
    assert said in done.stderr
    assert status in primes.status(), primes.status()
    assert "file: schema/primes.sql" in primes.status()
    assert (primes / "main" / "primes.csv").read_bytes() == before
    assert len(primes.recovered()) == 1


def test_a_schema_goes_with_its_table_only(primes: Mount) -> None:
    done = primes.sh(f"rm {SCHEMA}/primes.sql; mv {SCHEMA}/primes.sql {SCHEMA}/p.sql")
    assert done.stderr.count("Operation not permitted") == 2
    assert schema(primes, "primes") == PRIMES


def test_an_edit_does_not_undo_anothers(mounts: Callable[..., Mount]) -> None:
    one = mounts("primes").mount()
    two = mounts("primes").mount()
    file = f"{SCHEMA}/primes.sql"
    done = one.sh(
        f"cat {file} > $OUT/x;"
        f" sed -i 's/`val` int,/`val` int COMMENT \"c\",/' {two / 'main'}/{file};"
        f" sed -i 's/int,/bigint,/' $OUT/x; cp $OUT/x {file}"
    )
    assert "Stale file handle" in done.stderr
    assert "changed by another client" in one.status()
    assert schema(two, "primes") == PRIMES.replace("`val` int", "`val` int COMMENT 'c'")
