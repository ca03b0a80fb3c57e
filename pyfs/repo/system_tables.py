"""Dolt's own tables: which of them a user may fill."""

from typing import Final

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
