"""What Dolt's own tables hold, a text for each row: documents and views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfs.repo.system_tables import rows_of
from pyfs.vfs.names import escape

if TYPE_CHECKING:
    from pyfs.repo.snapshot import Snapshot

DOCS: Final = "docs"
VIEWS: Final = "views"
TEXT_DIRECTORIES: Final = (DOCS, VIEWS)


async def texts_of(snapshot: Snapshot, directory: str) -> dict[str, bytes]:
    """File name to contents: the documents of `dolt_docs`, or the views of `dolt_schemas`."""
    if directory == DOCS:
        rows = await rows_of(snapshot, "dolt_docs")
        return {escape(row["doc_name"]): row["doc_text"].encode() for row in rows}
    rows = await rows_of(snapshot, "dolt_schemas")
    views = [row for row in rows if row["type"].lower() == "view"]
    return {escape(row["name"]) + ".sql": f"{row['fragment']};\n".encode() for row in views}
