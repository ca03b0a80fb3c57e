"""Dolt imports the other formats that pyfs shows, or says why it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.formats import Format
from tests.support.mounts import copied
from tests.support.repositories import head_of, opened_url, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dolt import Clone, Dolt

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]

EVERY_FORMAT = {
    "gen": "generated column",
    "parent": "referenced in foreign key",
    # BIT: dolt takes neither an empty field nor a number of JSON for it.
    "numbers": "column value should be of type string",
}
"""Tables that dolt does not import in any format, not even from its own export, and why."""
NO_NULL = "CSV reader expected"
"""Dolt takes a tab for space and drops it, so that a field that is NULL is not there."""
NOT_IMPORTED = {
    Format.CSV: EVERY_FORMAT,
    Format.TSV: EVERY_FORMAT
    | dict.fromkeys(["child", "geo", "indexed", "keyless", "numbers", "strings", "times"], NO_NULL),
    Format.JSONL: EVERY_FORMAT
    | {
        "geo": "invalid GIS data",
        # It parses a string as JSON that is a JSON document.
        "strings": "Invalid JSON text",
    },
}
OPTIONS = {Format.TSV: ["--file-type", "csv", "--delim", "\t"]}


def imported(clone: Clone, table: str, format: Format, text: bytes) -> str:
    """The table's hash once dolt has imported *text*, or what it says against that."""
    clone.dolt("reset", "--hard")
    path = clone.directory / f"rows.{format}"
    path.write_bytes(text)
    done = clone.try_dolt("table", "import", "-r", *OPTIONS.get(format, []), table, str(path))
    return clone.hash_of(table) if done.returncode == 0 else done.stdout + done.stderr


def test_dolt_imports_what_is_shown(dolt: Dolt, tmp_path: Path) -> None:
    url = copied("types", tmp_path)
    texts: dict[str, dict[Format, bytes]] = {}

    async def main() -> None:
        async with opened_url(url, tmp_path / "cache") as repository:
            head = await head_of(repository)
            for table in head.tables:
                texts[table] = {f: await text_of(head, table, f) for f in NOT_IMPORTED}

    trio.run(main)
    clone = dolt.clone(url, "clone")
    same = dict.fromkeys(NOT_IMPORTED, 0)
    for table, of_table in texts.items():
        from_csv = imported(clone, table, Format.CSV, of_table[Format.CSV])
        for format, text in of_table.items():
            found = imported(clone, table, format, text)
            reason = NOT_IMPORTED[format].get(table)
            if reason is None:
                assert found == from_csv, (table, format)
                same[format] += 1
            else:
                assert reason in found, (table, format, found)
    assert same == {Format.CSV: 11, Format.TSV: 5, Format.JSONL: 9}
