"""Two mounts of one remote against a model of dictionaries, under random operations."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfs.errors import InvalidTextError, PyfsError
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import Shell, run, shell

if TYPE_CHECKING:
    from collections.abc import Awaitable

HEADER = b"p,i\n"
Rows = dict[int, int]

rows = st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=4)
tables = st.sampled_from(["a", "b", "c"])
branches = st.sampled_from(["main", "x", "x/y"])


def text(content: Rows) -> bytes:
    return HEADER + b"".join(b"%d,%d\n" % row for row in sorted(content.items()))


@dataclass
class Model:
    """Branch to table to rows."""

    branches: dict[str, dict[str, Rows]] = field(default_factory=dict)

    def table(self, branch: str, table: str) -> Rows | None:
        return self.branches.get(branch, {}).get(table)


Operation = tuple[str, str, str, str, Rows]
operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["save", "append", "atomic", "backup", "replace", "bad", "remove", "rename", "park",
             "mkdir", "rmdir", "push"]
        ),
        branches,
        tables,
        tables,
        rows,
    ),
    max_size=12,
)  # fmt: skip


class Actor:
    """Does an operation on a mount and on the model."""

    def __init__(self, sh: Shell, model: Model) -> None:
        self.sh = sh
        self.model = model

    async def do(self, operation: Operation) -> None:
        kind, branch, table, other, content = operation
        # Every operation is a command of its own, which has read nothing before.
        self.sh.pid += 1
        if kind in ("mkdir", "rmdir"):
            await getattr(self, kind)(branch)
        elif branch in self.model.branches:
            await getattr(self, kind)(branch, table, other, content)

    async def save(self, branch: str, table: str, _: str, content: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self.sh.write(f"{branch}/{table}.csv", text(content))
        self.model.branches[branch][table] = content

    async def append(self, branch: str, table: str, _: str, content: Rows) -> None:
        old = self.model.table(branch, table)
        if old is None:
            return
        new = {key: value for key, value in content.items() if key not in old}
        await self.sh.append(f"{branch}/{table}.csv", text(new)[len(HEADER) :])
        self.model.branches[branch][table] = old | new

    async def atomic(self, branch: str, table: str, _: str, content: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self.sh.write(f"{branch}/.{table}.tmp", text(content))
        await self.sh.rename(f"{branch}/.{table}.tmp", f"{branch}/{table}.csv")
        self.model.branches[branch][table] = content

    async def backup(self, branch: str, table: str, _: str, content: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        path = f"{branch}/{table}.csv"
        await self.sh.rename(path, f"{path}~")
        await self.sh.write(path, text(content), flags=os.O_CREAT | os.O_EXCL)
        await self.sh.unlink(f"{path}~")
        self.model.branches[branch][table] = content

    async def replace(self, branch: str, table: str, _: str, content: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self.sh.unlink(f"{branch}/{table}.csv")
        await self.sh.write(f"{branch}/{table}.csv", text(content), flags=os.O_CREAT | os.O_EXCL)
        self.model.branches[branch][table] = content

    async def bad(self, branch: str, table: str, _: str, content: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self._refused(
            self.sh.write(f"{branch}/{table}.csv", text(content) + b"x,y\n"), InvalidTextError
        )

    async def remove(self, branch: str, table: str, _: str, __: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self.sh.unlink(f"{branch}/{table}.csv")
        del self.model.branches[branch][table]

    async def rename(self, branch: str, table: str, other: str, _: Rows) -> None:
        content = self.model.table(branch, table)
        if content is None or table == other:
            return
        await self.sh.rename(f"{branch}/{table}.csv", f"{branch}/{other}.csv")
        del self.model.branches[branch][table]
        self.model.branches[branch][other] = content

    async def park(self, branch: str, table: str, _: str, __: Rows) -> None:
        if self.model.table(branch, table) is None:
            return
        await self.sh.rename(f"{branch}/{table}.csv", f"{branch}/{table}.old")
        assert not await self.sh.exists(f"{branch}/{table}.csv")
        await self.sh.rename(f"{branch}/{table}.old", f"{branch}/{table}.csv")

    async def mkdir(self, branch: str) -> None:
        parent = branch.rpartition("/")[0]
        if branch in self.model.branches or (parent and parent not in self.model.branches):
            return
        await self.sh.mkdir(branch)
        source = self.model.branches[parent or "main"]
        self.model.branches[branch] = {name: dict(content) for name, content in source.items()}

    async def rmdir(self, branch: str) -> None:
        nested = any(name.startswith(branch + "/") for name in self.model.branches)
        if branch not in self.model.branches or branch == "main" or nested:
            return
        await self.sh.rmdir(branch)
        del self.model.branches[branch]

    async def push(self, branch: str, table: str, _: str, content: Rows) -> None:
        # A drop that is still pending would be a true conflict.
        await self.sh.fs.sync()
        self.sh.repository.push(branch, {table: text(content)})
        self.model.branches[branch][table] = content

    async def _refused(self, call: Awaitable[None], kind: type[PyfsError]) -> None:
        try:
            await call
        except kind:
            return
        raise AssertionError(f"not refused with {kind.__name__}")


async def shows(sh: Shell, model: Model) -> None:
    """The mount shows what the model has: every listing, text and size."""
    top = {name.split("/")[0] for name in model.branches}
    assert await sh.ls() == sorted(top)
    for branch, contents in model.branches.items():
        below = {
            name[len(branch) + 1 :].split("/")[0]
            for name in model.branches
            if name.startswith(branch + "/")
        }
        assert await sh.ls(branch) == sorted({f"{table}.csv" for table in contents} | below)
        for table, content in contents.items():
            path = f"{branch}/{table}.csv"
            assert await sh.read(path) == text(content)
            assert (await sh.stat(path)).size == len(text(content))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.booleans(), operations), max_size=6))
def test_both_mounts_show_what_the_model_has(script: list[tuple[bool, list[Operation]]]) -> None:
    async def main() -> None:
        repository = MemoryRepository({"a": text({1: 2}), "b": text({})})
        model = Model({"main": {"a": {1: 2}, "b": {}}})
        options: dict[str, float] = {"refresh_s": 0.0, "drop_delay_s": 1000.0}
        with tempfile.TemporaryDirectory() as folder:
            async with (
                shell(Path(folder), repository, **options) as first,
                shell(Path(folder), repository, **options) as second,
            ):
                for use_first, steps in script:
                    actor = Actor(first if use_first else second, model)
                    for step in steps:
                        await actor.do(step)
                    await actor.sh.fs.sync()
                    await shows(first, model)
                    await shows(second, model)

    run(main)
