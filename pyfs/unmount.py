"""`pyfs umount` and `pyfs status`: what is asked of a mount from outside."""

from __future__ import annotations

import errno
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from pyfs.errors import ConfigurationError
from pyfs.mountpoint import SUBTYPE, ended_report, mounted_at, resolve
from pyfs.vfs.names import CONTROL

STATUS: Final = Path(CONTROL, "status")
PATIENCE_S: Final = 3.0
"""After that long, a line says what is being waited for."""


def unmount(directory: Path, *, lazy: bool) -> int:
    """Has the mount on *directory* push what is pending, unmounts it, and waits for its end.

    Returns 0, or 1 if something could not be saved, which is told on stderr.
    """
    path = resolve(directory)
    mounted = mounted_at(path)
    if mounted is None or mounted.kind != f"fuse.{SUBTYPE}":
        raise ConfigurationError(f"no pyfs mount on {path}")
    status = _status(path)
    troubles = _push_pending(path) if status else []
    _run_unmount(path, lazy=lazy)
    if status and not lazy:
        pid = int(status["pid"])
        _wait_for(pid)
        troubles += _last_words(Path(status["state"]), pid)
    for line in troubles:
        print(f"pyfs umount: {line}", file=sys.stderr)
    return 1 if troubles else 0


def print_status(directory: Path) -> int:
    """Prints the status of the mount, or of the branch, that *directory* is."""
    try:
        text = (directory / STATUS).read_text()
    except OSError as exc:
        raise ConfigurationError(
            f"{directory} is neither a pyfs mount nor a branch in one: {exc.strerror}"
        ) from exc
    print(text, end="")
    return 0


def _status(path: Path) -> dict[str, str]:
    """The mount's own status, or nothing if its process is dead."""
    try:
        lines = (path / STATUS).read_text().splitlines()
    except OSError as exc:
        if exc.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            return {}
        raise ConfigurationError(f"the mount on {path} does not answer: {exc.strerror}") from exc
    return dict(line.split(": ", 1) for line in lines if ": " in line and line[0] != " ")


def _push_pending(path: Path) -> list[str]:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    except OSError as exc:
        return [f"what was pending could not be pushed ({exc.strerror}); see {path / STATUS}"]
    finally:
        os.close(directory)
    return []


def _run_unmount(path: Path, *, lazy: bool) -> None:
    helper = shutil.which("fusermount3")
    if helper is not None:
        command = [helper, "-u", *(["-z"] if lazy else []), "--", str(path)]
    else:
        command = ["umount", *(["-l"] if lazy else []), "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ConfigurationError(
            f"{path} stays mounted: {reason[0]} (close what uses it, see fuser -vm {path}; "
            "or pyfs umount -z)"
        )


def _wait_for(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([process], [], [], PATIENCE_S)[0]:
            print("pyfs umount: waiting for the last pushes", file=sys.stderr)
            select.select([process], [], [])
    finally:
        os.close(process)


def _last_words(state_dir: Path, pid: int) -> list[str]:
    report = ended_report(state_dir, pid)
    try:
        lines = report.read_text().splitlines()
        report.unlink()
    except OSError:
        return []
    return lines
