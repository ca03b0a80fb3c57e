"""Tables that are removed, renamed and made anew: how most tools save.

The sequences are those that were recorded of the tools themselves.
"""

import os
from pathlib import Path

import pytest
import trio

from pyfs.errors import (
    AlreadyExistsError,
    CrossDirectoryError,
    InvalidTextError,
    NotFoundError,
    NotPermittedError,
    RemoteError,
)
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, Shell, run, shell

MORE = PRIMES + b"7,4\n"
LATER = 1000.0
"""A drop delay that nothing waits for."""


async def _one_save(sh: Shell) -> None:
    await trio.sleep(10)
    assert sh.repository.log_of("main") == ["update primes", "push"]
    assert sh.repository.text("main", "primes") == MORE
    assert await sh.read("main/primes.csv") == MORE


@pytest.mark.parametrize(
    "scratch",
    ["sedxAyWYS", "tmp_primes.csv", ".primes.csv.31VwJJ", "primes.csv.123.csv", "tmpds7wf5li"],
)
def test_renaming_scratch_onto_a_table_is_a_save(tmp_path: Path, scratch: str) -> None:
    """sed -i, DuckDB, rsync, gawk, atomic writers."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            reader = await sh.open("main/primes.csv")
            await sh.write(f"main/{scratch}", MORE, flags=os.O_CREAT | os.O_EXCL)
            await sh.rename(f"main/{scratch}", "main/primes.csv")
            assert await reader.read(0, 100) == PRIMES
            await sh.close(reader)
            assert await sh.ls("main") == ["primes.csv"]
            await _one_save(sh)

    run(main)


def test_a_refused_rename_leaves_everything_where_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/sedX", b"p,i\nx,1\n")
            with pytest.raises(InvalidTextError):
                await sh.rename("main/sedX", "main/primes.csv")
            assert await sh.read("main/sedX") == b"p,i\nx,1\n"
            assert await sh.read("main/primes.csv") == PRIMES
            assert sh.recovered() == {"primes": b"p,i\nx,1\n"}
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_what_is_written_after_a_rename_is_saved_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/x.tmp", os.O_WRONLY | os.O_CREAT)
            await handle.write(0, PRIMES)
            await sh.rename("main/x.tmp", "main/primes.csv")
            await handle.write(len(PRIMES), b"7,4\n")
            await sh.close(handle)
            await _one_save(sh)

    run(main)


def test_removing_and_creating_is_one_save(tmp_path: Path) -> None:
    """mv from another file system, install, tar, unzip, git checkout."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.unlink("main/primes.csv")
            assert not await sh.exists("main/primes.csv")
            await sh.write("main/primes.csv", MORE, flags=os.O_CREAT | os.O_EXCL)
            await _one_save(sh)

    run(main)


