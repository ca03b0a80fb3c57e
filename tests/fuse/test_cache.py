"""Whatever happens to the cache on disk under a running mount costs time and nothing else."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.mounts import REMOTES, Mount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = [pytest.mark.fuse, pytest.mark.timeout(300)]

TABLE: Final = "main/flights.csv"
PARQUET: Final = "main/flights.parquet"


@contextlib.contextmanager
def deleted(cache: Path, _: int) -> Iterator[None]:
    shutil.rmtree(cache)
    yield


@contextlib.contextmanager
def replaced_by_a_file(cache: Path, _: int) -> Iterator[None]:
    shutil.rmtree(cache)
    cache.write_text("not a folder")
    yield
    cache.unlink()


@contextlib.contextmanager
def damaged(cache: Path, _: int) -> Iterator[None]:
    for file in files(cache):
        file.write_bytes(os.urandom(file.stat().st_size))
    yield


@contextlib.contextmanager
def damaged_in_one_place(cache: Path, _: int) -> Iterator[None]:
    for file in files(cache):
        with file.open("r+b") as stream:
            stream.seek(file.stat().st_size // 2)
            stream.write(b"\xff\x00\xff")
    yield


@contextlib.contextmanager
def cut_off(cache: Path, _: int) -> Iterator[None]:
    for file in files(cache):
        os.truncate(file, file.stat().st_size // 2)
    yield


@contextlib.contextmanager
def full(cache: Path, pid: int) -> Iterator[None]:
    """Nothing new can be written, and half of what was is gone."""
    delete_half(cache)
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def read_only(cache: Path, _: int) -> Iterator[None]:
    delete_half(cache)
    if os.geteuid() == 0:
        # Permissions do not bind root.
        subprocess.run(["mount", "--bind", cache, cache], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", cache], check=True)
        yield
        subprocess.run(["umount", "--lazy", cache], check=True)
    else:
        folders = [cache, *(path for path in cache.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        yield
        for folder in folders:
            folder.chmod(0o700)


def a_file(cache: Path) -> str:
    cache.write_text("not a folder")
    return "it is a file"


def in_a_file(cache: Path) -> str:
    cache.parent.write_text("not a folder")
    return f"{cache.parent} is a file"


def a_link_to_nothing(cache: Path) -> str:
    cache.symlink_to("nothing")
    return "it is a link to nothing"


def of_another_system(cache: Path) -> str:
    """One in which nothing can be made, by whomever."""
    cache.symlink_to("/proc")
    return "No such file or directory"


@pytest.mark.parametrize("obstacle", [a_file, in_a_file, a_link_to_nothing, of_another_system])
def test_a_cache_folder_that_cannot_be_used_refuses_no_mount(
    obstacle: Callable[[Path], str], mounts: Callable[..., Mount], tmp_path: Path
) -> None:
    cache = tmp_path / "own" / "cache"
    if obstacle is not in_a_file:
        cache.parent.mkdir()
    reason = obstacle(cache)
    mount = mounts("primes", f"cache-dir={cache}", "format=csv+parquet")
    done = mount.try_mount()
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    for part in (str(cache), reason, "-o cache-dir="):
        assert part in warning
    text = (REMOTES / "primes.expected/main/primes.csv").read_bytes()
    assert (mount / "main/primes.csv").read_bytes() == text
    parquet = pq.read_table(pa.BufferReader((mount / "main/primes.parquet").read_bytes()))
    assert parquet.num_rows == text.count(b"\n") - 1
    done = mount.sh("echo 41,179 >> primes.csv; tail -n 1 primes.csv; cat ../.pyfs/status")
    assert done.stdout.startswith("41,179\n")
    assert f"cache-unused: nothing is kept there: {reason}\n" in done.stdout
    # It is used from when it can be.
    for path in (cache, cache.parent):
        if path.is_symlink() or path.is_file():
            path.unlink()
    assert "cache-unused" not in (mount / ".pyfs/status").read_text()
    assert cache.is_dir()


def delete_half(cache: Path) -> None:
    for file in {*files(cache)[::2], *cache.glob("parquet/*.parquet")}:
        file.unlink()


def files(cache: Path) -> list[Path]:
    return sorted(p for p in cache.rglob("*") if p.is_file() and not p.name.startswith("."))


@pytest.mark.parametrize(
    "fault", [deleted, replaced_by_a_file, damaged, damaged_in_one_place, cut_off, full, read_only]
)
def test_a_cache_that_fails_under_a_running_mount(
    fault: Callable[[Path, int], AbstractContextManager[None]], on_aws: Callable[..., Mount]
) -> None:
    text = gzip.decompress((REMOTES / "flights.expected/main/flights.csv.gz").read_bytes())
    mount = on_aws("flights", "format=csv+parquet").mount()
    assert (mount / TABLE).read_bytes() == text
    parquet = (mount / PARQUET).read_bytes()
    rows = pq.ParquetFile(pa.BufferReader(parquet)).metadata.num_rows
    assert rows == text.count(b"\n") - 1
    assert mount.umount().returncode == 0
    cache = mount.home / "cache"
    assert len(files(cache)) > 10, "everything that was read is there"
    # Another mount, which has nothing in memory, finds the cache; then it fails.
    mount.mount()
    assert (mount / TABLE).stat().st_size == len(text)
    assert (mount / PARQUET).stat().st_size == len(parquet)
    with fault(cache, mount.pid):
        left = set(files(cache))
        with (mount / TABLE).open("rb", buffering=0) as stream:
            stream.seek(len(text) // 2)
            assert stream.read(4096) == text[len(text) // 2 :][:4096]
        assert (mount / TABLE).read_bytes() == text
        assert (mount / PARQUET).read_bytes() == parquet
        # The writer of spans may still be at it; where it cannot write nothing comes.
        assert fault not in (replaced_by_a_file, full, read_only) or set(files(cache)) <= left
    # What it wrote meanwhile, or did not, is no obstacle either.
    changed = text.replace(b"\n1,2013,1,1,517,", b"\n1,2013,1,1,518,", 1)
    assert changed != text
    (mount.home / "changed.csv").write_bytes(changed)
    done = mount.sh("cp $OUT/../changed.csv flights.csv && sync flights.csv")
    assert done.returncode == 0, done.stderr + mount.status()
    assert mount.umount().returncode == 0
    mount.mount()
    assert (mount / TABLE).read_bytes() == changed
    assert mount.log()[0].startswith("Update flights")
