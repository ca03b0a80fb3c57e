"""Tables as Parquet files, and back."""

import datetime as dt
import decimal
import io
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trio

from pyfs.errors import DuplicateKeyError, InvalidTextError
from pyfs.formats import Format
from pyfs.parquet import in_rows
from pyfs.parquet.export import write_parquet
from pyfs.parquet.ingest import ParquetText
from pyfs.parquet.types import Column, columns_of
from pyfs.repo.repository import Repository
from pyfs.repo.snapshot import Snapshot
from tests.support.kept import CASES, Case, hashes
from tests.support.kept import GOLDEN as KEPT
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import GOLDEN, golden_remote, head_of, opened

REMOTES = ["types", "edge", "edge-addresses", "primes", "history"]


def run(
    cache_dir: Path,
    body: Callable[[Repository], Awaitable[None]],
    remote: MemoryRemote | None = None,
) -> None:
    async def main() -> None:
        async with opened(remote or golden_remote("types"), cache_dir) as repository:
            await body(repository)

    trio.run(main)


async def file_of(snapshot: Snapshot, table: str) -> bytes:
    version = await snapshot.table(table, Format.PARQUET)
    bound = version.size_max
    file = await version.read(0, await version.exact_size())
    assert len(file) == version.size == version.size_max <= bound
    return file


async def address_from(snapshot: Snapshot, table: str, file: Path) -> str:
    """The address of *table* with the rows of *file*."""
    version = (await snapshot.table(table)).as_text
    columns = columns_of(version.schema.definitions)
    build = version.start_build(counts_rows=True)
    for piece in ParquetText(file).pieces(columns):
        build.feed(piece)
    return str((await version.complete(build.finish())).address)


@pytest.mark.parametrize("remote", REMOTES)
def test_every_table_gives_itself_back(tmp_path: Path, remote: str) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        count = 0
        for table, address in head.tables.items():
            file = tmp_path / "file.parquet"
            file.write_bytes(await file_of(head, table))
            if await repository.refuses_writes(head, table):
                continue
            count += 1
            assert await address_from(head, table, file) == str(address), table
        assert count >= (0 if remote == "edge-addresses" else len(head.tables) * 2 // 3)

    run(tmp_path / "cache", body, golden_remote(remote))


SETS_N = re.compile(r"update \w+ set n = (\d+) where id = (\d+)")
"""Changes that are easily made in a Parquet file."""


@pytest.mark.parametrize(
    "case", [case for case in CASES if SETS_N.fullmatch(case.sql)], ids=lambda case: case.name
)
def test_a_changed_row_gives_dolts_hash(case: Case, tmp_path: Path) -> None:
    """Beside others of which no text shows everything."""
    match = SETS_N.fullmatch(case.sql)
    assert match is not None
    value, key = map(int, match.groups())

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        file = io.BytesIO(await file_of(head, case.table))
        # What is computed is another value then.
        computed = {"later", "virt", "doubled"}
        names = [name for name in pq.read_schema(file).names if name not in computed]
        table = pq.read_table(file, columns=names)
        ids, n = table["id"].to_pylist(), table["n"].to_pylist()
        n[ids.index(key)] = value
        column = pa.array(n, table["n"].type)
        table = table.set_column(names.index("n"), table.schema.field("n"), column)
        pq.write_table(table, tmp_path / "file.parquet")
        made = await address_from(head, case.table, tmp_path / "file.parquet")
        assert made == hashes()[case.name]

    run(tmp_path / "cache", body, MemoryRemote.of_directory(KEPT / "remote"))


@pytest.mark.parametrize("branch", ["main", "edited"])
def test_generated_tables_give_dolts_hash(tmp_path: Path, branch: str) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository, branch)
        count = 0
        for table, address in head.tables.items():
            if await repository.refuses_writes(head, table) is None:
                file = tmp_path / "file.parquet"
                file.write_bytes(await file_of(head, table))
                assert await address_from(head, table, file) == str(address)
                count += 1
        assert count > 25

    run(tmp_path / "cache", body, MemoryRemote.of_directory(GOLDEN / "generated" / "remote"))


