"""A remote, as branches and commits."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import trio

from pyfs._core import (
    Address,
    AddressMapScan,
    BuiltTable,
    Chunk,
    ClosureLookup,
    Commit,
    Inference,
    Manifest,
    Schema,
    SchemaEdit,
    TableBuild,
    Tag,
    store_root,
    system_schema,
)
from pyfs.config import MountConfig
from pyfs.errors import (
    AlreadyExistsError,
    NoAnswerError,
    NotFoundError,
    PyfsError,
    ReadOnlyError,
    RemoteError,
    UnsupportedError,
)
from pyfs.formats import Format
from pyfs.repo import commit as commits
from pyfs.repo.author import Author
from pyfs.repo.branches import creating, deleting, head_of, renaming
from pyfs.repo.change import (
    Change,
    Edited,
    KeyEdit,
    Wanted,
    built_chunks,
    chunks_in_memory,
    has_schema,
    key_edits_of,
    streamed,
    tables_of,
)
from pyfs.repo.chunk_set import REREADS_MAX, ChunkSet, NoChunks, Rereading
from pyfs.repo.foreign_keys import keep, keys_of, same_table
from pyfs.repo.leaf_lengths import LeafLengths
from pyfs.repo.log import walk
from pyfs.repo.new_table import check_name_is_free, check_new_tags, check_table_name, tags_of
from pyfs.repo.objects import Objects
from pyfs.repo.push import Edit, Push, Stored
from pyfs.repo.refs import NO_REFS, Refs
from pyfs.repo.refusal import refusal, refusal_to_drop, refusal_to_rename
from pyfs.repo.schema_edit import edited_table, schema_text
from pyfs.repo.snapshot import Snapshot
from pyfs.repo.system_tables import is_system_table, system_refusal
from pyfs.repo.text_build import StreamedTable, TextBuild, Workshop, ways_to
from pyfs.store.chunks import ChunkStore, Remote
from pyfs.store.health import Health
from pyfs.store.traversal import drive

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save came to."""

    commit: Address
    """The branch's head that holds the tables as they were to be saved."""
    changed: bool
    """Whether that took a commit of ours; False where the branch held them already."""


class OfCommit(Protocol):
    """Anything that belongs to one commit, as a `Snapshot` does."""

    @property
    def commit(self) -> Commit: ...


@asynccontextmanager
async def open_repository(
    remote: Remote, chunks: ChunkSet, config: MountConfig, author: Author
) -> AsyncIterator["Repository"]:
    """A repository that reads ahead in the background as long as the block lasts."""
    lengths = LeafLengths(config.cache_dir)
    workshop = Workshop(config.state_dir / "builds", chunks.contains)
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            try:
                yield Repository(remote, chunks, config, author, lengths, workshop, nursery)
            except Exception as exc:
                # A nursery would wrap it in a group that no `except PyfsError` sees.
                failure = exc
            finally:
                nursery.cancel_scope.cancel()
    finally:
        await lengths.aclose()
        await trio.to_thread.run_sync(workshop.close)
    if failure is not None:
        raise failure


