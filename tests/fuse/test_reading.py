"""Every table of every golden remote, through the kernel, on every kind of remote."""

from __future__ import annotations

import gzip
import itertools
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import REMOTES, Mount, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.servers import Endpoints

pytestmark = pytest.mark.fuse

_serial = itertools.count(1)


@pytest.fixture(params=["file", "aws"])
def mounted(request: pytest.FixtureRequest, mounts: Callable[..., Mount]) -> Callable[..., Mount]:
    """Mounts a golden remote, from a directory or from S3 and DynamoDB."""
    if request.param == "file":
        return lambda remote, *options: mounts(remote, *options).mount()
    servers: Endpoints = request.getfixturevalue("servers")
    table, bucket = f"manifests{next(_serial)}", f"bucket{next(_serial)}"
    servers.make(table, bucket)
    uploaded: set[str] = set()

    def mount(remote: str, *options: str) -> Mount:
        url = f"aws://[{table}:{bucket}]/some/{remote}"
        if remote not in uploaded:
            servers.upload(REMOTES / remote, url)
            uploaded.add(remote)
        return mounts(remote, *options, url=url, environment=servers.environment()).mount()

    return mount


def _expected(remote: str) -> dict[str, bytes]:
    """What dolt exports, by path in the mount."""
    root = REMOTES / f"{remote}.expected"
    plain = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.csv")}
    packed = {
        path.relative_to(root).with_suffix(""): gzip.decompress(path.read_bytes())
        for path in root.rglob("*.csv.gz")
    }
    return {str(path): text for path, text in (plain | packed).items()}


@pytest.mark.parametrize("remote", ["primes", "primes-tablefiles", "types", "history", "flights"])
def test_every_file_is_dolts_export(mounted: Callable[..., Mount], remote: str) -> None:
    mount = mounted(remote)
    expected = _expected(remote)
    found = {
        os.path.relpath(os.path.join(folder, name), mount.root)
        for folder, _, names in os.walk(mount.root)
        for name in names
    }
    assert found == set(expected)
    for path, text in expected.items():
        # By cat, as Python would ask for the size first.
        assert subprocess.run(["cat", mount / path], capture_output=True, check=True).stdout == text
        assert os.stat(mount / path).st_size == len(text)


def test_the_size_of_an_open_file_is_exact(mounted: Callable[..., Mount]) -> None:
    text = _expected("flights")["main/flights.csv"]
    mount = mounted("flights")
    path = mount / "main/flights.csv"
    assert os.stat(path).st_size > len(text)
    with path.open("rb") as file:
        assert os.fstat(file.fileno()).st_size == len(text)
        assert file.read() == text
    assert os.stat(path).st_size == len(text)


def test_any_part_can_be_read_in_any_order(mounted: Callable[..., Mount]) -> None:
    text = _expected("flights")["main/flights.csv"]
    mount = mounted("flights")
    with (mount / "main/flights.csv").open("rb", buffering=0) as file:
        for at in (len(text) - 100, 0, len(text) // 2, 5, len(text) // 3, len(text), len(text) + 9):
            assert os.pread(file.fileno(), 100, at) == text[at : at + 100]


def test_a_save_over_each_kind_of_remote(mounted: Callable[..., Mount]) -> None:
    mount = mounted("primes")
    old = _expected("primes")["main/primes.csv"]
    before = mount.log()
    done = mount.sh("echo 37,157 >> primes.csv")
    assert done.returncode == 0, done.stderr
    assert mount.log() == ["Update primes: +1 -0 ~0 rows", *before]
    other = mounted("primes")
    assert (other / "main/primes.csv").read_bytes() == old + b"37,157\n"
    os.mkdir(other / "b")
    wait_until(lambda: (mount / "b").is_dir(), "the new branch", 3)
    assert (mount / "b/primes.csv").read_bytes() == old + b"37,157\n"
    os.rmdir(mount / "b")
    assert mount.umount().returncode == 0


def test_the_log_of_a_branch(mounted: Callable[..., Mount]) -> None:
    mount = mounted("primes")
    assert (
        (mount / "merged/.pyfs/log")
        .read_text()
        .startswith("commit jjqiuc92a6o6tcafsigvb2kr70oi3ctp")
    )
    assert (mount / "merged/.pyfs/log.jsonl").read_text().count("\n") == 5


def test_aws_settings_that_cannot_work_are_one_clear_line(
    mounts: Callable[..., Mount], servers: Endpoints, tmp_path: Path
) -> None:
    table, bucket = f"manifests{next(_serial)}", f"bucket{next(_serial)}"
    servers.make(table, bucket)
    right = servers.environment()
    nobody = {
        name: value for name, value in right.items() if not name.startswith(("AWS_ACC", "AWS_SEC"))
    } | {"HOME": str(tmp_path), "AWS_CONFIG_FILE": "/dev/null"}
    dead = {**right, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    dead["AWS_ENDPOINT_URL_DYNAMODB"] = dead["AWS_ENDPOINT_URL_S3"]
    for url, environment, parts in (
        (f"aws://[{table}:{bucket}]/primes", nobody, ["credentials"]),
        (f"aws://[nowhere:{bucket}]/primes", right, ["nowhere"]),
        (f"aws://[{table}:{bucket}]/primes", right, ["pyfs init"]),
        (f"aws://[{table}:{bucket}]/primes", dead, ["127.0.0.1:9"]),
    ):
        done = mounts(url=url, environment=environment).try_mount()
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1, done.stderr
        for part in parts:
            assert part in done.stderr


def test_the_first_line_costs_little(mounts: Callable[..., Mount], servers: Endpoints) -> None:
    """A cold `head -1` of flights fetches under 2 MB of its 16 MB; opening a file reads nothing."""
    table, bucket = f"manifests{next(_serial)}", f"bucket{next(_serial)}"
    servers.make(table, bucket)
    url = f"aws://[{table}:{bucket}]/flights"
    servers.upload(REMOTES / "flights", url)
    mount = mounts(url=url, environment=servers.environment()).mount()

    def fetched() -> int:
        status = (mount.root / ".pyfs" / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("file-read-bytes: "))
        return int(line.partition(": ")[2])

    assert os.listdir(mount / "main") == ["flights.csv"]
    listed = fetched()
    # Not by Python's open, which asks for the size.
    os.close(os.open(mount / "main/flights.csv", os.O_RDONLY))
    assert fetched() == listed
    done = mount.sh("head -n 1 flights.csv")
    assert done.stdout.startswith("id,year,month")
    assert fetched() < 2_000_000
