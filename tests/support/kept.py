"""Changes of rows beside others of which a text does not show everything (`golden/kept`).

Run as a module with a folder that has `setup.sql`, it has dolt make what else is in there.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.dolt import Dolt

GOLDEN = Path(__file__).parents[1] / "golden" / "kept"


@dataclass(frozen=True)
class Case:
    """One change of a table, as SQL and as an edit of its CSV text."""

    table: str
    sql: str
    edits: tuple[tuple[str, str], ...]
    """Each text that stands once in the table's, and what replaces it."""

    @property
    def name(self) -> str:
        return f"{self.table}: {self.sql}"

    def edited(self, text: bytes) -> bytes:
        for old, new in self.edits:
            assert text.count(old.encode()) == 1, (self.name, old)
            text = text.replace(old.encode(), new.encode())
        return text


def _case(table: str, sql: str, *edits: tuple[str, str]) -> Case:
    return Case(table, sql, edits)


_F = "7.038531e-26"
CASES = (
    _case("floats", "update floats set n = 20 where id = 2", ("\n2,1.5,2\n", "\n2,1.5,20\n")),
    _case("floats", "update floats set n = 10 where id = 1", (f"\n1,{_F},1\n", f"\n1,{_F},10\n")),
    _case("floats", "update floats set f = 2 where id = 1", (f"\n1,{_F},1\n", "\n1,2,1\n")),
    _case("floats", "delete from floats where id = 2", ("\n2,1.5,2\n", "\n")),
    _case(
        "floats", "insert into floats values (4, 1, 4)", (f"\n3,{_F},3\n", f"\n3,{_F},3\n4,1,4\n")
    ),
    _case("many_floats", "update many_floats set n = 0 where id = 4", ("\n4,1,4\n", "\n4,1,0\n")),
    _case(
        "many_floats",
        "update many_floats set n = 0 where id = 3",
        (f"\n3,{_F},3\n", f"\n3,{_F},0\n"),
    ),
    _case(
        "many_floats",
        "update many_floats set n = 0 where id in (6, 450, 899)",
        (f"\n6,{_F},6\n", f"\n6,{_F},0\n"),
        (f"\n450,{_F},450\n", f"\n450,{_F},0\n"),
        ("\n899,224.75,899\n", "\n899,224.75,0\n"),
    ),
    _case("documents", "update documents set n = 20 where id = 2", ('""x""]",2\n', '""x""]",20\n')),
    _case(
        "documents", "update documents set n = 10 where id = 1", ('740993}",1\n', '740993}",10\n')
    ),
    _case("documents", "update documents set n = 30 where id = 3", ('789""}",3\n', '789""}",30\n')),
    _case(
        "documents",
        "update documents set j = '{}' where id = 4",
        (f'"{{""id"":12345678901234567,""pad"":""{"abc" * 1200}""}}"', "{}"),
    ),
    _case("texts", "update texts set n = 10 where id = 1", ('740993}",1\n', '740993}",10\n')),
    _case("texts", "update texts set t = 'short' where id = 2", ("text " * 900, "short")),
    _case(
        "dates",
        "update dates set n = 20 where id = 2",
        ("\n2,2024-01-02,,2\n", "\n2,2024-01-02,,20\n"),
    ),
    _case("dates", "update dates set n = 10 where id = 1", (":07,1\n", ":07,10\n")),
    _case("dates", "update dates set d = '2000-01-01' where id = 1", ("99-12-31", "2000-01-01")),
    _case(
        "dates",
        "update dates set d = null, t = null where id = 1",
        ("99-12-31,12-03-04 05:06:07", ","),
    ),
    _case("dates", "delete from dates where id = 3", ("3,10-01-02,2024-01-02 03:04:05,3\n", "")),
    _case(
        "many_dates",
        "update many_dates set n = 0 where id = 4",
        ("\n4,2024-01-02,4\n", "\n4,2024-01-02,0\n"),
    ),
    _case(
        "many_dates",
        "update many_dates set n = 0 where id = 5",
        ("\n5,99-12-31,5\n", "\n5,99-12-31,0\n"),
    ),
    _case("enums", "update enums set n = 20 where id = 2", ("\n2,a,2\n", "\n2,a,20\n")),
    _case("enums", "update enums set n = 10 where id = 1", ('\n1,"",1\n', '\n1,"",10\n')),
    _case("enums", "update enums set e = 'b' where id = 3", ('\n3,"",3\n', "\n3,b,3\n")),
    _case("decimals", "update decimals set n = 20 where id = 2", ("\n2,1.25,2\n", "\n2,1.25,20\n")),
    _case("decimals", "update decimals set n = 30 where id = 3", (".00,3\n", ".00,30\n")),
    _case("enum_key", "update enum_key set n = 20 where e = 'a'", ("\na,1,2\n", "\na,1,20\n")),
    _case("enum_key", "update enum_key set n = 30 where k = 2", ('\n"",2,3\n', '\n"",2,30\n')),
    _case("float_key", "update float_key set n = 20 where f = 1.5", ("\n1.5,2\n", "\n1.5,20\n")),
    _case("float_key", "update float_key set n = 10 where n = 1", (f"\n{_F},1\n", f"\n{_F},10\n")),
    _case("date_key", "update date_key set n = 20 where n = 2", (f"{_F},2\n", f"{_F},20\n")),
    _case("date_key", "update date_key set n = 10 where n = 1", (f"{_F},1\n", f"{_F},10\n")),
    _case("date_key", "delete from date_key where n = 2", (f"2024-01-02,{_F},2\n", "")),
    _case("indexed", "update indexed set n = 30 where id = 3", (",3\n", ",30\n")),
    _case("indexed", "update indexed set n = 10 where id = 1", ("-31,1\n", "-31,10\n")),
    _case("indexed", "update indexed set f = 2 where id = 1", (f"1,{_F},99", "1,2,99")),
    _case("indexed", "delete from indexed where id = 2", (f"2,{_F},,2\n", "")),
    _case(
        "many_indexed",
        "update many_indexed set n = 0 where id = 4",
        ("2024-01-02,4\n", "2024-01-02,0\n"),
    ),
    _case(
        "many_indexed",
        "update many_indexed set n = 0 where id = 3",
        ("2024-01-02,3\n", "2024-01-02,0\n"),
    ),
    _case(
        "many_indexed",
        "update many_indexed set n = 0 where id = 5",
        ("99-12-31,5\n", "99-12-31,0\n"),
    ),
    _case("many_indexed", "delete from many_indexed where id = 15", (f"15,{_F},99-12-31,15\n", "")),
    _case(
        "computed",
        "update computed set n = 20 where id = 2",
        (f"\n2,,2,3,4,{_F}\n", f"\n2,,20,21,40,{_F}\n"),
    ),
    _case(
        "computed",
        "update computed set n = 10 where id = 1",
        (f",1,2,2,{_F}\n", f",10,11,20,{_F}\n"),
    ),
    _case("computed", "update computed set f = 2 where id = 3", (",3,4,6,1.5\n", ",3,4,6,2\n")),
    _case("checked", "update checked set n = 20 where id = 2", ("\n2,1,2,2\n", "\n2,1,2,20\n")),
    _case("log_checked", "update log_checked set n = 20 where n = 2", ("\n1,2,2\n", "\n1,2,20\n")),
    _case("log_floats", "update log_floats set n = 20 where n = 2", ("1.5,2\n", "1.5,20\n")),
    _case(
        "log_floats",
        "delete from log_floats where n = 1 limit 1",
        (f"{_F},1\n{_F},1\n", f"{_F},1\n"),
    ),
    _case("log_floats", "insert into log_floats values (2, 4)", ("1.5,2\n", "1.5,2\n2,4\n")),
    _case("log_dates", "update log_dates set n = 30 where n = 3", (",b,1,3\n", ",b,1,30\n")),
    _case(
        "log_dates",
        "delete from log_dates where n = 1 limit 1",
        (f'99-12-31,"",{_F},1\n' * 2, f'99-12-31,"",{_F},1\n'),
    ),
    _case("log_dates", "delete from log_dates where n = 2", (f"2024-01-02,a,{_F},2\n", "")),
    _case(
        "many_logs", "delete from many_logs where n = 188 and f = 94", ("94,2024-01-02,188\n", "")
    ),
    _case("many_logs", "insert into many_logs values (1, null, 0)", ("f,d,n\n", "f,d,n\n1,,0\n")),
)


def hashes() -> dict[str, str]:
    """Dolt's hash of the table after each case, by its name."""
    answers: dict[str, str] = json.loads((GOLDEN / "hashes.json").read_text())
    return answers


def record(folder: Path) -> None:
    """Has dolt make the tables of *folder* and change them."""
    with tempfile.TemporaryDirectory() as home:
        clone = Dolt.at(Path(home) / "dolt").init("kept")
        with (folder / "setup.sql").open() as setup:
            clone.feed(setup.read())
        for text in sorted(folder.glob("*.csv")):
            clone.dolt("table", "import", "-r", text.stem, str(text.resolve()))
        clone.commit(message="Rows that no text shows")
        remote = folder / "remote"
        shutil.rmtree(remote, ignore_errors=True)
        remote.mkdir()
        clone.dolt("remote", "add", "origin", f"file://{remote.resolve()}")
        clone.dolt("push", "origin", "main")
        found = {}
        for case in CASES:
            clone.dolt("sql", "-q", case.sql)
            found[case.name] = clone.hash_of(case.table)
            clone.dolt("reset", "--hard")
    (folder / "hashes.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
