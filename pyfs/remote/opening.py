"""`open_remote`: the remote that a URL names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from pyfs.config import MountConfig
from pyfs.remote.directory import directory_remote
from pyfs.remote.url import AwsUrl, DirectoryUrl, parse_url
from pyfs.store.chunks import Remote
from pyfs.store.watched import watched

MANIFEST_REQUESTS_MAX: Final = 4


@asynccontextmanager
async def open_remote(config: MountConfig) -> AsyncIterator[Remote]:
    """The remote of *config*, for as long as the block lasts. Makes no request."""
    match parse_url(config.url):
        case DirectoryUrl() as url:
            yield watched(directory_remote(url.directory, str(url)))
        case AwsUrl() as url:
            remote = await trio.to_thread.run_sync(_aws_remote, url, config)
            yield watched(remote)


def _aws_remote(url: AwsUrl, config: MountConfig) -> Remote:
    # boto3 takes a good part of a second to import: remotes in directories do without.
    from pyfs.remote.attempts import Attempts
    from pyfs.remote.clients import make_clients, silence_max_s
    from pyfs.remote.dynamodb import DynamoDBManifests
    from pyfs.remote.s3 import S3Files
    from pyfs.store.counts import RequestCounts
    from pyfs.store.health import Health, Patience

    clients = make_clients(config)
    counts, health = RequestCounts(), Health()
    patience = Patience(min(config.first_timeout_s, config.timeout_s))
    longest = silence_max_s(config)
    files = Attempts(config.requests_max, patience, health, longest)
    # Few and small: never behind the reads of data.
    manifests = Attempts(MANIFEST_REQUESTS_MAX, patience, health, longest)
    return Remote(
        str(url),
        S3Files(clients.s3, url, files, counts),
        DynamoDBManifests(clients.dynamodb, url, manifests, counts),
        counts=counts,
        health=health,
        patience=patience,
    )
