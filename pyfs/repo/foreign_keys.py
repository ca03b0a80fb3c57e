"""What foreign keys demand of a commit: rows whose parents are there, and rows that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pyfs._core import (
    Address,
    BuiltTable,
    Chunk,
    FollowBuild,
    ForeignKey,
    KeyCheck,
    KeyFindings,
    MissingParents,
    ReferencedRow,
    Schema,
    Table,
    foreign_key_chunk,
    foreign_keys,
)
from pyfs.errors import ConflictError, InvalidTextError, UnsupportedError
from pyfs.repo.change import Change, KeyEdit, built_chunks, streamed
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.text_build import StreamedTable
from pyfs.store.chunks import ChunkStore
from pyfs.store.overlay import Overlay
from pyfs.store.traversal import drive_apart

ROUNDS_MAX: Final = 15
"""Tables that may follow one another; dolt follows no further either."""

Stored: TypeAlias = tuple[Table, Schema]


@dataclass(frozen=True, slots=True)
class Kept:
    """A change with all that follows from it."""

    asked: Mapping[str, Change]
    """The change that was asked for."""
    changes: dict[str, Change]
    """What each table becomes, those whose rows follow too."""
    keys: Address
    """The foreign keys from then on; empty for none."""
    key_edits: Mapping[str, KeyEdit]
    """What becomes of the keys that tables declare."""
    chunks: list[Chunk] = field(default_factory=list)
    """What is new beside the chunks of `asked`."""

    def over(self, chunks: ChunkStore) -> ChunkStore:
        """Every chunk that may be new, before *chunks*."""
        new = [*self.chunks, *built_chunks(self.asked)]
        files = [file for table in streamed(self.asked) for file in table.files]
        return Overlay(new, chunks, files)


async def keys_of(snapshot: Snapshot, chunks: ChunkStore) -> list[ForeignKey]:
    """The foreign keys of a commit."""
    address = snapshot.root.foreign_keys
    if not address:
        return []
    (chunk,) = await chunks.get_many([address])
    return foreign_keys(chunk)


async def refusal_of_keys(snapshot: Snapshot, name: str, chunks: ChunkStore) -> str | None:
    """Why rows of table *name* cannot be written for a foreign key of or to it, or None."""
    for key in await keys_of(snapshot, chunks):
        if name.lower() not in (key.child.lower(), key.parent.lower()):
            continue
        child, parent = (_find(snapshot.all_tables, table) for table in (key.child, key.parent))
        if child is None or parent is None:
            gone = key.child if child is None else key.parent
            return f"foreign key {key.name!r} names table {gone!r}, which is not there"
        schemas = [(await snapshot.table(table)).schema for table in (child, parent)]
        reason = key.refusal(*schemas)
        if reason is not None:
            return reason
    return None


async def keep(
    head: Snapshot,
    changes: Mapping[str, Change],
    edits: Mapping[str, KeyEdit],
    chunks: ChunkStore,
) -> Kept:
    """Makes *changes* of the tables of *head*, and *edits* of its foreign keys, keep these.

    Rows that name others which went follow, as their foreign keys say. Raises
    `InvalidTextError` for a row without its parent, and for one that others name and that is
    gone; `UnsupportedError` where pyfs cannot tell; `ConflictError` if others edited the keys.
    """
    before = await keys_of(head, chunks)
    kept = Kept(changes, dict(changes), head.root.foreign_keys, edits)
    if not (before or edits) or not (changes or edits):
        return kept
    after = _edited(_after(before, head, changes), before, edits)
    if after != before:
        chunk = foreign_key_chunk(after) if after else None
        keys = chunk.address if chunk else Address.EMPTY
        kept = Kept(changes, kept.changes, keys, edits, [chunk] if chunk else [])
    for _ in range(ROUNDS_MAX):
        findings = await _check(head, kept, before, after, chunks)
        for missing in findings.missing:
            raise _missing(missing, kept.changes)
        for row in findings.referenced:
            raise _referenced(row)
        if not findings.follow:
            return kept
        await _follow(head, kept, findings, chunks)
    raise UnsupportedError(
        f"more than {ROUNDS_MAX} rows follow one another by their foreign keys: make the change"
        " in steps"
    )


def _after(
    before: Sequence[ForeignKey], head: Snapshot, changes: Mapping[str, Change]
) -> list[ForeignKey]:
    """The foreign keys after *changes*: those of dropped tables go, those of renamed ones stay."""
    names = {name.lower(): name for name in [*head.all_tables, *changes]}
    new_names = dict(names)
    for name, change in changes.items():
        if change is None:
            new_names.pop(name.lower(), None)
            old = head.all_tables.get(name)
            moved = [n for n, c in changes.items() if isinstance(c, Address) and c == old]
            if moved and moved[0] not in head.all_tables:
                new_names[name.lower()] = moved[0]
    after = []
    for key in before:
        child = new_names.get(key.child.lower()) if key.child.lower() in names else key.child
        parent = new_names.get(key.parent.lower()) if key.parent.lower() in names else key.parent
        if child is None:
            continue
        if parent is None:
            raise UnsupportedError(
                f"table {key.parent!r} cannot be dropped: foreign key {key.name!r} of table"
                f" {key.child!r} names it"
            )
        same = child.lower() == key.child.lower() and parent.lower() == key.parent.lower()
        after.append(key if same else key.with_tables(child, parent))
    return after


def _edited(
    keys: list[ForeignKey], before: Sequence[ForeignKey], edits: Mapping[str, KeyEdit]
) -> list[ForeignKey]:
    """*keys* with *edits* made; *before* are those of the branch's head."""
    for name, edit in edits.items():
        keys = [key.with_columns(dict(edit.new_names)) for key in keys]
        own = [key for key in before if same_table(key.child, name)]
        if own == list(edit.after):
            continue
        if own != list(edit.before):
            raise ConflictError(
                f"the foreign keys of table {name!r} were changed by another client; read its"
                " schema again and repeat the change"
            )
        others = [key for key in keys if not same_table(key.child, name)]
        taken = {key.name.lower() for key in others}
        for key in edit.after:
            if key.name.lower() in taken:
                raise ConflictError(
                    f"another client made a foreign key {key.name!r}: choose another name"
                )
        keys = sorted([*others, *edit.after], key=lambda key: key.name.encode())
    return keys


