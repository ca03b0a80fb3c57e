"""Whatever happens to Parquet files on disk costs time, and never an error or wrong data."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
from typing import TYPE_CHECKING

import pytest
import trio

from pyfs.errors import CorruptionError, SpaceError
from pyfs.formats import Format
from pyfs.repo import parquet_version
from pyfs.store.checked_file import CheckedFile, DamagedFileError
from tests.support.repositories import golden_remote, head_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyfs.repo.contents import TableContents
    from pyfs.repo.repository import Repository

TABLE = "strings"


async def version_of(repository: Repository) -> TableContents:
    return await (await head_of(repository)).table(TABLE, Format.PARQUET)


async def file_of(repository: Repository) -> bytes:
    version = await version_of(repository)
    size = await version.exact_size()
    contents = await version.read(0, size + 1)
    assert len(contents) == size == version.size
    return contents


def files(cache: Path) -> list[Path]:
    return list((cache / "parquet").iterdir())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def right(tmp_path: Path) -> bytes:
    """What the file is."""

    async def main() -> bytes:
        async with opened(golden_remote("types"), tmp_path / "other") as repository:
            return await file_of(repository)

    return trio.run(main)


def overwrite(cache: Path) -> None:
    for path in files(cache):
        path.write_bytes(os.urandom(path.stat().st_size))


def flip(cache: Path) -> None:
    for path in files(cache):
        with path.open("r+b") as file:
            file.seek(100)
            byte = file.read(1)[0]
            file.seek(100)
            file.write(bytes([byte ^ 4]))


def cut(cache: Path) -> None:
    for path in files(cache):
        os.truncate(path, path.stat().st_size // 2)


def empty(cache: Path) -> None:
    for path in files(cache):
        os.truncate(path, 0)


def delete(cache: Path) -> None:
    shutil.rmtree(cache / "parquet")


def replace_by_a_file(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.write_text("no folder")


def replace_by_a_folder(cache: Path) -> None:
    for path in files(cache):
        path.unlink()
        path.mkdir()


FAULTS = [overwrite, flip, cut, empty, delete, replace_by_a_file, replace_by_a_folder]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cached_file_that_is_not_as_it_was_is_made_anew(
    cache: Path, right: bytes, fault: Callable[[Path], None]
) -> None:
    """Before the mount that reads it, and under it."""

    async def main() -> None:
        async with opened(golden_remote("types"), cache, state_dir=cache.parent) as repository:
            assert await file_of(repository) == right
        fault(cache)
        async with opened(golden_remote("types"), cache, state_dir=cache.parent) as repository:
            assert await file_of(repository) == right
            if fault in (replace_by_a_file, replace_by_a_folder):
                return
            assert len(files(cache)) == 1
            fault(cache)
            assert await file_of(repository) == right
            # As for who does not read all of it.
            if fault is not delete:
                fault(cache)
            version = await version_of(repository)
            assert await version.read(90, 20) == right[90:110]

    trio.run(main)


@contextlib.contextmanager
def full() -> Iterator[None]:
    """No file of this process can grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_nothing_is_gone_without(
    cache: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            version = await version_of(repository)
            bound = version.size_max
            with full():
                assert await file_of(repository) == right
            assert len(right) <= bound
        # Memory has an end, and then there is one clear error.
        monkeypatch.setattr(parquet_version, "TEXT_IN_MEMORY_BYTES_MAX", 100)
        async with opened(golden_remote("types"), cache) as repository:
            with full(), pytest.raises(SpaceError, match="-o state-dir="):
                await file_of(repository)
            assert await file_of(repository) == right

    trio.run(main)


def test_files_in_memory_have_an_end_together(
    cache: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_version, "FILES_IN_MEMORY_BYTES_MAX", len(right) + 10)

    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            head = await head_of(repository)
            with full():
                held = await head.table(TABLE, Format.PARQUET)
                assert await held.read(0, 4) == b"PAR1"
                other = await head.table("numbers", Format.PARQUET)
                with pytest.raises(SpaceError):
                    await other.exact_size()
                assert await held.read(0, 1 << 40) == right

    trio.run(main)


def test_where_the_cache_folder_takes_nothing_the_state_folder_does(
    cache: Path, right: bytes
) -> None:
    cache.mkdir()
    (cache / "parquet").write_text("no folder")

    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            assert await file_of(repository) == right
        # And nothing is left of it there.
        assert not list((cache / "state" / "builds").iterdir())

    trio.run(main)


def test_the_folder_may_be_deleted_while_a_file_is_made(
    cache: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = parquet_version.ParquetVersion.write

    def deleted_meanwhile(self: parquet_version.ParquetVersion, *to: object) -> None:
        shutil.rmtree(cache)
        write(self, *to)  # type: ignore[arg-type]
        shutil.rmtree(cache, ignore_errors=True)

    monkeypatch.setattr(parquet_version.ParquetVersion, "write", deleted_meanwhile)

    async def main() -> None:
        async with opened(golden_remote("types"), cache, state_dir=cache.parent) as repository:
            assert await file_of(repository) == right

    trio.run(main)


def test_a_file_that_is_damaged_while_it_is_made_is_made_anew(
    cache: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = parquet_version.ParquetVersion.write
    harm = [flip, cut]

    def damaged_meanwhile(self: parquet_version.ParquetVersion, *to: object) -> None:
        write(self, *to)  # type: ignore[arg-type]
        if harm:
            harm.pop()(cache)

    monkeypatch.setattr(parquet_version.ParquetVersion, "write", damaged_meanwhile)

    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            assert await file_of(repository) == right
        assert not harm

    trio.run(main)


def test_a_cache_that_keeps_nothing_as_it_was_is_gone_without(
    cache: Path, right: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = parquet_version.ParquetFolder.make

    def damaged(*of: object) -> object:
        made = make(*of)  # type: ignore[arg-type]
        flip(cache)
        return made

    monkeypatch.setattr(parquet_version.ParquetFolder, "make", damaged)

    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            assert await file_of(repository) == right

    trio.run(main)


def test_disks_that_keep_nothing_as_it_was_are_one_clear_error(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> bytes:
        raise DamagedFileError("other bytes than were written, at 0")

    monkeypatch.setattr(CheckedFile, "read", damaged)

    async def main() -> None:
        async with opened(golden_remote("types"), cache) as repository:
            with pytest.raises(CorruptionError, match="-o cache-dir="):
                await file_of(repository)

    trio.run(main)


def test_a_file_beyond_the_limit_is_read_and_not_kept(cache: Path, right: bytes) -> None:
    async def main() -> None:
        async with opened(golden_remote("types"), cache, cache_bytes_max=10) as repository:
            assert await file_of(repository) == right
        assert not files(cache)

    trio.run(main)
