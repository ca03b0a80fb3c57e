"""The table of types in docs/SEMANTICS.md, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.mounts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT: Final = ROOT / "docs" / "SEMANTICS.md"
HEADER: Final = (
    "| type | shown | taken as well | refused | otherwise than dolt, and notes |\n"
    "| --- | --- | --- | --- | --- |\n"
)
EXAMPLE: Final = re.compile(r"`([^`]+)`(\\\*)?(?: → (?:`([^`]+)`|(NULL)))?")
NULL: Final = ""
"""How a field that is NULL stands in a text."""


@dataclass(frozen=True, slots=True)
class Example:
    """A field of a text and what becomes of it in a column of *sql_type*."""

    sql_type: str
    field: str
    """As it stands in the text, quotes and all."""
    shown: str | None
    """How it is shown once it is stored; None where it is refused."""
    differs: bool
    """Whether dolt does something else with it."""


def documented_types() -> list[str]:
    """Every type that the table names, in its order."""
    return [sql_type for types, *_ in _rows() for sql_type in types]


def documented_examples() -> list[Example]:
    """Every example of the table, for each type of its row."""
    return [
        Example(sql_type, field, shown, differs)
        for types, examples in _rows()
        for sql_type in types
        for field, shown, differs in examples
    ]


def _rows() -> Iterator[tuple[list[str], list[tuple[str, str | None, bool]]]]:
    table = DOCUMENT.read_text().split(HEADER)[1].split("\n\n")[0]
    for line in table.splitlines():
        named, shown, taken, refused, _ = (cell.strip() for cell in line[1:-1].split(" |"))
        examples: list[tuple[str, str | None, bool]] = []
        examples += ((text, text, differs) for text, differs, _ in _cell(shown))
        examples += (
            (text, text if arrow is None else arrow, differs)
            for text, differs, arrow in _cell(taken)
        )
        examples += ((text, None, differs) for text, differs, _ in _cell(refused))
        yield [text for text, _, _ in _cell(named)], examples


def _cell(cell: str) -> list[tuple[str, bool, str | None]]:
    """The examples of a cell: text, whether an asterisk follows, and what its arrow leads to."""
    assert EXAMPLE.sub("", cell).replace(", ", "") == "", f"not read: {cell}"
    return [
        (text, bool(star), NULL if null else arrow or None)
        for text, star, arrow, null in EXAMPLE.findall(cell)
    ]
