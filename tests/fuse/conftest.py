"""A mount for a test."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_proxy import AwsProxy
from tests.support.mounts import REMOTES, Mount, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.servers import Endpoints

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def _fuse() -> None:
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.fail("/dev/fuse cannot be opened: these tests mount through it (make setup)")


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Callable[..., Mount]]:
    """Makes mounts of a copy of a golden remote; all are ended with the test."""
    made: list[Mount] = []
    urls: dict[str, str] = {}

    def make(
        remote: str = "primes",
        *options: str,
        url: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> Mount:
        if url is None and remote not in urls:
            urls[remote] = copied(remote, tmp_path / remote)
        home = tmp_path / f"mount{len(made)}"
        home.mkdir()
        made.append(Mount(url or urls[remote], home, options, environment or {}))
        return made[-1]

    yield make
    for mount in made:
        mount.close()


@pytest.fixture
def primes(mounts: Callable[..., Mount]) -> Mount:
    """A mount of a copy of the golden `primes`."""
    return mounts("primes").mount()


@pytest.fixture
def proxy(servers: Endpoints) -> Iterator[AwsProxy]:
    """What stands between mounts and the servers of S3 and DynamoDB."""
    with AwsProxy(servers.s3, servers.dynamodb).running() as running:
        yield running


@pytest.fixture
def environment(servers: Endpoints, proxy: AwsProxy) -> dict[str, str]:
    """The settings by which a mount finds the proxy."""
    return {**servers.environment(), **proxy.environment()}


@pytest.fixture
def on_aws(
    servers: Endpoints, environment: dict[str, str], mounts: Callable[..., Mount]
) -> Callable[..., Mount]:
    """Makes a mount of a copy of a golden remote in S3 and DynamoDB, seen through the proxy."""

    def make(remote: str = "primes", *options: str) -> Mount:
        table, bucket = f"fuse-manifests-{next(_numbers)}", f"fuse-{next(_numbers)}"
        servers.make(table, bucket)
        url = f"aws://[{table}:{bucket}]/team/{remote}"
        servers.upload(REMOTES / remote, url)
        return mounts(remote, *options, url=url, environment=environment)

    return make
