"""What Dolt's own tables hold, a text for each row: documents and views."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from pyfs.vfs.names import escape

if TYPE_CHECKING:
    from pyfs.repo.snapshot import Snapshot

DOCS: Final = "docs"
VIEWS: Final = "views"
TEXT_DIRECTORIES: Final = (DOCS, VIEWS)


async def texts_of(snapshot: Snapshot, directory: str) -> dict[str, bytes]:
    """File name to contents: the documents of `dolt_docs`, or the views of `dolt_schemas`."""
    if directory == DOCS:
        rows = await _rows(snapshot, "dolt_docs")
        return {escape(row["doc_name"]): row["doc_text"].encode() for row in rows}
    rows = await _rows(snapshot, "dolt_schemas")
    views = [row for row in rows if row["type"].lower() == "view"]
    return {escape(row["name"]) + ".sql": f"{row['fragment']};\n".encode() for row in views}


async def _rows(snapshot: Snapshot, table: str) -> list[dict[str, str]]:
    if table not in snapshot.all_tables:
        return []
    version = await snapshot.table(table)
    text = (await version.read(0, await version.exact_size())).decode("utf-8", "replace")
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    return list(csv.DictReader(io.StringIO(text, newline="")))
