"""Texts that are written under a table's name."""

import os
from pathlib import Path

import pytest
import trio

from pyfs.errors import (
    ConflictError,
    InvalidTextError,
    RemoteError,
    UnsupportedError,
)
from pyfs.vfs.node import TableFile
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, Shell, run, shell

MORE = PRIMES + b"7,4\n"


def test_a_save_is_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/primes.csv", MORE[:9], MORE[9:])
            assert sh.repository.text("main", "primes") == MORE
            assert sh.repository.log_of("main") == ["update primes", "push"]
            assert await sh.read("main/primes.csv") == MORE

    run(main)


def test_saving_what_is_there_makes_no_commit(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/primes.csv", PRIMES)
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_opening_for_writing_without_a_write_makes_no_commit(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_RDWR)
            assert await handle.read(0, 100) == PRIMES
            await handle.fsync()
            await sh.close(handle)
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_shells_clean_flush_is_no_save(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.flush()
            assert sh.repository.text("main", "primes") == PRIMES
            await handle.write(0, MORE)
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_file_that_another_process_holds_is_not_saved_yet(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            sh.holders.held = True
            await handle.write(0, MORE[:8])
            await handle.flush()
            assert sh.repository.log_of("main") == ["push"]
            await handle.write(8, MORE[8:])
            sh.holders.held = False
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE
            assert sh.repository.log_of("main") == ["update primes", "push"]

    run(main)


def test_release_is_the_backstop(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, MORE)
            sh.holders.held = True
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_appending_starts_from_the_old_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.append("main/primes.csv", b"7,4\n")
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_an_appended_bad_line_is_refused_by_write(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_APPEND)
            with pytest.raises(InvalidTextError) as caught:
                await handle.write(len(PRIMES), b"x,4\n")
            assert (caught.value.line, caught.value.column, caught.value.value) == (5, "p", "x")
            with pytest.raises(InvalidTextError):
                await handle.flush()
            await handle.release()
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_writing_in_the_middle_keeps_the_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_RDWR)
            await handle.write(6, b"9")
            assert await handle.read(0, 100) == b"p,i\n2,9\n3,2\n5,3\n"
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == b"p,i\n2,9\n3,2\n5,3\n"

    run(main)


def test_pieces_may_come_in_any_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(8, MORE[8:])
            await handle.write(0, MORE[:8])
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


@pytest.mark.parametrize("size", [0, 8, 12])
def test_a_text_can_be_cut(tmp_path: Path, size: int) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY)
            await handle.truncate(size)
            if size == 0:
                await handle.write(0, MORE)
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == (PRIMES[:size] if size else MORE)

    run(main)


def test_fsync_commits_and_the_close_after_it_does_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, MORE)
            await handle.fsync()
            assert sh.repository.text("main", "primes") == MORE
            await sh.close(handle)
            assert sh.repository.log_of("main") == ["update primes", "push"]

    run(main)


def test_writing_on_after_fsync_commits_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, MORE)
            await handle.fsync()
            await handle.write(len(MORE), b"11,5\n")
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE + b"11,5\n"

    run(main)


def test_a_refused_save_stays_refused(tmp_path: Path) -> None:
    """An editor that swallows the error of fsync must hear it again from close."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, b"p,i\n2,1\n2,2")
            for call in (handle.fsync, handle.flush, handle.fsync, handle.flush):
                with pytest.raises(InvalidTextError, match="twice"):
                    await call()
            await handle.release()
            assert await sh.read("main/primes.csv") == PRIMES

    run(main)


def test_a_refused_save_can_be_written_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            with pytest.raises(InvalidTextError):
                await handle.write(0, b"x,y\n")
            await handle.truncate(0)
            await handle.write(0, MORE)
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


@pytest.mark.parametrize("flags", [os.O_TRUNC, os.O_TRUNC | os.O_APPEND])
def test_a_tool_that_goes_on_after_a_refused_write_saves_nothing(
    tmp_path: Path, flags: int
) -> None:
    """`for i in …; do echo …; done > file`: the place in the file does not move by what failed."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | flags)
            for text in (b"x,y\n", b"p,i\n", b"2,1\n", b"3,2\n"):
                with pytest.raises(InvalidTextError, match="unknown column"):
                    await handle.write(0, text)
            with pytest.raises(InvalidTextError, match="unknown column"):
                await handle.flush()
            await handle.release()
            assert sh.repository.text("main", "primes") == PRIMES
            assert sh.recovered() == {"primes": b"x,y\np,i\n2,1\n3,2\n"}

    run(main)


