"""Where a mount is to appear: what has to be right before, and who is there already."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pyfs.asking import ask
from pyfs.errors import ConfigurationError
from pyfs.vfs.processes import unescape_mount

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfs.config import MountConfig

SUBTYPE: Final = "pyfs"
RECOVERY: Final = "recovery"
"""The folder below the state folder for what could not be saved."""
FUSE_DEVICE: Final = Path("/dev/fuse")
LINKS_MAX: Final = 1000
"""Components and links of a path that are followed: a circle of links ends."""
FUSE_CONF: Final = Path("/etc/fuse.conf")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A line of `/proc/self/mountinfo`."""

    path: Path
    kind: str
    source: str


def mounted_at(path: Path) -> Mounted | None:
    """The topmost mount on *path* itself, or None. Asks no file system."""
    found = None
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields = line.split(" ")
            tail = fields[fields.index("-") + 1 :]
            if unescape_mount(fields[4]) == str(path):
                found = Mounted(path, tail[0], unescape_mount(tail[1]))
    return found


def mounted_around(path: Path) -> Mounted | None:
    """The topmost mount that *path* lies in, by its name alone. Asks no file system."""
    for place in (path, *path.parents):
        if (mounted := mounted_at(place)) is not None:
            return mounted
    return None


def mountpoint_of(path: Path) -> Path:
    """*path* without symbolic links, not looking into a mount of pyfs on the way."""
    place = Path("/")
    left = list(path.absolute().parts[1:])[::-1]
    for _ in range(LINKS_MAX):
        if not left or _is_ours(place):
            break
        name = left.pop()
        if name == "..":
            place = place.parent
            continue
        place /= name
        if _is_ours(place):
            break
        try:
            target = Path(os.readlink(place))
        except OSError:
            continue  # no link
        place = place.parent if not target.is_absolute() else Path("/")
        left += [part for part in reversed(target.parts) if part != "/"]
    return place.joinpath(*reversed(left))


def _is_ours(path: Path) -> bool:
    mounted = mounted_at(path)
    return mounted is not None and mounted.kind == f"fuse.{SUBTYPE}"


def check_mountpoint(config: MountConfig) -> None:
    """Raises `ConfigurationError` with what to do if nothing can be mounted as *config* asks."""
    path = config.mountpoint
    mounted = mounted_at(path)
    if mounted is not None and mounted.kind == f"fuse.{SUBTYPE}":
        raise ConfigurationError(_already(mounted))
    try:
        if not path.is_dir():
            if path.exists():
                raise ConfigurationError(f"mount point {path} is no directory")
            raise ConfigurationError(f"mount point {path} does not exist: mkdir -p {path}")
        if any(path.iterdir()):
            raise ConfigurationError(f"mount point {path} is not empty: choose an empty directory")
    except PermissionError as exc:
        raise ConfigurationError(
            f"mount point {path} cannot be read: {exc.strerror}; choose a directory of your own"
        ) from exc
    _check_fuse(config)


def _already(mounted: Mounted) -> str:
    try:
        # stat could be answered from the kernel's cache; this asks the mount's process.
        ask(lambda: str(os.statvfs(mounted.path)), waiting_for(mounted.path, "mount"))
    except OSError as exc:
        if exc.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            return (
                f"{mounted.path} is a mount whose process has died: "
                f"run fusermount3 -u {mounted.path} first"
            )
    return f"{mounted.source} is mounted on {mounted.path} already: pyfs umount it first"


def _check_fuse(config: MountConfig) -> None:
    if not FUSE_DEVICE.exists():
        raise ConfigurationError(
            f"{FUSE_DEVICE} is missing: load the kernel module (modprobe fuse); in a container, "
            f"start it with --device {FUSE_DEVICE} --cap-add SYS_ADMIN"
        )
    if os.geteuid() == 0:
        return
    if not os.access(config.mountpoint, os.W_OK):
        raise ConfigurationError(
            f"mount point {config.mountpoint} cannot be written by this user: choose a directory "
            "of your own"
        )
    if not os.access(FUSE_DEVICE, os.R_OK | os.W_OK):
        raise ConfigurationError(
            f"{FUSE_DEVICE} cannot be opened by this user: as root, chmod 666 {FUSE_DEVICE}"
        )
    if shutil.which("fusermount3") is None:
        raise ConfigurationError("fusermount3 is missing: install the package fuse3")
    if config.allow_other and not _user_allow_other():
        raise ConfigurationError(
            f"allow-other is for root only here: put the line user_allow_other into {FUSE_CONF}"
        )


def _user_allow_other() -> bool:
    try:
        lines = FUSE_CONF.read_text().splitlines()
    except OSError:
        return False
    return any(line.strip() == "user_allow_other" for line in lines)


def default_log(url: str, state_dir: Path) -> Path:
    """Where the log of a mount in the background is if no option says so."""
    return state_dir / "log" / f"{quote(url, safe='')[-200:]}.log"


def waiting_for(path: Path, command: str) -> Callable[[], None]:
    """Says on stderr that the mount on *path* keeps *command* waiting, and how to end that."""

    def tell() -> None:
        print(
            f"pyfs {command}: the process of the mount on {path} does not answer; waiting for it "
            f"(Ctrl-C ends that; pyfs umount -z {path} unmounts without asking it)",
            file=sys.stderr,
            flush=True,
        )

    return tell


def ended_report(state_dir: Path, pid: int) -> Path:
    """Where mount process *pid* writes, as it ends, what it could not save."""
    return state_dir / "ended" / f"{pid}.txt"
