"""The folders on local disk."""

import os
from pathlib import Path

from pyfs.vfs.spool import LocalFolders

URL = "file:///srv/primes"


def test_what_a_dead_mount_had_not_saved_is_kept(tmp_path: Path) -> None:
    dead = LocalFolders(tmp_path, URL)
    spool = dead.spool("feature/twin", "odd-primes", ".tsv")
    spool.write(0, b"p,i\n")
    dead.spool("main", "empty", ".csv")
    dead.scratch().write_bytes(b"scratch")
    # As a crash leaves it: the lock is gone, the files are there.
    os.close(dead._lock)
    LocalFolders(tmp_path, URL).close()
    (kept,) = (tmp_path / "recovery").rglob("*.*")
    assert kept.read_bytes() == b"p,i\n"
    assert kept.parent.name == "feature%2Ftwin"
    assert kept.name.startswith("odd-primes-")
    assert kept.suffix == ".tsv"
    assert not list(tmp_path.rglob("scratch/*"))


def test_mounts_of_one_remote_do_not_touch_each_others_files(tmp_path: Path) -> None:
    first = LocalFolders(tmp_path, URL)
    spool = first.spool("main", "primes", ".csv")
    spool.write(0, b"p,i\n")
    second = LocalFolders(tmp_path, URL)
    assert second.spool("main", "primes", ".csv").path != spool.path
    second.close()
    assert spool.path.read_bytes() == b"p,i\n"
    first.close()
    assert not spool.path.exists()


def test_texts_of_the_same_second_are_kept_side_by_side(tmp_path: Path) -> None:
    folders = LocalFolders(tmp_path, URL)
    spool = folders.spool("main", "..", ".csv")
    kept = set()
    for number in range(3):
        spool.write(0, b"%d" % number)
        kept.add(folders.recover(spool.path, "main", "...csv"))
    assert {path.read_bytes() for path in kept} == {b"0", b"1", b"2"}
    for path in kept:
        assert path.parent == tmp_path / "recovery" / "file%3A%2F%2F%2Fsrv%2Fprimes" / "main"
        assert path.name.startswith("%2E.-")
        assert path.stat().st_mode & 0o777 == 0o600
    folders.close()
