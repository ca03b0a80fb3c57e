"""Dolt's own tables: which of them a user may fill."""

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyfs.repo.snapshot import Snapshot

SYSTEM_PREFIX: Final = "dolt_"
MADE_BY_FILLING: Final = ("dolt_docs", "dolt_ignore")
"""Those that a first row makes."""
_FILLED_BY_USERS: Final = frozenset(
    {*MADE_BY_FILLING, "dolt_nonlocal_tables", "dolt_query_catalog", "dolt_tests"}
)


def is_system_table(name: str) -> bool:
    """Whether a table is Dolt's own rather than the user's."""
    return name.lower().startswith(SYSTEM_PREFIX)


def system_refusal(name: str) -> str | None:
    """Why the rows of *name* cannot be replaced, if it is Dolt's own and not for users to fill."""
    if not is_system_table(name) or name in _FILLED_BY_USERS:
        return None
    return "Dolt keeps it itself; change what it is about with dolt"


async def rows_of(snapshot: "Snapshot", table: str) -> list[dict[str, str]]:
    """The rows of one of Dolt's own tables, which is small; none where it is not there."""
    if table not in snapshot.all_tables:
        return []
    version = await snapshot.table(table)
    text = (await version.read(0, await version.exact_size())).decode("utf-8", "replace")
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    return list(csv.DictReader(io.StringIO(text, newline="")))
