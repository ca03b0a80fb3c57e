"""A repository in memory: async all through, no thread, no network."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import trio

from pyfs.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidTextError,
    NotFoundError,
    PyfsError,
    RemoteError,
)
from pyfs.formats import Format
from pyfs.store.health import Health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class Address(str):
    """Stands for `pyfs._core.Address`."""

    __slots__ = ()

    @classmethod
    def of(cls, *parts: object) -> Address:
        return cls(hashlib.sha256(repr(parts).encode()).hexdigest()[:32])


DELIMITERS = {Format.CSV: b",", Format.TSV: b"\t"}


@dataclass(eq=False)
class Version:
    """Stands for `TableVersion`: rows as CSV, whose first line is the header."""

    rows: bytes
    size_known: bool = True
    measured: trio.Event | None = None
    """What `exact_size` waits for."""
    format: Format = Format.CSV
    address: Address = field(init=False)
    schema: Any = None
    table: Any = None

    def __post_init__(self) -> None:
        self.address = Address.of("table", self.rows)

    @property
    def text(self) -> bytes:
        return self.rows.replace(b",", DELIMITERS[self.format])

    @property
    def as_text(self) -> Version:
        return self

    @property
    def size(self) -> int | None:
        return len(self.text) if self.size_known else None

    @property
    def size_max(self) -> int:
        return len(self.text) if self.size_known else 10 * len(self.text)

    def start_build(self) -> Build:
        return Build(self.rows.split(b"\n", 1)[0] + b"\n", self.format)

    async def complete(self, built: Version) -> Version:
        await trio.lowlevel.checkpoint()
        return built

    async def stored_len(self) -> int | None:
        return len(self.text)

    @property
    def share_read(self) -> float:
        return 1.0 if self.size_known else 0.25

    async def exact_size(self) -> int:
        await trio.lowlevel.checkpoint()
        if self.measured is not None:
            await self.measured.wait()
        self.size_known = True
        return len(self.text)

    async def read(self, offset: int, length: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.text[offset : offset + length]

    async def view(self, offset: int, length: int) -> bytes:
        return await self.read(offset, length)


@dataclass(frozen=True)
class Commit:
    address: Address
    parents: list[Address]
    message: str
    timestamp_ms: int
    tables: Mapping[str, Version]
    name: str = "Ada"
    email: str = "ada@example.com"
    committer_name: str = "Ada"
    committer_email: str = "ada@example.com"
    height: int = 1

    @property
    def author_timestamp_ms(self) -> int:
        return self.timestamp_ms


@dataclass
class Snapshot:
    commit: Commit

    @property
    def all_tables(self) -> dict[str, Address]:
        return {name: version.address for name, version in self.commit.tables.items()}

    @property
    def tables(self) -> dict[str, Address]:
        tables = self.all_tables.items()
        return {name: address for name, address in tables if not name.startswith("dolt_")}

    async def table(self, name: str, format: Format = Format.CSV) -> Version:
        await trio.lowlevel.checkpoint()
        if name not in self.commit.tables:
            raise NotFoundError(f"no table {name}")
        version = self.commit.tables[name]
        return version if format == Format.CSV else replace(version, format=format)


@dataclass(frozen=True)
class Saved:
    commit: Address
    changed: bool


class Build:
    """Stands for `TableBuild`: integers only, first column is the key, rows sorted by it."""

    def __init__(self, header: bytes, format: Format = Format.CSV) -> None:
        self._header = header
        self._delimiter = DELIMITERS[format]
        self._rest = b""
        self._line = 0
        self._rows: dict[int, bytes] = {}

    def feed(self, text: bytes) -> None:
        *lines, self._rest = (self._rest + text).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        self._line += 1
        line = line.replace(self._delimiter, b",")
        if self._line == 1:
            if line + b"\n" != self._header:
                raise InvalidTextError("unknown column", 1, line.decode())
            return
        for name, value in zip(self._header.strip().split(b","), line.split(b","), strict=False):
            if not value.isdigit():
                raise InvalidTextError("no integer", self._line, name.decode(), value.decode())
        key = int(line.split(b",")[0])
        if key in self._rows:
            raise InvalidTextError(f"key {key} is there twice", self._line)
        self._rows[key] = line

    def finish(self) -> Any:
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        rows = b"".join(self._rows[key] + b"\n" for key in sorted(self._rows))
        return Version(self._header + rows)


class Inference:
    """Stands for `Inference`: a schema is a header, and a format."""

    def __init__(self, format: Format) -> None:
        self._format = format
        self._text = b""

    def feed(self, text: bytes) -> None:
        self._text += text
        header, found, _ = self._text.partition(b"\n")
        names = header.split(DELIMITERS[self._format])
        if found and len(set(names)) < len(names):
            raise InvalidTextError("the header names a column twice", 1)

    def finish(self, table: str, taken: set[int]) -> list[Any]:
        header = self._text.split(b"\n", 1)[0] + b"\n"
        return [NewSchema(header.replace(DELIMITERS[self._format], b","), self._format)]


@dataclass(frozen=True)
class NewSchema:
    """Stands for the `Schema` of a new table, or of one of Dolt's own."""

    header: bytes
    format: Format = Format.CSV


class NewBuild:
    """Stands for a `TableBuild` of a new table, whose end is a traversal that needs nothing."""

    def __init__(self, build: Build) -> None:
        self.feed = build.feed
        self.result = build.finish

    def finish(self) -> NewBuild:
        return self


