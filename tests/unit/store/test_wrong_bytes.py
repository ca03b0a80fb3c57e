"""Bytes that go wrong on their way are fetched again, and leave nothing wrong behind."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import trio

from pyfs._core import Manifest, StorageWriter, TableIndex
from pyfs.config import MountConfig
from pyfs.errors import CorruptionError, UnsupportedError
from pyfs.store.chunks import Tail
from pyfs.store.table_set import TableSet
from tests.support.memory_remote import MemoryFiles, MemoryRemote

GOLDEN: Final = Path(__file__).parents[2] / "golden"
ZSTD: Final = "storage/remote_zstd/098d68j241mgno3t4k6aju562flc1hau.darc"


class FaultyFiles(MemoryFiles):
    """Flips a bit of one byte, in the first answer that has it or in all."""

    def __init__(self, files: dict[str, bytes], name: str, at: int, tails_left_out: int) -> None:
        super().__init__()
        self.files = files
        self._name, self._at = name, at
        self._tails_left_out = tails_left_out
        self.faults = 1

    async def read_tail(self, name: str, length: int) -> Tail:
        tail = await super().read_tail(name, length)
        if name == self._name and self._tails_left_out > 0:
            self._tails_left_out -= 1
            return tail
        return Tail(self._flip(name, tail.file_len - len(tail.data), tail.data), tail.file_len)

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return self._flip(name, offset, await super().read(name, offset, length))

    def _flip(self, name: str, offset: int, data: bytes) -> bytes:
        at = self._at - offset
        if name != self._name or not 0 <= at < len(data) or self.faults == 0:
            return data
        self.faults -= 1
        return data[:at] + bytes([data[at] ^ 2]) + data[at + 1 :]


@dataclass(frozen=True)
class Stored:
    """A storage file, alone on its remote."""

    name: str
    file: str
    data: bytes
    index: TableIndex
    parts: dict[str, int]
    """Of each of its parts, where a byte of it lies in the file."""
    tail_is_longer: bool = False
    """Than expected, so that it is read twice anyway, and nothing is taken from the first."""

    def remote(self, part: str) -> tuple[MemoryRemote, FaultyFiles]:
        """A remote that gives *part* wrong."""
        files = FaultyFiles(
            {self.file: self.data}, self.file, self.parts[part], self.tail_is_longer
        )
        remote = MemoryRemote()
        remote.files = files
        spec = (self.name, len(self.index))
        addresses = self.index.addresses()
        remote.manifests.stored = Manifest.EMPTY.succeed(addresses[0], [spec], [])
        return remote, files


def stored(name: str, file: str, data: bytes) -> Stored:
    def number(at: int, width: int = 4) -> int:
        return int.from_bytes(data[at : at + width])

    end = len(data)
    if file == name:
        count = number(end - 20)
        start = end - TableIndex.table_tail_len(count)
        index = TableIndex.table(name, data[start:], end)
        parts = {
            "first record": 5,
            "last record": start - 9,
            "prefix": start + 12 * (count // 2) + 5,
            "last prefix": start + 12 * (count - 1) + 7,
            "ordinal": start + 12 * (count // 2) + 11,
            "length": start + 12 * count + 3,
            "suffix": start + 16 * count + 7,
            "last suffix": end - 21,
            "footer's count": end - 17,
            "magic number": end - 1,
        }
        return Stored(name, file, data, index, parts)
    spans, count, metadata_len = number(end - 212), number(end - 208), number(end - 204)
    start = end - 220 - metadata_len - number(end - 220, 8)
    prefixes = start + 8 * spans
    refs, suffixes = prefixes + 8 * count, prefixes + 16 * count
    index = TableIndex.archive(name, data[start:], end)
    # A chunk in the middle, by its address: its record, and its dictionary.
    dictionary, record = number(refs + 8 * (count // 2)), number(refs + 8 * (count // 2) + 4)

    def middle(span: int) -> int:
        first = number(start + 8 * (span - 2), 8) if span > 1 else 0
        return (first + number(start + 8 * (span - 1), 8)) // 2

    parts = {
        "record": middle(record),
        "first span's end": start + 7,
        "span's end": start + 8 * (record - 1) + 7,
        "prefix": prefixes + 8 * (count // 2) + 7,
        "last prefix": prefixes + 8 * count - 8,
        "dictionary's span": refs + 8 * (count // 2) + 3,
        "record's span": refs + 8 * (count // 2) + 7,
        "suffix": suffixes + 12 * (count // 2) + 3,
        "index length": end - 213,
        "span count": end - 209,
        "chunk count": end - 205,
        "metadata length": end - 201,
        "version": end - 8,
        "magic number": end - 1,
    }
    if dictionary:
        first = number(start + 8 * (dictionary - 2), 8) if dictionary > 1 else 0
        parts |= {"dictionary": middle(dictionary), "dictionary's head": first + 1}
    tail_is_longer = TableIndex.archive_tail_guess(count) < end - start
    return Stored(name, file, data, index, parts, tail_is_longer)


def of_golden(file: str) -> Stored:
    path = GOLDEN / file
    return stored(path.stem, path.name, path.read_bytes())


def of_writer(chunk_count: int) -> Stored:
    """One that is written here."""
    source = of_golden(ZSTD)
    index, data = source.index, source.data
    for plan in index.dictionary_plans():
        index.load_dictionaries(plan, data[plan.offset : plan.offset + plan.length])
    writer = StorageWriter()
    for plan in index.plan(index.addresses()[:chunk_count], 0, 1 << 20):
        writer.add(index.decode(plan, data[plan.offset : plan.offset + plan.length]))
    made = writer.finish()
    assert made is not None
    return stored(made.name, made.file, made.data)


@cache
def files() -> dict[str, Stored]:
    return {
        "dolt's table file": of_golden("storage/conjoined_table/lmsa6sb9gmoo65t85nqblqsi8pmutfao"),
        "dolt's joined archive": of_golden(
            "storage/conjoined_archive/ksci7l4so2rp243ik442oa4rvr11m02e.darc"
        ),
        "dolt's archive with a dictionary": of_golden(ZSTD),
        "own table file": of_writer(6),
        "own archive with a dictionary": of_writer(1000),
    }


def places() -> list[tuple[str, str]]:
    return [(kind, part) for kind, file in files().items() for part in file.parts]


def config(folder: Path, length_min: int) -> MountConfig:
    return MountConfig(url="memory:", cache_dir=folder, read_length_bytes_min=length_min)


@asynccontextmanager
async def table_set(remote: MemoryRemote, settings: MountConfig) -> AsyncIterator[TableSet]:
    chunks = TableSet(remote.as_remote(), settings)
    try:
        yield chunks
    finally:
        await chunks.aclose()


async def opens_and_reads(chunks: TableSet, remote: MemoryRemote, file: Stored) -> None:
    await chunks.update(remote.manifests.stored)
    addresses = file.index.addresses()
    # What is loaded for one chunk serves others later.
    for some in (addresses[len(addresses) // 2 :][:1], addresses):
        assert [chunk.address for chunk in await chunks.get_many(some)] == some
    assert all(chunks.contains(addresses))


@pytest.mark.parametrize("length_min", [0, 1 << 20], ids=["in ranges", "whole"])
@pytest.mark.parametrize(("kind", "part"), places())
def test_a_byte_that_goes_wrong_once_costs_a_request(
    kind: str, part: str, length_min: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = files()[kind]

    async def main() -> None:
        settings = config(tmp_path, length_min)
        remote, faulty = file.remote(part)
        async with table_set(remote, settings) as chunks:
            await opens_and_reads(chunks, remote, file)
            assert faulty.faults == 0
            told = [record.getMessage() for record in caplog.records]
            names = (file.name, "the indexes of the 1 files of memory:")
            assert any("again" in line and any(name in line for name in names) for line in told)
        caplog.clear()
        async with table_set(remote, settings) as chunks:
            await opens_and_reads(chunks, remote, file)
        # A span proves itself when it is read, so a wrong one may be there.
        told = [record.getMessage() for record in caplog.records if "span" not in record.name]
        assert told == [], "nothing wrong was kept"

    trio.run(main)


@pytest.mark.parametrize("length_min", [0, 1 << 20], ids=["in ranges", "whole"])
@pytest.mark.parametrize(("kind", "part"), places())
def test_a_damaged_remote_is_an_error_until_it_is_repaired(
    kind: str, part: str, length_min: int, tmp_path: Path
) -> None:
    file = files()[kind]

    async def main() -> None:
        settings = config(tmp_path, length_min)
        remote, faulty = file.remote(part)
        faulty.faults = -1
        chunks = TableSet(remote.as_remote(), settings)
        with pytest.raises((CorruptionError, UnsupportedError)) as raised:
            await opens_and_reads(chunks, remote, file)
        assert "read twice: " in str(raised.value) or part == "version"
        await chunks.aclose()
        chunks = TableSet(remote.as_remote(), settings)
        with pytest.raises((CorruptionError, UnsupportedError)):
            await opens_and_reads(chunks, remote, file)
        # From here on it is repaired.
        faulty.faults = 0
        await opens_and_reads(chunks, remote, file)
        await chunks.aclose()
        async with table_set(remote, settings) as chunks:
            await opens_and_reads(chunks, remote, file)

    trio.run(main)


def test_dolt_names_table_files_by_their_addresses() -> None:
    names = set()
    for path in (*GOLDEN.glob("remotes/*/*"), *GOLDEN.glob("storage/*/*")):
        if re.fullmatch("[0-9a-u]{32}", path.name):
            data = path.read_bytes()
            count = int.from_bytes(data[-20:-16])
            assert TableIndex.table_name(data[-TableIndex.table_tail_len(count) :]) == path.name
            names.add(path.name)
    assert len(names) >= 9


def test_a_wrong_dictionary_is_loaded_or_refused() -> None:
    file = files()["dolt's archive with a dictionary"]
    refused = 0
    (plan,) = file.index.dictionary_plans()
    sound = file.data[plan.offset : plan.offset + plan.length]
    for at in range(plan.length):
        wrong = sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :]
        try:
            file.index.load_dictionaries(plan, wrong)
        except CorruptionError:
            refused += 1
    file.index.load_dictionaries(plan, sound)
    assert refused
