"""Removing tables that foreign keys name."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.support.mounts import Mount
from tests.support.repositories import GOLDEN


def test_a_table_that_others_name_is_not_removed(
    mounts: Callable[..., Mount], tmp_path: Path
) -> None:
    shutil.copytree(GOLDEN / "foreign_keys" / "remote", tmp_path / "keys")
    mount = mounts(url=(tmp_path / "keys").as_uri()).mount()
    before = mount.log()
    done = mount.sh("rm author.csv")
    assert done.returncode == 1
    assert "not supported" in done.stderr
    assert "foreign key 'by_code' of table 'book' names it" in mount.status()
    assert (mount / "main/author.csv").exists()
    # With those that name it, it goes; and who makes it anew may remove it first.
    assert mount.sh("cp author.csv .x && install .x author.csv").returncode == 0
    assert mount.log() == before
    assert mount.sh("rm author.csv book.csv && sync .").returncode == 0
    assert mount.log()[1:] == before
    assert not (mount / "main/author.csv").exists()
