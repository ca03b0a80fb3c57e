"""File names for tables and branches, and back.

A table `t` is the file `t.csv`, a branch `a/b` the directory `b` in `a`. What no file name can
hold is percent-encoded: a slash, a NUL, and a leading dot (dot names are this mount's own).
A `%` is encoded only where it would read as one of these, so `50%` stays `50%`.
"""

import re
from collections.abc import Container
from typing import Final

CONTROL: Final = ".pyfs"
"""The control directory: reached by name, never listed."""
SUFFIX: Final = ".csv"
NAME_BYTES_MAX: Final = 255
"""Longest file name that Linux takes."""

_UNSAFE = re.compile(r"^\.|[/\0]|%(?=25|2F|2E|00)")
_ESCAPE = re.compile(r"%(25|2F|2E|00)")


def escape(name: str) -> str:
    """*name* with what cannot stand in a file name percent-encoded."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def unescape(name: str) -> str:
    """What `escape` made *name* of."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)


def file_name(table: str) -> str:
    """The name of the file that shows *table*."""
    return escape(table) + SUFFIX


def table_name(name: str) -> str | None:
    """The table that a file of this name would be, or None where the name is scratch."""
    if name.startswith(".") or not name.endswith(SUFFIX) or not is_text(name):
        return None
    table = unescape(name.removesuffix(SUFFIX))
    return table if table and file_name(table) == name else None


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


def is_temporary(name: str, tables: Container[str]) -> bool:
    """Whether tools use such a name for a file that they rename onto one of *tables*.

    `tmp_t.csv` (DuckDB) and `t.csv.*.csv`; a name that does not end in `.csv` is no table anyway.
    """
    table = table_name(name)
    if table is None:
        return True
    if table.startswith("tmp_") and table.removeprefix("tmp_") in tables:
        return True
    whole, found, _ = name.partition(SUFFIX + ".")
    return bool(found) and unescape(whole) in tables


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
