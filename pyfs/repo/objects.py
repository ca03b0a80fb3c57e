"""`Objects`: commits, snapshots, schemas and tables by address."""

from collections.abc import Callable, Sequence
from typing import Final

import trio

from pyfs._core import (
    Address,
    Addresses,
    AddressMapScan,
    Chunk,
    Commit,
    RootValue,
    Schema,
    Table,
)
from pyfs.config import MountConfig
from pyfs.formats import Format
from pyfs.repo.contents import TableContents
from pyfs.repo.leaf_lengths import LeafLengths
from pyfs.repo.parquet_version import ParquetFolder, ParquetVersion
from pyfs.repo.recent import Recent
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.table_version import TableVersion
from pyfs.repo.text_build import Workshop
from pyfs.repo.text_cache import TextCache
from pyfs.store.chunks import ChunkStore
from pyfs.store.traversal import drive

COMMITS_KEPT: Final = 4096
SNAPSHOTS_KEPT: Final = 64
TABLES_KEPT: Final = 256
LEAVES_KEPT: Final = 50_000
"""Leaves of their texts whose place is known, all but the last table's: some 200 bytes each."""


class Objects:
    """What is loaded from chunks, once for all who want it; the most recently used is kept."""

    def __init__(
        self,
        chunks: ChunkStore,
        stored_len: Callable[[Addresses], int],
        config: MountConfig,
        lengths: LeafLengths,
        workshop: Workshop,
        nursery: trio.Nursery | None,
    ) -> None:
        """Tables read ahead in *nursery*, if there is one."""
        self._chunks = chunks
        self._stored_len = stored_len
        self._read_ahead_bytes_max = config.read_ahead_bytes_max
        self._lengths = lengths
        self._workshop = workshop
        self._nursery = nursery
        self._texts = TextCache(config.text_bytes_max)
        self._parquet = ParquetFolder(config.cache_dir, workshop.folder, config.cache_bytes_max)
        self._commits: Recent[Address, Commit] = Recent(COMMITS_KEPT)
        self._snapshots: Recent[Address, Snapshot] = Recent(SNAPSHOTS_KEPT)
        self._schemas: Recent[Address, Schema] = Recent(TABLES_KEPT)
        self._tables: Recent[tuple[Address, Format], TableContents] = Recent(
            TABLES_KEPT, lambda table: table.as_text.leaf_count_placed, LEAVES_KEPT
        )

    async def commits(self, addresses: Sequence[Address]) -> list[Commit]:
        """The commits at *addresses*, in that order."""
        known = {a: commit for a in addresses if (commit := self._commits.peek(a)) is not None}
        missing = [a for a in addresses if a not in known]
        if missing:
            for chunk in await self._chunks.get_many(missing):
                known[chunk.address] = Commit.decode(chunk)
                self._commits.put(chunk.address, known[chunk.address])
        return [known[a] for a in addresses]

    async def snapshot(self, commit: Address) -> Snapshot:
        """The tables of the commit at *commit*."""

        async def load() -> Snapshot:
            (decoded,) = await self.commits([commit])
            chunk = await self._chunk(decoded.root)
            tables = await drive(AddressMapScan.tables(chunk), self._chunks)
            return Snapshot(decoded, RootValue.decode(chunk), tables, self.table)

        return await self._snapshots.get(commit, load)

    async def table(self, address: Address, format: Format = Format.CSV) -> TableContents:
        """The table at *address*, in *format*."""

        async def load() -> TableContents:
            if format is Format.PARQUET:
                text = (await self.table(address)).as_text
                made = ParquetVersion(text, self._parquet)
                await made.recall_size()
                return made
            table = Table.decode(await self._chunk(address))
            version = TableVersion(
                table,
                (await self._schema(table.schema)).in_format(format),
                self._chunks,
                self._stored_len,
                self._texts,
                self._lengths,
                self._workshop,
                self._read_ahead_bytes_max,
                self._nursery,
            )
            await version.recall_size()
            return version

        return await self._tables.get((address, format), load)

    async def _schema(self, address: Address) -> Schema:
        async def load() -> Schema:
            return Schema.decode(await self._chunk(address))

        return await self._schemas.get(address, load)

    async def _chunk(self, address: Address) -> Chunk:
        return (await self._chunks.get_many([address]))[0]