def test_removing_and_creating_badly_leaves_the_table(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.unlink("main/primes.csv")
            with pytest.raises(InvalidTextError):
                await sh.write("main/primes.csv", b"p,i\n2,1\n2,2\n", flags=os.O_CREAT)
            await trio.sleep(10)
            assert await sh.read("main/primes.csv") == PRIMES
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_backup_by_rename_and_a_new_file_are_one_save(tmp_path: Path) -> None:
    """vim, emacs, cp --backup, sed -i.bak."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.read("main/primes.csv")
            await sh.write("main/.primes.csv.swp", b"b0VIM", flags=os.O_CREAT | os.O_EXCL)
            await sh.write("main/4913", flags=os.O_CREAT | os.O_EXCL)
            await sh.unlink("main/4913")
            await sh.rename("main/primes.csv", "main/primes.csv~")
            assert await sh.read("main/primes.csv~") == PRIMES
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_CREAT)
            await handle.truncate(0)
            await handle.write(0, MORE)
            await handle.fsync()
            assert sh.repository.log_of("main") == ["update primes", "push"]
            await sh.close(handle)
            await sh.unlink("main/primes.csv~")
            await sh.unlink("main/.primes.csv.swp")
            assert await sh.ls("main") == ["primes.csv"]
            await _one_save(sh)

    run(main)


def test_a_backup_by_rename_and_a_rename_are_one_save(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/sedX", MORE)
            await sh.rename("main/primes.csv", "main/primes.csv.bak")
            await sh.rename("main/sedX", "main/primes.csv")
            assert await sh.ls("main") == ["primes.csv", "primes.csv.bak"]
            assert await sh.read("main/primes.csv.bak") == PRIMES
            await _one_save(sh)

    run(main)


def test_a_backup_can_be_renamed_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            node = await sh.node("main/primes.csv")
            await sh.rename("main/primes.csv", "main/primes.csv~")
            assert await sh.ls("main") == ["primes.csv~"]
            await sh.rename("main/primes.csv~", "main/primes.csv")
            assert await sh.node("main/primes.csv") is node
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["push"]
            await sh.write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_backup_is_renamed_over_a_refused_save(tmp_path: Path) -> None:
    """vim puts its backup back when the write fails."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.rename("main/primes.csv", "main/primes.csv~")
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_CREAT)
            with pytest.raises(InvalidTextError):
                await handle.write(0, b"bad\n")
            await sh.rename("main/primes.csv~", "main/primes.csv")
            await handle.release()
            assert await sh.ls("main") == ["primes.csv"]
            assert await sh.read("main/primes.csv") == PRIMES
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_parked_table_is_not_dropped_and_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        async with shell(tmp_path, repository) as sh:
            await sh.rename("main/primes.csv", "main/primes.csv.old")
            await trio.sleep(10)
            assert await sh.ls("main") == ["primes.csv.old"]
            await sh.fs.finish()
        assert repository.log_of("main") == ["push"]
        async with shell(tmp_path, repository) as sh:
            assert await sh.ls("main") == ["primes.csv"]

    run(main)


def test_a_parked_table_is_dropped_with_its_backup(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.rename("main/primes.csv", "main/primes.csv.old")
            await sh.unlink("main/primes.csv.old")
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["drop primes", "push"]

    run(main)


def test_a_removed_table_is_dropped_after_the_delay(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, drop_delay_s=2.0) as sh:
            await sh.unlink("main/primes.csv")
            await trio.sleep(1)
            assert sh.repository.log_of("main") == ["push"]
            await trio.sleep(2)
            assert sh.repository.log_of("main") == ["drop primes", "push"]
            assert await sh.ls("main") == []

    run(main)


def test_removing_several_tables_is_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"a": PRIMES, "b": PRIMES, "c": PRIMES})
        async with shell(tmp_path, repository) as sh:
            for name in ("a", "b"):
                await sh.unlink(f"main/{name}.csv")
            await trio.sleep(10)
            assert repository.log_of("main") == ["drop a, b", "push"]
            assert await sh.ls("main") == ["c.csv"]

    run(main)


def test_the_next_command_commits_the_drop_of_one_that_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "other": PRIMES})
        async with shell(tmp_path, repository, drop_delay_s=LATER) as sh:
            await sh.unlink("main/other.csv")
            await sh.of(1_000_002).write("main/primes.csv", MORE)
            assert repository.log_of("main") == ["update primes", "drop other", "push"]

    run(main)


def test_sync_commits_a_drop(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, drop_delay_s=LATER) as sh:
            await sh.unlink("main/primes.csv")
            await sh.fs.sync()
            assert sh.repository.log_of("main") == ["drop primes", "push"]

    run(main)


def test_a_drop_that_fails_is_told_and_the_table_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, drop_delay_s=LATER) as sh:
            await sh.unlink("main/primes.csv")
            sh.repository.failure = RemoteError("no answer")
            with pytest.raises(RemoteError):
                await sh.fs.sync()
            sh.repository.failure = None
            assert await sh.ls("main") == ["primes.csv"]
            assert "no answer" in (await sh.read("main/.pyfs/status")).decode()
            await sh.write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_dropped_table_keeps_its_schema_when_it_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.read("main/primes.csv")
            await sh.unlink("main/primes.csv")
            await sh.fs.sync()
            await sh.write("main/primes.csv", MORE)
            assert sh.repository.log_of("main") == ["update primes", "drop primes", "push"]
            assert await sh.read("main/primes.csv") == MORE

    run(main)


