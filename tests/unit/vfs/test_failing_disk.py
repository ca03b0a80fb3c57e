"""Saves on a local disk that is full or fails."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from pyfs.errors import (
    DiskError,
    InvalidTextError,
    SpaceError,
)
from tests.support.shell import PRIMES, run, shell

MORE = PRIMES + b"7,4\n"


def test_a_text_with_a_hole_is_never_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full for one write; the tool went on all the same."""

    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, PRIMES)
            with monkeypatch.context() as patch:
                patch.setattr(os, "pwrite", _full)
                with pytest.raises(SpaceError):
                    await handle.write(len(PRIMES), b"7,4\n")
            with pytest.raises(SpaceError):
                await handle.write(len(PRIMES) + 4, b"11,5\n")
            with pytest.raises(SpaceError):
                await handle.flush()
            await handle.release()
            assert sh.repository.log_of("main") == ["push"]

    def _full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    run(main)


def test_a_disk_that_fails_leaves_what_was_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, PRIMES)
            with monkeypatch.context() as patch:
                patch.setattr(os, "pwrite", _failed)
                with pytest.raises(DiskError):
                    await handle.write(len(PRIMES), b"7,4\n")
            with pytest.raises(DiskError):
                await handle.flush()
            await handle.release()
            assert sh.repository.log_of("main") == ["push"]
            assert sh.recovered() == {"primes": PRIMES}
            (text,) = [
                line
                for line in (await sh.read("main/.pyfs/status")).decode().splitlines()
                if line.startswith("  text: kept in ")
            ]
            assert text.endswith(".csv, as far as it came")

    def _failed(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    run(main)


def test_a_refused_text_is_kept_where_there_is_no_room_for_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with shell(tmp_path) as sh:
            handle = await sh.open("main/primes.csv", os.O_WRONLY | os.O_TRUNC)
            await handle.write(0, PRIMES + b"x,4")
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "copyfileobj", _full)
                with pytest.raises(InvalidTextError):
                    await handle.flush()
            status = (await sh.read("main/.pyfs/status")).decode()
            assert "text: kept in" in status
            # The tool begins anew through the same file; what was kept stays as it was.
            await handle.truncate(0)
            await handle.write(0, MORE)
            await sh.close(handle)
            assert sh.repository.text("main", "primes") == MORE
            assert sh.recovered() == {"primes": PRIMES + b"x,4"}

    def _full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    run(main)
