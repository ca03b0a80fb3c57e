"""Where a mount is to appear: what has to be right before, and who is there already."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyfs.errors import ConfigurationError
from pyfs.vfs.processes import unescape_mount

if TYPE_CHECKING:
    from pyfs.config import MountConfig

SUBTYPE: Final = "pyfs"
FUSE_DEVICE: Final = Path("/dev/fuse")
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


def resolve(path: Path) -> Path:
    """*path* without symbolic links, not looking into the last component if it is a dead mount."""
    try:
        return path.resolve(strict=False)
    except OSError:
        return path.parent.resolve() / path.name


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
        os.statvfs(mounted.path)
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


def ended_report(state_dir: Path, pid: int) -> Path:
    """Where mount process *pid* writes, as it ends, what it could not save."""
    return state_dir / "ended" / f"{pid}.txt"
