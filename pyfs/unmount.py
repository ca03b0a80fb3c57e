"""`pyfs umount` and `pyfs status`: what is asked of a mount from outside."""

from __future__ import annotations

import errno
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfs.asking import PATIENCE_S, ask
from pyfs.config import MountConfig
from pyfs.errors import ConfigurationError
from pyfs.mountpoint import (
    RECOVERY,
    SUBTYPE,
    Mounted,
    default_log,
    ended_report,
    mounted_around,
    mounted_at,
    mountpoint_of,
    waiting_for,
)
from pyfs.vfs.names import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS: Final = Path(CONTROL, "status")
NAMED_MAX: Final = 5
"""Pending files that are named in a line."""
DEAD: Final = (errno.ENOTCONN, errno.ECONNABORTED)
"""What a mount answers whose process has ended."""


def unmount(directory: Path, *, lazy: bool) -> int:
    """Has the mount on *directory* push what is pending, unmounts it, and waits for its end.

    Returns 0, or 1 if something could not be saved, which is told on stderr. A *lazy* one asks the
    mount nothing and waits for nothing.
    """
    path = mountpoint_of(directory)
    mounted = mounted_at(path)
    if mounted is None or mounted.kind != f"fuse.{SUBTYPE}":
        raise ConfigurationError(f"no pyfs mount on {path}")
    if lazy:
        _run_unmount(path, lazy=True, status={})
        return 0
    status = _status(path)
    troubles = _push_pending(path, status) if status else []
    _tell(troubles)
    _run_unmount(path, lazy=False, status=status)
    if status:
        pid = int(status["pid"])
        _wait_for(pid)
        last = _last_words(Path(status["state"]), pid)
        _tell(last)
        troubles += last
    return 1 if troubles else 0


def _tell(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"pyfs umount: {line}", file=sys.stderr, flush=True)


def print_status(directory: Path) -> int:
    """Prints the status of the mount, or of the branch, that *directory* is."""
    path = mountpoint_of(directory)
    mounted = mounted_around(path)
    if mounted is None or mounted.kind != f"fuse.{SUBTYPE}":
        raise ConfigurationError(f"{path} is neither a pyfs mount nor a branch in one")
    waiting = waiting_for(mounted.path, "status")
    try:
        text = ask((path / STATUS).read_text, waiting)
    except OSError as exc:
        if exc.errno in DEAD:
            raise ConfigurationError(_ended(mounted)) from exc
        if path == mounted.path or exc.errno in (errno.ENOENT, errno.ENOTDIR):
            raise ConfigurationError(
                f"{path} is neither a pyfs mount nor a branch in one: {exc.strerror}"
            ) from exc
        whole = ask((mounted.path / STATUS).read_text, waiting)
        print(
            f"pyfs status: {path} cannot be looked into ({exc.strerror}); the mount's status:",
            file=sys.stderr,
        )
        print(whole, end="")
        return 1
    print(text, end="")
    return 0


def _ended(mounted: Mounted) -> str:
    """What to say of a mount whose process is dead."""
    usual = default_log(mounted.source, MountConfig(url=mounted.source).state_dir)
    log = str(usual) if usual.exists() else "where -o log-file= or -o state-dir= put it"
    return (
        f"the process of the mount on {mounted.path} has ended; its log is {log}. "
        f"What was acknowledged is on the remote: pyfs umount {mounted.path}, then mount it again"
    )


def failures(status: str) -> list[str]:
    """The failed saves that the text of a mount's status tells of, a line for each."""
    found = []
    for section in status.split("\nlast failed save on ")[1:]:
        branch, _, lines = section.partition(":\n")
        said = dict(line.strip().split(": ", 1) for line in lines.splitlines() if ": " in line)
        at = f" ({said['at']})" if "at" in said else ""
        text = said.get("text", "not kept")
        kept = "" if text == "not kept" else f"; its text is {text}"
        found.append(f"{branch}/{said.get('file')}: {said.get('reason')}{kept}{at}")
    return found


def _status(path: Path) -> dict[str, str]:
    """The mount's own status, or nothing if its process is dead."""
    text = _status_text(path)
    return _fields(text) if text else {}


def _status_text(path: Path) -> str:
    try:
        return ask((path / STATUS).read_text, waiting_for(path, "umount"))
    except OSError as exc:
        if exc.errno in DEAD:
            return ""
        raise ConfigurationError(
            f"the mount on {path} does not answer: {exc.strerror}; pyfs umount -z {path} "
            "unmounts without asking it"
        ) from exc


def _fields(text: str) -> dict[str, str]:
    lines = text.splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line and line[0] != " ")
    pending = [line.partition(": ")[2] for line in lines if line.startswith("pending: ")]
    named = "; ".join(pending[:NAMED_MAX])
    if len(pending) > NAMED_MAX:
        named += f"; and {len(pending) - NAMED_MAX} more, see {STATUS}"
    return fields | {"pending": named}


def _push_pending(path: Path, status: dict[str, str]) -> list[str]:
    """Has what is pending pushed. Returns what could not be."""
    pending = status["pending"]
    if not pending:
        return []

    def push() -> str:
        # The control directory: opening it asks the remote nothing.
        directory = os.open(path / CONTROL, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return ""

    def tell() -> None:
        print(
            f"pyfs umount: waiting until this is pushed: {pending} (Ctrl-C ends that; "
            f"pyfs umount -z {path} unmounts without waiting)",
            file=sys.stderr,
            flush=True,
        )

    before = failures(_status_text(path))
    try:
        ask(push, tell)
    except OSError as exc:
        text = _status_text(path)
        # The status goes with the mount: what it says is said here.
        refused = [line for line in failures(text) if line not in before]
        if refused:
            return [f"could not be pushed, and is as it was before: {line}" for line in refused]
        error = _fields(text).get("remote-error", "none")
        reason = exc.strerror if error == "none" else f"the remote's last error: {error}"
        return [f"could not be pushed, and is as it was before: {pending} ({reason})"]
    return []


def _run_unmount(path: Path, *, lazy: bool, status: dict[str, str]) -> None:
    helper = shutil.which("fusermount3")
    if helper is not None:
        command = [helper, "-u", *(["-z"] if lazy else []), "--", str(path)]
    else:
        command = ["umount", *(["-l"] if lazy else []), "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        # As it is now: what was pending before may be pushed.
        pending = _status(path) if status else {}
        raise ConfigurationError(
            f"{path} stays mounted: {reason[0]} (close what uses it, see fuser -vm {path}; "
            f"or pyfs umount -z {path}){_told_pending(pending)}"
        )


def _told_pending(status: dict[str, str]) -> str:
    if not status.get("pending"):
        return ""
    return (
        f"; pending: {status['pending']}: it is saved when it is closed, and kept in "
        f"{Path(status['state'], RECOVERY)} if it cannot be"
    )


def _wait_for(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([process], [], [], PATIENCE_S)[0]:
            print(
                "pyfs umount: unmounted; waiting for the last pushes of its process "
                f"(pid {pid}; Ctrl-C ends the waiting, not them)",
                file=sys.stderr,
                flush=True,
            )
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
