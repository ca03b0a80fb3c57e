"""Changed tables become a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pyfs._core import Address, BuiltTable, Chunk, ClosureEdit, Commit, DiffCount, RootValue, Table
from pyfs.errors import ConflictError
from pyfs.repo.author import Author
from pyfs.repo.message import RowChanges, default_message
from pyfs.repo.snapshot import Snapshot
from pyfs.store.chunks import ChunkStore
from pyfs.store.overlay import Overlay
from pyfs.store.traversal import drive

Change: TypeAlias = BuiltTable | Address | None
"""What a table becomes: one just built, one that is stored already, or none (dropped)."""


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that is on no remote yet, and the chunks it is made of, less those of its tables."""

    commit: Commit
    chunks: Sequence[Chunk]


def address_of(change: Change) -> Address | None:
    """The address that a table has after *change*."""
    return change.address if isinstance(change, BuiltTable) else change


def pending(
    changes: Mapping[str, Change], base: Mapping[str, Address], head: Mapping[str, Address]
) -> dict[str, Change]:
    """Those of *changes* that *head* lacks; `ConflictError` if one would undo another's work.

    *base* and *head* are the tables of the commit the changes are based on and of the branch's
    head. A table that someone else brought to the very address that is wanted counts as saved.
    """
    left: dict[str, Change] = {}
    for name, change in changes.items():
        now = head.get(name)
        if now == address_of(change):
            continue
        if now != base.get(name):
            what = "dropped" if now is None else "changed"
            raise ConflictError(
                f"table {name!r} was {what} by another client since this version of it was read;"
                " read it again and repeat the change"
            )
        left[name] = change
    return left


def built_chunks(changes: Mapping[str, Change]) -> list[Chunk]:
    """The chunks of all tables that were just built."""
    return [
        chunk
        for change in changes.values()
        if isinstance(change, BuiltTable)
        for chunk in change.chunks
    ]


async def make_commit(
    head: Snapshot,
    changes: Mapping[str, Change],
    message: str | None,
    author: Author,
    timestamp_ms: int,
    chunks: ChunkStore,
) -> NewCommit | None:
    """The commit on top of *head* that makes *changes*; None if nothing would differ."""
    tables = dict(head.all_tables)
    for name, change in changes.items():
        address = address_of(change)
        if address is None:
            tables.pop(name, None)
        else:
            tables[name] = address
    root_chunks = head.root.with_tables(tables)
    root = root_chunks[-1].address
    if root == head.commit.root:
        return None
    if not message:
        message = await message_for(head, changes, chunks)
    closure_chunks = await drive(ClosureEdit(head.commit), chunks)
    commit, chunk = Commit.create(
        root=root,
        parents=[head.commit],
        closure=closure_chunks[-1].address,
        name=author.name,
        email=author.email,
        message=message,
        timestamp_ms=timestamp_ms,
    )
    return NewCommit(commit, [*root_chunks, *closure_chunks, chunk])


def first_commit(author: Author, timestamp_ms: int) -> NewCommit:
    """The commit with which `dolt init` begins a database: no tables, no parents."""
    empty = RootValue.empty()
    commit, chunk = Commit.create(
        root=empty.address,
        parents=[],
        closure=Address.EMPTY,
        name=author.name,
        email=author.email,
        message="Initialize data repository",
        timestamp_ms=timestamp_ms,
    )
    return NewCommit(commit, [empty.chunk(), chunk])


async def message_for(head: Snapshot, changes: Mapping[str, Change], chunks: ChunkStore) -> str:
    """The default message of a commit that makes *changes* on top of *head*."""
    store = Overlay(built_chunks(changes), chunks)
    updated: dict[str, RowChanges] = {}
    created: list[str] = []
    altered: list[str] = []
    for name, change in changes.items():
        if has_schema(change) and name in head.tables:
            altered.append(name)
        elif isinstance(change, BuiltTable) and name not in head.tables and not change.row_count:
            created.append(name)
        elif change is not None:
            updated[name] = await _row_changes(head, name, change, store)
    dropped = [name for name, change in changes.items() if change is None]
    return default_message(updated, dropped, created, altered)


def has_schema(change: Change) -> bool:
    """Whether *change* is a table that comes with its schema, as one whose schema was edited."""
    return isinstance(change, BuiltTable) and any(
        chunk.address == change.table.schema for chunk in change.chunks
    )


async def _row_changes(
    head: Snapshot, name: str, change: BuiltTable | Address, chunks: ChunkStore
) -> RowChanges:
    if isinstance(change, BuiltTable):
        new = change.table
    else:
        new = Table.decode((await chunks.get_many([change]))[0])
    if name not in head.all_tables:
        return RowChanges(added=new.row_count)
    version = await head.table(name)
    old = version.table
    if old.schema != new.schema:
        # Rows of two schemas have nothing to compare: all of the old go, all of the new come.
        return RowChanges(added=new.row_count, removed=old.row_count)
    return RowChanges(*await drive(DiffCount(old, new, version.schema), chunks))
