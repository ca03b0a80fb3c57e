"""Names of tables and branches as names of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfs.formats import Format
from pyfs.vfs.names import (
    branch_name,
    child_segment,
    escape,
    file_name,
    is_temporary,
    table_name,
    unescape,
)

ALL = list(Format)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT, st.sampled_from(Format))
def test_every_table_has_a_file_name_of_its_own(table: str, format: Format) -> None:
    name = file_name(table, format)
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert table_name(name, ALL) == (table, format)
    assert table_name(name, [other for other in Format if other != format]) is None


@given(TEXT)
def test_escaping_can_be_undone(name: str) -> None:
    assert unescape(escape(name)) == name


@given(st.text(st.sampled_from("a%2F5E0./"), min_size=1))
def test_escaping_what_looks_escaped_can_be_undone(name: str) -> None:
    assert unescape(escape(name)) == name


@pytest.mark.parametrize(
    "name", [".primes.csv", "primes.csv~", "primes.txt", ".csv", "a\udcff.csv", "a%2e.csv.bak", ""]
)
def test_scratch_names_are_no_tables(name: str) -> None:
    assert table_name(name, ALL) is None


def test_plain_names_stay_as_they_are() -> None:
    for name in ("primes", "odd name-1", "Ünï", "50%", "a.b", "a%2", "100%FF"):
        assert escape(name) == name


@pytest.mark.parametrize(
    ("name", "temporary"),
    [
        ("tmp_primes.csv", True),
        ("tmp_other.csv", False),
        ("primes.csv.123.csv", True),
        ("other.csv.123.csv", False),
        ("sedXXXX", True),
        ("tmp_primes.tsv", True),
        ("primes.tsv.123.csv", True),
        ("primes.tsv.123", True),
        ("numbers.tsv", False),
        ("numbers.csv", False),
    ],
)
def test_shapes_of_temporary_names(name: str, temporary: bool) -> None:
    assert is_temporary(name, {"primes"}, [Format.CSV, Format.TSV]) == temporary


def test_branches_nest() -> None:
    assert branch_name("", "main") == "main"
    assert branch_name("feature", "twin") == "feature/twin"
    assert child_segment("", "feature/twin") == "feature"
    assert child_segment("feature", "feature/twin/x") == "twin"
    assert child_segment("feat", "feature/twin") is None
    assert child_segment("feature", "feature") is None