async def _check(
    head: Snapshot,
    kept: Kept,
    before: Sequence[ForeignKey],
    after: Sequence[ForeignKey],
    chunks: ChunkStore,
) -> KeyFindings:
    changed = {name.lower() for name in kept.changes}
    keys = [
        (key, is_new)
        for key in after
        if (is_new := not any(key.demands_as(other) for other in before))
        or changed & {key.child.lower(), key.parent.lower()}
    ]
    store = kept.over(chunks)
    names = {name.lower() for key, _ in keys for name in (key.child, key.parent)}
    tables: dict[str, tuple[Stored | None, Stored]] = {}
    for lower in names:
        found = await _versions(head, kept.changes, lower, store)
        if found is not None:
            tables[lower] = found
    complete = []
    for key, is_new in keys:
        if {key.child.lower(), key.parent.lower()} <= tables.keys():
            complete.append((key, is_new))
        elif is_new:
            raise UnsupportedError(f"foreign key {key.name!r} names a table that is not there")
    return await drive_apart(KeyCheck(complete, tables), store)


async def _versions(
    head: Snapshot, changes: Mapping[str, Change], lower: str, store: ChunkStore
) -> tuple[Stored | None, Stored] | None:
    """A table before and after *changes*; None if it is not there after them."""
    name = _find({n: c for n, c in changes.items() if c is not None}, lower)
    old_name = _find(head.all_tables, lower)
    old = None
    if old_name is not None:
        version = await head.table(old_name)
        old = version.table, version.schema
    if name is None:
        return None if old is None or old_name in changes else (old, old)
    change = changes[name]
    if change is None:
        return None
    if isinstance(change, BuiltTable):
        table = change.table
    else:
        table = Table.decode((await store.get_many([change]))[0])
    if old is not None and old[0].schema == table.schema:
        return old, (table, old[1])
    schema = Schema.decode((await store.get_many([table.schema]))[0])
    return old, (table, schema)


async def _follow(head: Snapshot, kept: Kept, findings: KeyFindings, chunks: ChunkStore) -> None:
    """Carries out what becomes of rows that name others which went."""
    for lower, follow in findings.follow.items():
        store = kept.over(chunks)
        found = await _versions(head, kept.changes, lower, store)
        name = _find({**head.all_tables, **kept.changes}, lower)
        if found is None or name is None:
            raise AssertionError("rows of a table follow that is not there")
        table, schema = found[1]
        reason = schema.refuses_writes()
        if table.has_artifacts:
            reason = "a merge left conflicts or violations in it"
        if reason is not None:
            raise UnsupportedError(f"rows of table {name!r} would follow, and {reason}")
        built = await drive_apart(FollowBuild(schema, table, follow), store)
        kept.changes[name] = built
        kept.chunks.extend(built.chunks)


def same_table(one: str, other: str) -> bool:
    """Whether dolt takes two names for one."""
    return one.lower() == other.lower()


def _find(tables: Mapping[str, object], name: str) -> str | None:
    """The table of *name*, which dolt looks up in any case."""
    if name in tables:
        return name
    return next((table for table in tables if table.lower() == name.lower()), None)


def _missing(missing: MissingParents, changes: Mapping[str, Change]) -> InvalidTextError:
    key = missing.key
    child = _find(changes, key.child)
    change = changes[child] if child is not None else None
    line, value = missing.first(
        change if isinstance(change, BuiltTable) else None,
        change.lines() if isinstance(change, StreamedTable) else [],
    )
    reason = (
        f"table {key.parent!r} has no row with {_columns(missing.parent_columns)} = {value}, which"
        f" foreign key {key.name!r} demands; add that row first"
    )
    if line:
        return InvalidTextError(reason, line, ",".join(missing.columns), value)
    return InvalidTextError(
        f"{_columns(missing.columns)} of table {key.child!r} is {value}: {reason}"
    )


def _referenced(row: ReferencedRow) -> InvalidTextError:
    rows = "1 row" if row.count == 1 else f"{row.count} rows"
    what = "changed" if row.changed else "removed"
    return InvalidTextError(
        f"the row of table {row.parent!r} with {_columns(row.columns)} = {row.value} cannot be"
        f" {what}: {rows} of table {row.child!r} name it by foreign key {row.constraint!r};"
        f" change or remove those first"
    )


def _columns(names: Sequence[str]) -> str:
    return ",".join(names)
