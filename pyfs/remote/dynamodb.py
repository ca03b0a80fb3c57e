"""The manifest in DynamoDB: read, and swap if unchanged."""

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import trio
from botocore.exceptions import ClientError

from pyfs._core import Manifest
from pyfs.errors import CorruptionError, PyfsError, RemoteError
from pyfs.remote.attempts import Attempts
from pyfs.remote.aws_errors import error_code
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

    def __init__(
        self, client: "DynamoDBClient", url: AwsUrl, attempts: Attempts, counts: RequestCounts
    ) -> None:
        self._client = client
        self._url = url
        self._attempts = attempts
        self._counts = counts

    async def read(self, until: float = math.inf) -> Manifest:
        """The manifest; *until* as in `Attempts.run`."""
        self._counts.manifest_reads += 1

        def read() -> Mapping[str, Any]:
            return self._client.get_item(
                TableName=self._url.table,
                Key={"db": {"S": self._url.path}},
                ConsistentRead=True,
            )

        answer = await self._attempts.run(self._doing("GetItem"), read, until=until)
        item = answer.get("Item")
        return Manifest.EMPTY if item is None else self._parse(item)

    def _doing(self, action: str) -> str:
        return f"dynamodb:{action} of {self._url.path!r} in table {self._url.table}"

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

    async def swap(self, expected: Manifest, wanted: Manifest) -> Manifest:
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
        sent = 0

        def write() -> bool:
            """Whether it was carried out: not refused since the manifest is another by now."""
            nonlocal sent
            sent += 1
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
                if error_code(exc) != "ConditionalCheckFailedException":
                    raise
                return False
            return True

        # What is read afterwards shares the time of the write.
        until = trio.current_time() + self._attempts.timeout_s
        try:
            if await self._attempts.run(self._doing("PutItem"), write, until=until):
                return wanted
        except PyfsError as exc:
            if not isinstance(exc, RemoteError) and sent == 1:
                raise
            return await self._look(wanted, exc, until)
        # It may be our own: the answer to the attempt before was lost.
        return await self.read(until)

    async def _look(self, wanted: Manifest, failure: PyfsError, until: float) -> Manifest:
        """What a write without an answer came to, if it can be found out."""
        log.warning("%s; looking whether it was carried out", failure)
        try:
            stored = await self.read(until)
        except PyfsError as exc:
            raise failure from exc
        if stored.lock == wanted.lock:
            return stored
        raise failure
