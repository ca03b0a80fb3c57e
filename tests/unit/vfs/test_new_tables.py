"""Names that no table has yet: when a text becomes a new table, and when it is scratch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.errors import (
    InvalidNameError,
    InvalidTextError,
    NotFoundError,
    NotPermittedError,
    UnsupportedError,
)
from tests.support.memory_repository import MemoryRepository
from tests.support.shell import PRIMES, run, shell

if TYPE_CHECKING:
    from pathlib import Path

NEW = b"a,b\n2,1\n1,2\n"
SORTED = b"a,b\n1,2\n2,1\n"
MORE = PRIMES + b"7,4\n"


def test_a_new_name_becomes_a_table_at_close(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/new.csv", os.O_WRONLY | os.O_CREAT)
            node = await sh.node("main/new.csv")
            await handle.write(0, NEW)
            assert sh.repository.text("main", "new") is None
            assert (await sh.stat("main/new.csv")).size == len(NEW)
            await sh.close(handle)
            assert sh.repository.text("main", "new") == SORTED
            assert await sh.node("main/new.csv") is node, "editors compare inode numbers"
            assert await sh.read("main/new.csv") == SORTED
            assert len(sh.repository.log_of("main")) == 2
            await sh.append("main/new.csv", b"3,3\n")
            assert sh.repository.text("main", "new") == SORTED + b"3,3\n"

    run(main)


def test_a_bad_header_is_refused_by_write(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/new.csv", os.O_WRONLY | os.O_CREAT)
            with pytest.raises(InvalidTextError, match="twice"):
                await handle.write(0, b"a,a\n1,2\n")
            with pytest.raises(InvalidTextError, match="twice"):
                await handle.flush()
            await handle.release()
            with pytest.raises(NotFoundError):
                await sh.node("main/new.csv")
            assert sh.recovered() == {"new": b"a,a\n1,2\n"}
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_a_touched_name_waits_for_its_text(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/new.csv")
            await trio.sleep(10)
            assert await sh.ls("main") == ["new.csv", "primes.csv"]
            assert await sh.read("main/new.csv") == b""
            await sh.append("main/new.csv", NEW)
            assert sh.repository.text("main", "new") == SORTED

    run(main)


def test_a_touched_name_means_the_table_that_another_client_makes(tmp_path: Path) -> None:
    async def main() -> None:
        repository = MemoryRepository({"primes": PRIMES})
        async with shell(tmp_path, repository, refresh_s=0) as sh:
            await sh.write("main/new.csv")
            repository.push("main", {"new": SORTED})
            await sh.ls("main")
            assert await sh.read("main/new.csv") == SORTED

    run(main)


@pytest.mark.parametrize("name", ["tmp_primes.csv", "primes.csv.1.csv", ".new.csv", "new.txt"])
def test_names_of_temporary_files_stay_scratch(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write(f"main/{name}", NEW)
            assert await sh.read(f"main/{name}") == NEW
            assert sh.repository.log_of("main") == ["push"]

    run(main)


def test_scratch_renamed_to_a_new_name_makes_a_table(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/.new.csv.Xa1", NEW)
            await sh.rename("main/.new.csv.Xa1", "main/new.csv")
            assert sh.repository.text("main", "new") == SORTED
            assert await sh.ls("main") == ["new.csv", "primes.csv"]

    run(main)


def test_scratch_that_is_no_table_stays_where_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/.gsf-save", b"a,a\n")
            with pytest.raises(InvalidTextError):
                await sh.rename("main/.gsf-save", "main/new.csv")
            assert await sh.read("main/.gsf-save") == b"a,a\n"
            assert sh.recovered() == {"new": b"a,a\n"}

    run(main)


def test_empty_scratch_that_gets_a_new_name_is_saved_once_written(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/.new", os.O_WRONLY | os.O_CREAT)
            await sh.rename("main/.new", "main/new.csv")
            await handle.write(0, NEW)
            await sh.close(handle)
            assert sh.repository.text("main", "new") == SORTED
            assert await sh.read("main/new.csv") == SORTED

    run(main)


@pytest.mark.parametrize("name", ["new ", "n" * 65, "n\U0001f600"])
def test_names_that_dolt_gives_no_table_are_refused(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            with pytest.raises(InvalidNameError):
                await sh.write(f"main/{name}.csv", NEW)
            with pytest.raises(InvalidNameError):
                await sh.rename("main/primes.csv", f"main/{name}.csv")
            with pytest.raises(UnsupportedError):
                await sh.write("main/dolt_new.csv", NEW)
            assert await sh.ls("main") == ["primes.csv"]

    run(main)


def test_a_new_table_that_is_being_written_gets_another_name(tmp_path: Path) -> None:
    """Renamed onto a new name it is that table; onto a table's name it is a save of that one."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/draft.csv", os.O_WRONLY | os.O_CREAT)
            await handle.write(0, NEW)
            await sh.rename("main/draft.csv", "main/new.csv")
            await sh.close(handle)
            assert sh.repository.text("main", "new") == SORTED
            assert sh.repository.text("main", "draft") is None

            handle = await sh.open("main/draft.csv", os.O_WRONLY | os.O_CREAT)
            await handle.write(0, MORE)
            await sh.rename("main/draft.csv", "main/primes.csv")
            assert sh.repository.text("main", "primes") == MORE
            await handle.write(len(MORE), b"11,5\n")
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE + b"11,5\n"
            assert await sh.ls("main") == ["new.csv", "primes.csv"]

    run(main)


def test_a_text_that_is_refused_under_its_new_name_keeps_the_old_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/draft.csv", os.O_WRONLY | os.O_CREAT)
            await handle.write(0, NEW)
            with pytest.raises(InvalidTextError):
                await sh.rename("main/draft.csv", "main/primes.csv")
            with pytest.raises(NotPermittedError, match="being written"):
                await sh.rename("main/draft.csv", "main/draft.txt")
            await sh.close(handle)
            assert sh.repository.text("main", "draft") == SORTED
            assert sh.repository.text("main", "primes") == PRIMES

    run(main)


def test_a_touched_name_becomes_scratch_or_another_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            await sh.write("main/new.csv")
            await sh.rename("main/new.csv", "main/newer.csv")
            await sh.append("main/newer.csv", NEW)
            assert sh.repository.text("main", "newer") == SORTED
            await sh.write("main/other.csv")
            with pytest.raises(InvalidTextError, match="empty"):
                await sh.rename("main/other.csv", "main/primes.csv")
            await sh.rename("main/other.csv", "main/other.txt")
            await sh.append("main/other.txt", NEW)
            assert sorted(sh.repository.commits[sh.repository.remote["main"]].tables) == [
                "newer",
                "primes",
            ]

    run(main)
