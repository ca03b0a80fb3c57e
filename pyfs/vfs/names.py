"""File names for tables and branches, and back.

A table `t` is the file `t.csv` (or `t.tsv` …: a name for each format that the mount shows), a
branch `a/b` the directory `b` in `a`. What no file name can hold is percent-encoded: a slash, a
NUL, and a leading dot (dot names are this mount's own). A `%` is encoded only where it would read
as one of these, so `50%` stays `50%`.
"""

import re
from collections.abc import Collection, Container
from typing import Final, NamedTuple

from pyfs.formats import Format

CONTROL: Final = ".pyfs"
"""The control directory: reached by name, never listed."""
NAME_BYTES_MAX: Final = 255
"""Longest file name that Linux takes."""

_UNSAFE = re.compile(r"^\.|[/\0]|%(?=25|2F|2E|00)")
_ESCAPE = re.compile(r"%(25|2F|2E|00)")


class TableName(NamedTuple):
    """What the name of a table's file says."""

    table: str
    format: Format


def escape(name: str) -> str:
    """*name* with what cannot stand in a file name percent-encoded."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def unescape(name: str) -> str:
    """What `escape` made *name* of."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)


def file_name(table: str, format: Format) -> str:
    """The name of the file that shows *table* in *format*."""
    return escape(table) + format.suffix


def table_name(name: str, formats: Collection[Format]) -> TableName | None:
    """The table that a file of this name would be, or None where the name is scratch.

    *formats* are those that the mount shows.
    """
    stem, _, ending = name.rpartition(".")
    found = next((shown for shown in formats if shown == ending), None)
    if found is None or name.startswith(".") or not is_text(name):
        return None
    table = unescape(stem)
    return TableName(table, found) if table and file_name(table, found) == name else None


def branch_name(parent: str, name: str) -> str:
    """The branch that directory *name* in the directory of *parent* ("" for the root) would be."""
    segment = unescape(name)
    return f"{parent}/{segment}" if parent else segment


def child_segment(parent: str, branch: str) -> str | None:
    """The name in *parent*'s directory on the way to *branch*, or None if it is not below."""
    if not parent:
        return escape(branch.split("/", 1)[0])
    if not branch.startswith(parent + "/"):
        return None
    return escape(branch[len(parent) + 1 :].split("/", 1)[0])


def is_temporary(name: str, tables: Container[str], formats: Collection[Format]) -> bool:
    """Whether tools use such a name for a file that they rename onto one of *tables*.

    `tmp_t.csv` (DuckDB) and `t.csv.*.csv`; a name without the ending of one of *formats* is no
    table anyway.
    """
    named = table_name(name, formats)
    if named is None:
        return True
    if named.table.startswith("tmp_") and named.table.removeprefix("tmp_") in tables:
        return True
    wholes = (name.partition(shown.suffix + ".") for shown in formats)
    return any(found and unescape(whole) in tables for whole, found, _ in wholes)


def is_text(name: str) -> bool:
    """Whether *name* came from valid UTF-8 (the kernel's names are bytes)."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def fits(name: str) -> bool:
    """Whether a directory can list *name*."""
    return len(name.encode(errors="surrogateescape")) <= NAME_BYTES_MAX
