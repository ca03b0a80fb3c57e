from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs._core import Address
from pyfs.disk import LocalFile
from pyfs.errors import (
    ConflictError,
    NoAnswerError,
    NotFoundError,
    ReadOnlyError,
    RemoteError,
    UnsupportedError,
)
from pyfs.repo import push
from pyfs.repo.repository import Repository, Saved
from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import (
    ADA,
    built,
    expected,
    expected_rows,
    golden_remote,
    head_of,
    opened,
    save_text,
    saved_tables,
    text_of,
)

ALL_PRIMES = expected("primes", "main", "primes.csv")
FIRST_PRIMES = expected("primes", "feature/twin", "primes.csv")
FEW_PRIMES = b"".join(ALL_PRIMES.splitlines(keepends=True)[:8])
"""Rows that the golden remote never held."""
TWINS = expected("primes", "feature/twin", "twins.csv")


def run_with(
    remote: MemoryRemote,
    cache_dir: Path,
    body: Callable[[Repository], Awaitable[None]],
    *,
    read_only: bool = False,
) -> None:
    async def main() -> None:
        async with opened(remote, cache_dir, read_only=read_only) as repository:
            await body(repository)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


def test_appending_the_missing_primes_gives_dolts_hashes(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        before = await head_of(repository, "feature/twin")
        saved = await save_text(repository, "primes", ALL_PRIMES, branch="feature/twin")
        assert saved.changed
        assert repository.branches["feature/twin"] == saved.commit
        head = await head_of(repository, "feature/twin")
        (row,) = expected_rows("primes", "main", "primes.hash.json")
        assert str(head.tables["primes"]) == row["h"]
        # dolt merged the same rows with the same twins.
        (row,) = expected_rows("primes", "merged", "hashes.json")
        assert str(head.commit.root) == row["root"]
        assert head.commit.parents == [before.commit.address]
        assert head.commit.height == before.commit.height + 1
        assert head.commit.message == "Update primes: +11 -0 ~0 rows"
        assert (head.commit.name, head.commit.email) == (ADA.name, ADA.email)
        assert head.commit.timestamp_ms == head.commit.author_timestamp_ms
        log = [commit.address async for commit in repository.log(saved.commit)]
        assert log[0] == saved.commit
        assert len(log) == before.commit.height + 1

    run_with(golden_remote("primes"), tmp_path, body)


def test_what_was_saved_is_what_others_read(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", FIRST_PRIMES)
        async with opened(remote, tmp_path / "other") as other:
            assert await saved_tables(other) == {"primes": FIRST_PRIMES}
            assert await saved_tables(other, "merged") == {"primes": ALL_PRIMES, "twins": TWINS}
            assert set(other.tags) == {"first25"}

    run_with(remote, tmp_path, body)


def test_one_save_is_one_file_and_one_swap(tmp_path: Path) -> None:
    remote = golden_remote("primes")
    files = len(remote.files.files)

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", FIRST_PRIMES)
        assert remote.manifests.swaps == 1
        assert len(remote.files.files) == files + 1

    run_with(remote, tmp_path, body)


def test_the_files_of_one_save_go_up_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "DATA_APART_BYTES", 1)
    remote = golden_remote("primes")
    create, coming, all_come = remote.files.create, [], trio.Event()

    async def create_together(name: str, data: bytes | LocalFile) -> None:
        coming.append(name)
        if len(coming) == 2:
            all_come.set()
        with trio.fail_after(30):
            await all_come.wait()
        await create(name, data)

    monkeypatch.setattr(remote.files, "create", create_together)

    async def main() -> None:
        async with opened(remote, tmp_path) as repository:
            await save_text(repository, "primes", ALL_PRIMES + b"37,157\n")
        assert (remote.files.counts.file_writes, remote.manifests.swaps) == (2, 1)

    trio.run(main)


def test_a_save_without_a_difference_pushes_nothing(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = repository.branches["main"]
        assert await save_text(repository, "primes", ALL_PRIMES) == Saved(head, changed=False)
        assert remote.manifests.swaps == 0

    run_with(remote, tmp_path, body)


def test_the_size_of_what_was_saved_is_known_at_once(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", FIRST_PRIMES)
        version = await (await head_of(repository)).table("primes")
        assert version.size == len(FIRST_PRIMES)

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_message_of_the_callers(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", FIRST_PRIMES, message="back to 25")
        assert (await head_of(repository)).commit.message == "back to 25"

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_message_counts_rows_that_went_and_rows_that_changed(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        lines = ALL_PRIMES.splitlines(keepends=True)
        key = lines[3].split(b",")[0]
        await save_text(repository, "primes", b"".join([*lines[:3], key + b",1\n", *lines[4:-2]]))
        assert (await head_of(repository)).commit.message == "Update primes: +0 -2 ~1 rows"

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_drop(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = repository.branches["merged"]
        saved = await repository.save("merged", base, {"twins": None}, None)
        assert saved.changed
        assert await saved_tables(repository, "merged") == {"primes": ALL_PRIMES}
        assert (await head_of(repository, "merged")).commit.message == "Drop twins"
        again = await repository.save("merged", saved.commit, {"twins": None}, None)
        assert again == Saved(saved.commit, changed=False)

    run_with(golden_remote("primes"), tmp_path, body)


def test_a_rename_is_a_drop_and_an_address_in_one_commit(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        changes = {"twins": None, "pairs": base.tables["twins"]}
        await repository.save("merged", base.commit.address, changes, None)
        assert await saved_tables(repository, "merged") == {"primes": ALL_PRIMES, "pairs": TWINS}
        head = await head_of(repository, "merged")
        assert head.commit.parents == [base.commit.address]
        assert head.commit.message == "Rename twins to pairs"

    run_with(golden_remote("primes"), tmp_path, body)


def test_several_tables_make_one_commit(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        changes = {
            "primes": await built(base, "primes", FIRST_PRIMES),
            "twins": await built(base, "twins", TWINS.splitlines(keepends=True)[0]),
        }
        await repository.save("merged", base.commit.address, changes, None)
        head = await head_of(repository, "merged")
        assert head.commit.message == "Update primes, twins: +0 -16 ~0 rows"
        assert head.commit.parents == [base.commit.address]

    run_with(golden_remote("primes"), tmp_path, body)


# Other writers


def test_another_table_of_anothers_commit_is_kept(tmp_path: Path) -> None:
    """Whether their commit is known when the save begins or not."""
    remote = golden_remote("primes")
    fewer_twins = b"".join(TWINS.splitlines(keepends=True)[:-1])

    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        async with opened(remote, tmp_path / "other") as other:
            theirs = await save_text(other, "twins", fewer_twins, branch="merged")
        saved = await save_text(repository, "primes", FIRST_PRIMES, branch="merged", base=base)
        assert saved.changed
        assert await saved_tables(repository, "merged") == {
            "primes": FIRST_PRIMES,
            "twins": fewer_twins,
        }
        head = await head_of(repository, "merged")
        assert head.commit.parents == [theirs.commit]

    run_with(remote, tmp_path, body)


def test_a_lost_race_is_rebased(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        async def other_writer() -> None:
            async with opened(remote, tmp_path / "other") as other:
                await other.save("merged", other.branches["merged"], {"twins": None}, None)

        remote.manifests.before_swap.append(other_writer)
        saved = await save_text(repository, "primes", FIRST_PRIMES, branch="merged")
        assert saved.changed
        assert await saved_tables(repository, "merged") == {"primes": FIRST_PRIMES}
        messages = [commit.message async for commit in repository.log(saved.commit)]
        assert messages[:2] == ["Update primes: +0 -11 ~0 rows", "Drop twins"]

    run_with(remote, tmp_path, body)


def test_a_race_over_another_branch_undoes_nothing(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        async def other_writer() -> None:
            async with opened(remote, tmp_path / "other") as other:
                await other.create_branch("theirs", other.branches["main"])
                await other.delete_branch("feature/twin")

        remote.manifests.before_swap.append(other_writer)
        await save_text(repository, "primes", FIRST_PRIMES)
        assert set(repository.branches) == {"main", "merged", "theirs"}

    run_with(remote, tmp_path, body)


def test_no_stale_file_stays_in_the_manifest_after_a_lost_race(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        async def other_writer() -> None:
            async with opened(remote, tmp_path / "other") as other:
                await other.create_branch("theirs", other.branches["main"])

        before = len(remote.manifests.stored.specs)
        remote.manifests.before_swap.append(other_writer)
        await save_text(repository, "primes", FEW_PRIMES)
        # Theirs, our tables, our commit and store root.
        assert len(remote.manifests.stored.specs) == before + 3

    run_with(remote, tmp_path, body)


@pytest.mark.parametrize("in_race", [False, True])
def test_a_table_that_another_changed_is_a_conflict(tmp_path: Path, in_race: bool) -> None:
    remote = golden_remote("primes")
    theirs = ALL_PRIMES.splitlines(keepends=True)[:-1]

    async def other_writer() -> None:
        async with opened(remote, tmp_path / "other") as other:
            await save_text(other, "primes", b"".join(theirs))

    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        if in_race:
            remote.manifests.before_swap.append(other_writer)
        else:
            await other_writer()
        with pytest.raises(ConflictError, match="'primes' was changed by another client"):
            await save_text(repository, "primes", FIRST_PRIMES, base=base)
        assert await saved_tables(repository) == {"primes": b"".join(theirs)}

    run_with(remote, tmp_path, body)


def test_a_table_that_another_dropped_is_a_conflict(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        async with opened(remote, tmp_path / "other") as other:
            await other.save("main", other.branches["main"], {"primes": None}, None)
        with pytest.raises(ConflictError, match="'primes' was dropped by another client"):
            await save_text(repository, "primes", FIRST_PRIMES, base=base)

    run_with(remote, tmp_path, body)


def test_what_another_saved_just_so_counts_as_saved(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        base = await head_of(repository)
        async with opened(remote, tmp_path / "other") as other:
            theirs = await save_text(other, "primes", FIRST_PRIMES)
        saved = await save_text(repository, "primes", FIRST_PRIMES, base=base)
        assert saved == Saved(theirs.commit, changed=False)

    run_with(remote, tmp_path, body)


def test_a_branch_that_is_gone_is_not_found(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        async with opened(remote, tmp_path / "other") as other:
            await other.delete_branch("merged")
        with pytest.raises(NotFoundError, match="no branch 'merged'"):
            await save_text(repository, "primes", FIRST_PRIMES, branch="merged", base=base)

    run_with(remote, tmp_path, body)


def test_of_many_writers_at_once_none_is_lost(tmp_path: Path) -> None:
    """Each on a table of its own, on one branch, in repositories of their own."""
    remote = golden_remote("primes")
    count = 8

    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        copies = {f"t{i}": base.tables["twins"] for i in range(count)}
        await repository.save("merged", base.commit.address, copies, None)
        texts = {f"t{i}": TWINS + b"%d,%d,\n" % (1000 + i, 1002 + i) for i in range(count)}

        async def write(name: str) -> None:
            async with opened(remote, tmp_path / name) as writer:
                assert (await save_text(writer, name, texts[name], branch="merged")).changed

        async with trio.open_nursery() as nursery:
            for name in texts:
                nursery.start_soon(write, name)
        tables = await saved_tables(repository, "merged")
        assert {name: tables[name] for name in texts} == texts
        log = [c async for c in repository.log(repository.branches["merged"])]
        assert len(log) == base.commit.height + 1 + count + 1

    run_with(remote, tmp_path, body)


def test_saves_of_one_repository_take_turns(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        base = await head_of(repository, "merged")
        results: list[Saved] = []

        async def drop(table: str) -> None:
            results.append(
                await repository.save("merged", base.commit.address, {table: None}, None)
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drop, "twins")
            nursery.start_soon(drop, "primes")
        assert all(saved.changed for saved in results)
        assert len({saved.commit for saved in results}) == 2
        assert remote.manifests.swaps == 2
        assert await saved_tables(repository, "merged") == {}

    run_with(remote, tmp_path, body)


# Answers that get lost


async def lose_answer() -> None:
    raise RemoteError("the connection broke")


def test_a_lost_answer_is_resolved_by_reading(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        remote.manifests.after_swap.append(lose_answer)
        saved = await save_text(repository, "primes", FIRST_PRIMES)
        assert saved.changed
        assert repository.branches["main"] == saved.commit
        assert (await head_of(repository)).commit.parents == [head.commit.address]
        assert remote.manifests.swaps == 1

    run_with(remote, tmp_path, body)


def test_a_lost_answer_upon_which_another_has_built(tmp_path: Path) -> None:
    """Another writer changed the same table after our commit: ours was acknowledged by that."""
    remote = golden_remote("primes")
    theirs = b"".join(ALL_PRIMES.splitlines(keepends=True)[:5])

    async def build_and_lose() -> None:
        async with opened(remote, tmp_path / "other") as other:
            await save_text(other, "primes", theirs)
        raise RemoteError("the connection broke")

    async def body(repository: Repository) -> None:
        remote.manifests.after_swap.append(build_and_lose)
        saved = await save_text(repository, "primes", FIRST_PRIMES)
        assert saved.changed
        log = [commit.address async for commit in repository.log(repository.branches["main"])]
        assert log[1] == saved.commit
        assert await saved_tables(repository) == {"primes": theirs}

    run_with(remote, tmp_path, body)


def test_a_write_that_was_tried_for_long_enough_is_not_tried_again(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def tried_in_vain() -> None:
        raise NoAnswerError("tried 20 times in 60 s")

    async def body(repository: Repository) -> None:
        remote.manifests.before_swap.append(tried_in_vain)
        with pytest.raises(NoAnswerError, match="tried 20 times"):
            await save_text(repository, "primes", FIRST_PRIMES)
        assert remote.manifests.swaps == 0
        assert (await save_text(repository, "primes", FIRST_PRIMES)).changed

    run_with(remote, tmp_path, body)


def test_a_write_that_never_arrives_is_tried_again(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        remote.manifests.before_swap += [lose_answer, lose_answer]
        assert (await save_text(repository, "primes", FIRST_PRIMES)).changed
        assert await saved_tables(repository) == {"primes": FIRST_PRIMES}

    run_with(remote, tmp_path, body)


def test_a_remote_that_stays_silent_fails_the_save_and_only_that(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        remote.manifests.before_swap += [lose_answer] * 3
        with pytest.raises(RemoteError, match="the connection broke"):
            await save_text(repository, "primes", FIRST_PRIMES)
        assert await saved_tables(repository) == {"primes": ALL_PRIMES}
        assert (await save_text(repository, "primes", FIRST_PRIMES)).changed

    run_with(remote, tmp_path, body)


def test_a_name_taken_by_other_bytes_is_avoided(tmp_path: Path) -> None:
    """A table file's name does not cover its bytes."""
    remote = golden_remote("primes")
    create = remote.files.create
    refused: list[str] = []

    async def refuse_once(name: str, data: bytes | LocalFile) -> None:
        if not refused:
            refused.append(name)
            remote.files.files[name] = b"the same chunks, compressed by another"
        await create(name, data)

    async def body(repository: Repository) -> None:
        remote.files.create = refuse_once  # type: ignore[method-assign]
        assert (await save_text(repository, "primes", FIRST_PRIMES)).changed
        assert refused[0] not in dict(remote.manifests.stored.specs)
        async with opened(remote, tmp_path / "other") as other:
            assert await saved_tables(other) == {"primes": FIRST_PRIMES}

    run_with(remote, tmp_path, body)


# What is refused


def test_a_read_only_mount_refuses_everything(tmp_path: Path) -> None:
    remote = golden_remote("primes")

    async def body(repository: Repository) -> None:
        head = repository.branches["main"]
        with pytest.raises(ReadOnlyError):
            await save_text(repository, "primes", FIRST_PRIMES)
        with pytest.raises(ReadOnlyError):
            await repository.create_branch("b", head)
        with pytest.raises(ReadOnlyError):
            await repository.delete_branch("merged")
        with pytest.raises(ReadOnlyError):
            await repository.rename_branch("merged", "b")
        assert remote.manifests.swaps == 0

    run_with(remote, tmp_path, body, read_only=True)


def test_what_dolt_keeps_itself_is_not_written(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        for table in ("dolt_schemas", "dolt_procedures", "dolt_log", "DOLT_DOCS", "dolt_t_fts"):
            with pytest.raises(UnsupportedError, match="Dolt keeps it itself"):
                await repository.save(
                    "main", head.commit.address, {table: head.tables["primes"]}, None
                )

    run_with(golden_remote("primes"), tmp_path, body)


def test_every_table_that_accepts_writes_can_be_rewritten_as_it_is(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        written = 0
        for table in head.tables:
            if await repository.refuses_writes(head, table) is None:
                saved = await save_text(repository, table, await text_of(head, table))
                assert saved == Saved(head.commit.address, changed=False), table
                written += 1
        assert written >= 5

    run_with(golden_remote("types"), tmp_path, body)


def test_an_unknown_base_is_an_error_not_a_guess(tmp_path: Path) -> None:
    async def body(repository: Repository) -> None:
        nowhere = Address.of(b"no such commit")
        with pytest.raises(Exception, match=str(nowhere)):
            await repository.save("main", nowhere, {"primes": None}, None)

    run_with(golden_remote("primes"), tmp_path, body)
