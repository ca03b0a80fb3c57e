"""What pyfs pushes, the real dolt clones, checks, logs, diffs."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio

from pyfs.config import MountConfig
from pyfs.remote import open_remote
from pyfs.repo.log import log_text
from pyfs.repo.repository import Repository
from pyfs.store.table_set import TableSet
from tests.support.dolt import Dolt
from tests.support.repositories import (
    ADA,
    built,
    expected,
    expected_rows,
    head_of,
    opened_url,
    save_text,
    saved_tables,
)

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(300)]

ALL_PRIMES = expected("primes", "main", "primes.csv")
FEW_PRIMES = b"".join(ALL_PRIMES.splitlines(keepends=True)[:8])
COLOURS = re.compile(r"\x1b\[\d*m")


def with_repository(
    url: str, cache_dir: Path, body: Callable[[Repository], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with opened_url(url, cache_dir) as repository:
            await body(repository)

    trio.run(main)


def test_dolt_takes_a_save_for_its_own(either_url: str, tmp_path: Path, dolt: Dolt) -> None:
    logs: list[str] = []

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", ALL_PRIMES, branch="feature/twin")
        await save_text(repository, "primes", FEW_PRIMES, message='two\nlines, "quoted", é')
        head = repository.branches["main"]
        logs.extend([log_text(commit) async for commit in repository.log(head)])

    with_repository(either_url, tmp_path / "cache", body)
    clone = dolt.clone(either_url, "clone")
    clone.check()
    assert clone.export("primes") == FEW_PRIMES
    assert COLOURS.sub("", clone.dolt("log", "--decorate=no")) == "".join(logs)
    changes = "select diff_type, count(*) from dolt_diff_primes where to_commit = hashof('HEAD')"
    assert clone.sql(f"{changes} group by diff_type") == [["removed", "29"]]
    clone.dolt("checkout", "feature/twin")
    (row,) = expected_rows("primes", "main", "primes.hash.json")
    assert clone.hash_of("primes") == row["h"]
    assert clone.sql("select dolt_hashof_db('HEAD')") == [
        [expected_rows("primes", "merged", "hashes.json")[0]["root"]]
    ]
    clone.check()


def test_dolt_reads_files_that_pyfs_folded(either_url: str, tmp_path: Path, dolt: Dolt) -> None:
    clone = dolt.clone(either_url, "before")

    async def body(repository: Repository) -> None:
        for number in range(20):
            row = b"%d,%d\n" % (number, number)
            await save_text(repository, "primes", b"i,val\n" + row)

    with_repository(either_url, tmp_path / "cache", body)
    clone.dolt("pull")
    for each in (clone, dolt.clone(either_url, "after")):
        each.check()
        assert each.export("primes") == b"i,val\n19,19\n"
    clone.sql("insert into primes values (20, 20)")
    clone.dolt("commit", "-am", "one more")
    clone.dolt("push", "origin", "main")

    async def read(repository: Repository) -> None:
        tables = await saved_tables(repository)
        assert tables["primes"] == b"i,val\n19,19\n20,20\n"

    with_repository(either_url, tmp_path / "cache", read)


BIG = b"""CREATE TABLE `big` (`n` int NOT NULL, `v` int, `w` varchar(40),
 PRIMARY KEY (`n`), KEY `v` (`v`))"""


def big_text(rows: int, changed: range) -> bytes:
    lines = (
        b"%d,%d,word %d\n" % (n, n * 7919 % 100_003 + (n in changed), n % 977) for n in range(rows)
    )
    return b"n,v,w\n" + b"".join(lines)


def test_dolt_reads_archives_that_pyfs_wrote(either_url: str, tmp_path: Path, dolt: Dolt) -> None:
    rows = 70_000
    texts = [big_text(rows, range(0)), big_text(rows, range(0, rows, 13))]
    clone = dolt.clone(either_url, "before")
    archives: list[str] = []

    async def body(repository: Repository) -> None:
        head = await head_of(repository)
        empty = await repository.edited_table(head.commit.address, "big", BIG)
        await repository.save("main", head.commit.address, {"big": empty}, None)
        for text in texts:
            before = set(files_of(repository))
            await save_text(repository, "big", text)
            archives.extend(f for f in set(files_of(repository)) - before if f.endswith(".darc"))

    with_repository(either_url, tmp_path / "cache", body)
    # One of all rows, one of those that changed: both have dictionaries.
    assert len(archives) == 2
    clone.dolt("pull")
    for each in (clone, dolt.clone(either_url, "after")):
        each.check()
        assert each.export("big") == texts[1]
        assert each.sql("select count(*) from big as of 'HEAD~1' where v = n * 7919 % 100003") == [
            [str(rows)]
        ]
    clone.dolt("gc")
    clone.check()
    clone.commit("update big set w = 'other' where n = 55555")
    clone.dolt("push", "origin", "main")
    line = re.search(rb"^55555,.*\n", texts[1], re.MULTILINE)
    assert line is not None
    theirs = texts[1].replace(line[0], line[0].rpartition(b",")[0] + b",other\n")
    assert theirs != texts[1]

    async def read(repository: Repository) -> None:
        assert (await saved_tables(repository))["big"] == theirs

    with_repository(either_url, tmp_path / "cache", read)


def files_of(repository: Repository) -> list[str]:
    """The names of the remote's files."""
    chunks = repository._set
    assert isinstance(chunks, TableSet)
    return [file.file for file in chunks._files.values()]


