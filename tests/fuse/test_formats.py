"""Tables in other formats than CSV, with the tools that read and write them."""

import sys
from collections.abc import Callable

import pytest

from tests.support.mounts import Mount

pytestmark = pytest.mark.fuse


def test_tsv_beside_csv(mounts: Callable[..., Mount]) -> None:
    """cut, awk, sed -i; what one name saves, the other shows at once."""
    mount = mounts("primes", "format=csv+tsv").mount()
    assert mount.sh("ls").stdout.split() == ["primes.csv", "primes.tsv"]
    before = mount.log()
    primes = [line.split(",")[1] for line in mount.sh("cat primes.csv").stdout.splitlines()]
    assert mount.sh("cut -f 2 primes.tsv").stdout.split() == primes
    done = mount.sh("""
        set -e
        tail -n 1 primes.csv
        printf '41\\t179\\n' >> primes.tsv
        tail -n 1 primes.csv
        sed -i '/^41\\t/s/179/181/' primes.tsv
        tail -n 1 primes.csv
        stat -c %s primes.csv
        wc -c < primes.csv
        printf 'a\\tb\\n1\\tx,y\\n' > new.tsv
        cat new.csv
    """)
    assert done.returncode == 0, done.stderr
    last, appended, edited, *sizes, header, row = done.stdout.splitlines()
    assert last != appended
    assert (appended, edited) == ("41,179", "41,181")
    assert len(set(sizes)) == 1
    assert (header, row) == ("a,b", '1,"x,y"')
    assert len(mount.log()) == len(before) + 3


def test_pandas_reads_and_writes_tsv(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "format=tsv").mount()
    script = """
import pandas
table = pandas.read_csv("primes.tsv", sep="\\t")
table.loc[len(table)] = [41, 179]
table.to_csv("primes.tsv", sep="\\t", index=False)
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    assert mount.sh("tail -n 1 primes.tsv").stdout == "41\t179\n"
    done = mount.sh("printf 'x,y\\n' > primes.tsv")
    assert "kept in" in mount.status()
    assert [path.suffix for path in mount.recovered()] == [".tsv"]


def test_jsonl_with_the_tools_that_know_it(mounts: Callable[..., Mount]) -> None:
    """Appending, sed -i, pandas and DuckDB (`COPY … TO` writes `tmp_primes.jsonl` and renames)."""
    mount = mounts("primes", "format=csv,format=jsonl").mount()
    before = mount.log()
    done = mount.sh("""
        set -e
        head -n 1 primes.jsonl
        echo '{"val":179,"i":41}' >> primes.jsonl
        tail -n 1 primes.jsonl
        sed -i 's/:179/:181/' primes.jsonl
        tail -n 1 primes.csv
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ['{"i":1,"val":2}', '{"i":41,"val":179}', "41,181"]
    assert len(mount.log()) == len(before) + 2

    script = """
import pandas
table = pandas.read_json("primes.jsonl", lines=True)
table.to_json("primes.jsonl", orient="records", lines=True)
table.loc[len(table)] = [42, 191]
table.to_json("primes.jsonl", orient="records", lines=True)
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    assert mount.sh("tail -n 1 primes.csv").stdout == "42,191\n"
    assert len(mount.log()) == len(before) + 3

    script = """
import duckdb
duckdb.sql("COPY (SELECT * FROM 'primes.jsonl' WHERE i < 42) TO 'primes.jsonl' (FORMAT JSON)")
print(duckdb.sql("SELECT count(*), sum(val)::BIGINT FROM 'primes.jsonl'").fetchall()[0])
duckdb.sql("COPY (SELECT 1 AS id, 2.5 AS price, DATE '2024-01-02' AS day) TO 'new.jsonl'")
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    values = [int(line.split(",")[1]) for line in mount.sh("cat primes.csv").stdout.split()[1:]]
    assert done.stdout == f"({len(values)}, {sum(values)})\n"
    assert mount.sh("cat new.csv").stdout == "id,price,day\n1,2.5,2024-01-02\n"
    schema = mount.sh("cat .pyfs/schema/new.sql").stdout
    assert "`price` double" in schema
    assert "`day` date" in schema
    assert len(mount.log()) == len(before) + 5


