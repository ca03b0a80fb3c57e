"""`TableSet`: finds addresses among the files of a manifest and reads them in few ranges.

A short read is made longer: a commit, its root value, its tables and their inner nodes lie one
after the other, so that what is asked for next often lies right behind. The bytes are kept as they
came (`SpanCache`).

Bytes can go wrong on their way, and little of an index proves itself: a chunk does, with it the
dictionary and the index by which it was found. Where one does not, all three are fetched once more,
past all caches, before it is an error.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import trio

from pyfs._core import (
    Address,
    Addresses,
    Chunk,
    ChunkCache,
    Chunks,
    Claims,
    Manifest,
    ReadPlan,
    StorageFile,
    TableIndex,
)
from pyfs.concurrency import map_concurrently
from pyfs.config import MountConfig
from pyfs.errors import (
    AbsentRemoteError,
    AccessError,
    CorruptionError,
    NotFoundError,
    PyfsError,
    UnsupportedError,
)
from pyfs.store.chunk_file import ChunkFile
from pyfs.store.chunks import Remote, Tail
from pyfs.store.span_cache import SpanCache

log = logging.getLogger(__name__)

ARCHIVE_SUFFIX: Final = ".darc"
ROOT_FILE_CHUNKS_MAX: Final = 4
"""Dolt's pushes put data into archives and the few chunks of a new root into a table file."""
COMMIT_FILE_CHUNKS_MAX: Final = 32
"""A small commit from here is one table file of more than that."""
ADOPTED_MAX: Final = 16
"""Files of pushes that lost their race are never named."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A storage file whose index is at hand."""

    file: str
    """Its name, with `.darc` if it is an archive."""
    index: TableIndex
    len: int
    """Its bytes."""
    renewed: bool = False
    """Whether what was kept of it led to damage, so that nothing unproven is taken from there."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What came and was not what it should be."""

    files: Sequence[OpenFile]
    """Those whose indexes or dictionaries may be to blame."""
    where: str
    why: CorruptionError


