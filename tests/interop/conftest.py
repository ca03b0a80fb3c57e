"""Remotes that pyfs and the real dolt share."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.support.dolt import Dolt
from tests.support.mounts import copied
from tests.support.repositories import REMOTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Endpoints

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _needs_dolt() -> None:
    if not Dolt.found():
        pytest.skip("the real dolt is not on PATH (https://github.com/dolthub/dolt)")


@pytest.fixture
def dolt(tmp_path: Path) -> Dolt:
    """A user of dolt with no clones yet."""
    return Dolt.at(tmp_path / "dolt")


@pytest.fixture
def primes_url(tmp_path: Path) -> str:
    """A copy of the golden `primes` in a directory."""
    return copied("primes", tmp_path)


@pytest.fixture(params=["file", "aws"])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of the golden `primes`, once in a directory, once in S3 and DynamoDB."""
    if request.param == "file":
        yield copied("primes", tmp_path)
        return
    servers: Endpoints = request.getfixturevalue("servers")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in servers.environment().items():
            patch.setenv(name, value)
        number = next(_numbers)
        table, bucket = f"interop-manifests-{number}", f"interop-{number}"
        servers.make(table, bucket)
        url = f"aws://[{table}:{bucket}]/primes"
        servers.upload(REMOTES / "primes", url)
        yield url