class Repository:
    """A remote, as branches and commits.

    All methods run on the trio thread; blocking work goes to worker threads. Nothing is read
    before the first `refresh`.
    """

    def __init__(
        self,
        remote: Remote,
        chunks: ChunkSet,
        config: MountConfig,
        author: Author,
        lengths: LeafLengths,
        workshop: Workshop,
        nursery: trio.Nursery | None = None,
    ) -> None:
        self.author: Final = author
        self._remote = remote
        self._set = chunks
        self._chunks: ChunkStore = Rereading(chunks, self._number_of_reads, self._reread)
        self._config = config
        self._workshop = workshop
        self._nursery = nursery
        self._stored = Stored(Manifest.EMPTY, NO_REFS)
        self._read_began: float | None = None
        # Reads are numbered, since two of them may begin at one reading of the clock.
        self._reads_begun = 0
        self._last_read = 0
        self._refreshed_at = 0.0
        self._reading = trio.Lock()
        self._unanswered: NoAnswerError | None = None
        # One push at a time: two of one mount would only take each other's turn away.
        self._pushing = trio.Lock()
        self._objects = Objects(self._chunks, chunks.stored_len, config, lengths, workshop, nursery)

    @staticmethod
    async def init(remote: Remote, author: Author, branch: str = "main") -> Address:
        """Makes an empty database of a new remote, as `dolt init` and a push would leave it.

        Returns the first commit. Raises `AlreadyExistsError` if the remote holds a database.
        """
        refs = NO_REFS
        refs.check_new_branch(branch)
        first = commits.first_commit(author, _now_ms())
        wanted = Edit(refs.with_branch(branch, first.commit.address), first.chunks)

        async def read() -> Stored:
            return Stored(await remote.manifests.read(), refs)

        tried = False

        async def edit(stored: Stored) -> Edit | None:
            nonlocal tried
            root = stored.manifest.root
            if not root:
                tried = True
                return wanted
            if tried and root == store_root(dict(wanted.refs.datasets))[-1].address:
                return None
            raise AlreadyExistsError(f"{remote.url} holds a database already")

        await Push(remote, NoChunks()).run(read, edit)
        return first.commit.address

    # What the remote holds

    async def refresh(self, max_age_s: float) -> None:
        """Reads the manifest again if the last read is older than *max_age_s* seconds."""
        asked, begun = trio.current_time(), self._reads_begun
        async with self._turn_to_read():
            # A read that began after this was asked for serves it too.
            if self._last_read > begun or self._is_fresh(asked, max_age_s):
                return
            await self._read_manifest()

    def _is_fresh(self, now: float, max_age_s: float) -> bool:
        return self._read_began is not None and now - self._read_began < max_age_s

    async def refresh_within(self, max_age_s: float, patience_s: float) -> None:
        """The same; raises `RemoteError` where it takes longer, and goes on in the background."""
        if self._nursery is None or self._is_fresh(trio.current_time(), max_age_s):
            await self.refresh(max_age_s)
            return
        ended = trio.Event()
        failures: list[Exception] = []

        async def refresh() -> None:
            try:
                await self.refresh(max_age_s)
            except Exception as exc:  # to be raised where it is waited for
                failures.append(exc)
            finally:
                ended.set()

        self._nursery.start_soon(refresh)
        with trio.move_on_after(patience_s):
            await ended.wait()
        if not ended.is_set():
            error = RemoteError(
                f"reading the manifest of {self._remote.url}: no answer within {patience_s:g} s; "
                "check the network, the region and the endpoint"
            )
            self.health.failed(error)
            raise error
        if failures:
            raise failures[0]

    @property
    def branches(self) -> Mapping[str, Address]:
        """Branch name to head commit, as of the last refresh."""
        return self._stored.refs.branches

    @property
    def tags(self) -> Mapping[str, Address]:
        """Tag name to tag object (`tag`), as of the last refresh."""
        return self._stored.refs.tags

    @property
    def default_branch(self) -> str | None:
        """The branch that `dolt clone` checks out: main, else master, else the first by name."""
        return self._stored.refs.default_branch

    @property
    def health(self) -> Health:
        """How the remote does."""
        return self._remote.health

    @property
    def refreshed_at(self) -> float:
        """`time.time()` of the last successful refresh; 0.0 before the first."""
        return self._refreshed_at

    async def tag(self, name: str) -> Tag:
        """The tag object named *name*; `NotFoundError` if there is none."""
        address = self.tags.get(name)
        if address is None:
            raise NotFoundError(f"there is no tag {name!r}")
        return Tag.decode((await self._chunks.get_many([address]))[0])

    async def commit(self, address: Address) -> Commit:
        """The commit at *address*."""
        return (await self._objects.commits([address]))[0]

    async def snapshot(self, commit: Address) -> Snapshot:
        """The tables of the commit at *commit*."""
        return await self._objects.snapshot(commit)

    def log(self, head: Address) -> AsyncIterator[Commit]:
        """*head* and all its ancestors, as `dolt log` orders them: by height, newest first."""
        return walk(head, self._objects.commits)

    async def schema_text(self, snapshot: OfCommit, table: str) -> bytes:
        """`CREATE TABLE` of *table* of *snapshot*, as dolt prints it."""
        whole = await self.snapshot(snapshot.commit.address)
        return await schema_text(whole, table, self._chunks)

    async def edited_table(self, base: Address, table: str, text: bytes) -> Edited | None:
        """What the `CREATE TABLE` *text* makes of *table* of commit *base*; None if the same.

        Raises `InvalidTextError`, `UnsupportedError`.
        """
        return await edited_table(await self.snapshot(base), table, text, self._chunks)

    async def refuses_writes(self, snapshot: OfCommit, table: str) -> str | None:
        """Why *table* of *snapshot* cannot be written, or None."""
        return await refusal(await self.snapshot(snapshot.commit.address), table, self._chunks)

    async def refuses_rename(self, snapshot: OfCommit, table: str) -> str | None:
        """Why *table* of *snapshot* cannot get another name, or None."""
        whole = await self.snapshot(snapshot.commit.address)
        return await refusal_to_rename(whole, table)

    async def refuses_drop(
        self, snapshot: OfCommit, table: str, dropped: Collection[str]
    ) -> str | None:
        """Why *table* of *snapshot* cannot be dropped together with *dropped*, or None."""
        whole = await self.snapshot(snapshot.commit.address)
        for key in await keys_of(whole, self._chunks):
            if same_table(key.parent, table) and not any(
                same_table(key.child, name) for name in (table, *dropped)
            ):
                return f"foreign key {key.name!r} of table {key.child!r} names it"
        return None

    async def column_tags(self, snapshot: OfCommit) -> set[int]:
        """The tags of all columns of all tables of *snapshot*, Dolt's own too."""
        tables = (await self.snapshot(snapshot.commit.address)).all_tables
        return await tags_of(tables.values(), self._chunks)

    def start_new(self, schema: Schema) -> TextBuild:
        """A build for the text of a new table."""
        return TextBuild(self._workshop, ways_to(lambda: TableBuild.create(schema)))

    def start_new_counting(self, schema: Schema) -> TextBuild:
        """The same; its errors speak of rows and not of lines."""

        def start() -> TableBuild:
            build = TableBuild.create(schema)
            build.count_rows()
            return build

        return TextBuild(self._workshop, ways_to(start))

    def schema_of(self, name: str, text: bytes, snapshot: Snapshot, taken: set[int]) -> Schema:
        """The schema that the `CREATE TABLE` *text* gives a new table of *snapshot*.

        *taken* are the tags of all columns there. `InvalidTextError`, `UnsupportedError`.
        """
        edit = SchemaEdit.create(name, text, taken, snapshot.root.collation, None, {})
        built = edit.without_rows()
        chunks = built.chunks if built is not None else []
        return Schema.decode(next(chunk for chunk in chunks if chunk.address == edit.address))

    def system_schema(self, table: str, taken: set[int]) -> Schema | None:
        """The schema of a table of Dolt's own that a first row makes; else None."""
        return system_schema(table, taken)

    def start_inference(self, format: Format) -> Inference:
        """An inference for the text, in *format*, of a new table whose schema is not known."""
        return Inference(format)

    # Changing it

    async def save(
        self,
        branch: str,
        base: Address,
        wanted: Mapping[str, Wanted],
        message: str | None,
        *,
        revived: Mapping[str, Address] = MappingProxyType({}),
    ) -> Saved:
        """Pushes one commit to *branch* that makes the changes *wanted*.

        Args:
            branch: its name.
            base: the commit that the changes are based on. A table of *wanted* that others
                changed since then raises `ConflictError`; their other tables are kept.
            wanted: what each table becomes; None drops it.
            message: of the commit; None for the default one.
            revived: tables that were dropped and come back, each with a commit that had it: they
                declare the foreign keys that they did there, as far as the parents are there.

        Without a difference to the branch's head, nothing is pushed. When this returns, the
        commit is on the remote, durable, visible to all. When it raises, the branch is as
        others left it, unless it is `RemoteError`: then the remote did not say.
        """
        self._check_writable()
        changes, key_edits = tables_of(wanted), key_edits_of(wanted)
        for name in changes:
            reason = system_refusal(name)
            if reason is not None:
                raise UnsupportedError(f"table {name!r} cannot be written: {reason}")
        base_tables = (await self.snapshot(base)).all_tables
        made: list[Commit] = []
        saved = Saved(base, changed=False)
        new_chunks: Sequence[Chunk] = []
        followed: Mapping[str, Change] = {}

        async def edit(stored: Stored) -> Edit | None:
            nonlocal saved, new_chunks, followed
            head = head_of(stored.refs, branch)
            for commit in made:
                if await self._reaches(head, commit):
                    saved = Saved(commit.address, changed=True)
                    return None
            snapshot = await self.snapshot(head)
            left = commits.pending(changes, base_tables, snapshot.all_tables)
            edits = dict(key_edits)
            for table, last in revived.items():
                if left.get(table) is not None and table not in snapshot.all_tables:
                    edits[table] = await self._revived_keys(table, last, snapshot)
            await self._check_changes(snapshot, left)
            kept = await keep(snapshot, left, edits, self._chunks)
            new = await commits.make_commit(
                snapshot, kept, message, self.author, _now_ms(), self._chunks
            )
            if new is None:
                saved = Saved(head, changed=False)
                return None
            made.append(new.commit)
            saved = Saved(new.commit.address, changed=True)
            new_chunks, followed = new.chunks, kept.changes
            return Edit(stored.refs.with_branch(branch, new.commit.address), new.chunks)

        data = built_chunks(changes)
        await self._push(edit, chunks_in_memory(changes), streamed(changes))
        if saved.changed:
            # What a table became last shows its size; what it was before lends its leaves.
            for kept in (changes, followed):
                await self._keep_saved(kept, [*data, *new_chunks])
        return saved

    async def create_branch(self, name: str, head: Address) -> None:
        """A new branch at commit *head*; `InvalidNameError`, `AlreadyExistsError`."""
        self._check_writable()
        await self.commit(head)
        await self._push(creating(name, head))

    async def delete_branch(self, name: str) -> None:
        """Deletes a branch; `NotFoundError`, `NotPermittedError` for the default branch."""
        self._check_writable()
        await self._push(deleting(name))

    async def rename_branch(self, name: str, new_name: str) -> None:
        """Renames a branch, whose head at that moment goes along."""
        self._check_writable()
        await self._push(renaming(name, new_name))

    # Inside

    async def _push(
        self,
        edit: Callable[[Stored], Awaitable[Edit | None]],
        data: Sequence[Chunk] = (),
        streamed: Sequence[StreamedTable] = (),
    ) -> None:
        async def read() -> Stored:
            async with self._turn_to_read():
                await self._read_manifest()
                return self._stored

        async with self._pushing:
            pushed = await Push(self._remote, self._set, data, streamed, self._workshop.folder).run(
                read, edit
            )
            if pushed is None:
                return
            before, after = pushed
            try:
                async with self._reading:
                    if self._stored.manifest == before.manifest:
                        await self._set.update(after.manifest)
                        self._stored = after
                        self._refreshed_at = time.time()
                    else:
                        # Read again meanwhile: it may be newer than what was pushed.
                        await self._read_manifest()
            except PyfsError as exc:
                # The push is done: that others cannot see it from here yet does not undo it.
                log.warning("reading back what was pushed to %s: %s", self._remote.url, exc)

    def _number_of_reads(self) -> int:
        return self._reads_begun

    async def _reread(self, begun: int) -> None:
        """Reads the manifest again, unless a read succeeded that began after *begun* others."""
        async with self._turn_to_read():
            if self._last_read <= begun:
                await self._read_manifest()

    @asynccontextmanager
    async def _turn_to_read(self) -> AsyncIterator[None]:
        """Holds `_reading`. A read that got no answer meanwhile fails those who waited for it.

        Each would else wait for all before it, and then as long again for its own.
        """
        before = self._unanswered
        async with self._reading:
            if self._unanswered is not None and self._unanswered is not before:
                raise NoAnswerError(str(self._unanswered))
            try:
                yield
            except NoAnswerError as exc:
                self._unanswered = NoAnswerError(str(exc))
                raise

    async def _read_manifest(self) -> None:
        """Reads the manifest and what it names; `_reading` is held."""
        for _ in range(REREADS_MAX):
            began = trio.current_time()
            self._reads_begun += 1
            manifest = await self._remote.manifests.read()
            try:
                refs = await self._refs_of(manifest)
            except NotFoundError as exc:
                # On file:// a conjoin deletes what it replaced.
                gone = exc
                continue
            self._stored = Stored(manifest, refs)
            self._read_began, self._last_read = began, self._reads_begun
            self._refreshed_at = time.time()
            return
        raise RemoteError(str(gone))

    async def _refs_of(self, manifest: Manifest) -> Refs:
        if manifest == self._stored.manifest and self._read_began is not None:
            return self._stored.refs
        await self._set.update(manifest)
        if not manifest.root:
            return NO_REFS
        if manifest.root == self._stored.manifest.root:
            return self._stored.refs
        # Not by way of `_chunks`, which would read the manifest again: that is what is being done.
        (root,) = await self._set.get_many([manifest.root])
        return Refs(await drive(AddressMapScan.datasets(root), self._set))

    async def _reaches(self, head: Address, commit: Commit) -> bool:
        """Whether *commit* is *head* or an ancestor of it."""
        if head == commit.address:
            return True
        return await drive(ClosureLookup(await self.commit(head), commit), self._chunks)

    async def _revived_keys(self, table: str, commit: Address, head: Snapshot) -> KeyEdit:
        """The foreign keys that *table* declared in *commit*, where their parents are at *head*."""
        there = {name.lower() for name in [*head.all_tables, table]}
        keys = await keys_of(await self.snapshot(commit), self._chunks)
        own = [key for key in keys if same_table(key.child, table) and key.parent.lower() in there]
        return KeyEdit([], own)

    def _check_writable(self) -> None:
        if self._config.read_only:
            raise ReadOnlyError(f"{self._remote.url} is mounted read-only (-o ro)")

    async def _check_changes(self, head: Snapshot, changes: Mapping[str, Change]) -> None:
        for name, change in changes.items():
            if has_schema(change) and name in head.tables:
                continue  # checked when it was made, of the version that is still there
            if change is None or name not in head.all_tables:
                reason = await refusal_to_drop(head, name)
            else:
                reason = await refusal(head, name, self._chunks)
            if reason is not None:
                raise UnsupportedError(f"table {name!r} cannot be written by pyfs: {reason}")
            if change is not None and name not in head.all_tables:
                if not is_system_table(name):
                    check_table_name(name)
                    left = {n for n in head.tables if changes.get(n, n) is not None}
                    made = {n for n, other in changes.items() if other is not None}
                    await check_name_is_free(name, left | made, head)
                if isinstance(change, BuiltTable):
                    await check_new_tags(name, change, head.all_tables, self._chunks)

    async def _keep_saved(self, changes: Mapping[str, Change], chunks: Sequence[Chunk]) -> None:
        """Keeps what was just pushed at hand: reading it back asks nothing of the remote."""
        self._set.keep(chunks)
        try:
            for change in changes.values():
                if isinstance(change, BuiltTable):
                    if change.row_count and not change.measured_count and has_schema(change):
                        continue  # its rows stayed where they are stored
                    version = (
                        await self._objects.table(change.address, Format(change.format))
                    ).as_text
                    version.learn(change)
                    await version.exact_size()
        except PyfsError as exc:
            # The push is done; what is not at hand is read when it is wanted.
            log.warning("preparing to read what was pushed to %s: %s", self._remote.url, exc)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
