"""Mounts that cannot answer: their process is stopped or dead, or the remote is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import REMOTES, ROOT, Mount, alive, kill, pyfs, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.aws_proxy import AwsProxy

pytestmark = [pytest.mark.fuse, pytest.mark.timeout(300)]

OLD = (REMOTES / "primes.expected" / "main" / "primes.csv").read_text()


def test_a_stopped_mount_is_waited_for_in_words_and_unmounted_all_the_same(primes: Mount) -> None:
    os.kill(pid := primes.pid, signal.SIGSTOP)
    command = [sys.executable, "-m", "pyfs", "umount", str(primes.root)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as umount:
        assert umount.stderr
        told = umount.stderr.readline()
        assert "does not answer" in told
        assert f"pyfs umount -z {primes.root}" in told
        umount.send_signal(signal.SIGINT)
        assert umount.wait() == 130
    assert primes.is_mounted
    done = pyfs("umount", "-z", str(primes.root))
    assert (done.returncode, done.stderr) == (0, "")
    assert not primes.is_mounted
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not alive(pid), "the end of the mount process")


def test_the_status_of_a_dead_mount_says_what_to_do(primes: Mount) -> None:
    kill(pid := primes.pid)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    for path in (primes.root, primes / "main"):
        done = pyfs("status", str(path))
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "has ended; its log is " in done.stderr
        assert f"pyfs umount {primes.root}" in done.stderr
    assert primes.umount().returncode == 0
    done = pyfs("status", str(primes.root))
    assert done.stderr == (
        f"pyfs status: {primes.root} is neither a pyfs mount nor a branch in one\n"
    )


@pytest.mark.parametrize("trouble", ["refused", "down"])
def test_a_mount_without_its_remote_says_so_and_is_unmounted(
    proxy: AwsProxy, on_aws: Callable[..., Mount], trouble: str
) -> None:
    mount = on_aws("primes", "refresh=0", "timeout=500ms").mount()
    assert (mount / "main/primes.csv").read_text() == OLD
    if trouble == "refused":
        proxy.allowed = frozenset()
    else:
        proxy.alive = False
    with pytest.raises(OSError, match=r"Permission denied|Input/output error"):
        (mount / "main/primes.csv").read_text()
    for path in (mount.root, mount / "main", mount / "feature/twin"):
        done = pyfs("status", str(path))
        assert (done.returncode, done.stderr) == (0, "")
        (line,) = [one for one in done.stdout.splitlines() if one.startswith("remote-error: ")]
        assert "dynamodb:GetItem of 'team/primes'" in line
        assert ("policy" if trouble == "refused" else "check the network") in line
    done = mount.umount()
    assert (done.returncode, done.stderr) == (0, "")
    assert not mount.is_mounted


def test_umount_names_what_could_not_be_pushed(
    proxy: AwsProxy, on_aws: Callable[..., Mount]
) -> None:
    mount = on_aws("primes", "drop-delay=1h").mount()
    os.unlink(mount / "main/primes.csv")
    proxy.allowed = frozenset()
    done = mount.umount()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "could not be pushed" in line
    assert "main/primes.csv: " in line
    assert "AWS refused dynamodb:" in line
    assert not mount.is_mounted


def test_umount_names_what_is_open_and_not_saved(primes: Mount) -> None:
    with (primes / "main/primes.csv").open("w") as writer:
        writer.write(OLD)
        writer.flush()
        done = primes.umount()
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert f"pending: main/primes.csv ({len(OLD)} bytes written, not saved yet)" in line
        assert f"kept in {primes.state / 'recovery'}" in line
        assert f"pyfs umount -z {primes.root}" in line
    assert primes.umount().returncode == 0


def test_a_remote_that_is_silent_keeps_no_status_and_no_umount_waiting(
    proxy: AwsProxy, on_aws: Callable[..., Mount]
) -> None:
    mount = on_aws("primes", "refresh=0").mount()
    answers = threading.Event()

    def wait(_: str) -> None:
        answers.wait()

    proxy.on_request = wait
    try:
        for branch in ("main", "feature/twin"):
            done = pyfs("status", str(mount / branch))
            assert (done.returncode, done.stderr) == (0, "")
            assert "remote-error: " in done.stdout
            assert f"reading the manifest of {mount.url}: no answer within" in done.stdout
        wait_until(
            lambda: "remote-error: no answer for " in (mount / ".pyfs/status").read_text(),
            "a word of what is waited for",
        )
        status = (mount / ".pyfs/status").read_text()
        assert " s to dynamodb:GetItem of 'team/primes'" in status
        assert "it is tried until 60 s are over" in status
        command = [sys.executable, "-m", "pyfs", "umount", str(mount.root)]
        with subprocess.Popen(command, cwd=ROOT) as umount:
            wait_until(lambda: not mount.is_mounted, "the unmount")
            answers.set()
            assert umount.wait() == 0
    finally:
        answers.set()
