from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs._core import Address, Manifest
from pyfs.errors import AccessError, NoAnswerError, NotFoundError, RemoteError
from pyfs.repo.log import log_text
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    REMOTES,
    expected,
    expected_rows,
    golden_remote,
    head_of,
    opened,
    text_of,
)

BRANCHES = [
    ("primes", "main"),
    ("primes", "feature/twin"),
    ("primes", "merged"),
    ("primes-tablefiles", "merged"),
    ("history", "main"),
    ("history", "before-alter"),
    ("history", "left"),
    ("history", "right"),
    ("types", "main"),
]


@pytest.mark.parametrize(("remote", "branch"), BRANCHES)
def test_every_table_reads_as_dolt_exports_it(remote: str, branch: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote(remote), tmp_path) as repository:
            snapshot = await head_of(repository, branch)
            directory = REMOTES / f"{remote}.expected" / branch
            assert set(snapshot.tables) == {path.stem for path in directory.glob("*.csv")}
            for name, address in snapshot.tables.items():
                (row,) = expected_rows(remote, branch, f"{name}.hash.json")
                assert str(address) == row["h"]
                assert await text_of(snapshot, name) == expected(remote, branch, f"{name}.csv")

    trio.run(main)


@pytest.mark.parametrize(("remote", "branch"), BRANCHES)
def test_heads_and_root_values_are_dolts(remote: str, branch: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote(remote), tmp_path) as repository:
            (row,) = expected_rows(remote, branch, "hashes.json")
            snapshot = await head_of(repository, branch)
            assert str(snapshot.commit.address) == row["head"]
            assert str(snapshot.commit.root) == row["root"]

    trio.run(main)


@pytest.mark.parametrize(("remote", "branch"), BRANCHES)
def test_the_log_is_in_dolts_order(remote: str, branch: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote(remote), tmp_path) as repository:
            head = repository.branches[branch]
            commits = [commit async for commit in repository.log(head)]
            rows = expected_rows(remote, branch, "log.json")
            assert [str(c.address) for c in commits] == [row["commit_hash"] for row in rows]
            assert [c.message for c in commits] == [row["message"] for row in rows]

    trio.run(main)


def test_a_commit_is_printed_as_dolt_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote("primes"), tmp_path) as repository:
            commit = await repository.commit(repository.branches["merged"])
            assert log_text(commit) == (
                "commit jjqiuc92a6o6tcafsigvb2kr70oi3ctp \n"
                "Merge: ml8761nirsign15vog3j6cn55at127tf kicp31c3eajta1ouocmm5sia490egnfu\n"
                "Author: Ada Lovelace <ada@example.com>\n"
                "Date:  Tue Jan 02 03:04:05 +0000 2024\n"
                "\n"
                "\tmerge twins\n"
                "\n"
            )

    trio.run(main)


def test_branches_and_tags(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote("primes"), tmp_path) as repository:
            assert set(repository.branches) == {"main", "merged", "feature/twin"}
            assert repository.default_branch == "main"
            assert set(repository.tags) == {"first25"}
            tag = await repository.tag("first25")
            assert str(tag.commit) == "i18tkom8n26ltjvf5gjtqj1kcj0ipmkq"
            with pytest.raises(NotFoundError, match="no tag 'nope'"):
                await repository.tag("nope")

    trio.run(main)


def test_a_table_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(golden_remote("primes"), tmp_path) as repository:
            with pytest.raises(NotFoundError, match="'Primes'"):
                await (await head_of(repository)).table("Primes")

    trio.run(main)


def test_an_unchanged_manifest_costs_one_read(tmp_path: Path) -> None:
    async def main() -> None:
        remote = golden_remote("primes")
        async with opened(remote, tmp_path) as repository:
            branches = repository.branches
            remote.files.files.clear()
            await repository.refresh(0)
            assert repository.branches == branches

    trio.run(main)


def test_a_conjoin_under_a_reader_is_not_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        remote = golden_remote("primes")
        async with opened(remote, tmp_path) as repository:
            snapshot = await head_of(repository, "merged")
            conjoin(remote)
            whole = expected("primes", "merged", "primes.csv")
            assert await text_of(snapshot, "primes") == whole

    trio.run(main)


def test_files_that_are_gone_for_good_are_an_error(tmp_path: Path) -> None:
    async def main() -> None:
        remote = golden_remote("primes")
        async with opened(remote, tmp_path) as repository:
            snapshot = await head_of(repository, "merged")
            remote.files.files.clear()
            with pytest.raises(RemoteError):
                await text_of(snapshot, "primes")

    trio.run(main)


def conjoin(remote: MemoryRemote) -> None:
    """What a conjoin looks like from outside: the same chunks in files of other names."""
    manifest = remote.manifests.stored
    names = {name: str(Address.of(name.encode())) for name, _ in manifest.specs}
    files = remote.files.files
    remote.files.files = {names[n[:32]] + n[32:]: data for n, data in files.items()}
    specs = [(names[name], count) for name, count in manifest.specs]
    remote.manifests.stored = Manifest.EMPTY.succeed(manifest.root, specs)


def test_a_manifest_that_takes_long_is_read_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        remote = golden_remote("primes")
        async with opened(remote, tmp_path) as repository:
            await repository.refresh_within(0, 1)
            assert repository.branches
            answer, asked = trio.Event(), trio.Event()
            read = remote.manifests.read

            async def slow() -> Manifest:
                asked.set()
                await answer.wait()
                return await read()

            monkeypatch.setattr(remote.manifests, "read", slow)
            await repository.refresh_within(60, 0)  # fresh: nothing is asked
            assert not asked.is_set()
            with pytest.raises(RemoteError, match="no answer within") as caught:
                await repository.refresh_within(0, 0.01)
            assert asked.is_set()
            assert (repository.health.error, repository.health.failing) == (caught.value, True)
            before = repository.refreshed_at
            answer.set()
            await repository.refresh_within(0, 10)
            assert repository.refreshed_at > before

            async def refuse() -> Manifest:
                raise AccessError("no")

            monkeypatch.setattr(remote.manifests, "read", refuse)
            with pytest.raises(AccessError):
                await repository.refresh_within(0, 10)

    trio.run(main)


def test_who_waits_for_a_read_without_an_answer_does_not_wait_for_another(tmp_path: Path) -> None:
    remote = golden_remote("primes")
    silence_s = 60

    async def main() -> None:
        async with opened(remote, tmp_path) as repository:
            read = remote.manifests.read
            reads = 0

            async def silent() -> Manifest:
                nonlocal reads
                reads += 1
                await trio.sleep(silence_s)
                raise NoAnswerError("tried in vain")

            remote.manifests.read = silent  # type: ignore[method-assign]

            async def refresh() -> None:
                before = trio.current_time()
                with pytest.raises(NoAnswerError, match="tried in vain"):
                    await repository.refresh(0)
                assert trio.current_time() - before <= silence_s

            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(refresh)
            assert reads == 1
            await refresh()
            assert reads == 2, "who comes later asks again"
            remote.manifests.read = read  # type: ignore[method-assign]
            await repository.refresh(0)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))
