"""Every table of every golden remote, read through a mount, is what dolt exports."""

from __future__ import annotations

import gzip
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.support.mounts import REMOTES, Mount

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import Endpoints

NAMES = ["flights", "history", "primes", "primes-tablefiles", "types"]


def expected(remote: str) -> dict[str, bytes]:
    """Dolt's exports, by branch and table: `feature/twin/primes`."""
    folder = REMOTES / f"{remote}.expected"
    texts = {}
    for path in folder.rglob("*.csv"):
        texts[str(path.relative_to(folder).with_suffix(""))] = path.read_bytes()
    for path in folder.rglob("*.csv.gz"):
        name = str(path.relative_to(folder)).removesuffix(".csv.gz")
        texts[name] = gzip.decompress(path.read_bytes())
    assert texts
    return texts


def check(mount: Mount, remote: str) -> None:
    texts = expected(remote)
    shown = {
        unquote(str(path.relative_to(mount.root).with_suffix("")))
        for path in mount.root.rglob("*.csv")
    }
    assert shown == set(texts)
    for name, text in texts.items():
        path = mount / f"{name}.csv"
        done = subprocess.run(["cat", str(path)], capture_output=True, check=True)
        assert done.stdout == text, name
        assert path.stat().st_size == len(text), name
        assert path.stat().st_blocks == -(-len(text) // 512), name


@pytest.mark.fuse
@pytest.mark.parametrize("remote", NAMES)
def test_in_a_directory(remote: str, mounts: Callable[..., Mount]) -> None:
    check(mounts(remote).mount(), remote)


@pytest.mark.fuse
@pytest.mark.parametrize("remote", NAMES)
def test_on_aws(
    remote: str,
    mounts: Callable[..., Mount],
    servers: Endpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in servers.environment().items():
        monkeypatch.setenv(variable, value)
    name = uuid.uuid4().hex
    servers.make(f"m-{name}", f"b-{name}")
    url = f"aws://[m-{name}:b-{name}]/team/{remote}"
    servers.upload(Path(REMOTES / remote), url)
    check(mounts(url=url).mount(), remote)


@pytest.mark.fuse
def test_the_first_line_costs_little(
    mounts: Callable[..., Mount], servers: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cold `head -1` of flights fetches under 2 MB of its 16 MB; opening reads nothing."""
    for variable, value in servers.environment().items():
        monkeypatch.setenv(variable, value)
    name = uuid.uuid4().hex
    servers.make(f"m-{name}", f"b-{name}")
    url = f"aws://[m-{name}:b-{name}]/flights"
    servers.upload(Path(REMOTES / "flights"), url)
    mount = mounts(url=url).mount()

    def fetched() -> int:
        status = (mount.root / ".pyfs" / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("file-read-bytes: "))
        return int(line.partition(": ")[2])

    with (mount / "main/flights.csv").open("rb"):
        pass
    opened = fetched()
    assert opened < 500_000, "the index and a few nodes"
    done = mount.sh("head -n 1 flights.csv")
    assert done.stdout.startswith("id,year,month")
    assert fetched() < 2_000_000
