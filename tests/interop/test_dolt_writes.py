"""What the real dolt pushes, pyfs reads and builds upon; both may push at once."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from pyfs._core import Manifest
from pyfs.errors import ConflictError
from pyfs.repo import folding
from pyfs.repo.repository import Repository
from pyfs.store.chunks import ManifestStore, Remote
from tests.support.dolt import Clone, Dolt
from tests.support.repositories import (
    expected,
    head_of,
    opened_url,
    save_text,
    saved_tables,
    text_of,
)

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]

ALL_PRIMES = expected("primes", "main", "primes.csv")
FEW_PRIMES = b"".join(ALL_PRIMES.splitlines(keepends=True)[:8])
TWINS = expected("primes", "merged", "twins.csv")


def with_repository(
    url: str, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened_url(url, cache_dir) as repository:
            await body(repository)

    trio.run(main)


class Interrupted:
    """Manifests before whose next swap another writer does something."""

    def __init__(self, manifests: ManifestStore, first: Callable[[], object]) -> None:
        self._manifests = manifests
        self._first: Callable[[], object] | None = first

    async def read(self) -> Manifest:
        return await self._manifests.read()

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        first, self._first = self._first, None
        if first is not None:
            await trio.to_thread.run_sync(first)
        return await self._manifests.swap(expected, wanted)


def interrupt(repository: Repository, first: Callable[[], object]) -> None:
    """Lets *first* happen between the upload and the swap of the next push."""
    remote = repository._remote
    manifests = Interrupted(remote.manifests, first)
    repository._remote = Remote(
        remote.url, remote.files, manifests, local=remote.local, counts=remote.counts
    )


def test_a_push_of_dolts_is_seen_and_built_upon(
    either_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    clone = dolt.clone(either_url, "clone")

    async def body(repository: Repository) -> None:
        before = await head_of(repository)
        theirs = clone.commit("insert into primes values (37, 157)")
        clone.dolt("push", "origin", "main")
        await repository.refresh(0)
        assert str(repository.branches["main"]) == theirs
        assert await text_of(await head_of(repository), "primes") == ALL_PRIMES + b"37,157\n"
        # What was opened before stays as it was.
        assert await text_of(before, "primes") == ALL_PRIMES
        saved = await save_text(repository, "primes", FEW_PRIMES)
        log = [str(commit.address) async for commit in repository.log(saved.commit)]
        assert log[:2] == [str(saved.commit), theirs]

    with_repository(either_url, tmp_path / "cache", body)
    clone.dolt("pull")
    assert clone.export("primes") == FEW_PRIMES
    clone.check()


def test_dolt_merges_what_pyfs_saved_and_pushes_back(
    either_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    clone = dolt.clone(either_url, "clone", "merged")
    fewer_twins = b"".join(TWINS.splitlines(keepends=True)[:-1])

    async def body(repository: Repository) -> None:
        assert (await save_text(repository, "twins", fewer_twins, branch="merged")).changed
        clone.commit("delete from primes where i > 7")
        refused = clone.try_dolt("push", "origin", "merged")
        assert refused.returncode != 0
        clone.dolt("pull", "--no-edit", "origin", "merged")
        clone.dolt("push", "origin", "merged")
        tables = await saved_tables(repository, "merged")
        assert tables == {"primes": FEW_PRIMES, "twins": fewer_twins}
        assert len((await head_of(repository, "merged")).commit.parents) == 2
        # A merge commit's closure is edited like any other's.
        assert (await save_text(repository, "primes", ALL_PRIMES, branch="merged")).changed

    with_repository(either_url, tmp_path / "cache", body)
    clone.dolt("pull", "origin", "merged")
    clone.check()
    assert clone.export("primes") == ALL_PRIMES


@pytest.mark.parametrize("theirs", ["merged", "main"])
def test_dolt_pushes_between_upload_and_swap(
    either_url: str, tmp_path: Path, dolt: Dolt, theirs: str
) -> None:
    """To the same branch another table, or to another branch: neither push is lost."""
    clone = dolt.clone(either_url, "clone", theirs)
    query = "create table others (a int primary key)"

    def push() -> None:
        clone.commit(query)
        clone.dolt("push", "origin", theirs)

    async def body(repository: Repository) -> None:
        interrupt(repository, push)
        assert (await save_text(repository, "primes", FEW_PRIMES)).changed
        assert (await saved_tables(repository))["primes"] == FEW_PRIMES
        assert (await saved_tables(repository, theirs))["others"] == b"a\n"

    with_repository(either_url, tmp_path / "cache", body)
    fresh = dolt.clone(either_url, "fresh")
    fresh.check()
    assert fresh.export("primes") == FEW_PRIMES


def test_dolt_pushes_the_same_table_between_upload_and_swap(
    either_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    clone = dolt.clone(either_url, "clone")

    def push() -> None:
        clone.commit("insert into primes values (37, 157)")
        clone.dolt("push", "origin", "main")

    async def body(repository: Repository) -> None:
        interrupt(repository, push)
        with pytest.raises(ConflictError, match="'primes'"):
            await save_text(repository, "primes", FEW_PRIMES)
        assert await saved_tables(repository) == {"primes": ALL_PRIMES + b"37,157\n"}

    with_repository(either_url, tmp_path / "cache", body)
    dolt.clone(either_url, "fresh").check()


def test_pushes_of_both_at_once_all_land(either_url: str, tmp_path: Path, dolt: Dolt) -> None:
    clones: dict[str, Clone] = {}
    for name in ("one", "two"):
        clones[name] = dolt.clone(either_url, name)
        clones[name].dolt("checkout", "-b", name)
        clones[name].commit(f"create table {name} (a int primary key)")
    lines = ALL_PRIMES.splitlines(keepends=True)

    async def body(repository: Repository) -> None:
        async def save() -> None:
            for count in range(8, 14):
                assert (await save_text(repository, "primes", b"".join(lines[:count]))).changed

        async with trio.open_nursery() as nursery:
            nursery.start_soon(save)
            for name, clone in clones.items():
                nursery.start_soon(trio.to_thread.run_sync, clone.dolt, "push", "origin", name)
        await repository.refresh(0)
        assert {"one", "two", "main", "merged", "feature/twin"} == set(repository.branches)
        assert await saved_tables(repository) == {"primes": b"".join(lines[:13])}
        log = [c async for c in repository.log(repository.branches["main"])]
        assert len(log) == 3 + 6

    with_repository(either_url, tmp_path / "cache", body)
    dolt.clone(either_url, "fresh").check()


def test_branches_and_tags_that_dolt_made_moved_and_deleted(
    primes_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    clone = dolt.clone(primes_url, "clone")

    async def body(repository: Repository) -> None:
        clone.dolt("branch", "by/dolt")
        clone.dolt("push", "origin", "by/dolt")
        clone.dolt("tag", "v1", "-m", "one")
        clone.dolt("push", "origin", "v1")
        clone.dolt("push", "origin", ":merged")
        clone.dolt("reset", "--hard", "HEAD~1")
        clone.dolt("push", "-f", "origin", "main")  # leaves a working set on the remote
        await repository.refresh(0)
        assert set(repository.branches) == {"main", "by/dolt", "feature/twin"}
        assert (await repository.tag("v1")).message == "one"
        assert str(repository.branches["main"]) == clone.head()
        assert (await save_text(repository, "primes", FEW_PRIMES)).changed
        await repository.delete_branch("by/dolt")

    with_repository(primes_url, tmp_path / "cache", body)
    fresh = dolt.clone(primes_url, "fresh")
    fresh.check()
    assert fresh.export("primes") == FEW_PRIMES


def test_a_trigger_refuses_writes_of_its_table_only(
    primes_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    clone = dolt.clone(primes_url, "clone", "merged")
    clone.commit("create trigger tr before insert on twins for each row set new.q = new.p + 2")
    clone.dolt("push", "origin", "merged")

    async def body(repository: Repository) -> None:
        head = await head_of(repository, "merged")
        assert set(head.tables) == {"primes", "twins"}
        reason = await repository.refuses_writes(head, "twins")
        assert reason is not None
        assert "trigger 'tr'" in reason
        assert await repository.refuses_writes(head, "primes") is None

    with_repository(primes_url, tmp_path / "cache", body)


def test_a_conjoin_by_dolt_under_an_open_repository(
    primes_url: str, tmp_path: Path, dolt: Dolt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dolt folds files together beyond 256 of them, and deletes what it folded."""
    # A mount that folds leaves dolt nothing to conjoin.
    monkeypatch.setattr(folding, "FIRST_FILES", 1000)
    monkeypatch.setattr(folding, "NEXT_FILES", 1000)
    lines = ALL_PRIMES.splitlines(keepends=True)
    clone = dolt.clone(primes_url, "clone")
    directory = Path(primes_url.removeprefix("file://"))

    async def body(repository: Repository) -> None:
        old = await head_of(repository, "merged")
        for count in range(260):
            await save_text(repository, "primes", b"".join(lines[: 2 + count % 30]))
        before = {path.name for path in await trio.to_thread.run_sync(_files, directory)}
        clone.dolt("checkout", "-b", "by/dolt")
        clone.commit("create table x (a int primary key)")
        clone.dolt("push", "origin", "by/dolt")
        after = {path.name for path in await trio.to_thread.run_sync(_files, directory)}
        assert before - after, "dolt did not conjoin: this test tests nothing"
        assert await text_of(old, "twins") == TWINS
        assert (await save_text(repository, "primes", FEW_PRIMES)).changed

    with_repository(primes_url, tmp_path / "cache", body)
    fresh = dolt.clone(primes_url, "fresh")
    fresh.check()
    assert fresh.export("primes") == FEW_PRIMES


def _files(directory: Path) -> list[Path]:
    return list(directory.iterdir())
