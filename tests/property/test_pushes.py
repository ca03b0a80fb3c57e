"""Of racing writers each round exactly one wins, and no acknowledged push is ever lost."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyfs._core import Address
from pyfs.errors import RemoteError
from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    expected,
    golden_remote,
    head_of,
    opened,
    save_text,
    saved_tables,
    text_of,
)

LINES = expected("primes", "main", "primes.csv").splitlines(keepends=True)
WRITERS = 3


@dataclass
class Writer:
    """What one writer wants to save, in order, and what the remote acknowledged."""

    table: str
    rows: list[int]
    acknowledged: list[Address] = field(default_factory=list)
    last: bytes | None = None
    """The text that must be there at the end; None once a save failed without saying how."""


def rows_of(rows: int) -> bytes:
    return b"".join(LINES[: 1 + rows])


async def lose() -> None:
    raise RemoteError("the connection broke")


async def arrive() -> None:
    pass


async def write(remote: MemoryRemote, cache_dir: Path, writer: Writer) -> None:
    async with opened(remote, cache_dir) as repository:
        for rows in writer.rows:
            await repository.refresh(0)
            text = rows_of(rows)
            before = await text_of(await head_of(repository), writer.table)
            try:
                saved = await save_text(repository, writer.table, text)
            except RemoteError:
                writer.last = None
                continue
            # Nobody else writes this table: it is we who changed it, whatever got lost.
            assert saved.changed == (before != text)
            writer.acknowledged.append(saved.commit)
            writer.last = text


async def prepare(repository: Repository) -> None:
    head = await head_of(repository)
    copies = {f"t{i}": head.tables["primes"] for i in range(WRITERS)}
    await repository.save("main", head.commit.address, copies, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.lists(st.integers(0, 20), min_size=1, max_size=4), min_size=WRITERS, max_size=WRITERS
    ),
    unsent=st.lists(st.booleans(), max_size=12),
    unanswered=st.lists(st.booleans(), max_size=12),
)
def test_no_acknowledged_save_is_lost(
    rows: list[list[int]], unsent: list[bool], unanswered: list[bool]
) -> None:
    async def main(directory: Path) -> None:
        remote = golden_remote("primes")
        async with opened(remote, directory / "first") as repository:
            await prepare(repository)
            remote.manifests.before_swap = [lose if happens else arrive for happens in unsent]
            remote.manifests.after_swap = [lose if happens else arrive for happens in unanswered]
            writers = [Writer(f"t{i}", wanted) for i, wanted in enumerate(rows)]
            async with trio.open_nursery() as nursery:
                for writer in writers:
                    nursery.start_soon(write, remote, directory / writer.table, writer)
            tables = await saved_tables(repository)
            log = [c.address async for c in repository.log(repository.branches["main"])]
            for writer in writers:
                assert set(writer.acknowledged) <= set(log)
                assert writer.last is None or tables[writer.table] == writer.last
            # One commit a round: the history is a line, and nothing was saved twice.
            assert len(log) == (await head_of(repository)).commit.height
            assert set(repository.branches) == {"main", "merged", "feature/twin"}

    with tempfile.TemporaryDirectory() as directory:
        trio.run(main, Path(directory), clock=trio.testing.MockClock(autojump_threshold=0.01))
