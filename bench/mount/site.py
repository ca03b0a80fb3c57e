"""`Site`: servers behind counting proxies, a folder for everything else, and what jobs cost."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.mount.proxy import Proxy, Traffic
from tests.support.servers import Endpoints

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "remotes"
MIB = 1024 * 1024
PYFS = Path(sys.executable).with_name("pyfs")


@dataclass(frozen=True, slots=True)
class Result:
    """One job's cost."""

    seconds: float
    s3: Traffic
    dynamodb: Traffic

    @property
    def requests(self) -> int:
        return self.s3.requests + self.dynamodb.requests

    @property
    def bytes(self) -> int:
        return self.s3.bytes + self.dynamodb.bytes


class Site:
    """Servers behind counting proxies, and a folder for everything else."""

    def __init__(self, folder: Path, s3: Proxy, dynamodb: Proxy, prefix: str) -> None:
        self.folder = folder
        self.url = f"aws://[manifests:tables]/{prefix}"
        self.endpoints = Endpoints(s3.url, dynamodb.url)
        self.results: dict[str, Result] = {}
        self.remarks: dict[str, str] = {}
        self._s3, self._dynamodb = s3, dynamodb
        self.environment = {
            **os.environ,
            **self.endpoints.environment(),
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "DOLT_DISABLE_EVENT_FLUSH": "1",
        }
        self.has_dolt = shutil.which("dolt") is not None
        if self.has_dolt:
            for key, value in (("name", "bench"), ("email", "bench@example.com")):
                self.run("dolt", "config", "--global", "--add", f"user.{key}", value)

    def run(self, *command: str, cwd: Path | None = None, out: Path | None = None) -> None:
        """Runs a command; its failure ends the bench."""
        with open(out or os.devnull, "wb") as stdout:
            done = subprocess.run(
                command,
                env=self.environment,
                cwd=cwd or self.folder,
                stdout=stdout,
                stderr=subprocess.PIPE,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr.decode()}")

    def measure(self, name: str, job: Callable[[], None]) -> Result:
        """What *job* costs, also kept under *name*."""
        s3, dynamodb = self._s3.traffic, self._dynamodb.traffic
        began = time.perf_counter()
        job()
        seconds = time.perf_counter() - began
        result = Result(seconds, self._s3.traffic.since(s3), self._dynamodb.traffic.since(dynamodb))
        self.results[name] = result
        return result

    def mount(self, database: str, cache: str) -> Path:
        """Mounts with a cache of that name, which is cold if it is new; returns the directory."""
        directory = self.folder / f"mnt-{cache}"
        directory.mkdir(exist_ok=True)
        option = f"cache-dir={self.folder / cache}"
        self.run(str(PYFS), "mount", "-o", option, f"{self.url}/{database}", str(directory))
        return directory

    def unmount(self, cache: str) -> None:
        """Ends the mount with that cache."""
        self.run(str(PYFS), "umount", str(self.folder / f"mnt-{cache}"))

    @contextlib.contextmanager
    def mounted(self, database: str, cache: str) -> Iterator[Path]:
        """A mount for as long as the block lasts."""
        directory = self.mount(database, cache)
        try:
            yield directory
        finally:
            self.unmount(cache)

    def clone(self, database: str, name: str) -> Path:
        """A clone by dolt."""
        folder = self.folder / f"dolt-{name}"
        self.run("dolt", "clone", f"{self.url}/{database}", str(folder))
        return folder

    def dolt_import(self, clone: Path, table: str, text: Path) -> None:
        """What takes dolt as far as a save takes pyfs."""
        self.run("dolt", "table", "import", "-r", table, str(text), cwd=clone)
        self.run("dolt", "commit", "-am", f"import {text.name}", cwd=clone)
        self.run("dolt", "push", "origin", "main", cwd=clone)

    @contextlib.contextmanager
    def settings(self) -> Iterator[None]:
        """The environment of the site's programs, for this process."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def memory_of(self, mount: Path) -> int:
        """Most resident bytes that the process serving *mount* has had so far."""
        return _memory(mount, "VmHWM")

    def memory_now(self, mount: Path) -> int:
        """Resident bytes of the process serving *mount*."""
        return _memory(mount, "VmRSS")


def _memory(mount: Path, field: str) -> int:
    status = (mount / ".pyfs" / "status").read_text()
    pid = next(line for line in status.splitlines() if line.startswith("pid: "))[5:]
    found = Path(f"/proc/{pid}/status").read_text().partition(f"{field}:")[2]
    return int(found.split()[0]) * 1024
