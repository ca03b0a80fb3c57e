"""What a new table must not share with others: its name, and the tags of its columns."""

from collections.abc import Collection, Mapping
from typing import Final

from pyfs._core import Address, BuiltTable, Table, column_tags
from pyfs.errors import AlreadyExistsError, ConflictError, InvalidNameError, UnsupportedError
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.system_tables import is_system_table, rows_of
from pyfs.store.chunks import ChunkStore

NAME_LEN_MAX: Final = 64
"""The most characters of a table's name."""


def check_table_name(name: str) -> None:
    """Raises `InvalidNameError` for a name that dolt gives no table."""
    if is_system_table(name):
        raise UnsupportedError(f"table {name!r} would be Dolt's own: choose another name")
    if not name or name[-1].isspace():
        raise InvalidNameError(f"{name!r} ends with a space: no table is called that")
    if len(name) > NAME_LEN_MAX:
        raise InvalidNameError(f"{name!r} is longer than {NAME_LEN_MAX} characters")
    if any(char == "\0" or char > "\uffff" for char in name):
        raise InvalidNameError(f"{name!r} has a character that no table's name may have")


async def check_name_is_free(name: str, others: Collection[str], head: Snapshot) -> None:
    """Raises `AlreadyExistsError` where dolt would reach only one of two objects of that name."""
    for other in others:
        if other.lower() == name.lower() and other != name:
            raise AlreadyExistsError(
                f"there is a table {other!r}, and dolt does not tell {name!r} from it: choose"
                " another name"
            )
    for row in await rows_of(head, "dolt_schemas"):
        if row["type"].lower() == "view" and row["name"].lower() == name.lower():
            raise AlreadyExistsError(f"there is a view {row['name']!r}: choose another name")


async def tags_of(tables: Collection[Address], chunks: ChunkStore) -> set[int]:
    """The tags of all columns of *tables*."""
    messages = await chunks.get_many(list(dict.fromkeys(tables)))
    schemas = dict.fromkeys(Table.decode(chunk).schema for chunk in messages)
    found: set[int] = set()
    for chunk in await chunks.get_many(list(schemas)):
        found |= column_tags(chunk)
    return found


async def check_new_tags(
    name: str, built: BuiltTable, tables: Mapping[str, Address], chunks: ChunkStore
) -> None:
    """Raises `ConflictError` if a column of the new table *name* has the tag of another's.

    Its tags were free when it was built; another client may have made a table since.
    """
    schema = next((chunk for chunk in built.chunks if chunk.address == built.table.schema), None)
    if schema is None:
        return  # a table that was dropped comes back, under its own schema
    if column_tags(schema) & await tags_of(tables.values(), chunks):
        raise ConflictError(
            f"another client made a table with the same column tags while {name!r} was written;"
            " save it again"
        )
