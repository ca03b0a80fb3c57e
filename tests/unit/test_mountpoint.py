"""Where a path leads, found out without asking the mount there."""

import os
from pathlib import Path

import pytest

from pyfs import mountpoint
from pyfs.mountpoint import Mounted, mounted_around, mountpoint_of


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is said to be a mount of pyfs; looking into it fails."""
    root = tmp_path / "mnt"
    root.mkdir()
    found = Mounted(root, "fuse.pyfs", "file:///srv/primes")
    monkeypatch.setattr(mountpoint, "mounted_at", lambda path: found if path == root else None)
    readlink = os.readlink

    def outside(path: Path) -> str:
        assert not path.is_relative_to(root), f"{path} was looked at"
        return readlink(path)

    monkeypatch.setattr(os, "readlink", outside)
    return root


def test_a_path_into_a_mount_is_left_as_it_is_typed(mounted: Path) -> None:
    for inside in (mounted, mounted / "main", mounted / "feature/twin"):
        assert mountpoint_of(inside) == inside
        assert (around := mounted_around(inside)) is not None
        assert around.path == mounted
    assert mounted_around(mounted.parent) is None


def test_links_on_the_way_are_followed(mounted: Path) -> None:
    home = mounted.parent
    (home / "absolute").symlink_to(mounted)
    (home / "relative").symlink_to("absolute")
    (home / "deep").mkdir()
    (home / "deep/up").symlink_to("../relative")
    (home / "circle").symlink_to("circle")
    for typed in ("absolute", "relative", "deep/up", "deep/../absolute", "mnt"):
        assert mountpoint_of(home / typed) == mounted
        assert mountpoint_of(home / typed / "main") == mounted / "main"
    assert mountpoint_of(home / "none/such") == home / "none/such"
    mountpoint_of(home / "circle")  # ends
