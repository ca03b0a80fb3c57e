"""Mounts that end in the middle of something."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import REMOTES, Mount, alive, kill, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.fuse

OLD = (REMOTES / "primes.expected" / "main" / "primes.csv").read_text()
NEW = OLD + "37,157\n"


def _remote(mount: Mount) -> Path:
    return Path(mount.url.removeprefix("file://"))


def _spooled(mount: Mount) -> bool:
    return any(path.stat().st_size for path in mount.state.glob("mounts/*/*/spool/*/*.csv"))


MOMENTS: dict[str, Callable[[Mount, set[str], bytes], bool]] = {
    "a text is in the spool": lambda mount, _, __: _spooled(mount),
    "a file is uploaded": lambda mount, files, _: set(os.listdir(_remote(mount))) > files,
    "the manifest is swapped": lambda mount, _, manifest: (
        _remote(mount).joinpath("manifest").read_bytes() != manifest
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_mount_that_is_killed_leaves_the_old_or_the_new(primes: Mount, moment: str) -> None:
    """And a remote that the next mount, and dolt, find in order."""
    remote = _remote(primes)
    files, manifest = set(os.listdir(remote)), (remote / "manifest").read_bytes()
    pid = primes.pid
    with subprocess.Popen(
        ["bash", "-c", "echo 37,157 >> primes.csv"], cwd=primes / "main", stderr=subprocess.PIPE
    ) as writer:
        wait_until(
            lambda: writer.poll() is not None or MOMENTS[moment](primes, files, manifest), moment
        )
        kill(pid)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    subprocess.run(["fusermount3", "-u", "-z", str(primes.root)], check=True)
    primes.mount()
    found = (primes / "main/primes.csv").read_text()
    assert found in (OLD, NEW)
    if found == OLD:
        assert primes.sh("echo 37,157 >> primes.csv").returncode == 0
        assert (primes / "main/primes.csv").read_text() == NEW
    assert primes.umount().returncode == 0
    dolt = shutil.which("dolt")
    if dolt is None:
        return
    home = primes.home / "dolt"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "DOLT_ROOT_PATH": str(home)}
    for command in (["clone", primes.url, "clone"], ["fsck"]):
        folder = home / "clone" if command == ["fsck"] else home
        done = subprocess.run(
            [dolt, *command], cwd=folder, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def stuck(primes: Mount) -> Iterator[tuple[Mount, subprocess.Popen[str]]]:
    """A mount with a save that cannot be pushed for now, and the command that waits for it."""
    lock = os.open(_remote(primes) / "LOCK", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen(
        ["bash", "-c", "cat > primes.csv"],
        cwd=primes / "main",
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin
        writer.stdin.write(NEW)
        writer.stdin.close()
        writer.stdin = None
        files = set(os.listdir(REMOTES / "primes"))
        wait_until(lambda: len(set(os.listdir(_remote(primes))) - files) > 0, "the upload")
        yield primes, writer
        os.close(lock)
        writer.communicate()


def test_a_signal_waits_for_a_save_that_is_under_way(
    stuck: tuple[Mount, subprocess.Popen[str]],
) -> None:
    mount, writer = stuck
    pid = mount.pid
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: "unmounting" in mount.log_file(), "the signal in the log")
    with pytest.raises(OSError, match="Read-only"):
        (mount / "main/x.txt").write_text("x")
    assert alive(pid)
    assert writer.poll() is None


def test_a_second_signal_ends_it_at_once(stuck: tuple[Mount, subprocess.Popen[str]]) -> None:
    mount, writer = stuck
    pid = mount.pid
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: "unmounting" in mount.log_file(), "the signal in the log")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    assert not mount.is_mounted
    assert writer.wait() != 0
    assert [path.read_text() for path in mount.recovered()] == [NEW]


def test_a_file_that_is_open_when_a_signal_comes_is_kept(primes: Mount) -> None:
    pid = primes.pid
    writer = os.open(primes / "main/primes.csv", os.O_WRONLY | os.O_TRUNC)
    os.write(writer, NEW.encode())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    with pytest.raises(OSError, match=r"not connected|abort"):
        os.close(writer)
    assert not primes.is_mounted
    assert [path.read_text() for path in primes.recovered()] == [NEW]
    assert primes.mount().sh("cat primes.csv").stdout == OLD