def test_types_and_values_are_kept(tmp_path: Path) -> None:
    types = {
        "numbers": {
            "id": "uint64",
            "i8": "int8",
            "u8": "uint8",
            "i16": "int16",
            "u16": "uint16",
            "i24": "int32",
            "u24": "uint32",
            "i32": "int32",
            "u32": "uint32",
            "i64": "int64",
            "u64": "uint64",
            "f32": "float",
            "f64": "double",
            "d": "decimal128(10, 2)",
            "dbig": "decimal256(65, 30)",
            "b1": "uint64",
            "b64": "uint64",
            "bo": "int8",
        },
        "times": {
            "id": "int32",
            "d": "date32[day]",
            "t": "string",
            "t6": "string",
            "dt": "timestamp[us]",
            "dt6": "timestamp[us]",
            "ts": "timestamp[us, tz=UTC]",
            "ts6": "timestamp[us, tz=UTC]",
            "y": "uint16",
        },
        "strings": dict.fromkeys(["id", "c", "v"], "string")
        | dict.fromkeys(["b", "vb"], "binary")
        | dict.fromkeys(["tt", "t", "mt", "lt"], "string")
        | dict.fromkeys(["tb", "bl", "lb"], "binary")
        | dict.fromkeys(["e", "s", "j"], "string"),
    }
    moment = dt.datetime(2024, 2, 29, 12, 34, 56)

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        tables = {t: pq.read_table(io.BytesIO(await file_of(head, t))) for t in types}
        for name, table in tables.items():
            assert {field.name: str(field.type) for field in table.schema} == types[name]
            assert [field.name for field in table.schema if not field.nullable] == ["id"]
        numbers = tables["numbers"].to_pylist()
        assert numbers[0] == {"id": 0} | dict.fromkeys(list(types["numbers"])[1:])
        assert numbers[3]["id"] == 2**64 - 1
        assert numbers[3]["dbig"] == decimal.Decimal(
            "12345678901234567890123456789012345.123456789012345678901234567890"
        )
        assert numbers[1]["dbig"] == -(decimal.Decimal(10) ** -30)
        last = tables["times"].to_pylist()[3]
        assert last["d"] == moment.date()
        assert last["t"] == "12:34:56.000000"
        assert last["dt6"] == moment.replace(microsecond=789000)
        assert last["ts"] == moment.replace(tzinfo=dt.UTC)
        assert last["y"] == 2024
        strings = {row["id"]: row for row in tables["strings"].to_pylist()}
        assert strings["apple"]["vb"] == bytes.fromhex("deadbeef")
        assert strings["quotes"]["mt"] == "crlf\r\nx"
        assert (strings["empty"]["v"], strings["empty"]["vb"]) == ("", b"")
        assert strings["null"]["v"] is None
        assert strings["apple"]["j"] == "[1,2,3]"

    run(tmp_path, body)


def test_the_file_is_the_same_for_every_reader(tmp_path: Path) -> None:
    """It is found in the folder by the next mount, and made alike where that was emptied."""
    files = []

    async def read(repository: Repository) -> None:
        files.append(await file_of(await head_of(repository), "strings"))

    async def find(repository: Repository) -> None:
        version = await (await head_of(repository)).table("strings", Format.PARQUET)
        assert version.size == len(files[0])
        assert await version.stored_len() == 0
        assert await version.read(0, 4) == b"PAR1"
        assert await version.read(len(files[0]) - 2, 10) == files[0][-2:]
        assert await version.read(len(files[0]), 10) == b""

    for cache in ("a", "b"):
        run(tmp_path / cache, read)
    assert files[0] == files[1]
    run(tmp_path / "a", find)
    # Nothing but the file is left behind.
    assert len(list((tmp_path / "a" / "parquet").iterdir())) == 1


