"""Uploads the new chunks, then swaps the manifest; that order and no other.

Before the swap nothing refers to what was uploaded; after it everything it needs is there. So
whatever stops this program at whatever moment, the remote is whole.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio

from pyfs._core import (
    Address,
    Addresses,
    Chunk,
    Chunks,
    Manifest,
    StorageFile,
    StorageWriter,
    store_root,
)
from pyfs.concurrency import map_concurrently
from pyfs.errors import AlreadyExistsError, NoAnswerError, RemoteError
from pyfs.repo.chunk_set import ChunkSet
from pyfs.repo.folding import fold
from pyfs.repo.refs import Refs
from pyfs.repo.text_build import StreamedTable
from pyfs.store.chunk_file import FILE_BYTES_MAX, ChunkFile
from pyfs.store.chunks import Remote

log = logging.getLogger(__name__)

MIB: Final = 1024 * 1024
ROUNDS_MAX: Final = 40
"""Attempts at one swap: with that many writers at a time the last one still gets through."""
BACKOFF_S: Final = 0.02
BACKOFF_MAX_S: Final = 1.0
UNANSWERED_MAX: Final = 3
"""Swaps without an answer before the push fails; the remote has made its own attempts at each."""
DATA_APART_BYTES: Final = 1 * MIB
"""Chunks of tables beyond this have a file of their own: a lost round does not repeat it."""
PACKINGS_MAX: Final = 8
"""Orders of the chunks that are tried when a file of that name holds other bytes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the remote holds: its manifest, and the refs of the store root this names."""

    manifest: Manifest
    refs: Refs


@dataclass(frozen=True, slots=True)
class Edit:
    """What to push: the refs to be, and the chunks they need besides those already there."""

    refs: Refs
    chunks: Sequence[Chunk]


class Push:
    """One push."""

    def __init__(
        self,
        remote: Remote,
        chunks: ChunkSet,
        data: Sequence[Chunk] = (),
        streamed: Sequence[StreamedTable] = (),
        folder: Path = Path(),
    ) -> None:
        """*data*, and those in the files of *streamed*, are chunks that every round needs,
        whatever became of the branch. *folder* is for such a file that has to be made again."""
        self._remote = remote
        self._chunks = chunks
        self._data = data
        self._streamed = streamed
        self._files_apart: list[tuple[str, int]] = []
        self._folder = folder
        self._data_stored = False
        self._data_apart = sum(map(len, data)) > DATA_APART_BYTES
        self._lost_rounds = 0
        self._unanswered = 0

    async def run(
        self,
        read: Callable[[], Awaitable[Stored]],
        edit: Callable[[Stored], Awaitable[Edit | None]],
    ) -> tuple[Stored, Stored] | None:
        """Pushes what *edit* makes of what *read* finds; returns what was stored before and after.

        Both are called again in each round, since another writer may have been first. *edit*
        returns None when there is nothing left to do (its work is on the remote already, maybe
        by an earlier round whose answer was lost), or raises if it cannot be done any more;
        then this returns None, or raises that.
        """
        while True:
            stored = await read()
            wanted = await edit(stored)
            if wanted is None:
                return None
            manifest = await self._upload(stored, wanted)
            try:
                found = await self._remote.manifests.swap(stored.manifest, manifest)
            except NoAnswerError:
                # It was asked for as long as it may, and then looked what is stored.
                raise
            except RemoteError:
                # The answer may be lost, not the write. The next round looks what is stored; if
                # it is what was, the same swap is tried again, which the lock makes harmless.
                self._unanswered += 1
                if self._unanswered >= UNANSWERED_MAX:
                    raise
                found = None
            if found == manifest:
                return stored, Stored(manifest, wanted.refs)
            await self._back_off()

    async def _upload(self, stored: Stored, wanted: Edit) -> Manifest:
        # The tables are the same in every round: they are uploaded once, by themselves.
        once = [partial(self._store_file, file) for file in await self._settle_streamed()]
        root_chunks = store_root(dict(wanted.refs.datasets))
        folded = await fold(stored.manifest, self._chunks)
        new = [*self._missing([*wanted.chunks, *root_chunks]), *folded.chunks]
        if not self._data_apart and not self._lost_rounds:
            new = [*self._missing(self._data), *new]
        elif not self._data_stored:
            self._data_stored = True
            once.append(partial(self._store, self._missing(self._data)))
        each = partial(self._store, new, versions=bool(folded.names))
        *apart, files = await map_concurrently(lambda store: store(), [*once, each])
        self._files_apart += [spec for specs in apart for spec in specs]
        files = [*self._files_apart, *files]
        named = {name for name, _ in stored.manifest.specs}
        added = [(name, count) for name, count in files if name not in named]
        kept = {name for name, _ in files}
        removed = [name for name in folded.names if name not in kept]
        return stored.manifest.succeed(root_chunks[-1].address, added, removed)

    async def _settle_streamed(self) -> list[ChunkFile]:
        """The files of tables to store, once; what is little becomes part of `_data`."""
        streamed, self._streamed = self._streamed, ()
        for left_out in (some for table in streamed for some in table.left_out):
            if not all(self._chunks.contains(left_out)):
                raise RemoteError(
                    f"{self._remote.url} let go of chunks that it held a moment ago; save again"
                )
        large: list[ChunkFile] = []
        for file in (file for table in streamed for file in table.files):
            if len(file.data) > DATA_APART_BYTES:
                large.append(file)
                continue
            addresses = Addresses(file.addresses())
            parts = await trio.to_thread.run_sync(file.get, addresses)
            self._data = [*self._data, *Chunks.gather(addresses, parts)]
        return large

    async def _store_file(self, file: ChunkFile) -> list[tuple[str, int]]:
        for turn in range(PACKINGS_MAX):
            if turn:
                file = await trio.to_thread.run_sync(file.turned, self._folder, turn)
            try:
                await self._remote.files.create(file.file, file.data)
            except AlreadyExistsError:
                # As in `_store`.
                if file.is_archive or file.chunk_count == 1 or turn == PACKINGS_MAX - 1:
                    raise
            else:
                break
        self._chunks.adopt(file)
        return [(file.name, file.chunk_count)]

    def _missing(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        by_address: dict[Address, Chunk] = {chunk.address: chunk for chunk in chunks}
        there = self._chunks.contains(list(by_address))
        return [chunk for chunk, held in zip(by_address.values(), there, strict=True) if not held]

    async def _store(
        self, chunks: Sequence[Chunk], *, versions: bool = False
    ) -> list[tuple[str, int]]:
        """Stores *chunks* in as few files as their size allows; their specs."""
        stored = []
        for part in _parts(chunks):
            for order in range(PACKINGS_MAX):
                file = await trio.to_thread.run_sync(_pack, part, order, versions)
                try:
                    await self._remote.files.create(file.file, file.data)
                except AlreadyExistsError:
                    # A file's name covers the order of its addresses, not its bytes:
                    # someone packed these chunks in this order with another compressor.
                    if len(part) == 1 or order == PACKINGS_MAX - 1:
                        raise
                    continue
                self._chunks.adopt(file)
                stored.append((file.name, file.chunk_count))
                break
        return stored

    async def _back_off(self) -> None:
        self._lost_rounds += 1
        if self._lost_rounds >= ROUNDS_MAX:
            raise RemoteError(
                f"other writers changed {self._remote.url} {ROUNDS_MAX} times while this push was"
                " under way; try again"
            )
        log.info("another writer was first at %s, round %d", self._remote.url, self._lost_rounds)
        longest = min(BACKOFF_MAX_S, BACKOFF_S * 2**self._lost_rounds)
        await trio.sleep(random.uniform(0, longest))


def _parts(chunks: Sequence[Chunk]) -> Iterator[list[Chunk]]:
    """*chunks* in portions whose uncompressed bytes fit a file."""
    part: list[Chunk] = []
    size = 0
    for chunk in chunks:
        if part and size + len(chunk) > FILE_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(chunk)
        size += len(chunk)
    if part:
        yield part


def _pack(chunks: Sequence[Chunk], order: int, versions: bool) -> StorageFile:
    """A storage file of *chunks*, in the order numbered *order*."""
    writer = StorageWriter(versions=versions)
    writer.add(chunks)
    file = writer.finish(order)
    if file is None:
        raise AssertionError("a portion has at least one chunk")
    return file