def test_a_refused_row_in_json_is_told_with_line_and_column(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "format=jsonl").mount()
    before = mount.sh("cat primes.jsonl").stdout
    bad = '{"i":1,"val":2}\n{"i":2,"val":"three"}\n'
    (mount.home / "out").mkdir(exist_ok=True)
    (mount.home / "out" / "bad.jsonl").write_text(bad)
    done = mount.sh("cp $OUT/bad.jsonl primes.jsonl")
    assert "Invalid argument" in done.stderr
    status = mount.status()
    for line in ("file: primes.jsonl", "line: 2", "column: val", "value: three"):
        assert line in status
    (kept,) = mount.recovered()
    assert (kept.suffix, kept.read_text()) == (".jsonl", bad)
    assert mount.sh("cat primes.jsonl").stdout == before
    # An empty file is an unfinished save; an empty line is a table without rows.
    assert mount.sh("echo > primes.jsonl; wc -c < primes.jsonl").stdout == "0\n"
    assert mount.sh("echo '{\"i\":1}' >> primes.jsonl; cat primes.jsonl").stdout == (
        '{"i":1,"val":null}\n'
    )


def test_parquet_with_pandas_and_duckdb(mounts: Callable[..., Mount]) -> None:
    """Types are kept both ways; what one name saves, the other shows."""
    mount = mounts("types", "format=csv+parquet").mount()
    before = mount.log()
    script = """
import duckdb, pandas
table = pandas.read_parquet("numbers.parquet")
assert str(table["dbig"][1]) == "-1E-30", table["dbig"][1]
assert table["id"].dtype == "uint64"
table.to_parquet("indexed.copy")
times = duckdb.sql("SELECT d, ts FROM 'times.parquet' WHERE id = 3").fetchall()
assert "2024, 2, 29" in repr(times), times
indexed = pandas.read_parquet("indexed.parquet")
indexed.to_parquet("indexed.parquet", index=False)
indexed.loc[len(indexed)] = [4, "d@x.org", 41, "Paris", pandas.Timestamp(2024, 1, 4)]
indexed["age"] = indexed["age"].astype("Int64")
indexed.to_parquet("indexed.parquet", index=False)
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr + mount.status()
    assert mount.sh("tail -n 1 indexed.csv").stdout == "4,d@x.org,41,Paris,2024-01-04 00:00:00\n"
    assert len(mount.log()) == len(before) + 1

    script = """
import duckdb
duckdb.sql("COPY (SELECT * FROM 'latin.parquet' UNION ALL SELECT 'z', 9) TO 'latin.parquet'")
duckdb.sql("COPY (SELECT 7::USMALLINT AS id, 1.50::DECIMAL(9,2) AS price) TO 'new.parquet'")
"""
    done = mount.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr + mount.status()
    assert "z,9\n" in mount.sh("cat latin.csv").stdout
    assert mount.sh("cat new.csv").stdout == "id,price\n7,1.50\n"
    schema = mount.sh("cat .pyfs/schema/new.sql").stdout
    assert "`id` smallint unsigned NOT NULL" in schema
    assert "`price` decimal(9,2)" in schema
    assert len(mount.log()) == len(before) + 3
    sizes = mount.sh("stat -c %s strings.parquet; wc -c < strings.parquet").stdout.split()
    assert sizes[0] == sizes[1]


def test_a_copied_parquet_file_has_the_schema_of_its_table(mounts: Callable[..., Mount]) -> None:
    mount = mounts("types", "format=parquet").mount()
    before = mount.log()
    done = mount.sh("cp indexed.parquet indexed.parquet; cp strings.parquet copy.parquet")
    schemas = mount.sh("cat .pyfs/schema/strings.sql .pyfs/schema/copy.sql").stdout
    first, second = schemas.replace("`copy`", "`strings`").split(";\n")[:2]
    assert first == second
    assert len(mount.log()) == len(before) + 1, done.stderr
    assert mount.sh("cmp strings.parquet copy.parquet").returncode == 0


def test_a_refused_parquet_file_is_told_with_row_and_column(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "format=parquet").mount()
    before = mount.log()
    script = """
import pandas
table = pandas.read_parquet("primes.parquet")
table["val"] = table["val"].astype(str)
table.loc[1, "val"] = "three"
table.to_parquet("primes.parquet", index=False)
"""
    done = mount.run([sys.executable, "-c", script])
    assert "error closing file" in done.stderr
    status = mount.status()
    for line in ("file: primes.parquet", "row: 2", "column: val", "value: three"):
        assert line in status, status
    (kept,) = mount.recovered()
    assert kept.suffix == ".parquet"
    assert kept.read_bytes().startswith(b"PAR1")
    done = mount.sh("cp /bin/true primes.parquet")
    assert "Invalid argument" in done.stderr
    assert "it is no Parquet file" in mount.status()
    assert mount.log() == before