def test_the_folder_has_an_end(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        files = {t: await file_of(head, t) for t in ("numbers", "strings", "times")}
        # The last one is kept whatever its size, and all are still read by who has them open.
        assert len(list((tmp_path / "parquet").iterdir())) <= 1
        for table, file in files.items():
            assert await file_of(head, table) == file

    async def main() -> None:
        async with opened(golden_remote("types"), tmp_path, cache_bytes_max=4096) as repository:
            await body(repository)

    trio.run(main)


# What Arrow has no type for


def exported(tmp_path: Path, text: bytes, *columns: tuple[str, str]) -> pa.Table:
    (tmp_path / "text.csv").write_bytes(text)
    definitions = [Column(name, sql_type, nullable=True) for name, sql_type in columns]
    write_parquet(tmp_path / "text.csv", lambda: tmp_path / "file.parquet", definitions)
    return pq.read_table(tmp_path / "file.parquet")


@pytest.mark.parametrize(
    ("sql_type", "fits", "other", "type_"),
    [
        ("date", b"2024-01-02", b"0000-00-00", "string"),
        ("datetime", b"2024-01-02 00:00:00", b"0000-00-00 00:00:00", "string"),
        ("timestamp", b"2024-01-02 00:00:00", b"0000-00-00 00:00:00", "string"),
        ("decimal(5,2)", b"1.50", b"NaN", "string"),
        ("decimal(65,30)", b"1.50", b"NaN", "string"),
        ("varchar(9)", b"abc", b"a\xff", "binary"),
        ("date", b"2024-01-02", b"\xff", "binary"),
    ],
)
def test_a_column_with_such_a_value_is_text(
    tmp_path: Path, sql_type: str, fits: bytes, other: bytes, type_: str
) -> None:
    text = b"id,v,w\n1," + fits + b",1.5\n2," + other + b",2.5\n3,,\n"
    columns = [("id", "int"), ("v", sql_type), ("w", "decimal(3,1)")]
    table = exported(tmp_path, text, *columns)
    assert [str(field.type) for field in table.schema] == ["int32", type_, "decimal128(3, 1)"]
    values = [fits, other] if type_ == "binary" else [fits.decode(), other.decode()]
    assert table.column("v").to_pylist() == [*values, None]
    pieces = ParquetText(tmp_path / "file.parquet").pieces(columns_of((*c, True) for c in columns))
    assert other in b"".join(pieces)


def test_long_rows_and_odd_names(tmp_path: Path) -> None:
    long = b"x" * (9 << 20)
    text = b'"a,""b","c\nd"\n"' + long + b'",1\n,\n"",2\n'
    table = exported(tmp_path, text, ('a,"b', "longtext"), ("c\nd", "int"))
    assert table.column_names == ['a,"b', "c\nd"]
    assert table.column(0).to_pylist() == [long.decode(), None, ""]


def test_rows_of_one_column_may_be_null(tmp_path: Path) -> None:
    table = exported(tmp_path, b"a\n1\n\n3\n\n", ("a", "int"))
    assert table.column("a").to_pylist() == [1, None, 3, None]
    assert exported(tmp_path, b"a,b\n", ("a", "int"), ("b", "text")).num_rows == 0


# Files of others


def text_from(tmp_path: Path, table: pa.Table, **kinds: str) -> bytes:
    path = tmp_path / "file.parquet"
    pq.write_table(table, path)
    columns = [Column(name, kind, nullable=True) for name, kind in kinds.items()]
    return b"".join(ParquetText(path).pieces(columns))


MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)
BERLIN = dt.timezone(dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("values", "type_", "kind", "fields"),
    [
        ([1, None], pa.int64(), "int", [b"1", b""]),
        ([True, None, False], pa.bool_(), "int", [b"1", b"", b"0"]),
        ([True], pa.bool_(), "json", [b"true"]),
        ([True], pa.bool_(), "varchar(5)", [b"true"]),
        ([0.1, None], pa.float32(), "float", [b"0.1", b""]),
        ([1.5], pa.float16(), "float", [b"1.5"]),
        ([2.0], pa.float64(), "int", [b"2"]),
        ([decimal.Decimal("1.50")], pa.decimal128(38, 2), "decimal(38,2)", [b"1.50"]),
        ([dt.date(2024, 1, 2)], pa.date64(), "date", [b"2024-01-02"]),
        ([MOMENT], pa.timestamp("us"), "datetime(6)", [b"2024-01-02 03:04:05.678901"]),
        ([MOMENT], pa.timestamp("ns"), "datetime(6)", [b"2024-01-02 03:04:05.678901"]),
        (
            [MOMENT.replace(tzinfo=BERLIN)],
            pa.timestamp("us", "+01:00"),
            "timestamp(6)",
            [b"2024-01-02 02:04:05.678901"],
        ),
        ([MOMENT.time()], pa.time64("us"), "time", [b"03:04:05.678901"]),
        (
            [dt.timedelta(hours=-100, microseconds=-1), None],
            pa.duration("us"),
            "time",
            [b"-100:00:00.000001", b""],
        ),
        (['a"b,\n', "", None], pa.string(), "text", [b'"a""b,\n"', b'""', b""]),
        (
            [" a", "\u2003", "a ", "\\."],
            pa.string(),
            "text",
            [b'" a"', b'"\xe2\x80\x83"', b"a ", b'"\\."'],
        ),
        ([MOMENT], pa.timestamp("us"), "datetime", [b"2024-01-02 03:04:05.678901"]),
        ([MOMENT.replace(microsecond=0)], pa.timestamp("us"), "datetime", [b"2024-01-02 03:04:05"]),
        (
            [MOMENT.replace(microsecond=678000)],
            pa.timestamp("ns"),
            "datetime(3)",
            [b"2024-01-02 03:04:05.678"],
        ),
        (["x", None], pa.dictionary(pa.int8(), pa.string()), "text", [b"x", b""]),
        ([b"\xff\0", b"", None], pa.large_binary(), "blob", [b"\xff\0", b'""', b""]),
        ([b"ab"], pa.binary(2), "binary(2)", [b"ab"]),
        ([[1, None]], pa.list_(pa.int8()), "json", [b'"[1, null]"']),
        ([{"a": "ä"}], pa.struct([("a", pa.string())]), "json", ['"{""a"": ""ä""}"'.encode()]),
        ([[("a", 1)]], pa.map_(pa.string(), pa.int8()), "json", [b'"{""a"": 1}"']),
        ([None, None], pa.null(), "int", [b"", b""]),
    ],
    ids=str,
)
def test_arrow_types_are_text(
    tmp_path: Path, values: list[Any], type_: pa.DataType, kind: str, fields: list[bytes]
) -> None:
    rows = pa.table({"v": pa.array(values, type_), "n": range(len(values))})
    lines = [field + b",%d\n" % n for n, field in enumerate(fields)]
    assert text_from(tmp_path, rows, v=kind, n="int") == b"v,n\n" + b"".join(lines)


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    whole = path.read_bytes()
    for part in (b"", b"a,b\n1,2\n", whole[:-1], whole[: len(whole) // 2], b"PAR1" * 20):
        path.write_bytes(part)
        with pytest.raises(InvalidTextError, match="no whole Parquet file"):
            ParquetText(path)
    damaged = bytearray(whole)
    damaged[8:30] = bytes(22)
    path.write_bytes(damaged)
    with pytest.raises(InvalidTextError, match="no whole Parquet file"):
        list(ParquetText(path).pieces([]))


def test_a_file_of_one_column_cannot_say_null_of_a_wider_table(tmp_path: Path) -> None:
    """Its row would be an empty line, which CSV passes over."""
    rows = pa.table({"v": pa.array([1, 2, None, None], pa.int8())})
    assert text_from(tmp_path, rows, v="int") == b"v\n1\n2\n\n\n"
    with pytest.raises(InvalidTextError, match="alone") as caught:
        text_from(tmp_path, rows, v="int", w="int")
    assert (caught.value.unit, caught.value.line, caught.value.column) == ("row", 3, "v")


def test_bytes_within_a_list_are_refused(tmp_path: Path) -> None:
    rows = pa.table({"v": pa.array([[b"x"]], pa.list_(pa.binary())), "n": [1]})
    with pytest.raises(InvalidTextError, match="bytes within") as caught:
        text_from(tmp_path, rows, v="json", n="int")
    assert (caught.value.line, caught.value.column) == (1, "v")


@pytest.mark.parametrize(
    ("rows", "row", "column", "value", "reason"),
    [
        ({"name": ["a\nb", "c\n\nd", "e"], "n": ["1", "2", "x"]}, 3, "n", "x", "whole number"),
        ({"name": ["a\nb", "b", "a\nb"], "n": [1, 2, 3]}, 3, "", "", "stands on row 1 already"),
        ({"name": ["a\n", None], "n": [1, 2]}, 2, "name", "", "NOT NULL"),
        ({"name": ["a"], "nonsense": [1]}, 0, "", "", "the file names 'nonsense'"),
        ({"n": [1]}, 0, "", "", "the file lacks column"),
    ],
)
def test_errors_count_rows(
    tmp_path: Path, rows: dict[str, Any], row: int, column: str, value: str, reason: str
) -> None:
    """Whatever line ends are in their values."""

    async def body(repository: Repository) -> None:
        path = tmp_path / "file.parquet"
        pq.write_table(pa.table(rows), path)
        with pytest.raises(InvalidTextError) as caught:
            await address_from(await head_of(repository), "latin", path)
        error = in_rows(caught.value)
        assert (error.line, error.column or "", error.value or "") == (row, column, value)
        assert reason.replace("'", '"') in error.reason
        assert isinstance(error, DuplicateKeyError) == isinstance(caught.value, DuplicateKeyError)
        assert str(error).startswith(f"row {row}" if row else "the file")
        assert "line" not in str(error)

    run(tmp_path / "cache", body)


# New tables


def created(tmp_path: Path, table: pa.Table) -> list[str]:
    path = tmp_path / "file.parquet"
    pq.write_table(table, path)
    return [text.decode() for text in ParquetText(path).create_table("new`t")]


@pytest.mark.parametrize(
    ("type_", "sql_type"),
    [
        (pa.bool_(), "tinyint(1)"),
        (pa.int8(), "tinyint"),
        (pa.uint16(), "smallint unsigned"),
        (pa.int32(), "int"),
        (pa.uint64(), "bigint unsigned"),
        (pa.float32(), "float"),
        (pa.float64(), "double"),
        (pa.decimal128(12, 3), "decimal(12,3)"),
        (pa.decimal256(65, 30), "decimal(65,30)"),
        (pa.date32(), "date"),
        (pa.timestamp("ns", "UTC"), "datetime(6)"),
        (pa.time32("s"), "time(6)"),
        (pa.duration("s"), "time(6)"),
        (pa.string(), "varchar(200)"),
        (pa.dictionary(pa.int8(), pa.string()), "varchar(200)"),
        (pa.binary(), "varbinary(255)"),
        (pa.list_(pa.int8()), "json"),
        (pa.null(), "varchar(200)"),
    ],
    ids=str,
)
def test_a_new_column_has_the_type_of_the_file(
    tmp_path: Path, type_: pa.DataType, sql_type: str
) -> None:
    table = pa.table({"id": pa.array([1], pa.int32()), "v": pa.array([None], type_)})
    keyed, keyless = created(tmp_path, table)
    assert keyed == (
        f"CREATE TABLE `new``t` (\n  `id` int NOT NULL,\n  `v` {sql_type},\n"
        "  PRIMARY KEY (`id`)\n);\n"
    )
    assert keyless == f"CREATE TABLE `new``t` (\n  `id` int,\n  `v` {sql_type}\n);\n"


def test_long_values_have_long_types(tmp_path: Path) -> None:
    for value, sql_type in [
        ("ä" * 200, "varchar(200)"),
        ("ä" * 201, "text"),
        ("x" * 65_536, "longtext"),
        (b"x" * 256, "blob"),
        (b"x" * 65_536, "longblob"),
    ]:
        keyless = created(tmp_path, pa.table({"v": [None, value]}))[-1]
        assert f"`v` {sql_type}\n" in keyless


def test_the_first_column_is_the_key_where_it_can_be(tmp_path: Path) -> None:
    assert len(created(tmp_path, pa.table({"a": [1, 1]}))) == 2
    assert len(created(tmp_path, pa.table({"a": [1, None]}))) == 1
    assert len(created(tmp_path, pa.table({"a": ["x" * 201]}))) == 1
    assert len(created(tmp_path, pa.table({"a": [[1]]}))) == 1


def test_types_without_a_place_in_sql_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTextError, match=r"decimal256\(76, 2\) of column 'd'"):
        created(tmp_path, pa.table({"d": pa.array([None], pa.decimal256(76, 2))}))
    with pytest.raises(InvalidTextError, match="without columns"):
        created(tmp_path, pa.table({}))


def test_arrow_gives_back_what_it_frees() -> None:
    """Its own allocators keep it: a mount that made three files had 405 MiB instead of 288."""
    assert pa.default_memory_pool().backend_name == "system"
