"""One suite for every kind of remote: what `pyfs.store.chunks` promises of it."""

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from pyfs._core import Address, AddressMapScan, Manifest, StorageWriter
from pyfs.config import MountConfig
from pyfs.errors import (
    AlreadyExistsError,
    ConfigurationError,
    CorruptionError,
    NotFoundError,
    RemoteError,
)
from pyfs.remote import open_remote
from pyfs.store.chunks import Remote
from pyfs.store.table_set import TableSet
from pyfs.store.traversal import drive
from tests.support.servers import Endpoints

PRIMES = Path(__file__).parents[1] / "golden" / "remotes" / "primes"


@pytest.fixture(params=["directory", "aws"])
def config(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MountConfig:
    """A remote without data."""
    if request.param == "directory":
        url = f"file://{tmp_path}/remote"
    else:
        endpoints: Endpoints = request.getfixturevalue("servers")
        for name, value in endpoints.environment().items():
            monkeypatch.setenv(name, value)
        name = uuid.uuid4().hex
        endpoints.make(f"manifests-{name}", f"bucket-{name}")
        url = f"aws://[manifests-{name}:bucket-{name}]/team/primes"
    return MountConfig(url=url, cache_dir=tmp_path / "cache", first_timeout_s=2.0)


@pytest.fixture
def primes(config: MountConfig, request: pytest.FixtureRequest, tmp_path: Path) -> MountConfig:
    """A remote that holds the primes."""
    if config.url.startswith("file:"):
        shutil.copytree(PRIMES, tmp_path / "remote")
    else:
        request.getfixturevalue("servers").upload(PRIMES, config.url)
    return config


def run(config: MountConfig, body: Callable[[Remote], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_remote(config) as remote:
            await body(remote)

    trio.run(main)


def test_what_does_not_exist_is_told_apart(config: MountConfig) -> None:
    async def body(remote: Remote) -> None:
        assert await remote.manifests.read() == Manifest.EMPTY
        with pytest.raises(NotFoundError):
            await remote.files.read_tail("0" * 32, 10)

    run(config, body)


def test_a_file_is_created_once(config: MountConfig) -> None:
    name = "1" * 32

    async def body(remote: Remote) -> None:
        await remote.files.create(name, b"0123456789")
        await remote.files.create(name, b"0123456789")
        with pytest.raises(AlreadyExistsError, match="holds other bytes"):
            await remote.files.create(name, b"other")
        tail = await remote.files.read_tail(name, 4)
        assert (tail.data, tail.file_len) == (b"6789", 10)
        tail = await remote.files.read_tail(name, 400)
        assert (tail.data, tail.file_len) == (b"0123456789", 10)
        assert await remote.files.read(name, 2, 3) == b"234"
        with pytest.raises(RemoteError):
            await remote.files.read(name, 8, 5)

    run(config, body)


def test_one_of_two_swaps_wins(config: MountConfig) -> None:
    async def body(remote: Remote) -> None:
        ours = Manifest.EMPTY.succeed(Address.of(b"ours"), [])
        theirs = Manifest.EMPTY.succeed(Address.of(b"theirs"), [])
        assert await remote.manifests.swap(Manifest.EMPTY, ours) == ours
        assert await remote.manifests.swap(Manifest.EMPTY, theirs) == ours
        assert await remote.manifests.read() == ours
        next_one = ours.succeed(Address.of(b"next"), [])
        assert await remote.manifests.swap(ours, next_one) == next_one
        # The same swap again, as after a lost answer: what is stored is what was wanted.
        assert await remote.manifests.swap(ours, next_one) == next_one

    run(config, body)


def test_a_manifest_keeps_what_it_names(config: MountConfig) -> None:
    async def body(remote: Remote) -> None:
        writer = StorageWriter()
        source = MountConfig(url=f"file://{PRIMES}")
        async with open_remote(source) as golden:
            chunks = TableSet(golden, source)
            manifest = await golden.manifests.read()
            await chunks.update(manifest)
            writer.add(await chunks.get_many([manifest.root]))
        file = writer.finish()
        assert file is not None
        await remote.files.create(file.file, file.data)
        wanted = Manifest.EMPTY.succeed(manifest.root, [(file.name, file.chunk_count)])
        assert await remote.manifests.swap(Manifest.EMPTY, wanted) == wanted
        stored = await remote.manifests.read()
        assert stored == wanted
        assert stored.specs == [(file.name, 1)]

    run(config, body)


@asynccontextmanager
async def opened(config: MountConfig) -> AsyncIterator[tuple[Remote, TableSet, Manifest]]:
    async with open_remote(config) as remote:
        chunks = TableSet(remote, config)
        manifest = await remote.manifests.read()
        await chunks.update(manifest)
        yield remote, chunks, manifest
        await chunks.aclose()


def test_chunks_are_read_and_verified(primes: MountConfig) -> None:
    async def main() -> None:
        async with opened(primes) as (remote, chunks, manifest):
            [root] = await chunks.get_many([manifest.root])
            datasets = await drive(AddressMapScan.datasets(root), chunks)
            assert {"refs/heads/main", "refs/heads/feature/twin"} <= set(datasets)
            heads = list(datasets.values())
            assert chunks.contains([*heads, Address.of(b"nowhere")]) == [True] * len(heads) + [
                False
            ]
            assert [chunk.address for chunk in await chunks.get_many(heads)] == heads
            with pytest.raises(CorruptionError, match="in none of the"):
                await chunks.get_many([Address.of(b"nowhere")])
            reads = remote.counts.file_reads
            await chunks.get_many([*heads, manifest.root, *heads])
            assert remote.counts.file_reads == reads, "what was read is not read again"

    trio.run(main)


def test_what_many_want_is_fetched_once(primes: MountConfig) -> None:
    # Files as small as these are otherwise read whole when they are opened.
    config = replace(primes, read_length_bytes_min=0)

    async def main() -> None:
        async with opened(config) as (remote, chunks, manifest):
            before = remote.counts.file_reads
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(chunks.get_many, [manifest.root])
            assert remote.counts.file_reads == before + 1

    trio.run(main)


def test_a_second_mount_reads_from_the_disk(primes: MountConfig) -> None:
    if primes.url.startswith("file:"):
        return  # its files are on this disk already

    async def read() -> int:
        async with opened(primes) as (remote, chunks, manifest):
            await chunks.get_many([manifest.root])
            return remote.counts.file_reads

    assert trio.run(read) > 0
    assert trio.run(read) == 0
    for file in primes.cache_dir.rglob("*-*"):
        file.write_bytes(os.urandom(file.stat().st_size))
    for file in primes.cache_dir.rglob("tail"):
        file.write_bytes(os.urandom(5000))
    assert trio.run(read) > 0, "a damaged cache costs time, not data"


def test_a_file_that_is_gone_is_told(primes: MountConfig, tmp_path: Path) -> None:
    if not primes.url.startswith("file:"):
        return  # nothing deletes files there
    next((tmp_path / "remote").glob("*.darc")).unlink()

    async def main() -> None:
        async with open_remote(primes) as remote:
            with pytest.raises(NotFoundError, match="its manifest names it"):
                await TableSet(remote, primes).update(await remote.manifests.read())

    trio.run(main)


def test_a_server_that_is_gone_is_an_error_in_time(
    servers: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in servers.environment().items():
        monkeypatch.setenv(name, value)
    config = MountConfig(url="aws://[t:b]/p", endpoint="http://127.0.0.1:9", timeout_s=0.5)

    async def body(remote: Remote) -> None:
        with pytest.raises(RemoteError, match=r"dynamodb:GetItem of 'p' in table t.* times in"):
            await remote.manifests.read()

    run(config, body)


def test_absent_tables_and_buckets_are_named(
    servers: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in servers.environment().items():
        monkeypatch.setenv(name, value)

    async def body(remote: Remote) -> None:
        assert remote.patience.timeout_s == 10, "until it is known to be the right one"
        with pytest.raises(NotFoundError, match="no such DynamoDB table"):
            await remote.manifests.read()
        with pytest.raises(NotFoundError, match="no such bucket"):
            await remote.files.read("0" * 32, 0, 1)

    run(MountConfig(url="aws://[absent:absent-bucket]/p"), body)


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    async def no_credentials(remote: Remote) -> None:
        with pytest.raises(ConfigurationError, match="no AWS credentials were found"):
            await remote.manifests.read()

    run(MountConfig(url="aws://[t:b]/p", region="eu-west-1"), no_credentials)

    async def nothing(_: Remote) -> None:
        raise AssertionError("it does not open")

    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        run(MountConfig(url="aws://[t:b]/p"), nothing)
    with pytest.raises(ConfigurationError, match="list-profiles"):
        run(MountConfig(url="aws://[t:b]/p", profile="nobody"), nothing)