def test_renaming_a_table_onto_a_table_saves_the_one_and_drops_the_other(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "next": MORE})
        async with shell(tmp_path, repository) as sh:
            await sh.rename("main/next.csv", "main/primes.csv")
            assert await sh.ls("main") == ["primes.csv"]
            await _one_commit_of(repository, {"primes": MORE, "next": None})

    run(main)


def test_renaming_a_table_to_a_new_name_is_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.rename("main/primes.csv", "main/numbers.csv")
            assert await sh.ls("main") == ["numbers.csv"]
            assert await sh.read("main/numbers.csv") == PRIMES
            await trio.sleep(10)
            await _one_commit_of(sh.repository, {"numbers": PRIMES, "primes": None})

    run(main)


async def _one_commit_of(repository: MemoryRepository, tables: dict[str, bytes | None]) -> None:
    assert len(repository.log_of("main")) == 2
    for name, text in tables.items():
        assert repository.text("main", name) == text


def test_rename_without_replacing(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "next": MORE})
        async with shell(tmp_path, repository) as sh:
            with pytest.raises(AlreadyExistsError):
                await sh.rename("main/next.csv", "main/primes.csv", keep=True)
            assert repository.log_of("main") == ["push"]

    run(main)


def test_a_table_does_not_move_between_branches(tmp_path: Path) -> None:
    """mv copies then, and removes: two branches, a commit each."""

    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("other", {"x": PRIMES})
        async with shell(tmp_path, repository) as sh:
            for name in ("primes.csv", "x.csv", "x.tmp"):
                with pytest.raises(CrossDirectoryError):
                    await sh.rename("main/primes.csv", f"other/{name}")
            assert await sh.read("main/primes.csv") == PRIMES

    run(main)


def test_scratch_folders_and_links(tmp_path: Path) -> None:
    """rsync --delay-updates, emacs's lock."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.symlink("main/.#primes.csv", "me@here.1")
            await sh.mkdir("main/.~tmp~")
            await sh.write("main/.primes.csv.X", MORE)
            await sh.rename("main/.primes.csv.X", "main/.~tmp~/primes.csv")
            assert await sh.ls("main/.~tmp~") == ["primes.csv"]
            await sh.rename("main/.~tmp~/primes.csv", "main/primes.csv")
            await sh.rmdir("main/.~tmp~")
            await sh.unlink("main/.#primes.csv")
            assert await sh.ls("main") == ["primes.csv"]
            await _one_save(sh)

    run(main)


def test_a_backup_cannot_be_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.rename("main/primes.csv", "main/primes.csv~")
            with pytest.raises(NotPermittedError):
                await sh.open("main/primes.csv~", os.O_WRONLY)

    run(main)


def test_scratch_is_gone_after_the_mount(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        async with shell(tmp_path, repository) as sh:
            await sh.write("main/notes.txt", b"note")
            assert await sh.read("main/notes.txt") == b"note"
            await sh.append("main/notes.txt", b"s\n")
            assert await sh.read("main/notes.txt") == b"notes\n"
        assert not list(tmp_path.rglob("scratch/*"))
        async with shell(tmp_path, repository) as sh:
            with pytest.raises(NotFoundError):
                await sh.node("main/notes.txt")

    run(main)


def test_regression_a_new_branch_had_what_was_just_removed(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"a": PRIMES, "b": PRIMES})
        async with shell(tmp_path, repository, drop_delay_s=LATER) as sh:
            await sh.unlink("main/a.csv")
            await sh.mkdir("x")
            assert await sh.ls("x") == ["b.csv"]

    run(main)
