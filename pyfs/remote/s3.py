"""Storage files in S3."""

import random
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Final, TypeVar, cast

import trio
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from pyfs.config import MountConfig
from pyfs.disk import LocalFile, Window
from pyfs.errors import AlreadyExistsError, NotFoundError, RemoteError
from pyfs.remote.aws_errors import error_code, translate
from pyfs.remote.url import AwsUrl
from pyfs.store.chunks import Tail
from pyfs.store.counts import RequestCounts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

T = TypeVar("T")

TORN: Final = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""How the body of an answer breaks off. boto3 repeats requests, not their bodies."""
BACKOFF_S: Final = 0.1
BACKOFF_MAX_S: Final = 5.0
PART_BYTES: Final = 64 * 1024 * 1024
"""Files beyond this go up in parts."""
NOT_REPLACED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class S3Files:
    """Storage files below `s3://bucket/path/`."""

    def __init__(
        self, client: "S3Client", url: AwsUrl, config: MountConfig, counts: RequestCounts
    ) -> None:
        self._client = client
        self._url = url
        self._attempts_max = config.attempts_max
        self._counts = counts
        self._limiter = trio.CapacityLimiter(config.requests_max)

    async def read_tail(self, name: str, length: int) -> Tail:
        return await self._run(lambda: self._read_tail(name, length))

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return await self._run(lambda: self._read(name, offset, length))

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        await self._run(lambda: self._create(name, data))

    async def _run(self, fn: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(fn, limiter=self._limiter)

    def _key(self, name: str) -> str:
        return f"{self._url.path}/{name}"

    def _read_tail(self, name: str, length: int) -> Tail:
        def read() -> Tail:
            answer = self._get(name, f"bytes=-{length}")
            data = answer["Body"].read()
            # "bytes 100-199/200"; without it the answer is the whole object.
            total = answer.get("ContentRange", "").rpartition("/")[2]
            file_len = int(total) if total.isdecimal() else len(data)
            self._count_read(len(data))
            return Tail(data[-length:], file_len)

        return self._attempt(f"s3:GetObject of s3://{self._url.bucket}/{self._key(name)}", read)

    def _read(self, name: str, offset: int, length: int) -> bytes:
        doing = f"s3:GetObject of s3://{self._url.bucket}/{self._key(name)}"

        def read() -> bytes:
            answer = self._get(name, f"bytes={offset}-{offset + length - 1}")
            data = answer["Body"].read()
            self._count_read(len(data))
            if len(data) != length:
                raise RemoteError(
                    f"{doing}: {len(data)} bytes came for the {length} at {offset}: it is cut off"
                )
            return data

        return self._attempt(doing, read)

    def _get(self, name: str, span: str) -> "GetObjectOutputTypeDef":
        return self._client.get_object(Bucket=self._url.bucket, Key=self._key(name), Range=span)

    def _count_read(self, length: int) -> None:
        self._counts.file_reads += 1
        self._counts.file_read_bytes += length

    def _create(self, name: str, data: bytes | LocalFile) -> None:
        doing = f"s3:PutObject of s3://{self._url.bucket}/{self._key(name)}"
        if len(data) > PART_BYTES:
            self._attempt(doing, lambda: self._create_in_parts(name, data))
        else:
            self._attempt(doing, lambda: self._put(name, data))

    def _put(self, name: str, data: bytes | LocalFile) -> None:
        try:
            self._client.put_object(
                Bucket=self._url.bucket, Key=self._key(name), Body=_body(data), IfNoneMatch="*"
            )
        except ClientError as exc:
            if error_code(exc) not in NOT_REPLACED:
                raise
            self._compare(name, data)
        self._counts.file_writes += 1
        self._counts.file_written_bytes += len(data)

    def _create_in_parts(self, name: str, data: bytes | LocalFile) -> None:
        bucket, key = self._url.bucket, self._key(name)
        upload = self._client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        try:
            parts = []
            for number, start in enumerate(range(0, len(data), PART_BYTES), start=1):
                part = self._client.upload_part(
                    Bucket=bucket,
                    Key=key,
                    UploadId=upload,
                    PartNumber=number,
                    Body=_body(data, start, start + PART_BYTES),
                )
                parts.append({"ETag": part["ETag"], "PartNumber": number})
            self._client.complete_multipart_upload(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
                IfNoneMatch="*",
            )
        except (ClientError, BotoCoreError) as exc:
            self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            if not isinstance(exc, ClientError) or error_code(exc) not in NOT_REPLACED:
                raise
            self._compare(name, data)
        self._counts.file_writes += 1
        self._counts.file_written_bytes += len(data)

    def _compare(self, name: str, data: bytes | LocalFile) -> None:
        """Raises unless the file that is there already holds *data*.

        It may be our own: the answer to a request that was carried out can be lost, and its
        repetition is then refused.
        """
        stored = self._client.get_object(Bucket=self._url.bucket, Key=self._key(name))
        pieces = [data] if isinstance(data, bytes) else data.pieces()
        body = stored["Body"]
        if not all(body.read(len(piece)) == piece for piece in pieces) or body.read(1):
            raise AlreadyExistsError(f"s3://{self._url.bucket}/{self._key(name)} holds other bytes")

    def _attempt(self, doing: str, fn: Callable[[], T]) -> T:
        for attempt in range(1, self._attempts_max + 1):
            try:
                return fn()
            except TORN as exc:
                if attempt == self._attempts_max:
                    raise translate(exc, doing) from exc
                time.sleep(random.uniform(0, min(BACKOFF_MAX_S, BACKOFF_S * 2**attempt)))
            except (ClientError, BotoCoreError) as exc:
                error = translate(exc, doing)
                if isinstance(error, NotFoundError):
                    raise error from None
                raise error from exc
        raise AssertionError("attempts_max is at least 1")


def _body(data: bytes | LocalFile, start: int = 0, stop: int | None = None) -> "bytes | IO[bytes]":
    """A part of *data*, as boto3 takes it."""
    stop = len(data) if stop is None else min(stop, len(data))
    if isinstance(data, bytes):
        return data[start:stop]
    return cast("IO[bytes]", Window(data, start, stop))
