"""What the mount shows."""

import os
from pathlib import Path

import pytest
import trio
import trio.testing

from pyfs.errors import (
    AccessError,
    AlreadyExistsError,
    NotEmptyError,
    NotFoundError,
    NotPermittedError,
    ReadOnlyError,
    RemoteError,
)
from pyfs.vfs.node import Kind
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, run, shell

MORE = PRIMES + b"7,4\n"


def test_branches_are_directories_and_tables_files(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "other": MORE})
        repository.push("feature/twin", {"primes": MORE})
        async with shell(tmp_path, repository) as sh:
            assert await sh.ls() == ["feature", "main"]
            assert await sh.ls("feature") == ["twin"]
            assert await sh.ls("main") == ["other.csv", "primes.csv"]
            assert await sh.read("feature/twin/primes.csv") == MORE
            assert (await sh.stat("main")).kind is Kind.DIRECTORY
            head = repository.commits[repository.remote["main"]]
            for path in ("main", "main/primes.csv"):
                assert (await sh.stat(path)).mtime_ns == head.timestamp_ms * 1_000_000

    run(main)


def test_the_status_says_how_far_a_size_is_found(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        version = repository.commits[repository.remote["main"]].tables["primes"]
        measured = trio.Event()
        version.size_known, version.measured = False, measured
        async with shell(tmp_path, repository) as sh:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(sh.stat, "main/primes.csv")
                await trio.testing.wait_all_tasks_blocked()
                status = await sh.read("main/.pyfs/status")
                assert b"sizing: primes.csv, 25% read\n" in status
                measured.set()
            assert b"sizing" not in await sh.read("main/.pyfs/status")

    run(main)


def test_a_branch_beside_a_branch_of_a_longer_name(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("main/next", {"x": PRIMES})
        async with shell(tmp_path, repository) as sh:
            assert await sh.ls("main") == ["next", "primes.csv"]
            assert await sh.ls("main/next") == ["x.csv"]

    run(main)


def test_a_table_wins_over_a_branch_of_the_same_name(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("main/primes.csv", {"x": MORE})
        async with shell(tmp_path, repository) as sh:
            assert await sh.read("main/primes.csv") == PRIMES
            assert await sh.ls(".pyfs/branches") == ["main%2Fprimes.csv"]
            assert await sh.read(".pyfs/branches/main%2Fprimes.csv/x.csv") == MORE

    run(main)


def test_names_that_no_file_can_have_are_encoded(tmp_path: Path) -> None:
    async def main() -> None:
        names = {"a/b": "a%2Fb.csv", ".hidden": "%2Ehidden.csv", "50%": "50%.csv", "Ünï": "Ünï.csv"}
        repository = MemoryRepository(dict.fromkeys(names, PRIMES))
        async with shell(tmp_path, repository) as sh:
            assert await sh.ls("main") == sorted(names.values())
            for table, name in names.items():
                await sh.write(f"main/{name}", MORE)
                assert repository.text("main", table) == MORE

    run(main)


def test_tables_whose_names_differ_by_case_alone(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"a": PRIMES, "A": MORE})
        async with shell(tmp_path, repository) as sh:
            assert (await sh.read("main/a.csv"), await sh.read("main/A.csv")) == (PRIMES, MORE)

    run(main)


def test_control_directories_are_reached_and_not_listed(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            assert ".pyfs" not in await sh.ls() + await sh.ls("main")
            files = ["log", "log.jsonl", "message", "status"]
            assert await sh.ls("main/.pyfs") == sorted(
                [*files, "docs", "schema", "system", "views"]
            )
            for name in ("log", "log.jsonl", "message", "status"):
                path = f"main/.pyfs/{name}"
                handle = await sh.open(path)
                assert handle.direct
                await sh.close(handle)
            assert b"\tpush\n" in await sh.read("main/.pyfs/log")
            assert (await sh.stat("main/.pyfs/log")).size == len(await sh.read("main/.pyfs/log"))
            assert b"remote: memory:" in await sh.read(".pyfs/status")

    run(main)


def test_the_status_is_there_while_the_remote_is_dead(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            await sh.read("main/primes.csv")
            sh.repository.failure = RemoteError("no answer")
            with pytest.raises(RemoteError):
                await sh.read("main/primes.csv")
            assert b"branch: main" in await _status_without_refresh(sh)
            sh.repository.failure = None
            assert await sh.read("main/primes.csv") == PRIMES

    async def _status_without_refresh(sh: object) -> bytes:
        from tests.support.shell import Shell

        assert isinstance(sh, Shell)
        tree = sh.fs.tree
        branch = tree._directories["main"]
        control = await tree.lookup(branch, ".pyfs")
        status = await tree.lookup(control, "status")
        handle = await sh.fs.files.open(status, os.O_RDONLY, sh.pid)
        return bytes(await handle.read(0, 4096))

    run(main)


def test_another_clients_commit_is_a_new_inode(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "other": PRIMES})
        async with shell(tmp_path, repository, refresh_s=0.0) as sh:
            reader = await sh.open("main/primes.csv")
            primes, other = await sh.node("main/primes.csv"), await sh.node("main/other.csv")
            repository.push("main", {"primes": MORE})
            assert await sh.read("main/primes.csv") == MORE
            assert await sh.node("main/primes.csv") is not primes
            assert await sh.node("main/other.csv") is other
            assert await reader.read(0, 100) == PRIMES
            await sh.close(reader)

    run(main)


def test_an_open_of_a_superseded_inode_is_looked_up_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            node = await sh.node("main/primes.csv")
            sh.repository.push("main", {"primes": MORE})
            from pyfs.errors import SupersededError

            with pytest.raises(SupersededError):
                await sh.fs.files.open(node, os.O_RDONLY, sh.pid)
            # A descriptor's own path (/dev/fd/3) means the inode itself.
            handle = await sh.fs.files.open(node, os.O_RDONLY, sh.pid)
            assert await handle.read(0, 100) == PRIMES
            await sh.close(handle)

    run(main)


def test_sizes_are_never_too_small(tmp_path: Path) -> None:
    async def main() -> None:
        for size, expected in (("lazy", 10 * len(PRIMES)), ("exact", len(PRIMES))):
            repository = MemoryRepository({"primes": PRIMES})
            version = repository.commits[repository.remote["main"]].tables["primes"]
            version.size_known = False
            async with shell(tmp_path, repository, size=size, exact_size_limit_bytes=1) as sh:
                attributes = await sh.stat("main/primes.csv")
                assert attributes.size == expected
                assert (attributes.valid_s > 0) == (size == "exact")

    run(main)


def test_an_open_file_has_its_exact_size(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        version = repository.commits[repository.remote["main"]].tables["primes"]
        version.size_known = False
        async with shell(tmp_path, repository, exact_size_limit_bytes=1) as sh:
            assert (await sh.stat("main/primes.csv")).size > len(PRIMES)
            handle = await sh.open("main/primes.csv")
            assert handle.direct
            assert (await sh.stat("main/primes.csv")).size == len(PRIMES)
            await sh.close(handle)
            handle = await sh.open("main/primes.csv")
            assert not handle.direct
            await sh.close(handle)

    run(main)


def test_mkdir_makes_a_branch(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("feature/twin", {"primes": MORE})
        async with shell(tmp_path, repository) as sh:
            await sh.mkdir("b")
            assert await sh.read("b/primes.csv") == PRIMES
            await sh.mkdir("feature/twin/deeper")
            assert await sh.read("feature/twin/deeper/primes.csv") == MORE
            await sh.mkdir("feature/other")
            assert await sh.read("feature/other/primes.csv") == PRIMES
            for path in ("b", "feature", "feature/twin"):
                with pytest.raises(AlreadyExistsError):
                    await sh.mkdir(path)

    run(main)


def test_rmdir_deletes_a_branch_but_never_the_default_one(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("b", {"primes": MORE})
        repository.push("b/c", {"primes": MORE})
        async with shell(tmp_path, repository) as sh:
            with pytest.raises(NotEmptyError):
                await sh.rmdir("b")
            await sh.rmdir("b/c")
            await sh.rmdir("b")
            assert await sh.ls() == ["main"]
            with pytest.raises(NotPermittedError):
                await sh.rmdir("main")

    run(main)


def test_files_live_in_branches_only(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("feature/twin", {"primes": MORE})
        async with shell(tmp_path, repository) as sh:
            for path in ("x.txt", "feature/x.txt", "main/.pyfs/x"):
                with pytest.raises((NotPermittedError, NotFoundError)):
                    await sh.write(path, b"x")

    run(main)


def test_a_read_only_mount_refuses_every_change(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, read_only=True) as sh:
            assert await sh.read("main/primes.csv") == PRIMES
            for call in (
                sh.write("main/primes.csv", MORE),
                sh.write("main/x.txt", MORE),
                sh.write("main/.pyfs/message", b"m", flags=0),
                sh.unlink("main/primes.csv"),
                sh.rename("main/primes.csv", "main/x.csv"),
                sh.mkdir("b"),
                sh.rmdir("main"),
                sh.symlink("main/.#x", "y"),
            ):
                with pytest.raises(ReadOnlyError):
                    await call

    run(main)


def test_a_deleted_branch_is_gone(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("b", {"primes": MORE})
        async with shell(tmp_path, repository, refresh_s=0.0) as sh:
            node = await sh.node("b")
            assert await sh.read("b/primes.csv") == MORE
            del repository.remote["b"]
            assert await sh.ls() == ["main"]
            with pytest.raises(NotFoundError):
                await sh.fs.tree.entries(node)
            with pytest.raises(NotFoundError):
                await sh.read("b/primes.csv")

    run(main)


def test_mv_renames_a_branch(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("b", {"primes": PRIMES})
        async with shell(tmp_path, repository) as sh:
            reader = await sh.open("b/primes.csv")
            await sh.write("b/notes", b"note")
            await sh.rename("b", "c")
            assert await sh.ls() == ["c", "main"]
            assert await sh.read("c/notes") == b"note"
            await sh.write("c/primes.csv", MORE)
            assert repository.text("c", "primes") == MORE
            assert await reader.read(0, 100) == PRIMES
            await sh.close(reader)
            with pytest.raises(AlreadyExistsError):
                await sh.rename("c", "main")

    run(main)


def test_a_remote_that_shows_nothing_any_more_is_an_error_not_an_empty_directory(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            remote, sh.repository.remote = sh.repository.remote, {}
            with pytest.raises(RemoteError):
                await sh.ls()
            sh.repository.remote = remote
            assert await sh.ls() == ["main"]

    run(main)


def test_statuses_are_reached_while_the_remote_refuses(tmp_path: Path) -> None:
    """Whatever was looked at before; all else says what the remote says."""

    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("feature/twin", {"primes": MORE})
        repository.branches = dict(repository.remote)
        async with shell(tmp_path, repository, refresh_s=0.0) as sh:
            assert await sh.read("main/primes.csv") == PRIMES
            assert "remote-error: none" in (await sh.read(".pyfs/status")).decode()
            repository.failure = AccessError("AWS refused dynamodb:GetItem of x: renew\nthem")
            for path in ("", "main/", "feature/twin/"):
                status = (await sh.read(f"{path}.pyfs/status")).decode()
                (line,) = [one for one in status.splitlines() if one.startswith("remote-error: ")]
                assert "s ago)" in line or not path
                if path:
                    assert line.endswith(": AWS refused dynamodb:GetItem of x: renew them")
            for refused in (sh.ls(), sh.ls("main"), sh.read("main/primes.csv")):
                with pytest.raises(AccessError):
                    await refused
            with pytest.raises(AccessError):
                await sh.read("none/primes.csv")
            repository.failure = None
            assert await sh.read("main/primes.csv") == PRIMES
            assert ", and it has answered since: AWS" in (await sh.read(".pyfs/status")).decode()

    run(main)


def test_the_mounts_status_says_what_is_pending(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            assert b"pending" not in await sh.read(".pyfs/status")
            await sh.unlink("main/primes.csv")
            status = await sh.read(".pyfs/status")
            assert b"pending: main/primes.csv (removed, the drop is not committed yet)" in status

    run(main)


def test_statuses_wait_a_moment_only_for_a_remote_that_hangs(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        repository.push("b", {"primes": MORE})
        repository.branches = dict(repository.remote)
        async with shell(tmp_path, repository, refresh_s=0.0) as sh:
            assert await sh.read("main/primes.csv") == PRIMES
            repository.hangs = True
            began = trio.current_time()
            for branch in ("main", "b"):
                status = await sh.read(f"{branch}/.pyfs/status")
                assert b"s ago): no answer\n" in status
                assert (await sh.stat(branch)).kind is Kind.DIRECTORY
            assert trio.current_time() - began < 3
            with trio.move_on_after(60) as waiting:
                await sh.read("main/primes.csv")
            assert waiting.cancelled_caught
            repository.hangs = False
            assert await sh.read("b/primes.csv") == MORE

    run(main)
