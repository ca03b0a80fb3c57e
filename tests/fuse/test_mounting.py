"""Mounting, unmounting, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import REMOTES, ROOT, Mount, alive, kill, pyfs, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.fuse

OLD = (REMOTES / "primes.expected" / "main" / "primes.csv").read_text()
NEW = OLD + "37,157\n"


def test_mount_returns_when_the_mount_is_usable(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes")
    done = mount.try_mount()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(os.listdir(mount.root)) == ["feature", "main", "merged"]
    done = mount.umount()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(mount.root) == []


def test_the_mount_is_told_apart_in_the_mount_table(primes: Mount) -> None:
    line = next(
        line
        for line in Path("/proc/self/mounts").read_text().splitlines()
        if str(primes.root) in line
    )
    source, _, kind, options, *_ = line.split(" ")
    assert (source, kind) == (primes.url, "fuse.pyfs")
    assert {"nosuid", "nodev", "noatime"} <= set(options.split(","))


def test_the_form_of_mount_8(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes")
    mount.root.mkdir()
    options = f"ro,refresh=5,dev,suid,_netdev,nofail,x-systemd.automount,state_dir={mount.state}"
    done = pyfs(mount.url, str(mount.root), "-o", options)
    assert done.returncode == 0, done.stderr
    with pytest.raises(OSError, match="Read-only"):
        (mount / "main/primes.csv").write_text(NEW)


def test_in_the_foreground(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes")
    mount.root.mkdir()
    command = [sys.executable, "-m", "pyfs", "mount", "-f", *mount.arguments()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "is mounted on" in process.stdout.readline()
        assert (mount / "main/primes.csv").read_text() == OLD
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert not mount.is_mounted


def _refused(arguments: list[str], *parts: str, status: int = 1) -> None:
    done = pyfs("mount", *arguments)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def test_what_makes_a_mount_impossible_is_one_clear_line(tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    shutil.copytree(REMOTES / "primes", remote)
    empty, full, file = tmp_path / "empty", tmp_path / "full", tmp_path / "file"
    empty.mkdir()
    full.mkdir()
    (full / "x").touch()
    file.touch()
    state = ["-o", f"state-dir={tmp_path / 'state'},cache-dir={tmp_path / 'cache'}"]
    url = remote.as_uri()
    _refused([*state, url, str(tmp_path / "none")], "does not exist", "mkdir")
    _refused([*state, url, str(full)], "not empty")
    _refused([*state, url, str(file)], "no directory")
    for wrong in ("primes", "aws://bucket/primes", "http://x/y"):
        _refused([*state, wrong, str(empty)], "aws://[")
    _refused([*state, (tmp_path / "none").as_uri(), str(empty)], str(tmp_path / "none"))
    _refused([*state, empty.as_uri(), str(empty)], "pyfs init")
    clone = tmp_path / "clone"
    (clone / ".dolt/noms").mkdir(parents=True)
    told = ("holds .dolt", "not a remote", f"dolt remote add pyfs file://{clone}-remote", "push")
    _refused([*state, clone.as_uri(), str(empty)], *told)
    done = pyfs("init", "-o", "author=A <a@b.c>", clone.as_uri())
    assert done.returncode == 1
    for part in told:
        assert part in done.stderr
    assert os.listdir(clone) == [".dolt"]
    _refused(["-o", "author=me", url, str(empty)], "Name <email>")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nothing")
    _refused(["-o", f"state-dir={file}/x", url, str(empty)], "state-dir=", f"{file} is a file")
    _refused(["-o", f"state-dir={file}", url, str(empty)], "state-dir=", "it is a file")
    _refused(["-o", f"state-dir={link}", url, str(empty)], "state-dir=", "it is a link to nothing")
    _refused(["-o", "state-dir=/dev/null", url, str(empty)], "state-dir=", "no directory")
    _refused(["-o", f"log-file={file}/x", *state, url, str(empty)], "log-file")
    _refused(["-o", "refres=1", url, str(empty)], "refres", "refresh", status=2)
    _refused(["-o", "refresh=soon", url, str(empty)], "refresh=soon", "500ms", status=2)


def test_mounting_twice(primes: Mount) -> None:
    _refused(primes.arguments(), "mounted on", "already")


def test_a_mount_whose_process_died(primes: Mount) -> None:
    kill(pid := primes.pid)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    with pytest.raises(OSError, match=r"not connected|abort"):
        os.listdir(primes.root)
    _refused(primes.arguments(), "died", "fusermount3 -u")
    assert pyfs("umount", str(primes.root)).returncode == 0
    assert primes.mount().sh("cat primes.csv").stdout == OLD


def test_a_text_that_a_killed_mount_had_is_kept_by_the_next(primes: Mount) -> None:
    writer = (primes / "main/primes.csv").open("w")
    writer.write(NEW)
    os.write(writer.fileno(), NEW.encode())
    kill(pid := primes.pid)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    with pytest.raises(OSError, match=r"not connected|abort"):
        writer.close()
    assert pyfs("umount", "-z", str(primes.root)).returncode == 0
    done = primes.try_mount()
    assert done.returncode == 0
    (kept,) = primes.recovered()
    note = f"1 text that an earlier mount had not saved, kept in {kept.parent}"
    assert done.stderr == f"pyfs mount: {note}\n"
    assert f"rescued: {note}\n" in (primes / ".pyfs/status").read_text()
    assert (primes / "main/primes.csv").read_text() == OLD
    assert [path.read_text() for path in primes.recovered()] == [NEW]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_unmounts_after_pushing_what_is_pending(
    primes: Mount, mounts: Callable[..., Mount], number: signal.Signals
) -> None:
    mount = mounts("primes", "drop-delay=1h").mount()
    before = mount.log()
    os.unlink(mount / "main/primes.csv")
    os.kill(pid := mount.pid, number)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    assert not mount.is_mounted
    assert mount.log() == ["Drop primes", *before]


def test_umount_pushes_what_is_pending(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "drop-delay=1h").mount()
    before = mount.log()
    os.unlink(mount / "main/primes.csv")
    assert mount.log() == before
    assert mount.umount().returncode == 0
    assert mount.log() == ["Drop primes", *before]


def test_plain_umount_pushes_too(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "drop-delay=1h").mount()
    before = mount.log()
    os.unlink(mount / "main/primes.csv")
    pid = mount.pid
    subprocess.run(["fusermount3", "-u", str(mount.root)], check=True)
    wait_until(lambda: not alive(pid), "the end of the mount process")
    assert mount.log() == ["Drop primes", *before]


def test_umount_of_a_busy_mount_says_so(primes: Mount) -> None:
    with (primes / "main/primes.csv").open():
        done = primes.umount()
    assert done.returncode == 1
    assert "busy" in done.stderr
    assert primes.umount().returncode == 0


def test_umount_of_no_mount(tmp_path: Path) -> None:
    done = pyfs("umount", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, f"pyfs umount: no pyfs mount on {tmp_path}\n")


def test_a_remote_that_dies_and_returns(mounts: Callable[..., Mount], tmp_path: Path) -> None:
    mount = mounts("primes", "refresh=0").mount()
    assert (mount / "main/primes.csv").read_text() == OLD
    remote = Path(mount.url.removeprefix("file://"))
    away = remote.with_name("away")
    remote.rename(away)
    with pytest.raises(OSError, match="Input/output error"):
        (mount / "main/primes.csv").read_text()
    away.rename(remote)
    assert (mount / "main/primes.csv").read_text() == OLD
    assert mount.sh("echo 37,157 >> primes.csv").returncode == 0


def test_umount_reports_what_could_not_be_pushed(mounts: Callable[..., Mount]) -> None:
    mount = mounts("primes", "drop-delay=1h").mount()
    os.unlink(mount / "main/primes.csv")
    remote = Path(mount.url.removeprefix("file://"))
    away = remote.with_name("away")
    remote.rename(away)
    done = mount.umount()
    assert done.returncode == 1
    assert "could not be pushed" in done.stderr
    away.rename(remote)
    assert mount.mount().sh("cat primes.csv").stdout == OLD


def test_another_mounts_commit_appears(primes: Mount, mounts: Callable[..., Mount]) -> None:
    other = mounts("primes").mount()
    reader = (other / "main/primes.csv").open()
    inode = os.stat(other / "main/primes.csv").st_ino
    assert primes.sh("echo 37,157 >> primes.csv").returncode == 0
    wait_until(lambda: (other / "main/primes.csv").read_text() == NEW, "the new row", 3)
    assert os.stat(other / "main/primes.csv").st_ino != inode
    assert os.stat(other / "main/primes.csv").st_size == len(NEW)
    assert reader.read() == OLD
    reader.close()
    os.mkdir(primes / "b")
    wait_until(lambda: "b" in os.listdir(other.root), "the new branch", 3)


def test_a_conflict_is_estale_and_the_text_is_kept(
    primes: Mount, mounts: Callable[..., Mount]
) -> None:
    other = mounts("primes").mount()
    script = "cat primes.csv > $OUT/x; read; (cat $OUT/x; echo 38,163) | cp /dev/stdin primes.csv"
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=primes / "main",
        env={**os.environ, "OUT": str(primes.home)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as edit:
        wait_until(
            lambda: (primes.home / "x").exists() and (primes.home / "x").read_text() == OLD,
            "the first read",
        )
        assert other.sh("echo 37,157 >> primes.csv").returncode == 0
        _, told = edit.communicate("\n")
        assert "Stale file handle" in told
        assert edit.returncode == 1
    assert "changed by another client" in primes.status()
    assert primes.recovered()[-1].read_text() == OLD + "38,163\n"
    assert (other / "main/primes.csv").read_text() == NEW


def test_version_and_help() -> None:
    done = pyfs("--version")
    assert done.stdout.startswith("pyfs ")
    done = pyfs("--help")
    assert "examples:" in done.stdout
    done = pyfs("mount", "--help")
    for option in ("refresh=", "author=", "profile=", "endpoint=", "cache-dir=", "log-level="):
        assert option in done.stdout
    assert pyfs("mount").returncode == 2
    assert pyfs("frobnicate").returncode == 2


def test_init_log_and_first_mount(tmp_path: Path, mounts: Callable[..., Mount]) -> None:
    remote = tmp_path / "new"
    remote.mkdir()
    done = pyfs("init", "-o", "author=Ada <ada@example.com>", remote.as_uri())
    assert done.returncode == 0, done.stderr
    done = pyfs("log", remote.as_uri())
    assert "Author: Ada <ada@example.com>" in done.stdout
    assert "\tInitialize data repository\n" in done.stdout
    assert pyfs("init", remote.as_uri()).returncode == 1
    assert pyfs("log", remote.as_uri(), "nowhere").returncode == 1
    mount = mounts(url=remote.as_uri()).mount()
    assert os.listdir(mount.root) == ["main"]
    assert os.listdir(mount / "main") == []


def test_status(primes: Mount) -> None:
    done = pyfs("status", str(primes.root))
    assert f"remote: {primes.url}\n" in done.stdout
    assert "branch: main\n" in pyfs("status", str(primes / "main")).stdout
    assert pyfs("status", str(primes.home)).returncode == 1
