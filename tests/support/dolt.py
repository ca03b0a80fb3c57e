"""The real dolt, as a user of its own."""

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE_S = 120.0


@dataclass
class Clone:
    """A clone that dolt made."""

    directory: Path
    environment: Mapping[str, str] = field(repr=False)

    def dolt(self, *arguments: str) -> str:
        """What `dolt ARGUMENTS` prints; fails the test if dolt fails."""
        done = self.try_dolt(*arguments)
        assert done.returncode == 0, f"dolt {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def try_dolt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run(arguments, self.directory, self.environment)

    def sql(self, query: str) -> list[list[str]]:
        """The rows of a query, without its header."""
        return list(csv.reader(io.StringIO(self.dolt("sql", "-r", "csv", "-q", query))))[1:]

    def feed(self, statements: str) -> None:
        """Runs SQL statements in one session."""
        done = _run(["sql"], self.directory, self.environment, statements)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    def export(self, table: str) -> bytes:
        """The text of a table as dolt exports it."""
        self.dolt("table", "export", "-f", table, "export.csv")
        return (self.directory / "export.csv").read_bytes()

    def hash_of(self, table: str) -> str:
        return self.sql(f"select dolt_hashof_table('{table}')")[0][0]

    def check(self) -> None:
        """Everything that dolt can find wrong."""
        assert "No problems found" in self.dolt("fsck")
        self.dolt("constraints", "verify", "--all")

    def commit(self, *queries: str, message: str = "by dolt") -> str:
        """Runs *queries* and commits what they did; the commit's address."""
        for query in queries:
            self.dolt("sql", "-q", query)
        self.dolt("add", "-A")
        self.dolt("commit", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.sql("select hashof('HEAD')")[0][0]


@dataclass
class Dolt:
    """A user who has dolt, and a folder for clones."""

    home: Path
    environment: dict[str, str]

    @staticmethod
    def found() -> bool:
        return shutil.which("dolt") is not None

    @staticmethod
    def at(home: Path, environment: Mapping[str, str] | None = None) -> "Dolt":
        """A user at *home*, whose settings it makes."""
        home.mkdir()
        dolt = Dolt(home, {**os.environ, **(environment or {}), "HOME": str(home)})
        for name, value in (
            ("user.name", "Grace Hopper"),
            ("user.email", "grace@example.com"),
            ("metrics.disabled", "true"),
        ):
            done = _run(["config", "--global", "--add", name, value], home, dolt.environment)
            assert done.returncode == 0, done.stderr
        return dolt

    def init(self, name: str) -> Clone:
        """A new database that was pushed nowhere yet."""
        clone = Clone(self.home / name, self.environment)
        clone.directory.mkdir()
        clone.dolt("init")
        return clone

    def clone(self, url: str, name: str, branch: str | None = None) -> Clone:
        """A new clone of *url*."""
        options = ["--branch", branch] if branch else []
        done = _run(["clone", *options, url, name], self.home, self.environment)
        assert done.returncode == 0, f"dolt clone {url}:\n{done.stdout}{done.stderr}"
        return Clone(self.home / name, self.environment)

    def try_clone(self, url: str, name: str) -> subprocess.CompletedProcess[str]:
        return _run(["clone", url, name], self.home, self.environment)


def _run(
    arguments: list[str] | tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    fed: str = "",
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["dolt", *arguments],
        cwd=directory,
        env=dict(environment),
        input=fed,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
