"""Changed tables become a commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyfs._core import Address, BuiltTable, Chunk, ClosureEdit, Commit, DiffCount, RootValue, Table
from pyfs.errors import ConflictError
from pyfs.repo.author import Author
from pyfs.repo.change import Change, address_of, has_schema
from pyfs.repo.foreign_keys import Kept
from pyfs.repo.message import RowChanges, default_message
from pyfs.repo.snapshot import Snapshot
from pyfs.store.chunks import ChunkStore
from pyfs.store.traversal import drive


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that is on no remote yet, and the chunks it is made of, less those of its tables."""

    commit: Commit
    chunks: Sequence[Chunk]


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


async def make_commit(
    head: Snapshot,
    kept: Kept,
    message: str | None,
    author: Author,
    timestamp_ms: int,
    chunks: ChunkStore,
) -> NewCommit | None:
    """The commit on top of *head* that makes the changes of *kept*; None if nothing differs."""
    tables = dict(head.all_tables)
    for name, change in kept.changes.items():
        address = address_of(change)
        if address is None:
            tables.pop(name, None)
        else:
            tables[name] = address
    root_chunks = head.root.with_tables(tables, kept.keys)
    root = root_chunks[-1].address
    if root == head.commit.root:
        return None
    if not message:
        message = await message_for(head, kept, chunks)
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
    return NewCommit(commit, [*kept.chunks, *root_chunks, *closure_chunks, chunk])


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


async def message_for(head: Snapshot, kept: Kept, chunks: ChunkStore) -> str:
    """The default message of a commit that makes the changes of *kept* on top of *head*."""
    changes = kept.changes
    store = kept.over(chunks)
    updated: dict[str, RowChanges] = {}
    created: list[str] = []
    altered: list[str] = [name for name in kept.key_edits if name not in changes]
    renamed = _renamed(head, changes)
    for name, change in changes.items():
        if name in renamed.values():
            continue
        if has_schema(change) and name in head.tables:
            altered.append(name)
        elif isinstance(change, BuiltTable) and name not in head.tables and not change.row_count:
            created.append(name)
        elif change is not None:
            updated[name] = await _row_changes(head, name, change, store)
    dropped = [n for n, change in changes.items() if change is None and n not in renamed]
    return default_message(updated, dropped, created, altered, renamed)


def _renamed(head: Snapshot, changes: Mapping[str, Change]) -> dict[str, str]:
    """The new names of tables that go on under another."""
    new = {
        change: name
        for name, change in changes.items()
        if isinstance(change, Address) and name not in head.tables
    }
    gone = [name for name, change in changes.items() if change is None and name in head.tables]
    return {name: new.pop(head.tables[name]) for name in gone if head.tables[name] in new}


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
