"""How many requests it takes to open the files of a manifest."""

from pathlib import Path

import pytest
import trio

from pyfs.config import MountConfig
from pyfs.repo.repository import Repository
from pyfs.store.chunks import Tail
from pyfs.store.table_set import TableSet
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import ADA, golden_remote, opened, save_text


async def opened_names(remote: MemoryRemote, cache_dir: Path) -> list[str]:
    """The names under which the files of *remote* are looked for by a cold mount."""
    names: list[str] = []
    read_tail = remote.files.read_tail

    async def spy(name: str, length: int) -> Tail:
        names.append(name)
        return await read_tail(name, length)

    remote.files.read_tail = spy  # type: ignore[method-assign]
    chunks = TableSet(remote.as_remote(), MountConfig(url="memory:", cache_dir=cache_dir))
    await chunks.update(await remote.manifests.read())
    await chunks.aclose()
    return names


def test_what_was_committed_from_here_is_found_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        remote = MemoryRemote()
        await Repository.init(remote.as_remote(), ADA)
        async with opened(remote, tmp_path / "writer") as repository:
            head = repository.branches["main"]
            sql = b"CREATE TABLE `t` (`n` int NOT NULL, PRIMARY KEY (`n`))"
            empty = await repository.edited_table(head, "t", sql)
            await repository.save("main", head, {"t": empty}, None)
            for count in range(1, 6):
                rows = b"".join(b"%d\n" % n for n in range(count))
                await save_text(repository, "t", b"n\n" + rows)
        names = await opened_names(remote, tmp_path / "cold")
        assert len(names) == len(remote.manifests.stored.specs)
        assert set(names) <= set(remote.files.files)

    trio.run(main)


@pytest.mark.parametrize(
    ("golden", "wrong_guesses"),
    # Archives of at most four chunks look like a push's root.
    [("flights", 0), ("types", 0), ("edge", 0), ("system", 0), ("history", 1), ("primes", 3)],
)
def test_what_dolt_pushed_takes_few_guesses(
    golden: str, wrong_guesses: int, tmp_path: Path
) -> None:
    async def main() -> None:
        remote = golden_remote(golden)
        names = await opened_names(remote, tmp_path)
        assert len(names) == len(remote.manifests.stored.specs) + wrong_guesses
        assert len(set(names) - set(remote.files.files)) == wrong_guesses

    trio.run(main)
