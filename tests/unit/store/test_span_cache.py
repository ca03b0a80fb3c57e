"""The cache of spans: what it keeps, what it lets go, and that damage costs nothing but time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyfs._core import Address, Addresses, Chunk, StorageWriter, TableIndex
from pyfs.store.chunks import Tail
from pyfs.store.span_cache import SpanCache

REMOTE = "aws://[t:b]/p"


def table_file(count: int) -> tuple[TableIndex, list[Chunk], bytes]:
    """A table file of *count* chunks that do not compress, its index, and its bytes."""
    writer = StorageWriter()
    contents = [os.urandom(1000) for _ in range(count)]
    chunks = [Chunk.verify(Address.of(raw), raw) for raw in contents]
    writer.add(chunks)
    file = writer.finish()
    assert file is not None
    tail = file.data[-TableIndex.table_tail_len(count) :]
    return TableIndex.table(file.name, tail, len(file.data)), chunks, file.data


@contextmanager
def cache(folder: Path, bytes_max: int = 1 << 20) -> Iterator[SpanCache]:
    spans = SpanCache(folder, REMOTE, bytes_max)
    yield spans
    spans.close()


def addresses(chunks: list[Chunk]) -> list[Address]:
    return [chunk.address for chunk in chunks]


def found(
    spans: SpanCache, index: TableIndex, asked: list[Address]
) -> tuple[list[Address], list[Address]]:
    """The addresses of the chunks that *spans* has, and the others."""
    parts, left = spans.chunks(index, Addresses(asked))
    return [chunk.address for part in parts for chunk in part], list(left)


def test_a_span_serves_the_chunks_that_lie_wholly_in_it(tmp_path: Path) -> None:
    index, chunks, data = table_file(5)
    asked = addresses(chunks)
    with cache(tmp_path) as spans:
        assert found(spans, index, asked) == ([], asked)
        plans = index.plan(asked[:3], 0, 1 << 20)
        assert [plan.offset for plan in plans] == [0]
        spans.keep(index.name, 0, data[: plans[0].length + 10])
        here, left = found(spans, index, asked)
        assert (sorted(here), left) == (sorted(asked[:3]), asked[3:])


@pytest.mark.parametrize("same_process", [True, False])
def test_spans_and_tails_outlive_the_process(tmp_path: Path, same_process: bool) -> None:
    index, chunks, data = table_file(3)
    with cache(tmp_path) as spans, cache(tmp_path) as other:
        assert found(other, index, addresses(chunks)) == ([], addresses(chunks))
        spans.keep(index.name, 0, data)
        spans.put_tail(index.name, "file.darc", Tail(b"tail\0", 7))
        spans.put_dictionaries(index.name, 3000, b"dictionary")
        spans.close()
        if same_process:
            assert len(found(other, index, addresses(chunks))[0]) == 3
    with cache(tmp_path) as spans:
        assert len(found(spans, index, addresses(chunks))[0]) == 3
        assert spans.get_tail(index.name) == ("file.darc", Tail(b"tail\0", 7))
        assert spans.get_dictionaries(index.name, 3000, 10) == b"dictionary"
        assert spans.get_dictionaries(index.name, 3000, 9) is None
        assert spans.get_dictionaries(index.name, 3001, 9) is None
        assert spans.read(index.name, 5, 10) == data[5:15]
        assert spans.read(index.name, len(data) - 5, 6) is None
        assert spans.get_tail("other") is None


def test_the_spans_of_two_remotes_are_not_mixed(tmp_path: Path) -> None:
    with cache(tmp_path) as spans:
        spans.put_tail("name", "file", Tail(b"tail", 4))
    other = SpanCache(tmp_path, "aws://[t:b]/other", 1 << 20)
    assert other.get_tail("name") is None
    other.close()


def test_what_is_damaged_is_not_there(tmp_path: Path) -> None:
    index, chunks, data = table_file(3)
    with cache(tmp_path) as spans:
        spans.keep(index.name, 0, data)
        spans.put_tail(index.name, "file", Tail(b"tail", 7))
        spans.put_dictionaries(index.name, 3000, b"dictionary")
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.write_bytes(os.urandom(path.stat().st_size))
    with cache(tmp_path) as spans:
        assert found(spans, index, addresses(chunks)) == ([], addresses(chunks))
        assert spans.get_tail(index.name) is None
        assert spans.get_dictionaries(index.name, 3000, 10) is None
        assert not list(tmp_path.rglob("[0-9]*-*")), "a damaged span is deleted"


@pytest.mark.parametrize("end", [0, 10, 2000])
def test_a_span_that_is_cut_off_is_not_there(tmp_path: Path, end: int) -> None:
    index, chunks, data = table_file(3)
    with cache(tmp_path) as spans:
        spans.keep(index.name, 0, data)
    for path in tmp_path.rglob("*-*"):
        os.truncate(path, end)
    with cache(tmp_path) as spans:
        assert found(spans, index, addresses(chunks))[1] == addresses(chunks)


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    kib = 1024
    with cache(tmp_path, 64 * kib) as spans:
        for number in range(8):
            spans.keep("a", number * 8 * kib, os.urandom(8 * kib))
    for number, path in enumerate(
        sorted(tmp_path.rglob("*-*"), key=lambda p: int(p.name.split("-")[0]))
    ):
        os.utime(path, ns=(number, number))
    with cache(tmp_path, 64 * kib) as spans:
        assert spans.read("a", 0, 1) is not None  # now the most recently used
        spans.keep("a", 64 * kib, os.urandom(8 * kib))
    with cache(tmp_path, 64 * kib) as spans:
        kept = [n for n in range(9) if spans.read("a", n * 8 * kib, 1) is not None]
    assert kept == [0, 3, 4, 5, 6, 7, 8]


def test_a_cache_that_is_deleted_or_no_folder_costs_no_more_than_time(tmp_path: Path) -> None:
    index, chunks, data = table_file(3)
    file = tmp_path / "file"
    file.write_bytes(b"")
    with cache(file) as spans:
        spans.keep(index.name, 0, data)
        spans.put_tail(index.name, "file", Tail(b"tail", 7))
        assert len(found(spans, index, addresses(chunks))[0]) == 3, "memory serves"
    with cache(file) as spans:
        assert found(spans, index, addresses(chunks))[0] == []
        assert spans.get_tail(index.name) is None


def test_nothing_is_kept_on_disk_without_room(tmp_path: Path) -> None:
    index, chunks, data = table_file(3)
    with cache(tmp_path, 0) as spans:
        spans.keep(index.name, 0, data)
        spans.put_tail(index.name, "file", Tail(b"tail", 7))
        assert len(found(spans, index, addresses(chunks))[0]) == 3
    assert not list(tmp_path.iterdir())


def test_one_damaged_span_costs_only_its_own_chunks(tmp_path: Path) -> None:
    index, chunks, data = table_file(4)
    asked = addresses(chunks)
    middle = index.plan(asked[:2], 0, 1 << 20)[0].length
    with cache(tmp_path) as spans:
        spans.keep(index.name, 0, data[:middle])
        spans.keep(index.name, middle, data[middle:])
    first = next(tmp_path.rglob("0-*"))
    first.write_bytes(os.urandom(first.stat().st_size))
    with cache(tmp_path) as spans:
        here, left = found(spans, index, asked)
        assert (sorted(here), left) == (sorted(asked[2:]), asked[:2])


@pytest.mark.parametrize(
    "name",
    [
        f"0-{10**22}",
        f"0-{2**63}",
        f"{10**22}-{10**23}",
        "0-" + "9" * 200,
        "5-5",
        "9-3",
        "00-99999",
        "\u0660-\u0669\u0669\u0669\u0669\u0669",
        "0-\xb2",
        "-",
        "0-",
        "-1-5",
    ],
)
def test_a_file_whose_name_says_no_span_is_none(tmp_path: Path, name: str) -> None:
    index, chunks, data = table_file(3)
    with cache(tmp_path) as spans:
        spans.keep(index.name, 0, data[:1])
    (span,) = tmp_path.rglob("0-1")
    span.with_name(name).write_bytes(data)
    with cache(tmp_path) as spans:
        assert found(spans, index, addresses(chunks)) == ([], addresses(chunks))
        assert spans.read(index.name, 0, 2) is None
