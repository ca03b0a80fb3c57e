"""`Change`: what a table becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pyfs._core import Address, BuiltTable, Chunk, ForeignKey
from pyfs.repo.text_build import StreamedTable

Change: TypeAlias = BuiltTable | Address | None
"""One just built, one that is stored already, or none (dropped)."""


@dataclass(frozen=True, slots=True)
class KeyEdit:
    """What the foreign keys that a table declares become."""

    before: Sequence[ForeignKey]
    """Those that it declared in the commit that the edit is based on."""
    after: Sequence[ForeignKey]
    new_names: Mapping[int, str] = field(default_factory=dict)
    """Names of its columns that changed, by tag: other tables' keys know them too."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A table whose schema was edited, and its foreign keys."""

    table: BuiltTable | Address
    keys: KeyEdit


Wanted: TypeAlias = Change | Edited
"""What a save makes of a table."""


def tables_of(changes: Mapping[str, Wanted]) -> dict[str, Change]:
    """What the tables become."""
    return {n: c.table if isinstance(c, Edited) else c for n, c in changes.items()}


def key_edits_of(changes: Mapping[str, Wanted]) -> dict[str, KeyEdit]:
    """What becomes of the foreign keys that the tables declare."""
    return {n: c.keys for n, c in changes.items() if isinstance(c, Edited)}


def address_of(change: Change) -> Address | None:
    """The address that a table has after *change*."""
    return change.address if isinstance(change, BuiltTable) else change


def built_chunks(changes: Mapping[str, Change]) -> list[Chunk]:
    """The chunks of all tables that were just built, as far as they are in memory."""
    return [
        chunk
        for change in changes.values()
        if isinstance(change, BuiltTable)
        for chunk in change.chunks
    ]


def chunks_in_memory(changes: Mapping[str, Change]) -> list[Chunk]:
    """The chunks of those of them that are in no files."""
    return built_chunks({n: c for n, c in changes.items() if not isinstance(c, StreamedTable)})


def streamed(changes: Mapping[str, Change]) -> list[StreamedTable]:
    """Those of them that have more chunks in files."""
    return [change for change in changes.values() if isinstance(change, StreamedTable)]


def has_schema(change: Change) -> bool:
    """Whether *change* is a table that comes with its schema, as one whose schema was edited."""
    return isinstance(change, BuiltTable) and any(
        chunk.address == change.table.schema for chunk in change.chunks
    )
