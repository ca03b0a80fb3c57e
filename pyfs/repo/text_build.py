"""`TextBuild`: text in, a table out, in memory that does not grow with the table.

Leaves that are done go to worker threads, which hash and compress them and put them into a file on
local disk, while more text comes. Rows that do not come in order, and the entries of indexes, are
sorted in runs, kept in another such file, and merged at the end. Small tables stay in memory.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from pyfs._core import (
    Address,
    Addresses,
    BuiltTable,
    Chunk,
    Chunks,
    HashedLeaves,
    Leaves,
    Run,
    SortedRun,
    TableBuild,
    TableFinish,
    TreeJob,
)
from pyfs.disk import LocalFile
from pyfs.errors import CorruptionError, ReadAnewError
from pyfs.store.chunk_file import ChunkFile, ChunkFileWriter, Contains

LEAF_BYTES: Final = 2 * 1024 * 1024
"""Leaves and their text that a worker takes at a time; a smaller table stays in memory."""
RUN_BYTES: Final = 6 * 1024 * 1024
"""Rows and index entries in memory that are to be sorted."""
DIFFERING_BYTES_MAX: Final = 16 * 1024 * 1024
"""What may differ from the old text before all is built anew: the old rows are held, too."""
AT_ONCE: Final = 3
"""Parts of one build that are with workers at a time."""

Start = Callable[[], TableBuild]


class Workshop:
    """Threads that do the work of builds, and the folder for what does not stay in memory."""

    def __init__(self, folder: Path, contains: Contains) -> None:
        """*contains* tells what the remote holds already: that is not made ready for it."""
        self.folder = folder
        self.contains = contains
        self.pool = ThreadPoolExecutor(min(4, max(2, os.cpu_count() or 2)), "pyfs-build")

    def close(self) -> None:
        """Waits for what is under way; nothing begins any more."""
        self.pool.shutdown(cancel_futures=True)


class StreamedTable(BuiltTable):
    """A built table whose chunks are in files on local disk; leaves are nowhere else."""

    files: Sequence[ChunkFile]
    left_out: Sequence[Addresses]
    """Chunks that the remote held when they were made."""
    _lines: LocalFile | None

    def __new__(cls, built: BuiltTable, made: "_Made") -> Self:
        table = super().__new__(cls, built)
        table.files = made.files
        table.left_out = made.left_out
        table._lines = made.lines
        return table

    def lines(self) -> list[bytes]:
        """Where most of its rows stand in the text, for `MissingParents.first`."""
        return [self._lines.read(0, len(self._lines))] if self._lines is not None else []


@dataclass(slots=True)
class _Made:
    """What left the memory."""

    files: Sequence[ChunkFile]
    left_out: Sequence[Addresses]
    lines: LocalFile | None


class TextBuild:
    """A build for one text. All methods block; no two of them run at a time."""

    def __init__(self, workshop: Workshop, ways: Sequence[Start]) -> None:
        """*ways* are those to begin a build that are tried one after the other (`ways_to`)."""
        self._workshop = workshop
        self._ways = ways
        self._build: TableBuild | None = ways[0]()
        self._bench = _Bench(workshop)
        self._differs = False

    def anew(self) -> "TextBuild":
        """The build that takes the text from its start after this one raised `ReadAnewError`."""
        return TextBuild(self._workshop, self._ways[1:] if self._differs else self._ways[-1:])

    @property
    def held_bytes(self) -> int:
        """Bytes in memory that grow with the text."""
        return 0 if self._build is None else self._build.held_bytes

    def feed(self, text: bytes) -> None:
        """Takes the next bytes of the text. Raises `InvalidTextError`, `SpaceError`.

        `ReadAnewError` where rows turn out not to be as this way of building wants them.
        """
        try:
            build = self._checked(at_end=False)
            build.feed(text)
            self._checked(at_end=False)
            while (leaves := build.take(LEAF_BYTES)) is not None:
                self._bench.begin_leaves(leaves)
            while (run := build.take_run(RUN_BYTES)) is not None:
                self._bench.begin_run(run)
            self._bench.give_back(build)
        except BaseException:
            self._drop()
            raise

    def finish(self) -> "TextFinish":
        """The end of the text. Raises the same."""
        try:
            build = self._checked(at_end=True)
            self._bench.give_back(build, wait=True)
            is_large = self._bench.is_used or build.held_bytes > LEAF_BYTES
            finish = build.finish()
            if is_large:
                self._bench.finish(finish)
            return TextFinish(finish, self._bench if is_large else None)
        finally:
            self._drop()

    def _drop(self) -> None:
        # An exception from a thread is in a cycle with the frame that waited for it: what such
        # frames know of this build must not keep its memory and its files.
        self._build = None
        self._bench = _Bench(self._workshop)

    def _checked(self, *, at_end: bool) -> TableBuild:
        """The build, unless it is over, or more differs from the old text than it should hold."""
        if self._build is None:
            raise CorruptionError("a build that is over takes no text: start a new one")
        if self._build.differing_bytes(at_end) > DIFFERING_BYTES_MAX:
            self._differs = True
            raise ReadAnewError("too much differs from the old text to hold both")
        return self._build


class TextFinish:
    """Traversal: the end of a `TextBuild`; reads what a `TableFinish` does."""

    def __init__(self, finish: TableFinish, bench: "_Bench | None") -> None:
        self._finish = finish
        self._bench = bench

    def needs(self, limit: int) -> list[Address]:
        return self._finish.needs(limit)

    def feed(self, chunks: Sequence[Chunk]) -> None:
        self._finish.feed(chunks)

    def result(self) -> BuiltTable:
        """The table. Blocks where nothing had to be read."""
        built = self._finish.result()
        return built if self._bench is None else StreamedTable(built, self._bench.made(built))


@dataclass(slots=True)
class _Bench:
    """The parts of one build that are with workers, and what becomes of them."""

    workshop: Workshop
    chunks: ChunkFileWriter = field(init=False)
    under_way: deque["Future[HashedLeaves | tuple[SortedRun, int]]"] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    runs: LocalFile | None = None
    lines: LocalFile | None = None
    is_used: bool = False

    def __post_init__(self) -> None:
        self.chunks = ChunkFileWriter(self.workshop.folder, self.workshop.contains)

    def begin_leaves(self, leaves: Leaves) -> None:
        self._begin(lambda: self._store_leaves(leaves))

    def begin_run(self, run: Run) -> None:
        self._begin(lambda: self._store_run(run))

    def _begin(self, work: "Callable[[], HashedLeaves | tuple[SortedRun, int]]") -> None:
        self.is_used = True
        self.under_way.append(self.workshop.pool.submit(work))

    def give_back(self, build: TableBuild, *, wait: bool = False) -> None:
        """Gives *build* what is done; waits for the rest, or until it is little."""
        while self.under_way:
            first = self.under_way[0]
            if not (wait or first.done() or len(self.under_way) > AT_ONCE):
                return
            done = self.under_way.popleft().result()
            if isinstance(done, HashedLeaves):
                build.give(done)
            else:
                build.give_run(*done)

    def finish(self, finish: TableFinish) -> None:
        """Makes what is left of each tree."""
        work = [self.workshop.pool.submit(self._run_job, job, finish) for job in finish.jobs()]
        failures = [future.exception() for future in work]
        # The first tree's is the one that a build in memory would have met.
        for failure in failures:
            if failure is not None:
                raise failure

    def made(self, built: BuiltTable) -> _Made:
        """All that is kept, with what *built* has in memory."""
        self.chunks.add(Chunks(built.chunks))
        return _Made(self.chunks.finish(), self.chunks.left_out, self.lines)

    def _store_leaves(self, leaves: Leaves) -> HashedLeaves:
        hashed = leaves.hash()
        self.chunks.add(hashed.chunks)
        self._keep_lines(hashed.lines)
        return hashed

    def _store_run(self, run: Run) -> tuple[SortedRun, int]:
        done = run.sort()
        self._keep_lines(done.take_lines())
        data = done.take_data()
        with self.lock:
            if self.runs is None:
                self.runs = LocalFile(self.workshop.folder)
            return done, self.runs.append(data)

    def _keep_lines(self, lines: bytes) -> None:
        if not lines:
            return
        with self.lock:
            if self.lines is None:
                self.lines = LocalFile(self.workshop.folder)
            self.lines.append(lines)

    def _run_job(self, job: TreeJob, finish: TableFinish) -> None:
        while not job.is_over:
            for run, offset, length in job.needs():
                if self.runs is None:
                    raise AssertionError("a job reads runs that were never kept")
                job.feed(run, self.runs.read(offset, length))
            leaves = job.next(LEAF_BYTES)
            if leaves is not None:
                hashed = self._store_leaves(leaves)
                with self.lock:
                    finish.give(hashed)


def ways_to(start: Start, passing_over: Start | None = None) -> list[Start]:
    """The ways to build from a text: first those that ask most of it."""

    def sorting() -> TableBuild:
        build = start()
        build.sort_all()
        return build

    return [start, sorting] if passing_over is None else [passing_over, start, sorting]
