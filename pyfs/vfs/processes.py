"""What `/proc` tells of the processes that hold, wrote and read files of the mount.

`flush` says neither whether other descriptors share the open file nor who closed it, so the last
close is found by looking: whoever holds the file for writing has an entry in `/proc/<pid>/fdinfo`
with its inode. Processes that may not be looked into count as not holding it.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyfs._core import Address
    from pyfs.vfs.node import Node

READERS_MAX: Final = 4096
"""Processes whose last read of a table is remembered."""
ANCESTORS_MAX: Final = 16
"""Ancestors of a process that are looked at."""
PF_EXITING: Final = 0x4
"""The flag in `/proc/<pid>/stat` of a process on its way out (linux/sched.h)."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told apart from a later one of the same number."""

    pid: int
    started: int
    """Clock ticks since boot."""


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """The part of `/proc/<pid>/stat` that matters here."""

    process: Process
    parent: int
    session: int
    killed_by: int
    """The signal that is ending it, or 0."""

    @classmethod
    def read(cls, pid: int) -> ProcessStat | None:
        """Of process *pid*, or None if there is none to be seen."""
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        # The name in parentheses may hold anything; what follows the last one is numbers
        # (proc_pid_stat(5): ppid is field 4, session 6, flags 9, starttime 22, exit_code 52).
        fields = text.rpartition(")")[2].split()
        exiting = int(fields[6]) & PF_EXITING
        code = int(fields[49]) if len(fields) > 49 else 0
        process = Process(pid, int(fields[19]))
        return cls(process, int(fields[1]), int(fields[3]), code & 0x7F if exiting else 0)


def process_of(thread: int) -> int:
    """The process that *thread* is of: the kernel says which thread asked, not which process."""
    try:
        text = Path(f"/proc/{thread}/status").read_text()
    except OSError:
        return thread
    line = next((line for line in text.splitlines() if line.startswith("Tgid:")), None)
    return int(line.split()[1]) if line else thread


def works_for(pid: int, other: int) -> bool:
    """Whether process *pid* is *other*, or what that started in its session."""
    return pid == other or any(process.pid == other for process in _lineage(pid))


def removed_by(pid: int) -> set[str] | None:
    """The names of files that `rm` or `unlink` was told to remove, if that is what *pid* is.

    None for other programs, which may make the file anew, and for `rm -r`, which names folders.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    program, *arguments = map(os.fsdecode, words)
    short = [word for word in arguments if word.startswith("-") and not word.startswith("--")]
    recursive = "--recursive" in arguments or any("r" in word.lower() for word in short)
    if Path(program).name not in ("rm", "unlink") or recursive:
        return None
    return {Path(word).name for word in arguments if word}


class LastReads:
    """At which commit each process last read a table.

    A save is based on that: who reads, thinks and writes must not undo what others pushed in
    between. A process reads for its ancestors in the session too: for the editor whose helper it
    is, for the script or the shell whose command it is.
    """

    def __init__(self) -> None:
        self._commits: dict[tuple[str, str, Process], Address] = {}
        self._sources: dict[Process, tuple[str, Address]] = {}

    def note(self, branch: str, table: str, pid: int, commit: Address) -> None:
        """Process *pid* read *table*, or wrote it, at *commit*."""
        for reader in _lineage(pid):
            key = (branch, table, reader)
            self._commits.pop(key, None)
            self._commits[key] = commit
        while len(self._commits) > READERS_MAX:
            del self._commits[next(iter(self._commits))]

    def note_source(self, table: str, pid: int, commit: Address) -> None:
        """Process *pid* opened *table* for reading at *commit*."""
        stat = ProcessStat.read(pid)
        if stat is not None:
            self._sources.pop(stat.process, None)
            self._sources[stat.process] = (table, commit)
        while len(self._sources) > READERS_MAX:
            del self._sources[next(iter(self._sources))]

    def source(self, pid: int) -> tuple[str, Address] | None:
        """The table that *pid* itself opened for reading last, and the commit it was of."""
        stat = ProcessStat.read(pid)
        return None if stat is None else self._sources.get(stat.process)

    def base(self, branch: str, table: str, pid: int) -> Address | None:
        """The commit that *pid*, else its nearest ancestor that did, last read *table* at."""
        found = (self._commits.get((branch, table, reader)) for reader in _lineage(pid))
        return next((commit for commit in found if commit is not None), None)


def _lineage(pid: int) -> list[Process]:
    """Process *pid* and its ancestors in the same session, then the session's leader."""
    stat = ProcessStat.read(pid)
    if stat is None:
        return []
    session = stat.session
    found: list[Process] = []
    while stat is not None and stat.session == session and len(found) < ANCESTORS_MAX:
        found.append(stat.process)
        stat = ProcessStat.read(stat.parent)
    leader = ProcessStat.read(session)
    if leader is not None and leader.process not in found:
        found.append(leader.process)
    return found