class TableSet:
    """The chunks of the storage files that one manifest names."""

    def __init__(self, remote: Remote, config: MountConfig) -> None:
        self._remote = remote
        self._config = config
        self._files: dict[str, OpenFile] = {}
        # Uploaded from here and not named by a manifest yet: nobody may count on them.
        self._adopted: dict[str, OpenFile] = {}
        self._memory = ChunkCache(config.chunk_bytes_max)
        self._spans = SpanCache(
            config.cache_dir, remote.url, 0 if remote.local else config.cache_bytes_max
        )
        self._loading = trio.Lock()
        self._renewing = trio.Lock()
        self._flying = Claims()
        self._landed = trio.Event()

    async def update(self, manifest: Manifest) -> None:
        """From now on the files of *manifest*; `NotFoundError` if one of them is gone."""
        specs = dict(manifest.specs)
        for name in [name for name in self._adopted if name in specs]:
            self._files[name] = self._adopted.pop(name)
        new = [(name, count) for name, count in specs.items() if name not in self._files]
        table_chunks_max = _table_chunks_max(specs.values())
        opened = await map_concurrently(
            lambda spec: self._open(*spec, table_first=spec[1] <= table_chunks_max), new
        )
        kept = {name: file for name, file in self._files.items() if name in specs}
        self._files = kept | {name: file for (name, _), file in zip(new, opened, strict=True)}

    def contains(self, addresses: Addresses | Sequence[Address]) -> list[bool]:
        """Whether the remote holds each of *addresses*."""
        held = [False] * len(addresses)
        asked = addresses if isinstance(addresses, Addresses) else Addresses(addresses)
        # Builds ask in threads of their own.
        for file in tuple(self._files.values()):
            for position, found in enumerate(file.index.contains(asked)):
                held[position] |= found
        return held

    def stored_len(self, addresses: Addresses | Sequence[Address]) -> int:
        """Bytes that *addresses* take in the remote's files."""
        length = 0
        left = addresses
        for file in self._files.values():
            here, left = file.index.split(left)
            length += file.index.stored_len(here)
            if not len(left):
                break
        return length

    def keep(self, chunks: Sequence[Chunk]) -> None:
        """Remembers chunks that the remote holds, as if they had been read."""
        self._memory.put(Chunks(chunks))

    def adopt(self, file: StorageFile | ChunkFile) -> None:
        """Takes *file*, which the remote holds, for the next manifest that names it."""
        if isinstance(file, ChunkFile):
            tail = file.tail
        else:
            tail = Tail(file.data[-file.tail_len :], len(file.data))
        opened = self._adopted[file.name] = _parse(file.name, file.file, tail)
        while len(self._adopted) > ADOPTED_MAX:
            del self._adopted[next(iter(self._adopted))]
        for plan in opened.index.dictionary_plans():
            if isinstance(file, ChunkFile):
                data = file.data.read(plan.offset, plan.length)
            else:
                data = file.data[plan.offset : plan.offset + plan.length]
            opened.index.load_dictionaries(plan, data)
            if not self._remote.local:
                self._spans.put_dictionaries(file.name, plan.offset, data)
        if not self._remote.local:
            self._spans.put_tail(file.name, file.file, tail)
            self._spans.keep(file.name, 0, file.data)

    def file_lengths(self) -> dict[str, int]:
        """The files and their bytes."""
        return {name: file.len for name, file in self._files.items()}

    def addresses_in(self, names: Sequence[str]) -> list[Address]:
        """The addresses of all chunks in these files, each once."""
        addresses = [a for name in names for a in self._files[name].index.addresses()]
        return list(dict.fromkeys(addresses))

    async def get_many(self, addresses: Sequence[Address]) -> list[Chunk]:
        return list(await self.get_batch(Addresses(addresses)))

    async def get_batch(self, addresses: Addresses) -> Chunks:
        parts: list[Chunks] = []
        left = addresses
        while True:
            found, left = self._memory.get(left)
            parts.append(found)
            if not len(left):
                return Chunks.gather(addresses, parts)
            mine, landed = self._flying.claim(left), self._landed
            if len(mine):
                for part in await self._fly(mine):
                    parts.append(part)
                    left = part.missing(left)
            else:
                # A flight that failed or was cancelled brings nothing: the next round fetches.
                await landed.wait()

    async def aclose(self) -> None:
        """Waits until the cache on disk is written."""
        await trio.to_thread.run_sync(self._spans.close)

    async def _fly(self, addresses: Addresses) -> list[Chunks]:
        try:
            return await self._fetch(addresses)
        finally:
            # No await between these lines: nobody sees one without the other.
            self._flying.release(addresses)
            landed, self._landed = self._landed, trio.Event()
            landed.set()

    async def _fetch(self, addresses: Addresses) -> list[Chunks]:
        chunks, damages = await self._try(addresses)
        if not damages:
            return chunks
        for damage in damages:
            log.warning("%s: %s; reading again, past the cache", damage.where, damage.why)
        await self._renew(damages)
        left = addresses
        for part in chunks:
            left = part.missing(left)
        again, damages = await self._try(left)
        if damages:
            raise CorruptionError(f"{damages[0].where}, read twice: {damages[0].why}")
        return chunks + again

    async def _try(self, addresses: Addresses) -> tuple[list[Chunks], list[Damage]]:
        """The chunks at *addresses*, but for those that are damaged."""
        chunks: list[Chunks] = []
        damages: list[Damage] = []
        left = addresses
        reads: list[tuple[OpenFile, ReadPlan]] = []
        dictionaries: list[tuple[str, int, bytes]] = []
        files = tuple(self._files.values())
        for file in files:
            here, left = file.index.split(left)
            if not len(here):
                continue
            try:
                dictionaries.extend(await self._load_dictionaries(file, here))
            except CorruptionError as exc:
                damages.append(Damage([file], f"{file.file} of {self._remote.url}", exc))
                continue
            if not self._remote.local:
                kept, here = await trio.to_thread.run_sync(self._kept, file, here)
                chunks.extend(kept)
            gap, length = self._config.read_gap_bytes_max, self._config.read_length_bytes_max
            reads.extend((file, plan) for plan in file.index.plan(here, gap, length))
            if not len(left):
                break
        if len(left):
            where = f"the indexes of the {len(files)} files of {self._remote.url}"
            why = CorruptionError(f"chunk {left[0]} is in none of them")
            damages.append(Damage(files, where, why))
        for part in await map_concurrently(self._read, reads):
            if isinstance(part, Damage):
                damages.append(part)
            else:
                chunks.append(part)
        if not damages:
            # Dolt's have no checksum: what was decoded with them is what proves them.
            for kept_dictionaries in dictionaries:
                self._spans.put_dictionaries(*kept_dictionaries)
        return chunks, damages

    async def _renew(self, damages: Sequence[Damage]) -> None:
        """Opens the files of *damages* again, past all caches."""
        async with self._renewing:
            # Another flight may have done it meanwhile.
            stale = {
                file.index.name: file
                for damage in damages
                for file in damage.files
                if self._files.get(file.index.name) is file
            }
            opened = await map_concurrently(self._reopen, stale.values())
            for (name, old), new in zip(stale.items(), opened, strict=True):
                if self._files.get(name) is old:
                    self._files[name] = new

    async def _reopen(self, file: OpenFile) -> OpenFile:
        name = file.index.name
        await trio.to_thread.run_sync(self._spans.drop, name)
        return replace(await self._open_stored(name, file.file, len(file.index)), renewed=True)

    async def _read(self, read: tuple[OpenFile, ReadPlan]) -> Chunks | Damage:
        file, plan = read
        data = await self._read_span(file, plan)
        try:
            return await trio.to_thread.run_sync(self._decode, file, plan, data)
        except CorruptionError as exc:
            span = f"bytes {plan.offset} to {plan.offset + plan.length}"
            return Damage([file], f"{span} of {file.file} of {self._remote.url}", exc)

    # In worker threads: to let go of what is pushed out of memory takes as long as to decode.

    def _decode(self, file: OpenFile, plan: ReadPlan, data: bytes) -> Chunks:
        chunks = file.index.decode(plan, data)
        self._memory.put(chunks)
        return chunks

    def _kept(self, file: OpenFile, addresses: Addresses) -> tuple[list[Chunks], Addresses]:
        """Those of *addresses* that are kept on disk, and the others."""
        kept, left = self._spans.chunks(file.index, addresses)
        for part in kept:
            self._memory.put(part)
        return kept, left

    async def _load_dictionaries(
        self, file: OpenFile, addresses: Addresses
    ) -> list[tuple[str, int, bytes]]:
        """Loads what *addresses* need; what came from the remote, for `put_dictionaries`."""
        fetched: list[tuple[str, int, bytes]] = []
        if not file.index.dictionary_plans(addresses):
            return fetched
        # One at a time, since those who ask at once mostly want the same ones.
        async with self._loading:
            for plan in file.index.dictionary_plans(addresses):
                data = await self._kept_dictionaries(file, plan)
                if data is None:
                    data = await self._read_span(file, plan)
                    fetched.append((file.index.name, plan.offset, data))
                file.index.load_dictionaries(plan, data)
        return fetched

    async def _kept_dictionaries(self, file: OpenFile, plan: ReadPlan) -> bytes | None:
        if self._remote.local or file.renewed:
            return None
        span = (file.index.name, plan.offset, plan.length)
        return await trio.to_thread.run_sync(self._spans.get_dictionaries, *span)

    async def _read_span(self, file: OpenFile, plan: ReadPlan) -> bytes:
        """The bytes of *plan*; what came along with them is kept."""
        read = self._remote.files.read
        if self._remote.local:
            return await read(file.file, plan.offset, plan.length)
        length = max(plan.length, min(self._config.read_length_bytes_min, file.len - plan.offset))
        data = await read(file.file, plan.offset, length)
        self._spans.keep(file.index.name, plan.offset, data)
        return data[: plan.length]

    async def _open(self, name: str, count: int, *, table_first: bool) -> OpenFile:
        if not self._remote.local:
            kept = await trio.to_thread.run_sync(self._spans.get_tail, name)
            if kept is not None:
                return await trio.to_thread.run_sync(_parse, name, *kept)
        kinds = [name, name + ARCHIVE_SUFFIX]
        if not table_first:
            kinds.reverse()
        failure: PyfsError | None = None
        for file in kinds:
            try:
                return await self._open_stored(name, file, count)
            except AbsentRemoteError:
                raise
            except (NotFoundError, AccessError) as exc:
                # S3 says "forbidden" of what is not there to whoever may not list the bucket.
                failure = failure or exc
        if isinstance(failure, AccessError):
            raise failure
        raise NotFoundError(
            f"{self._remote.url} lacks the file {name}, and its manifest names it;"
            " restore it, or push everything to a new remote from a clone that has it"
        ) from failure

    async def _open_stored(self, name: str, file: str, count: int) -> OpenFile:
        """*file* as it is stored, past all caches."""
        where = f"the index at the end of {file} of {self._remote.url}"
        try:
            tail = await self._read_index(name, file, count)
            opened = await trio.to_thread.run_sync(_parse_named, name, file, tail)
        except (CorruptionError, UnsupportedError) as exc:
            log.warning("%s: %s; reading it again", where, exc)
            try:
                tail = await self._read_index(name, file, count)
                # Dolt takes a file under any name, so what comes twice has to do.
                opened = await trio.to_thread.run_sync(_parse, name, file, tail)
            except CorruptionError as twice:
                raise CorruptionError(f"{where}, read twice: {twice}") from None
        if not self._remote.local:
            self._spans.put_tail(name, file, tail)
        return opened

    async def _read_index(self, name: str, file: str, count: int) -> Tail:
        if not file.endswith(ARCHIVE_SUFFIX):
            return await self._read_tail(name, file, TableIndex.table_tail_len(count))
        tail = await self._read_tail(name, file, TableIndex.archive_tail_guess(count))
        needed = TableIndex.archive_tail_len(tail.data, tail.file_len)
        if needed > len(tail.data):
            tail = await self._read_tail(name, file, needed)
        return tail

    async def _read_tail(self, name: str, file: str, length: int) -> Tail:
        """The last *length* bytes of *file*; a small file comes whole, chunks and all."""
        if self._remote.local:
            return await self._remote.files.read_tail(file, length)
        # What stands above trees lies beside the index.
        shortest = self._config.read_length_bytes_min
        more = max(length + shortest // 2, shortest)
        tail = await self._remote.files.read_tail(file, more)
        self._spans.keep(name, tail.file_len - len(tail.data), tail.data)
        return Tail(tail.data[-length:], tail.file_len)


def _table_chunks_max(counts: Collection[int]) -> int:
    """Up to so many chunks a file of a manifest is looked for as a table file first.

    The manifest does not say of which kind a file is, and a wrong guess costs a request. Where
    dolt pushed, there is a table file of a root for each archive.
    """
    roots = sum(count <= ROOT_FILE_CHUNKS_MAX for count in counts)
    return COMMIT_FILE_CHUNKS_MAX if roots < len(counts) - roots else ROOT_FILE_CHUNKS_MAX


def _parse(name: str, file: str, tail: Tail) -> OpenFile:
    open_index = TableIndex.archive if file.endswith(ARCHIVE_SUFFIX) else TableIndex.table
    return OpenFile(file, open_index(name, tail.data, tail.file_len), tail.file_len)


def _parse_named(name: str, file: str, tail: Tail) -> OpenFile:
    """As `_parse`; a table file must have the name that dolt gives it."""
    opened = _parse(name, file, tail)
    if opened.index.kind == "table" and (made := TableIndex.table_name(tail.data)) != name:
        raise CorruptionError(f"table file {name}: its addresses are those of {made}")
    return opened
