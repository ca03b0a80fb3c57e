"""A mount and the real dolt on one remote."""

from pathlib import Path

import pytest

from tests.support.dolt import Dolt
from tests.support.mounts import Mount, wait_until
from tests.support.repositories import expected, expected_rows

pytestmark = [pytest.mark.dolt, pytest.mark.fuse, pytest.mark.timeout(300)]

ALL_PRIMES = expected("primes", "main", "primes.csv")
MISSING = b"".join(ALL_PRIMES.splitlines(keepends=True)[26:])
SEEN_WITHIN_S = 2.0


def test_appending_the_missing_primes_through_a_mount(
    either_url: str, tmp_path: Path, dolt: Dolt
) -> None:
    mount = Mount(either_url, tmp_path / "mount")
    mount.home.mkdir()
    try:
        mount.mount()
        (mount.home / "out").mkdir()
        (mount.home / "out" / "missing.csv").write_bytes(MISSING)
        done = mount.sh("cat $OUT/missing.csv >> primes.csv", branch="feature/twin")
        assert done.returncode == 0, done.stderr

        clone = dolt.clone(either_url, "clone", "feature/twin")
        clone.check()
        (row,) = expected_rows("primes", "main", "primes.hash.json")
        assert clone.hash_of("primes") == row["h"]
        (row,) = expected_rows("primes", "merged", "hashes.json")
        assert clone.sql("select dolt_hashof_db('HEAD')") == [[row["root"]]]
        assert "Update primes: +11 -0 ~0 rows" in clone.dolt("log", "-n", "1")

        clone.commit("insert into primes values (37, 157)")
        clone.dolt("push", "origin", "feature/twin")
        file = mount / "feature/twin" / "primes.csv"
        wait_until(
            lambda: file.read_bytes() == ALL_PRIMES + b"37,157\n",
            "what dolt pushed in the mount",
            SEEN_WITHIN_S,
        )
        assert file.stat().st_size == len(ALL_PRIMES) + 7
        assert mount.umount().returncode == 0
    finally:
        mount.close()


def test_a_branch_is_made_written_and_removed(primes_url: str, tmp_path: Path, dolt: Dolt) -> None:
    mount = Mount(primes_url, tmp_path / "mount")
    mount.home.mkdir()
    try:
        mount.mount()
        (mount / "trial").mkdir()
        done = mount.sh("sed -i '$d' primes.csv", branch="trial")
        assert done.returncode == 0, done.stderr
        clone = dolt.clone(primes_url, "clone", "trial")
        clone.check()
        assert clone.export("primes") == b"".join(ALL_PRIMES.splitlines(keepends=True)[:-1])
        (mount / "trial").rmdir()
        clone.dolt("fetch", "--prune")
        remote = "select name from dolt_remote_branches where name like '%trial'"
        assert clone.sql(remote) == []
        assert mount.umount().returncode == 0
    finally:
        mount.close()
