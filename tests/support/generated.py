"""Generated tables as dolt makes them, and a remote that it pushes with them.

Branch `main` has the tables, branch `edited` has them with their change made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from tests.support.dolt import Clone, Dolt
    from tests.support.schemas import Table

HASHES = (
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
