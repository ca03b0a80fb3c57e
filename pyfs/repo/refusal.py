"""Why a table cannot be written: what pyfs could not keep right if its rows changed."""

import csv
import io
import re
from typing import Final

from pyfs._core import Table
from pyfs.repo.foreign_keys import refusal_of_keys
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.system_tables import system_refusal
from pyfs.store.chunks import ChunkStore

_SCHEMAS_TABLE: Final = "dolt_schemas"
_TRIGGER_ON: Final = re.compile(
    r"\b(?:BEFORE|AFTER)\s+(?:INSERT|UPDATE|DELETE)\s+ON\s+"
    r"(?:(?:`(?:[^`]|``)+`|[^\s`.]+)\s*\.\s*)?(?:`(?P<quoted>(?:[^`]|``)+)`|(?P<plain>[^\s`.]+))",
    re.IGNORECASE,
)


async def refusal(snapshot: Snapshot, name: str, chunks: ChunkStore) -> str | None:
    """Why the rows of table *name* cannot be replaced, or None."""
    reason = system_refusal(name)
    if reason is not None:
        return reason
    version = await snapshot.table(name)
    reason = version.schema.refuses_writes()
    if reason is not None:
        return reason
    if version.table.has_artifacts:
        return "a merge left conflicts or violations in it; resolve them with dolt"
    return await refusal_of_keys(snapshot, name, chunks) or await _trigger(snapshot, name)


async def refusal_to_drop(snapshot: Snapshot, name: str) -> str | None:
    """Why table *name* cannot be dropped, or None. Foreign keys are seen to when it is."""
    return await _trigger(snapshot, name)


async def refusal_to_alter(snapshot: Snapshot, name: str, table: Table) -> str | None:
    """Why the schema of table *name* cannot be changed, or None."""
    if table.has_artifacts:
        return "a merge left conflicts or violations in it; resolve them with dolt"
    return await _trigger(snapshot, name)


async def refusal_to_rename(snapshot: Snapshot, name: str) -> str | None:
    """Why table *name* cannot get another name, or None. Its rows and schema stay as they are."""
    if (await snapshot.table(name)).schema.has_fulltext_index:
        return "the tables of its full-text index are named after it"
    return await _trigger(snapshot, name)


async def _trigger(snapshot: Snapshot, name: str) -> str | None:
    if _SCHEMAS_TABLE not in snapshot.all_tables:
        return None
    schemas = await snapshot.table(_SCHEMAS_TABLE)
    size = await schemas.exact_size()
    text = (await schemas.read(0, size)).decode("utf-8", "replace")
    return trigger_on(text, name)


def trigger_on(schemas_text: str, name: str) -> str | None:
    """The refusal for a trigger on table *name* in the text of `dolt_schemas`, or None."""
    csv.field_size_limit(max(csv.field_size_limit(), len(schemas_text)))
    for row in csv.DictReader(io.StringIO(schemas_text, newline="")):
        if (row.get("type") or "").lower() != "trigger":
            continue
        match = _TRIGGER_ON.search(row.get("fragment") or "")
        if match is None:
            return f"trigger {row.get('name')!r} may be on it, and its text is not understood"
        table = match["plain"] or match["quoted"].replace("``", "`")
        if table.lower() == name.lower():
            return f"trigger {row.get('name')!r} is on it"
    return None
