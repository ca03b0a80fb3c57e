"""`watched`: a remote whose failures are remembered."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from pyfs._core import Manifest
from pyfs.disk import LocalFile
from pyfs.errors import (
    AbsentRemoteError,
    AccessError,
    ConfigurationError,
    RemoteError,
)
from pyfs.store.chunks import ManifestStore, Remote, TableFiles, Tail
from pyfs.store.health import Health

T = TypeVar("T")

TROUBLES = (AbsentRemoteError, AccessError, ConfigurationError, RemoteError)
"""What makes the remote of no use, unlike a file that is not there."""


def watched(remote: Remote) -> Remote:
    """*remote*, whose answers and failures are noted in its `health`."""
    files = _WatchedFiles(remote.files, remote.health)
    return replace(
        remote, files=files, manifests=_WatchedManifests(remote.manifests, remote.health)
    )


async def _noting(health: Health, asked: Awaitable[T]) -> T:
    try:
        answer = await asked
    except TROUBLES as exc:
        health.failed(exc)
        raise
    health.answered()
    return answer


class _WatchedFiles:
    def __init__(self, files: TableFiles, health: Health) -> None:
        self._files = files
        self._health = health

    async def read_tail(self, name: str, length: int) -> Tail:
        return await _noting(self._health, self._files.read_tail(name, length))

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return await _noting(self._health, self._files.read(name, offset, length))

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        await _noting(self._health, self._files.create(name, data))


class _WatchedManifests:
    def __init__(self, manifests: ManifestStore, health: Health) -> None:
        self._manifests = manifests
        self._health = health

    async def read(self) -> Manifest:
        return await _noting(self._health, self._manifests.read())

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        return await _noting(self._health, self._manifests.swap(expected, wanted))
