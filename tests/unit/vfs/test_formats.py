"""Tables in several formats: a file each, and one table."""

import os
from pathlib import Path

import pytest
import trio

from pyfs.errors import ConflictError, InvalidTextError, NotFoundError
from pyfs.formats import Format
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, run, shell

BOTH = (Format.CSV, Format.TSV)
TSV = PRIMES.replace(b",", b"\t")
MORE = PRIMES + b"7,4\n"
MORE_TSV = TSV + b"7\t4\n"
LATER = 1000.0
"""A drop delay that nothing waits for."""


def test_each_table_has_a_file_for_each_format(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            assert await sh.ls("main") == ["primes.csv", "primes.tsv"]
            assert await sh.read("main/primes.csv") == PRIMES
            assert await sh.read("main/primes.tsv") == TSV
            assert (await sh.stat("main/primes.tsv")).size == len(TSV)

    run(main)


def test_other_formats_are_scratch(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=(Format.TSV,)) as sh:
            assert await sh.ls("main") == ["primes.tsv"]
            await sh.write("main/primes.csv", b"anything")
            assert await sh.read("main/primes.csv") == b"anything"
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_save_in_one_format_is_seen_in_the_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            assert await sh.read("main/primes.csv") == PRIMES
            before = await sh.node("main/primes.csv")
            await sh.append("main/primes.tsv", b"7\t4\n")
            assert sh.repository.text("main", "primes") == MORE
            assert await sh.read("main/primes.csv") == MORE
            assert await sh.read("main/primes.tsv") == MORE_TSV
            assert (await sh.stat("main/primes.csv")).size == len(MORE)
            # Another version is another inode, and the kernel was not told to keep the name.
            assert await sh.node("main/primes.csv") is not before
            assert (await sh.stat("main/primes.csv")).name_valid_s == 0.0
            assert sh.repository.log_of("main") == ["update primes", "push"]

    run(main)


def test_a_name_that_is_the_only_one_may_be_kept_by_the_kernel(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            assert (await sh.stat("main/primes.csv")).name_valid_s > 0.0

    run(main)


def test_an_open_file_stays_at_its_version(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            reader = await sh.open("main/primes.csv")
            await sh.write("main/primes.tsv", MORE_TSV)
            assert await reader.read(0, 100) == PRIMES
            await sh.close(reader)
            assert await sh.read("main/primes.csv") == MORE

    run(main)


def test_what_is_refused_is_told_and_kept_under_its_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            bad = b"p\ti\nx\t1\n"
            with pytest.raises(InvalidTextError):
                await sh.write("main/primes.tsv", bad)
            assert sh.recovered() == {"primes": bad}
            (kept,) = sh.fs.saver.folders._recovery.rglob("*.tsv")
            status = (await sh.read("main/.pyfs/status")).decode()
            assert "file: primes.tsv" in status
            assert str(kept) in status
            assert await sh.read("main/primes.tsv") == TSV
            assert await sh.read("main/primes.csv") == PRIMES

    run(main)


@pytest.mark.parametrize("scratch", ["tmp_primes.tsv", "primes.tsv.123.tsv", "sedX", "x.json"])
def test_scratch_renamed_onto_a_name_is_a_save_in_its_format(tmp_path: Path, scratch: str) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.write(f"main/{scratch}", MORE_TSV)
            await sh.rename(f"main/{scratch}", "main/primes.tsv")
            assert await sh.read("main/primes.csv") == MORE
            assert sh.repository.log_of("main") == ["update primes", "push"]

    run(main)


def test_a_new_name_makes_a_table_with_all_its_names(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.write("main/new.tsv", b"a\tb\n1\t2\n")
            assert sh.repository.text("main", "new") == b"a,b\n1,2\n"
            assert await sh.ls("main") == ["new.csv", "new.tsv", "primes.csv", "primes.tsv"]

    run(main)


def test_a_new_table_is_saved_in_the_format_of_its_last_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            handle = await sh.open("main/new.csv", os.O_WRONLY | os.O_CREAT)
            await handle.write(0, b"a\tb\n1\t2\n")
            await sh.rename("main/new.csv", "main/newer.tsv")
            await sh.close(handle)
            assert sh.repository.text("main", "newer") == b"a,b\n1,2\n"
            assert sh.repository.text("main", "new") is None

    run(main)


# Removing and renaming


def test_a_removed_name_drops_the_table_and_all_its_names(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.unlink("main/primes.tsv")
            assert await sh.ls("main") == ["primes.csv"]
            assert await sh.read("main/primes.csv") == PRIMES
            await trio.sleep(2)
            assert await sh.ls("main") == []
            assert sh.repository.text("main", "primes") is None

    run(main)


def test_all_names_can_be_removed_in_one_go(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            for name in await sh.ls("main"):
                await sh.unlink(f"main/{name}")
            assert await sh.ls("main") == []
            await sh.fs.sync()
            assert sh.repository.log_of("main") == ["drop primes", "push"]

    run(main)


def test_names_removed_by_one_command_after_the_other_are_one_drop(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH, drop_delay_s=LATER) as sh:
            await sh.unlink("main/primes.csv")
            await sh.of(1_000_002).unlink("main/primes.tsv")
            assert await sh.ls("main") == []
            # What is gone keeps its schema, as it does when its only name is removed.
            await sh.of(1_000_003).write("main/primes.tsv", MORE_TSV)
            assert sh.repository.text("main", "primes") == MORE
            assert await sh.ls("main") == ["primes.csv", "primes.tsv"]

    run(main)


def test_a_removed_name_that_comes_back_is_one_save(tmp_path: Path) -> None:
    """`mv` from elsewhere, tar, install."""

    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.unlink("main/primes.tsv")
            await sh.write("main/primes.tsv", MORE_TSV, flags=os.O_CREAT | os.O_EXCL)
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["update primes", "push"]
            assert await sh.ls("main") == ["primes.csv", "primes.tsv"]

    run(main)


def test_a_backup_hides_one_name(tmp_path: Path) -> None:
    """vim, emacs, sed -i.bak."""

    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.rename("main/primes.tsv", "main/primes.tsv~")
            assert await sh.ls("main") == ["primes.csv", "primes.tsv~"]
            await sh.write("main/primes.tsv", MORE_TSV, flags=os.O_CREAT | os.O_EXCL)
            await sh.unlink("main/primes.tsv~")
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["update primes", "push"]
            assert await sh.read("main/primes.csv") == MORE

    run(main)


def test_while_a_backup_is_there_nothing_is_dropped(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.rename("main/primes.tsv", "main/primes.bak")
            await sh.unlink("main/primes.csv")
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["push"]
            assert await sh.ls("main") == ["primes.bak"]
            await sh.rename("main/primes.bak", "main/primes.tsv")
            assert await sh.ls("main") == ["primes.csv", "primes.tsv"]

    run(main)


def test_the_last_backup_removed_drops_the_table(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.rename("main/primes.tsv", "main/1.bak")
            await sh.rename("main/primes.csv", "main/2.bak")
            assert await sh.read("main/1.bak") == TSV
            await sh.unlink("main/1.bak")
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["push"]
            await sh.unlink("main/2.bak")
            await trio.sleep(10)
            assert sh.repository.log_of("main") == ["drop primes", "push"]

    run(main)


def test_a_move_from_one_name_to_another_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.rename("main/primes.tsv", "main/primes.csv")
            await trio.sleep(10)
            assert await sh.ls("main") == ["primes.csv", "primes.tsv"]
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_table_is_renamed_by_any_of_its_names(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            await sh.rename("main/primes.tsv", "main/others.csv")
            assert await sh.ls("main") == ["others.csv", "others.tsv"]
            assert await sh.read("main/others.csv") == PRIMES
            assert len(sh.repository.log_of("main")) == 2

    run(main)


def test_a_table_renamed_onto_another_keeps_its_rows_whatever_the_formats(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES, "t": b"p,i\n11,5\n"})
        async with shell(tmp_path, repository, formats=BOTH) as sh:
            await sh.rename("main/t.tsv", "main/primes.csv")
            assert repository.text("main", "primes") == b"p,i\n11,5\n"
            assert repository.text("main", "t") is None
            assert len(repository.log_of("main")) == 2

    run(main)


# Two writers


def test_of_two_writers_through_two_names_the_second_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            first = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            second = await sh.of(1_000_002).open("main/primes.tsv", os.O_WRONLY | os.O_TRUNC)
            await first.write(0, MORE)
            await second.write(0, TSV + b"11\t5\n")
            await sh.close(first)
            with pytest.raises(ConflictError):
                await second.flush()
            await second.release()
            assert sh.repository.text("main", "primes") == MORE

    run(main)


def test_a_text_that_is_being_written_is_no_concern_of_the_other_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path, formats=BOTH) as sh:
            handle = await sh.open("main/primes.tsv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, MORE_TSV)
            assert await sh.read("main/primes.csv") == PRIMES
            await sh.close(handle)
            assert await sh.read("main/primes.csv") == MORE

    run(main)


def test_names_too_long_for_one_format_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        table = "x" * 251
        repository = MemoryRepository({table: PRIMES})
        async with shell(tmp_path, repository, formats=(Format.CSV,)) as sh:
            assert await sh.ls("main") == [f"{table}.csv"]
        repository = MemoryRepository({table + "y": PRIMES})
        async with shell(tmp_path, repository, formats=BOTH) as sh:
            assert await sh.ls("main") == []
            with pytest.raises(NotFoundError):
                await sh.node("main/other.tsv")
            assert "unlisted" in (await sh.read("main/.pyfs/status")).decode()

    run(main)