def test_a_clone_pulls_what_pyfs_saved_since(either_url: str, tmp_path: Path, dolt: Dolt) -> None:
    clone = dolt.clone(either_url, "clone")

    async def body(repository: Repository) -> None:
        await save_text(repository, "primes", FEW_PRIMES)
        await repository.create_branch("new/branch", repository.branches["main"])
        await repository.delete_branch("feature/twin")

    with_repository(either_url, tmp_path / "cache", body)
    clone.dolt("pull")
    assert clone.export("primes") == FEW_PRIMES
    clone.dolt("fetch", "--prune")
    branches = [name for (name,) in clone.sql("select name from dolt_remote_branches")]
    assert sorted(branches) == [
        "remotes/origin/main",
        "remotes/origin/merged",
        "remotes/origin/new/branch",
    ]
    clone.check()


def test_dolt_makes_the_same_commit_of_the_same_change(
    primes_url: str, tmp_path: Path, dolt: Dolt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, closure and all, hence the same address."""
    clone = dolt.clone(primes_url, "clone", "merged")
    clone.dolt("sql", "-q", "delete from primes where i > 7")
    clone.dolt("add", "-A")
    clone.dolt("commit", "-m", "few", "--date", "2025-03-04T05:06:07", "--author", str(ADA))
    assert clone.export("primes") == FEW_PRIMES
    then = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    monkeypatch.setattr("time.time_ns", lambda: int(then.timestamp()) * 10**9)

    async def body(repository: Repository) -> None:
        saved = await save_text(repository, "primes", FEW_PRIMES, branch="merged", message="few")
        assert str(saved.commit) == clone.head()

    with_repository(primes_url, tmp_path / "cache", body)


def test_many_saves_make_a_sound_history(primes_url: str, tmp_path: Path, dolt: Dolt) -> None:
    """Enough commits for closures of more than one leaf would take long; these have one."""
    lines = ALL_PRIMES.splitlines(keepends=True)

    async def body(repository: Repository) -> None:
        for count in range(2, 32):
            assert (await save_text(repository, "primes", b"".join(lines[:count]))).changed

    with_repository(primes_url, tmp_path / "cache", body)
    clone = dolt.clone(primes_url, "clone")
    clone.check()
    assert len(clone.sql("select * from dolt_log")) == 33
    assert clone.export("primes") == b"".join(lines[:31])


def test_drops_renames_and_several_tables(primes_url: str, tmp_path: Path, dolt: Dolt) -> None:
    async def body(repository: Repository) -> None:
        head = await head_of(repository, "merged")
        changes = {
            "twins": None,
            "pairs": head.tables["twins"],
            "primes": await built(head, "primes", FEW_PRIMES),
        }
        await repository.save("merged", head.commit.address, changes, None)

    with_repository(primes_url, tmp_path / "cache", body)
    clone = dolt.clone(primes_url, "clone", "merged")
    clone.check()
    assert clone.sql("show tables") == [["pairs"], ["primes"]]
    assert clone.export("pairs") == expected("primes", "merged", "twins.csv")


@pytest.mark.parametrize("kind", ["file", "aws"])
def test_dolt_fills_a_database_that_pyfs_began(
    kind: str, tmp_path: Path, dolt: Dolt, request: pytest.FixtureRequest
) -> None:
    url = (tmp_path / "new" / "remote").as_uri()
    if kind == "aws":
        servers = request.getfixturevalue("servers")
        patch = request.getfixturevalue("monkeypatch")
        for name, value in servers.environment().items():
            patch.setenv(name, value)
        dolt.environment.update(servers.environment())
        servers.make("begun-manifests", "begun")
        url = "aws://[begun-manifests:begun]/a/b"

    async def begin() -> None:
        async with open_remote(MountConfig(url=url)) as remote:
            await Repository.init(remote, ADA)

    trio.run(begin)
    clone = dolt.clone(url, "clone")
    clone.check()
    assert "Initialize data repository" in clone.dolt("log")
    clone.commit("create table t (a int primary key, b text)", "insert into t values (1, 'one')")
    clone.dolt("push", "origin", "main")

    async def body(repository: Repository) -> None:
        assert await saved_tables(repository) == {"t": b"a,b\n1,one\n"}
        assert (await save_text(repository, "t", b'a,b\n1,\n2,""\n')).changed

    with_repository(url, tmp_path / "cache", body)
    clone.dolt("pull")
    assert clone.sql("select a, b is null from t") == [["1", "true"], ["2", "false"]]
    clone.check()