def test_a_refused_text_is_kept_with_its_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            bad = b"p,i\n2,1\n3,two\n"
            with pytest.raises(InvalidTextError):
                await sh.write("main/primes.csv", bad)
            assert sh.recovered() == {"primes": bad}
            status = (await sh.read("main/.pyfs/status")).decode()
            for part in ("file: primes.csv", "line: 3", "column: i", "value: two", "no integer"):
                assert part in status
            kept = next(line for line in status.splitlines() if "kept in" in line)
            path = Path(kept.partition("kept in ")[2])
            assert path.read_bytes() == bad
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700

    run(main)


def test_the_name_means_the_head_again_once_a_refused_save_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, b"p,i\n2,1\n2,2")
            with pytest.raises(InvalidTextError):
                await handle.flush()
            assert (await sh.stat("main/primes.csv")).size == len(PRIMES)
            await handle.release()

    run(main)


def test_an_empty_text_is_an_unfinished_save(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/primes.csv")
            assert sh.repository.log_of("main") == ["push"]
            assert (await sh.stat("main/primes.csv")).size == 0
            assert "empty, an unfinished save" in (await sh.read("main/.pyfs/status")).decode()
            await sh.append("main/primes.csv", b"p,i\n11,5\n")
            assert sh.repository.text("main", "primes") == b"p,i\n11,5\n"

    run(main)


def test_an_unfinished_save_is_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, drop_delay_s=1.0) as sh:
            await sh.write("main/primes.csv")
            await trio.sleep(1.1)
            assert await sh.read("main/primes.csv") == PRIMES

    run(main)


def test_fsync_of_an_empty_text_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            with pytest.raises(InvalidTextError, match="empty"):
                await handle.fsync()
            with pytest.raises(InvalidTextError, match="empty"):
                await handle.flush()
            await handle.release()
            assert await sh.read("main/primes.csv") == PRIMES

    run(main)


def test_a_killed_writer_saves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, b"p,i\n2,1\n")
            sh.holders.killers[sh.pid] = "SIGKILL"
            with pytest.raises(InvalidTextError, match="SIGKILL"):
                await handle.flush()
            await handle.release()
            assert sh.repository.text("main", "primes") == PRIMES
            assert sh.recovered() == {"primes": b"p,i\n2,1\n"}

    run(main)


