"""The manifest in DynamoDB: read, and swap if unchanged."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import trio
from botocore.exceptions import BotoCoreError, ClientError

from pyfs._core import Manifest
from pyfs.errors import CorruptionError, PyfsError, RemoteError
from pyfs.remote.aws_errors import error_code, translate
from pyfs.remote.url import AwsUrl
from pyfs.store.counts import RequestCounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

ITEM_VERSION: Final = "4"
REPLACE: Final = "(lck = :prev) and (vers = :vers)"
CREATE: Final = f"attribute_not_exists(lck) or {REPLACE}"


class DynamoDBManifests:
    """The manifest of one database, an item whose key is its path."""

    def __init__(self, client: "DynamoDBClient", url: AwsUrl, counts: RequestCounts) -> None:
        self._client = client
        self._url = url
        self._counts = counts
        # Few and small: never behind the reads of data.
        self._limiter = trio.CapacityLimiter(4)

    async def read(self) -> Manifest:
        return await trio.to_thread.run_sync(self._read, limiter=self._limiter)

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        return await trio.to_thread.run_sync(self._swap, expected, wanted, limiter=self._limiter)

    def _doing(self, action: str) -> str:
        return f"dynamodb:{action} of {self._url.path!r} in table {self._url.table}"

    def _read(self) -> Manifest:
        self._counts.manifest_reads += 1
        try:
            answer = self._client.get_item(
                TableName=self._url.table,
                Key={"db": {"S": self._url.path}},
                ConsistentRead=True,
            )
        except (ClientError, BotoCoreError) as exc:
            raise translate(exc, self._doing("GetItem")) from exc
        item = answer.get("Item")
        return Manifest.EMPTY if item is None else self._parse(item)

    def _parse(self, item: Mapping[str, Any]) -> Manifest:
        # Eight attributes and more are refused by dolt, so nobody writes them.
        try:
            return Manifest.from_item(
                nbs_version=item["nbsVers"]["S"],
                nbf_version=item["vers"]["S"],
                root=bytes(item["root"]["B"]),
                lock=bytes(item["lck"]["B"]),
                specs=item["specs"]["S"] if "specs" in item else "",
                appendix=item["appendix"]["S"] if "appendix" in item else "",
            )
        except KeyError as exc:
            raise CorruptionError(
                f"the manifest {self._url.path!r} in table {self._url.table} lacks attribute {exc}"
            ) from exc

    def _swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
        self._counts.manifest_writes += 1
        item: dict[str, Any] = {
            "db": {"S": self._url.path},
            "nbsVers": {"S": ITEM_VERSION},
            "vers": {"S": wanted.nbf_version},
            "root": {"B": bytes(wanted.root)},
            "lck": {"B": bytes(wanted.lock)},
        }
        if wanted.specs:
            item["specs"] = {"S": wanted.specs_text}
        if wanted.appendix:
            item["appendix"] = {"S": wanted.appendix_text}
        try:
            self._client.put_item(
                TableName=self._url.table,
                Item=item,
                ConditionExpression=REPLACE if expected.lock else CREATE,
                ExpressionAttributeValues={
                    ":prev": {"B": bytes(expected.lock)},
                    ":vers": {"S": wanted.nbf_version},
                },
            )
        except ClientError as exc:
            if error_code(exc) == "ConditionalCheckFailedException":
                return self._read()
            return self._look(wanted, translate(exc, self._doing("PutItem")), exc)
        except BotoCoreError as exc:
            return self._look(wanted, translate(exc, self._doing("PutItem")), exc)
        return wanted

    def _look(self, wanted: Manifest, failure: PyfsError, cause: Exception) -> Manifest:
        """What a write without an answer came to, if it can be found out."""
        if isinstance(failure, RemoteError):
            log.warning("%s; looking whether it was carried out", failure)
            stored = self._read()
            if stored.lock == wanted.lock:
                return stored
        raise failure from cause
