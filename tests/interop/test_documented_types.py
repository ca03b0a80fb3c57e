"""Dolt does with each example of docs/SEMANTICS.md as that says."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from tests.support.documented_types import Example, documented_examples

if TYPE_CHECKING:
    from tests.support.dolt import Clone, Dolt

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(600)]


def test_dolt_does_the_same(dolt: Dolt) -> None:
    clone = dolt.init("types")
    examples = sorted(documented_examples(), key=lambda example: example.sql_type)
    wrong = []
    for sql_type, of_type in groupby(examples, key=lambda example: example.sql_type):
        clone.dolt("sql", "-q", "DROP TABLE IF EXISTS t")
        clone.dolt("sql", "-q", f"CREATE TABLE t (k int PRIMARY KEY, v {sql_type})")
        same: list[Example] = []
        others: list[Example] = []
        for example in of_type:
            (others if example.differs or example.shown is None else same).append(example)
        together = _import(clone, *(example.field for example in same))
        assert together == [example.shown for example in same], sql_type
        for example in others:
            found = _import(clone, example.field)
            if (found == [example.shown]) is example.differs:
                wrong.append((example, found))
    assert wrong == []


def _import(clone: Clone, *fields: str) -> list[str | None]:
    """What dolt shows of each field that it took out of one text; None where it took no text."""
    rows = "".join(f"{key},{field}\n" for key, field in enumerate(fields))
    (clone.directory / "rows.csv").write_text(f"k,v\n{rows}")
    if clone.try_dolt("table", "import", "-r", "t", "rows.csv").returncode != 0:
        return [None] * len(fields)
    lines = clone.export("t").decode().split("\n")
    shown = dict(line.split(",", 1) for line in lines[1:] if line)
    return [shown[str(key)] for key in range(len(fields))]
