from collections.abc import Sequence

import pytest
import trio
import trio.testing

from pyfs._core import Address, AddressMapScan, Chunk, Commit, Measure, Schema, Table
from pyfs.errors import RemoteError
from pyfs.repo.leaf_texts import LeafTexts
from pyfs.store.traversal import drive
from tests.support.memory_remote import MemoryChunks
from tests.support.repositories import expected, golden_remote


class Primes:
    """The one leaf of the golden `primes`, embedded in its table."""

    def __init__(self, bytes_max: int = 1 << 20) -> None:
        self.remote = golden_remote("primes")
        self.chunks = MemoryChunks(self.remote.files)
        self.texts = LeafTexts(self, bytes_max)
        self.schema: Schema
        self.leaf: Chunk
        self.fails = False
        self.requests = 0

    async def open(self) -> None:
        await self.chunks.update(self.remote.manifests.stored)

        async def chunk(address: Address) -> Chunk:
            return (await self.chunks.get_many([address]))[0]

        root = await chunk(self.remote.manifests.stored.root)
        heads = await drive(AddressMapScan.datasets(root), self.chunks)
        commit = Commit.decode(await chunk(heads["refs/heads/main"]))
        tables = await drive(AddressMapScan.tables(await chunk(commit.root)), self.chunks)
        table = Table.decode(await chunk(tables["primes"]))
        self.schema = Schema.decode(await chunk(table.schema))
        self.leaf = table.rows

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        """Serves the leaf as if it were stored by itself."""
        self.requests += 1
        await trio.testing.wait_all_tasks_blocked()
        if self.fails:
            raise RemoteError("the remote is away")
        assert list(addresses) == [self.leaf.address]
        return [self.leaf]

    async def text(self) -> bytes:
        found = await self.texts.get(self.schema, [self.leaf.address], {})
        return self.schema.header + found[self.leaf.address][0]


def test_a_leaf_is_rendered_once_for_all_who_want_it() -> None:
    async def main() -> None:
        primes = Primes()
        await primes.open()
        got = []

        async def want() -> None:
            got.append(await primes.text())

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(want)
        assert got == [expected("primes", "main", "primes.csv")] * 4
        await primes.text()
        assert primes.requests == 1

    trio.run(main)


def test_a_failure_reaches_all_and_is_not_kept() -> None:
    async def main() -> None:
        primes = Primes()
        await primes.open()
        primes.fails = True
        failures = 0

        async def want() -> None:
            nonlocal failures
            with pytest.raises(RemoteError):
                await primes.text()
            failures += 1

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(want)
        assert failures == 3
        primes.fails = False
        assert await primes.text() == expected("primes", "main", "primes.csv")

    trio.run(main)


def test_texts_are_bounded_in_bytes() -> None:
    async def main() -> None:
        primes = Primes(bytes_max=100)
        await primes.open()
        await primes.text()
        for number in range(10):
            other = Address.of(number.to_bytes(1, "big"))
            primes.texts.keep(primes.schema, other, (b"x" * 30, Measure.of_length(30)))
        # The leaf had to make room and is read again.
        await primes.text()
        assert primes.requests == 2

    trio.run(main)