class MemoryRepository:
    """Stands for `Repository`. `push` is what another client does."""

    def __init__(self, tables: Mapping[str, bytes] | None = None) -> None:
        self.commits: dict[Address, Commit] = {}
        self.remote: dict[str, Address] = {}
        self._versions: dict[Address, Version] = {}
        self.branches: dict[str, Address] = {}
        self.refreshed_at = 0.0
        self.health = Health()
        self.failure: PyfsError | None = None
        """What every request to the remote fails with."""
        self.hangs = False
        """Whether no request is answered."""
        self.refusals: dict[str, str] = {}
        if tables is not None:
            self.push("main", tables)
            self.branches = dict(self.remote)

    @property
    def default_branch(self) -> str | None:
        return "main" if "main" in self.branches else next(iter(sorted(self.branches)), None)

    def push(self, branch: str, tables: Mapping[str, bytes | None], message: str = "push") -> None:
        head = self.remote.get(branch)
        old = dict(self.commits[head].tables) if head else {}
        for name, text in tables.items():
            old.pop(name, None)
            if text is not None:
                old[name] = Version(text)
        self._commit(branch, old, message)

    def _commit(self, branch: str, tables: Mapping[str, Version], message: str) -> Address:
        head = self.remote.get(branch)
        parents = [head] if head else []
        address = Address.of(len(self.commits), parents, sorted(tables), message)
        stamp = int(time.time() * 1000) + len(self.commits)
        self.commits[address] = Commit(address, parents, message, stamp, dict(tables))
        self.remote[branch] = address
        self._versions |= {version.address: version for version in tables.values()}
        return address

    def log_of(self, branch: str) -> list[str]:
        messages = []
        head: Address | None = self.remote[branch]
        while head:
            commit = self.commits[head]
            messages.append(commit.message)
            head = commit.parents[0] if commit.parents else None
        return messages

    def text(self, branch: str, table: str) -> bytes | None:
        version = self.commits[self.remote[branch]].tables.get(table)
        return version.rows if version else None

    async def _ask(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.hangs:
            await trio.sleep_forever()
        if self.failure is not None:
            self.health.failed(self.failure)
            raise self.failure
        self.health.answered()

    async def refresh(self, max_age_s: float) -> None:
        if time.time() - self.refreshed_at >= max_age_s:
            await self._ask()
            self.branches = dict(self.remote)
            self.refreshed_at = time.time()

    async def refresh_within(self, max_age_s: float, patience_s: float) -> None:
        with trio.move_on_after(patience_s) as waiting:
            await self.refresh(max_age_s)
        if waiting.cancelled_caught:
            error = RemoteError("no answer")
            self.health.failed(error)
            raise error

    async def snapshot(self, commit: Address) -> Snapshot:
        await trio.lowlevel.checkpoint()
        return Snapshot(self.commits[commit])

    async def log(self, head: Address) -> AsyncIterator[Commit]:
        next_one: Address | None = head
        while next_one:
            commit = self.commits[next_one]
            yield commit
            next_one = commit.parents[0] if commit.parents else None

    async def save(
        self,
        branch: str,
        base: Address,
        changes: Mapping[str, Any],
        message: str | None,
        *,
        revived: Mapping[str, Address] | None = None,
    ) -> Saved:
        await self._ask()
        self.branches = dict(self.remote)
        if branch not in self.remote:
            raise NotFoundError(f"no branch {branch}")
        tables = dict(self.commits[self.remote[branch]].tables)
        before = self.commits[base].tables
        changed = False
        for name, built in changes.items():
            old, now = before.get(name), tables.get(name)
            if isinstance(built, Address):
                built = self._versions[built]
            wanted = built.address if built else None
            if (now.address if now else None) == wanted:
                continue
            if (old.address if old else None) != (now.address if now else None):
                raise ConflictError(f"table {name} was changed meanwhile")
            changed = True
            if built is None:
                del tables[name]
            else:
                tables[name] = built
        if changed:
            default = "update" if any(changes.values()) else "drop"
            self._commit(branch, tables, message or f"{default} {', '.join(changes)}")
            self.branches = dict(self.remote)
        return Saved(self.remote[branch], changed)

    async def create_branch(self, name: str, head: Address) -> None:
        await self._ask()
        if name in self.remote:
            raise AlreadyExistsError(name)
        self.remote[name] = head
        self.branches = dict(self.remote)

    async def rename_branch(self, name: str, new_name: str) -> None:
        await self._ask()
        if new_name in self.remote:
            raise AlreadyExistsError(new_name)
        self.remote[new_name] = self.remote.pop(name)
        self.branches = dict(self.remote)

    async def delete_branch(self, name: str) -> None:
        await self._ask()
        if name not in self.remote:
            raise NotFoundError(name)
        del self.remote[name]
        self.branches = dict(self.remote)

    def start_new(self, schema: NewSchema) -> NewBuild:
        return NewBuild(Build(schema.header, schema.format))

    def system_schema(self, table: str, taken: set[int]) -> NewSchema | None:
        return NewSchema(b"i,text\n") if table == "dolt_docs" else None

    def start_inference(self, format: Format) -> Inference:
        return Inference(format)

    async def column_tags(self, snapshot: Any) -> set[int]:
        return set()

    async def refuses_rename(self, snapshot: Any, table: str) -> str | None:
        return self.refusals.get(table)

    async def refuses_writes(self, snapshot: Any, table: str) -> str | None:
        return self.refusals.get(table)
