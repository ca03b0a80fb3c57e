"""Generated tables as dolt makes them, and a remote that it pushes with them.

Branch `main` has the tables, branch `edited` has them with their change made.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.dolt import Clone, Dolt
from tests.support.schemas import Table, generate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

BRANCHES: Final = ("main", "edited")
HASHES: Final = (
    "select table_name, dolt_hashof_table(table_name) from information_schema.tables "
    "where table_schema = database() and table_type = 'BASE TABLE'"
)


@dataclass
class Generated:
    """A remote and where dolt has it."""

    tables: list[Table]
    clone: Clone
    remote: Path

    @staticmethod
    def push(dolt: Dolt, tables: list[Table], remote: Path) -> Generated:
        """Has dolt make *tables* and push them as `main` to a new remote in *remote*."""
        made = Generated(tables, dolt.init("generated"), remote)
        statements = (s for t in tables for s in (t.create(), *t.inserts(t.rows)))
        made._run(statements)
        made._commit("make")
        remote.mkdir()
        made.clone.dolt("remote", "add", "origin", remote.as_uri())
        made.clone.dolt("push", "origin", "main")
        return made

    def push_edited(self, but: Collection[str] = ()) -> None:
        """Has dolt change all tables but those named and push them as `edited`."""
        self.clone.dolt("checkout", "-b", "edited")
        self._run(s for table in self.tables if table.name not in but for s in table.edits())
        self._commit("edit")
        self.clone.dolt("push", "origin", "edited")

    def exports(self, branch: str) -> dict[str, bytes]:
        """Every table as dolt exports it."""
        self.clone.dolt("checkout", branch)
        directory = self.clone.directory / f"exports-{branch}"
        self.clone.dolt("dump", "-r", "csv", "-d", str(directory))
        return {path.stem: path.read_bytes() for path in directory.iterdir()}

    def hashes(self, branch: str) -> dict[str, str]:
        """`dolt_hashof_table` of every table."""
        self.clone.dolt("checkout", branch)
        return {row[0]: row[1] for row in self.clone.sql(HASHES)}

    def _run(self, statements: Iterable[str]) -> None:
        script = self.clone.directory / "script.sql"
        text = "\n".join(["SET autocommit = 0;", *statements, "COMMIT;", ""])
        script.write_bytes(text.encode())
        self.clone.dolt("sql", "-f", str(script))

    def _commit(self, message: str) -> None:
        self.clone.dolt("add", "-A")
        self.clone.dolt("commit", "-m", message)


def record(directory: Path, seed: int, count: int, rows_max: int) -> None:
    """Makes the golden `generated` in *directory*, which must not be there yet."""
    directory.mkdir()
    tables = generate(seed, count, rows_max)
    with TemporaryDirectory() as home:
        made = Generated.push(Dolt.at(Path(home) / "dolt"), tables, directory / "remote")
        made.push_edited()
        with tarfile.open(directory / "exports.tar.xz", "w:xz") as archive:
            for branch in BRANCHES:
                for name, text in sorted(made.exports(branch).items()):
                    entry = tarfile.TarInfo(f"{branch}/{name}.csv")
                    entry.size = len(text)
                    archive.addfile(entry, io.BytesIO(text))
        hashes = {branch: made.hashes(branch) for branch in BRANCHES}
    answers = {"hashes": hashes, "schemas": {table.name: table.create() for table in tables}}
    (directory / "tables.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]).absolute(), seed=72, count=40, rows_max=2000)
