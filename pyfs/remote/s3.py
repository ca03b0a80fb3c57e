"""Storage files in S3."""

import logging
from functools import partial
from typing import IO, TYPE_CHECKING, Final, cast

import trio
from botocore.exceptions import ClientError

from pyfs.disk import LocalFile, Window
from pyfs.errors import AlreadyExistsError, PyfsError, RemoteError
from pyfs.remote.attempts import Attempts
from pyfs.remote.aws_errors import ABSENT, error_code
from pyfs.remote.url import AwsUrl
from pyfs.store.chunks import Tail
from pyfs.store.counts import RequestCounts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef

log = logging.getLogger(__name__)

PART_BYTES: Final = 64 * 1024 * 1024
"""Files beyond this go up in parts."""
NOT_REPLACED: Final = frozenset(
    {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload", "412", "409"}
)
"""What S3 answers to a write whose file may be there already."""


class S3Files:
    """Storage files below `s3://bucket/path/`."""

    def __init__(
        self, client: "S3Client", url: AwsUrl, attempts: Attempts, counts: RequestCounts
    ) -> None:
        self._client = client
        self._url = url
        self._attempts = attempts
        self._counts = counts

    async def read_tail(self, name: str, length: int) -> Tail:
        def read() -> Tail:
            answer = self._get(name, f"bytes=-{length}")
            data = answer["Body"].read()
            # "bytes 100-199/200"; without it the answer is the whole object.
            total = answer.get("ContentRange", "").rpartition("/")[2]
            file_len = int(total) if total.isdecimal() else len(data)
            return Tail(data[-length:], file_len)

        tail = await self._attempts.run(self._doing("GetObject", name), read)
        self._count_read(len(tail.data))
        return tail

    async def read(self, name: str, offset: int, length: int) -> bytes:
        doing = self._doing("GetObject", name)

        def read() -> bytes:
            return self._get(name, f"bytes={offset}-{offset + length - 1}")["Body"].read()

        data = await self._attempts.run(doing, read)
        self._count_read(len(data))
        if len(data) != length:
            raise RemoteError(
                f"{doing}: {len(data)} bytes came for the {length} at {offset}: "
                "it is cut off, or the endpoint does not know ranges"
            )
        return data

    async def create(self, name: str, data: bytes | LocalFile) -> None:
        if len(data) > PART_BYTES:
            await self._create_in_parts(name, data)
        else:
            doing = self._doing("PutObject", name)
            await self._attempts.run(doing, partial(self._put, name, data))
        self._counts.file_writes += 1
        self._counts.file_written_bytes += len(data)

    def _key(self, name: str) -> str:
        return f"{self._url.path}/{name}"

    def _doing(self, action: str, name: str) -> str:
        return f"s3:{action} of s3://{self._url.bucket}/{self._key(name)}"

    def _get(self, name: str, span: str) -> "GetObjectOutputTypeDef":
        return self._client.get_object(Bucket=self._url.bucket, Key=self._key(name), Range=span)

    def _count_read(self, length: int) -> None:
        self._counts.file_reads += 1
        self._counts.file_read_bytes += length

    def _put(self, name: str, data: bytes | LocalFile) -> None:
        try:
            self._client.put_object(
                Bucket=self._url.bucket, Key=self._key(name), Body=_body(data), IfNoneMatch="*"
            )
        except ClientError as exc:
            self._compare(name, data, exc)

    async def _create_in_parts(self, name: str, data: bytes | LocalFile) -> None:
        # Each is a request of its own, that has its own time.
        run = partial(self._attempts.run, self._doing("PutObject", name))
        bucket, key = self._url.bucket, self._key(name)
        begun = await run(partial(self._client.create_multipart_upload, Bucket=bucket, Key=key))
        upload = begun["UploadId"]
        completed = False
        try:
            parts: list[CompletedPartTypeDef] = []
            for number, start in enumerate(range(0, len(data), PART_BYTES), start=1):
                tag = await run(partial(self._put_part, name, data, upload, number, start))
                parts.append({"ETag": tag, "PartNumber": number})
            completed = await run(partial(self._complete, name, data, upload, parts))
        finally:
            if not completed:
                with trio.CancelScope(shield=True):
                    await self._abort(name, upload)

    def _put_part(
        self, name: str, data: bytes | LocalFile, upload: str, number: int, start: int
    ) -> str:
        part = self._client.upload_part(
            Bucket=self._url.bucket,
            Key=self._key(name),
            UploadId=upload,
            PartNumber=number,
            Body=_body(data, start, start + PART_BYTES),
        )
        return part["ETag"]

    def _complete(
        self,
        name: str,
        data: bytes | LocalFile,
        upload: str,
        parts: "list[CompletedPartTypeDef]",
    ) -> bool:
        """Whether the upload became the file: not if that was there, with the same bytes."""
        try:
            self._client.complete_multipart_upload(
                Bucket=self._url.bucket,
                Key=self._key(name),
                UploadId=upload,
                MultipartUpload={"Parts": parts},
                IfNoneMatch="*",
            )
        except ClientError as exc:
            self._compare(name, data, exc)
            return False
        return True

    async def _abort(self, name: str, upload: str) -> None:
        """Has S3 forget the parts of an upload, if that can be had at once."""
        abort = partial(
            self._client.abort_multipart_upload,
            Bucket=self._url.bucket,
            Key=self._key(name),
            UploadId=upload,
        )
        doing = self._doing("AbortMultipartUpload", name)
        try:
            await self._attempts.run(doing, abort, until=trio.current_time())
        except PyfsError as exc:
            log.info("%s", exc)

    def _compare(self, name: str, data: bytes | LocalFile, refused: ClientError) -> None:
        """Returns if a write was *refused* since the file that is there already holds *data*.

        It may be our own: the answer to a request that was carried out can be lost, and its
        repetition is then refused.
        """
        if error_code(refused) not in NOT_REPLACED:
            raise refused
        try:
            stored = self._client.get_object(Bucket=self._url.bucket, Key=self._key(name))
        except ClientError as exc:
            if error_code(exc) in ABSENT:
                # Nothing is there yet: the attempt before may still be under way.
                raise refused from None
            raise
        pieces = [data] if isinstance(data, bytes) else data.pieces()
        body = stored["Body"]
        if not all(body.read(len(piece)) == piece for piece in pieces) or body.read(1):
            raise AlreadyExistsError(f"s3://{self._url.bucket}/{self._key(name)} holds other bytes")


def _body(data: bytes | LocalFile, start: int = 0, stop: int | None = None) -> "bytes | IO[bytes]":
    """A part of *data*, as boto3 takes it."""
    stop = len(data) if stop is None else min(stop, len(data))
    if isinstance(data, bytes):
        return data[start:stop]
    return cast("IO[bytes]", Window(data, start, stop))
