"""`open_remote`: the remote that a URL names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from pyfs.config import MountConfig
from pyfs.remote.directory import directory_remote
from pyfs.remote.url import AwsUrl, DirectoryUrl, parse_url
from pyfs.store.chunks import Remote
from pyfs.store.watched import watched


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
    from pyfs.remote.clients import make_clients
    from pyfs.remote.dynamodb import DynamoDBManifests
    from pyfs.remote.s3 import S3Files
    from pyfs.store.counts import RequestCounts

    clients = make_clients(config)
    counts = RequestCounts()
    files = S3Files(clients.s3, url, config, counts)
    return Remote(str(url), files, DynamoDBManifests(clients.dynamodb, url, counts), counts=counts)
