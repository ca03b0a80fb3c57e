"""`Change`: what a table becomes."""

from collections.abc import Mapping
from typing import TypeAlias

from pyfs._core import Address, BuiltTable, Chunk

Change: TypeAlias = BuiltTable | Address | None
"""One just built, one that is stored already, or none (dropped)."""


def address_of(change: Change) -> Address | None:
    """The address that a table has after *change*."""
    return change.address if isinstance(change, BuiltTable) else change


def built_chunks(changes: Mapping[str, Change]) -> list[Chunk]:
    """The chunks of all tables that were just built."""
    return [
        chunk
        for change in changes.values()
        if isinstance(change, BuiltTable)
        for chunk in change.chunks
    ]


def has_schema(change: Change) -> bool:
    """Whether *change* is a table that comes with its schema, as one whose schema was edited."""
    return isinstance(change, BuiltTable) and any(
        chunk.address == change.table.schema for chunk in change.chunks
    )
