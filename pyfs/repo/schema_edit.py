"""A table's `CREATE TABLE`: its text, and what a changed text makes of the table."""

import os
import time
from collections.abc import Mapping
from typing import Final

import trio

from pyfs._core import (
    BuiltTable,
    Chunk,
    RowCarry,
    SchemaEdit,
    Table,
    column_tags,
    create_table,
    foreign_keys,
)
from pyfs.errors import AlreadyExistsError, InvalidNameError, UnsupportedError
from pyfs.repo.change import Edited, KeyEdit
from pyfs.repo.contents import TableContents
from pyfs.repo.foreign_keys import same_table
from pyfs.repo.refusal import refusal_to_alter
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.system_tables import is_system_table
from pyfs.store.chunks import ChunkStore

PIECE_BYTES: Final = 1 << 20
NAME_LEN_MAX: Final = 64
"""Characters of the longest name of a table."""


async def schema_text(snapshot: Snapshot, name: str, chunks: ChunkStore) -> bytes:
    """`CREATE TABLE` of table *name*, as dolt's `SHOW CREATE TABLE` prints it, and a line end."""
    table, schema = await _stored(snapshot, name, chunks)
    keys = await _foreign_keys(snapshot, chunks)
    parents = await _parents(snapshot, name, keys, chunks)
    return create_table(name, table, schema, keys, parents).encode() + b";\n"


async def edited_table(
    snapshot: Snapshot, name: str, text: bytes, chunks: ChunkStore
) -> Edited | None:
    """What *text* makes of table *name*: a new one, or a changed one; None if nothing differs.

    Raises `InvalidTextError` for a text that is no `CREATE TABLE` of it or that leaves a row no
    place, `UnsupportedError` for what pyfs cannot do as dolt would.
    """
    schemas = await _schemas(snapshot, chunks)
    tags = set().union(*(column_tags(schema) for schema in schemas.values()))
    collation = snapshot.root.collation
    keys = await _foreign_keys(snapshot, chunks)
    if name not in snapshot.tables:
        _check_new_name(snapshot, name)
        edit = SchemaEdit.create(name, text, tags, collation, keys, schemas)
        built = edit.without_rows()
        if built is None:
            raise AssertionError("a new table has no rows")
        return Edited(built, KeyEdit([], edit.foreign_keys))
    table, schema = await _stored(snapshot, name, chunks)
    edit = SchemaEdit.alter(name, text, tags, collation, table, schema, keys, schemas)
    if edit.unchanged:
        return None
    reason = await refusal_to_alter(snapshot, name, table)
    if reason is not None:
        raise UnsupportedError(f"table {name!r} cannot be altered by pyfs: {reason}")
    before = [key for key in foreign_keys(keys) if same_table(key.child, name)] if keys else []
    key_edit = KeyEdit(before, edit.foreign_keys, edit.new_names)
    if edit.schema_stays:
        return Edited(table.address, key_edit)
    built = edit.without_rows()
    if built is None:
        built = await _carried(
            edit.carry(time.time_ns() // 1000, os.urandom(16)), await snapshot.table(name)
        )
    return Edited(built, key_edit)


async def _carried(carry: RowCarry, version: TableContents) -> BuiltTable:
    offset = 0
    while piece := await version.read(offset, PIECE_BYTES):
        await trio.to_thread.run_sync(carry.feed, piece)
        offset += len(piece)
    return await trio.to_thread.run_sync(carry.finish)


def _check_new_name(snapshot: Snapshot, name: str) -> None:
    if is_system_table(name):
        raise UnsupportedError(f"table {name!r} would be Dolt's own: choose another name")
    if not name or name[-1].isspace() or len(name) > NAME_LEN_MAX:
        raise InvalidNameError(f"{name!r} is no name that dolt gives a table")
    for other in snapshot.all_tables:
        if other.lower() == name.lower():
            raise AlreadyExistsError(f"there is a table {other!r}, which is the same name to dolt")


async def _stored(snapshot: Snapshot, name: str, chunks: ChunkStore) -> tuple[Table, Chunk]:
    (chunk,) = await chunks.get_many([snapshot.all_tables[name]])
    table = Table.decode(chunk)
    (schema,) = await chunks.get_many([table.schema])
    return table, schema


async def _foreign_keys(snapshot: Snapshot, chunks: ChunkStore) -> Chunk | None:
    address = snapshot.root.foreign_keys
    return (await chunks.get_many([address]))[0] if address else None


async def _parents(
    snapshot: Snapshot, name: str, keys: Chunk | None, chunks: ChunkStore
) -> Mapping[str, Chunk]:
    """The schemas of the tables that foreign keys of *name* name."""
    if keys is None:
        return {}
    wanted = {key.parent.lower() for key in foreign_keys(keys) if same_table(key.child, name)}
    names = [table for table in snapshot.all_tables if table.lower() in wanted]
    return {table: (await _stored(snapshot, table, chunks))[1] for table in names}


async def _schemas(snapshot: Snapshot, chunks: ChunkStore) -> dict[str, Chunk]:
    """The schemas of all tables."""
    names, addresses = list(snapshot.all_tables), list(snapshot.all_tables.values())
    tables = [Table.decode(chunk).schema for chunk in await chunks.get_many(addresses)]
    return dict(zip(names, await chunks.get_many(tables), strict=True))
