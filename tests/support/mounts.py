"""Real mounts by the real command, and what other programs do on them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
REMOTES = ROOT / "tests" / "golden" / "remotes"
DEADLINE_S = 60.0
AUTHOR = "Grace Hopper <grace@example.com>"


def wait_until(holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Returns once *holds*, or fails the test saying *what* did not come."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {deadline_s} s")
        time.sleep(0.02)


def pyfs(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command `pyfs`, with *environment* beside this process's own."""
    return subprocess.run(
        [sys.executable, "-m", "pyfs", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    )


def copied(remote: str, to: Path) -> str:
    """The URL of a writable copy of a golden remote."""
    target = to / "remote"
    shutil.copytree(REMOTES / remote, target)
    return target.as_uri()


@dataclass
class Mount:
    """A mount of *url*, by default in a folder of its own for every test."""

    url: str
    home: Path
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.home / "mnt"

    @property
    def state(self) -> Path:
        return self.home / "state"

    def __truediv__(self, name: str) -> Path:
        return self.root / name

    def mount(self) -> Mount:
        """Mounts, or fails the test with what the command said."""
        done = self.try_mount()
        assert done.returncode == 0, done.stderr
        return self

    def try_mount(self) -> subprocess.CompletedProcess[str]:
        self.root.mkdir(parents=True, exist_ok=True)
        return pyfs("mount", *self.arguments(), environment=self.environment)

    def arguments(self) -> list[str]:
        """What comes after `pyfs mount`."""
        options = (
            f"state-dir={self.state}",
            f"cache-dir={self.home / 'cache'}",
            f"author={AUTHOR}",
            "log-level=debug",
            *self.options,
        )
        return [*(word for option in options for word in ("-o", option)), self.url, str(self.root)]

    def umount(self) -> subprocess.CompletedProcess[str]:
        return pyfs("umount", str(self.root))

    @property
    def is_mounted(self) -> bool:
        return f" {self.root} " in Path("/proc/self/mountinfo").read_text()

    @property
    def pid(self) -> int:
        text = (self.root / ".pyfs" / "status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("pid: "))[5:])

    def close(self) -> None:
        """Ends the mount by all means, for the next test's sake."""
        if not self.is_mounted:
            return
        try:
            pid = self.pid
        except OSError:
            pid = 0
        subprocess.run(["fusermount3", "-u", "-z", str(self.root)], check=False)
        if pid:
            kill(pid)
            wait_until(lambda: not alive(pid), "the end of the mount process")

    def sh(self, script: str, branch: str = "main") -> subprocess.CompletedProcess[str]:
        """Runs *script* by bash in the directory of *branch*, `OUT` being a folder outside."""
        return self.run(["bash", "-c", script], branch)

    def run(self, command: list[str], branch: str = "main") -> subprocess.CompletedProcess[str]:
        """Runs *command* in the directory of *branch*."""
        out = self.home / "out"
        out.mkdir(exist_ok=True)
        # Not by cwd=: while a child starts, this process stands still, and with it a proxy that the
        # mount may have to ask before the child is in its directory.
        return subprocess.run(
            ["env", "-C", str(self.root / branch), *command],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
            env={**os.environ, "OUT": str(out), "PYTHON": sys.executable, **self.environment},
        )

    def log(self, branch: str = "main") -> list[str]:
        """The messages of the branch's commits, newest first, as the remote has them."""
        cache = f"cache-dir={self.home / 'log-cache'}"
        done = pyfs("log", "-o", cache, self.url, branch, environment=self.environment)
        assert done.returncode == 0, done.stderr
        return [line[1:] for line in done.stdout.splitlines() if line.startswith("\t")]

    def status(self, branch: str = "main") -> str:
        return (self.root / branch / ".pyfs" / "status").read_text()

    def log_file(self) -> str:
        return "".join(path.read_text() for path in (self.state / "log").glob("*.log"))

    def recovered(self) -> list[Path]:
        return sorted(path for path in (self.state / "recovery").rglob("*") if path.is_file())


def alive(pid: int) -> bool:
    """Whether process *pid* runs; one that only waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def kill(pid: int) -> None:
    """Kills process *pid* if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