def test_a_dead_remote_refuses_the_save_and_the_text_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, MORE)
            sh.repository.failure = RemoteError("no answer")
            with pytest.raises(RemoteError):
                await handle.flush()
            await handle.release()
            assert sh.recovered() == {"primes": MORE}
            sh.repository.failure = None
            await sh.write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_table_that_cannot_be_maintained_refuses_to_be_opened_for_writing(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            sh.repository.refusals["primes"] = "it has a trigger"
            with pytest.raises(UnsupportedError, match="trigger"):
                await sh.open("main/primes.csv", os.O_WRONLY)
            assert await sh.read("main/primes.csv") == PRIMES
            status = await sh.read("main/.pyfs/status")
            assert b"note: table primes is read-only: it has a trigger" in status

    run(main)


def test_who_reads_and_then_writes_does_not_undo_what_came_between(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            await sh.read("main/primes.csv")
            sh.repository.push("main", {"primes": b"p,i\n13,6\n"})
            with pytest.raises(ConflictError):
                await sh.write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == b"p,i\n13,6\n"
            assert sh.recovered() == {"primes": MORE}
            assert await sh.read("main/primes.csv") == b"p,i\n13,6\n"
            await sh.write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_who_did_not_read_replaces_what_is_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, refresh_s=0.0) as sh:
            await sh.read("main/primes.csv")
            sh.repository.push("main", {"primes": b"p,i\n13,6\n"})
            await sh.of(7).write("main/primes.csv", MORE)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_save_keeps_the_inode_and_its_attributes_are_final(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            before = await sh.node("main/primes.csv")
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, b"p,i\n5,3\n3,2\n2,1\n7,4")
            await handle.flush()
            attributes = await sh.stat("main/primes.csv")
            assert await sh.node("main/primes.csv") is before
            assert attributes.size == len(MORE)
            assert (before, False) in sh.kernel.pages
            await handle.release()
            after = await sh.stat("main/primes.csv")
            assert (after.size, after.mtime_ns) == (attributes.size, attributes.mtime_ns)

    run(main)


def test_a_reader_keeps_its_version_and_its_inode(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            reader = await sh.open("main/primes.csv")
            before = await sh.node("main/primes.csv")
            await sh.of(7).write("main/primes.csv", MORE)
            assert await reader.read(0, 100) == PRIMES
            assert await sh.node("main/primes.csv") is not before
            assert await sh.read("main/primes.csv") == MORE
            await sh.close(reader)

    run(main)


def test_who_opens_what_is_being_written_reads_the_head(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            writer = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            own = await sh.node("main/primes.csv")
            await writer.write(0, MORE)
            assert await sh.of(7).read("main/primes.csv") == PRIMES
            assert (await sh.stat("main/primes.csv")).size == len(PRIMES)
            await sh.close(writer)
            assert await sh.node("main/primes.csv") is own
            assert await sh.read("main/primes.csv") == MORE
            assert sh.kernel.names == ["primes.csv"]

    run(main)


def test_sort_reads_what_it_is_about_to_overwrite(tmp_path: Path) -> None:
    """`sort -o t t` opens for writing, reads the same file, then cuts and writes."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            writer = await sh.open("main/primes.csv", os.O_WRONLY)
            assert await sh.read("main/primes.csv") == PRIMES
            await writer.truncate(0)
            await writer.write(0, MORE)
            await sh.close(writer)
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_truncate_by_path_is_a_save(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.truncate("main/primes.csv", 8)
            assert sh.repository.text("main", "primes") == PRIMES[:8]

    run(main)


def test_a_touched_new_file_is_listed_and_not_committed(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/new.csv")
            assert await sh.ls("main") == ["new.csv", "primes.csv"]
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_message_is_of_the_next_commit_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/.pyfs/message", b"Add seven\n", flags=os.O_TRUNC)
            assert await sh.read("main/.pyfs/message") == b"Add seven\n"
            await sh.append("main/primes.csv", b"7,4\n")
            await sh.append("main/primes.csv", b"11,5\n")
            assert sh.repository.log_of("main") == ["update primes", "Add seven", "push"]
            assert await sh.read("main/.pyfs/message") == b""

    run(main)


def test_a_removed_file_takes_its_writer_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, drop_delay_s=1000.0) as sh:
            writer = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await writer.write(0, MORE)
            await sh.unlink("main/primes.csv")
            await sh.close(writer)
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_an_unclosed_text_is_kept_when_the_mount_ends(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        async with shell(tmp_path, repository) as sh:
            writer = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await writer.write(0, MORE)
            (trouble,) = await sh.fs.finish()
            assert "primes.csv on main was not saved" in trouble
            assert sh.recovered() == {"primes": MORE}
            assert repository.log_of("main") == ["push"]

    run(main)


async def _open_table(sh: Shell) -> TableFile:
    node = await sh.node("main/primes.csv")
    assert isinstance(node, TableFile)
    return node


def test_two_writers_have_inodes_of_their_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            first = await sh.open("main/primes.csv", os.O_RDWR)
            inode = await _open_table(sh)
            second = await sh.of(7).open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            assert await _open_table(sh) is not inode
            await second.write(0, MORE)
            await sh.close(second)
            assert await first.read(0, 100) == PRIMES
            await sh.close(first)
            assert await sh.read("main/primes.csv") == MORE

    run(main)