class Holders:
    """Finds who else holds an open file for writing."""

    def __init__(self, mountpoint: Path) -> None:
        self._mountpoint = mountpoint
        self._mount_id: str | None = None
        # A scan takes milliseconds of pure Python: two at a time are plenty.
        self._limiter = trio.CapacityLimiter(2)

    async def others(self, node: Node, name: str) -> bool:
        """Whether any process has *node*, a file called *name*, open for writing."""
        scan = partial(self._scan, node.inode, name)
        return await trio.to_thread.run_sync(scan, limiter=self._limiter)

    def killer(self, pid: int) -> str | None:
        """The signal that is ending process *pid*, if one is."""
        stat = ProcessStat.read(pid)
        if stat is None or not stat.killed_by:
            return None
        try:
            return signal.Signals(stat.killed_by).name
        except ValueError:
            return f"signal {stat.killed_by}"

    def _scan(self, inode: int, name: str) -> bool:
        if self._mount_id is None:
            self._mount_id = mount_id(self._mountpoint)
        own = str(os.getpid())
        for pid in os.listdir("/proc"):
            if pid.isdigit() and pid != own:
                for link, info in _open_files(pid):
                    if self._is_writer(info, inode, link.endswith(f"/{name}")):
                        return True
        return False

    def _is_writer(self, info: str, inode: int, same_name: bool) -> bool:
        fields = dict(line.split(":\t", 1) for line in info.splitlines() if ":\t" in line)
        if fields.get("ino") != str(inode):
            return False
        if int(fields.get("flags", "0"), 8) & os.O_ACCMODE == os.O_RDONLY:
            return False
        # In another mount namespace the mount has another number; the name has to do there.
        return fields.get("mnt_id") == self._mount_id or same_name


def _open_files(pid: str) -> Iterator[tuple[str, str]]:
    """Each open file of *pid* that might be the mount's: its path and its fdinfo."""
    folder = f"/proc/{pid}/fd"
    try:
        descriptors = os.listdir(folder)
    except OSError:
        return
    for descriptor in descriptors:
        try:
            # readlink alone: a stat would ask the file system, which is us.
            link = os.readlink(f"{folder}/{descriptor}")
            if not link.startswith("/") or link.startswith(("/dev/", "/proc/", "/memfd:")):
                continue
            with open(f"/proc/{pid}/fdinfo/{descriptor}") as info:
                yield link.removesuffix(" (deleted)"), info.read()
        except OSError:
            continue


def mount_id(mountpoint: Path) -> str | None:
    """The number that the kernel gave the topmost mount on *mountpoint*."""
    found = None
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields = line.split(" ")
            if unescape_mount(fields[4]) == str(mountpoint):
                found = fields[0]
    return found


def unescape_mount(path: str) -> str:
    """A path of `/proc/self/mountinfo`, where blanks and backslashes are in octal."""
    for octal, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(octal, char)
    return path
