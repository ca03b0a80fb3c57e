"""The folders on local disk."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfs.errors import DiskError, SpaceError
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


def _failing(number: int) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_kept_text_takes_no_room_and_stays_as_it_is(tmp_path: Path) -> None:
    folders = LocalFolders(tmp_path, URL)
    for change in ("write", "truncate", "shorten"):
        spool = folders.spool("main", "primes", ".csv")
        spool.write(0, b"p,i\nx,1\n")
        kept = folders.recover(spool.path, "main", "primes.csv")
        assert kept.stat().st_ino == spool.path.stat().st_ino
        match change:
            case "write":
                spool.write(4, b"2")
                assert spool.read(0, 100) == b"p,i\n2,1\n"
            case "truncate":
                spool.truncate(0)
                spool.write(0, b"p,i\n")
                assert spool.read(0, 100) == b"p,i\n"
            case _:
                spool.truncate(4)
                assert spool.read(0, 100) == b"p,i\n"
        assert kept.read_bytes() == b"p,i\nx,1\n"
        again = folders.recover(spool.path, "main", "primes.csv")
        assert again.read_bytes() == spool.read(0, 100)
        spool.remove()
    assert not list(tmp_path.rglob("spool/*/*"))
    folders.close()


def test_what_is_written_on_behind_a_kept_text_is_kept_too(tmp_path: Path) -> None:
    folders = LocalFolders(tmp_path, URL)
    spool = folders.spool("main", "primes", ".csv")
    spool.write(0, b"p,i\n")
    kept = folders.recover(spool.path, "main", "primes.csv")
    spool.write(4, b"x,1\n")
    spool.remove()
    folders.close()
    assert kept.read_bytes() == b"p,i\nx,1\n"


def test_a_text_that_was_kept_before_a_crash_is_not_kept_twice(tmp_path: Path) -> None:
    dead = LocalFolders(tmp_path, URL)
    spool = dead.spool("main", "primes", ".csv")
    spool.write(0, b"p,i\n")
    kept = dead.recover(spool.path, "main", "primes.csv")
    os.close(dead._lock)
    after = LocalFolders(tmp_path, URL)
    assert after.rescued == []
    assert list((tmp_path / "recovery").rglob("*.csv")) == [kept]
    after.close()


def test_where_files_have_one_name_a_copy_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = LocalFolders(tmp_path, URL)
    spool = folders.spool("main", "primes", ".csv")
    spool.write(0, b"p,i\n")
    monkeypatch.setattr(os, "link", _failing(errno.EXDEV))
    kept = folders.recover(spool.path, "main", "primes.csv")
    assert kept.stat().st_ino != spool.path.stat().st_ino
    assert kept.read_bytes() == b"p,i\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    folders.close()


def test_where_nothing_can_be_copied_the_text_stays_until_the_next_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = LocalFolders(tmp_path, URL)
    spool = folders.spool("main", "primes", ".csv")
    spool.write(0, b"p,i\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", _failing(errno.EXDEV))
        patch.setattr(os, "fsync", _failing(errno.ENOSPC))
        kept = folders.recover(spool.path, "main", "primes.csv")
        assert not [path for path in (tmp_path / "recovery").rglob("*") if path.is_file()]
        spool.truncate(0)
        spool.write(0, b"p,j\n")
        spool.remove()
        assert kept.read_bytes() == b"p,i\n"
        folders.close()
        assert kept.read_bytes() == b"p,i\n"
    after = LocalFolders(tmp_path, URL)
    (found,) = after.rescued
    assert found.read_bytes() == b"p,i\n"
    assert found.is_relative_to(tmp_path / "recovery")
    after.close()


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, SpaceError), (errno.EIO, DiskError)])
def test_what_the_disk_says_names_the_folder_and_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    folders = LocalFolders(tmp_path, URL)
    spool = folders.spool("main", "primes", ".csv")
    monkeypatch.setattr(os, "pwrite", _failing(number))
    with pytest.raises(error) as caught:
        spool.write(0, b"p,i\n")
    told = str(caught.value)
    assert str(tmp_path) in told
    assert os.strerror(number) in told
    assert "-o state-dir=" in told
    folders.close()


def test_what_is_kept_of_scratch_is_for_its_owner_only(tmp_path: Path) -> None:
    folders = LocalFolders(tmp_path, URL)
    scratch = folders.scratch()
    scratch.write_text("CREATE TABLE")
    scratch.chmod(0o644)
    kept = folders.recover(scratch, "main", "schema/t.sql")
    assert kept.stat().st_mode & 0o777 == 0o600
    folders.close()
    assert kept.read_text() == "CREATE TABLE"
