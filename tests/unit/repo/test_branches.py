from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs._core import Address
from pyfs.errors import (
    AlreadyExistsError,
    InvalidNameError,
    NotFoundError,
    NotPermittedError,
    RemoteError,
)
from pyfs.repo.refs import Refs
from pyfs.repo.repository import Repository
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import ADA, golden_remote, head_of, opened, saved_tables

HERE = Address.of(b"here")
THERE = Address.of(b"there")


def run_with(
    remote: MemoryRemote, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened(remote, cache_dir) as repository:
            await body(repository)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


@pytest.mark.parametrize(
    ("names", "default"),
    [
        (["b", "a", "master", "main"], "main"),
        (["b", "a", "master"], "master"),
        (["b", "a", "Main"], "Main"),
        ([], None),
    ],
)
def test_the_default_branch_is_the_one_that_clones_begin_with(
    names: list[str], default: str | None
) -> None:
    assert Refs({f"refs/heads/{name}": HERE for name in names}).default_branch == default


def test_an_edit_carries_everything_else_over() -> None:
    datasets = {
        "refs/heads/b": HERE,
        "refs/tags/t": HERE,
        "refs/remotes/origin/b": HERE,
        "workingSets/heads/b": HERE,
        "workingSets/heads/c": HERE,
    }
    assert Refs(datasets).with_branch("b", THERE).datasets == datasets | {"refs/heads/b": THERE}
    left = Refs(datasets).without_branch("b").datasets
    assert set(left) == {"refs/tags/t", "refs/remotes/origin/b", "workingSets/heads/c"}


def test_a_new_branch_is_a_swap_and_no_commit(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = repository.branches["merged"]
        await repository.create_branch("a/b", head)
        assert repository.branches["a/b"] == head
        assert remote.manifests.swaps == 1
        async with opened(remote, tmp_path / "other") as other:
            assert other.branches["a/b"] == head
            assert len(other.branches) == 4

    run_with(remote, tmp_path, body)


@pytest.mark.parametrize("name", ["", "HEAD", "-", "a b", "a..b", ".a", "a/", "a.lock", "é", "@"])
def test_names_that_dolt_refuses(tmp_path: Path, name: str) -> None:
    async def body(repository: Repository) -> None:
        with pytest.raises(InvalidNameError):
            await repository.create_branch(name, repository.branches["main"])

    run_with(golden_remote("primes"), tmp_path, body)


@pytest.mark.parametrize("name", ["main", "MAIN", "feature/Twin"])
def test_names_that_are_taken(tmp_path: Path, name: str) -> None:
    async def body(repository: Repository) -> None:
        with pytest.raises(AlreadyExistsError):
            await repository.create_branch(name, repository.branches["main"])

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_branch_is_deleted(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        await repository.delete_branch("merged")
        assert set(repository.branches) == {"main", "feature/twin"}
        with pytest.raises(NotFoundError, match="'merged'"):
            await repository.delete_branch("merged")

    run_with(golden_remote("primes"), tmp_path, body)


def test_the_default_branch_stays(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        with pytest.raises(NotPermittedError):
            await repository.delete_branch("main")
        with pytest.raises(NotPermittedError):
            await repository.rename_branch("main", "trunk")

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_branch_is_renamed_in_one_swap(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = repository.branches["merged"]
        await repository.rename_branch("merged", "Merged")  # by case only: that is no clash
        assert repository.branches["Merged"] == head
        assert "merged" not in repository.branches
        assert remote.manifests.swaps == 1
        with pytest.raises(AlreadyExistsError):
            await repository.rename_branch("Merged", "feature/twin")

    run_with(remote, tmp_path, body)


@pytest.mark.parametrize("work", ["create", "delete", "rename"])
def test_a_lost_answer_is_resolved_by_reading(tmp_path: Path, work: str) -> None:
    remote = golden_remote("primes")

    async def lose_answer() -> None:
        raise RemoteError("the connection broke")

    async def body(repository: Repository) -> None:
        remote.manifests.after_swap.append(lose_answer)
        if work == "create":
            await repository.create_branch("new", repository.branches["main"])
            assert "new" in repository.branches
        elif work == "delete":
            await repository.delete_branch("merged")
            assert "merged" not in repository.branches
        else:
            await repository.rename_branch("merged", "new")
            assert "new" in repository.branches
        assert remote.manifests.swaps == 1

    run_with(remote, tmp_path, body)


def test_two_who_make_one_branch(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        async def other_writer() -> None:
            async with opened(remote, tmp_path / "other") as other:
                await other.create_branch("new", other.branches["merged"])

        remote.manifests.before_swap.append(other_writer)
        with pytest.raises(AlreadyExistsError):
            await repository.create_branch("new", repository.branches["main"])
        assert repository.branches["new"] == repository.branches["merged"]

    run_with(remote, tmp_path, body)


def test_a_new_remote_is_empty_and_takes_one_database(tmp_path: Path) -> None:
    async def main() -> None:
        remote = MemoryRemote()
        async with opened(remote, tmp_path) as repository:
            assert repository.branches == {}
            assert repository.default_branch is None
        first = await Repository.init(remote.as_remote(), ADA, "trunk")
        async with opened(remote, tmp_path) as repository:
            assert repository.branches == {"trunk": first}
            assert await saved_tables(repository, "trunk") == {}
            commit = (await head_of(repository, "trunk")).commit
            assert commit.message == "Initialize data repository"
            assert str(commit.root) == "vt5n73lho7q40t91ucetlr9qv4eqhasl"
            assert commit.parents == []
            assert not commit.closure
        with pytest.raises(AlreadyExistsError, match="holds a database already"):
            await Repository.init(remote.as_remote(), ADA)
        with pytest.raises(InvalidNameError):
            await Repository.init(MemoryRemote().as_remote(), ADA, "HEAD")

    trio.run(main)


def test_an_init_whose_answer_is_lost(tmp_path: Path) -> None:
    async def lose_answer() -> None:
        raise RemoteError("the connection broke")

    async def main() -> None:
        remote = MemoryRemote()
        remote.manifests.after_swap.append(lose_answer)
        first = await Repository.init(remote.as_remote(), ADA)
        async with opened(remote, tmp_path) as repository:
            assert repository.branches == {"main": first}

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


def test_files_of_a_push_that_never_ended_are_kept(tmp_path: Path) -> None:
    """dolt's push names its files in the manifest before there is a root."""

    async def main() -> None:
        remote = MemoryRemote()
        source = golden_remote("primes")
        remote.files.files.update(source.files.files)
        specs = source.manifests.stored.specs
        remote.manifests.stored = remote.manifests.stored.succeed(Address.EMPTY, specs)
        await Repository.init(remote.as_remote(), ADA)
        assert set(specs) <= set(remote.manifests.stored.specs)

    trio.run(main)
