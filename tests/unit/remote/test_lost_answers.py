"""Writes whose answer is lost: neither done twice nor taken for another's."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pyfs._core import Address, Manifest
from pyfs.errors import (
    AccessError,
    AlreadyExistsError,
    NoAnswerError,
    PyfsError,
    RemoteError,
)
from pyfs.remote import s3
from pyfs.remote.dynamodb import DynamoDBManifests
from pyfs.remote.s3 import S3Files
from pyfs.remote.url import AwsUrl
from pyfs.store.counts import RequestCounts
from tests.support.attempts import REFUSED, SILENT, Served, answer, on_mock_clock

URL = AwsUrl("table", "bucket", "path")
OURS = Manifest.EMPTY.succeed(Address.of(b"ours"), [])
THEIRS = Manifest.EMPTY.succeed(Address.of(b"theirs"), [])
KEY = "path/" + "1" * 32


class Aws:
    """One item and some objects, with the failures that calls are to meet.

    `before[call]` are raised before a call is carried out, `after[call]` once it is, one each
    time; None lets it pass.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.before: dict[str, list[Exception | None]] = {}
        self.after: dict[str, list[Exception | None]] = {}
        self.item: dict[str, Any] | None = None
        self.objects: dict[str, bytes] = {}
        self.parts: dict[int, bytes] = {}
        self.served = Served(60)
        attempts = self.served.attempts
        self.manifests = DynamoDBManifests(self, URL, attempts, RequestCounts())  # type: ignore[arg-type]
        self.files = S3Files(self, URL, attempts, RequestCounts())  # type: ignore[arg-type]

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        self._fail(self.before, call)

    def _fail(self, failures: dict[str, list[Exception | None]], call: str) -> None:
        left = failures.get(call)
        failure = left.pop(0) if left else None
        if failure is not None:
            raise failure

    def get_item(self, **_: object) -> dict[str, Any]:
        self._begin("get_item")
        return {} if self.item is None else {"Item": self.item}

    def put_item(self, **asked: Any) -> None:
        self._begin("put_item")
        previous = asked["ExpressionAttributeValues"][":prev"]["B"]
        if self.item is not None and self.item["lck"]["B"] != previous:
            raise answer("ConditionalCheckFailedException")
        self.item = asked["Item"]
        self._fail(self.after, "put_item")

    def get_object(self, **asked: Any) -> dict[str, Any]:
        self._begin("get_object")
        if asked["Key"] not in self.objects:
            raise answer("NoSuchKey", 404)
        return {"Body": io.BytesIO(self.objects[asked["Key"]])}

    def put_object(self, **asked: Any) -> None:
        self._begin("put_object")
        self._create(asked["Key"], asked["Body"])
        self._fail(self.after, "put_object")

    def _create(self, key: str, data: bytes) -> None:
        if key in self.objects:
            raise answer("PreconditionFailed", 412)
        self.objects[key] = data

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        self._begin("create_multipart_upload")
        return {"UploadId": "upload"}

    def upload_part(self, **asked: Any) -> dict[str, str]:
        self._begin("upload_part")
        self.parts[asked["PartNumber"]] = asked["Body"]
        return {"ETag": str(asked["PartNumber"])}

    def complete_multipart_upload(self, **asked: Any) -> None:
        self._begin("complete_multipart_upload")
        if not self.parts:
            raise answer("NoSuchUpload", 404)
        numbers = [part["PartNumber"] for part in asked["MultipartUpload"]["Parts"]]
        self._create(asked["Key"], b"".join(self.parts[number] for number in numbers))
        self.parts.clear()
        self._fail(self.after, "complete_multipart_upload")

    def abort_multipart_upload(self, **_: Any) -> None:
        self._begin("abort_multipart_upload")
        self.parts.clear()


def swap(aws: Aws) -> Manifest | PyfsError:
    """What a swap of nothing for ours comes to."""
    found: list[Manifest | PyfsError] = []

    async def body() -> None:
        try:
            found.append(await aws.manifests.swap(Manifest.EMPTY, OURS))
        except PyfsError as exc:
            found.append(exc)

    on_mock_clock(body)
    return found[0]


def create(aws: Aws, data: bytes) -> None:
    """Creates a file."""

    async def body() -> None:
        await aws.files.create("1" * 32, data)

    on_mock_clock(body)


def stored(manifest: Manifest) -> dict[str, Any]:
    aws = Aws()

    async def body() -> None:
        await aws.manifests.swap(Manifest.EMPTY, manifest)

    on_mock_clock(body)
    assert aws.item is not None
    return aws.item


def test_a_swap_whose_answer_was_lost_is_ours() -> None:
    aws = Aws()
    aws.after["put_item"] = [SILENT]
    assert swap(aws) == OURS
    assert aws.calls == ["put_item", "put_item", "get_item"]


def test_a_swap_that_did_not_arrive_is_made_again() -> None:
    aws = Aws()
    aws.before["put_item"] = [REFUSED, answer("ThrottlingException"), answer("x", 503)]
    assert swap(aws) == OURS
    assert aws.calls == ["put_item"] * 4


def test_a_swap_that_another_was_before_is_lost() -> None:
    aws = Aws()
    aws.item = stored(THEIRS)
    aws.before["put_item"] = [SILENT]
    aws.before["get_item"] = [SILENT]
    assert swap(aws) == THEIRS
    assert aws.calls == ["put_item", "put_item", "get_item", "get_item"]


def test_the_last_look_finds_a_swap_that_arrived() -> None:
    """Nothing is answered for the whole time, and what was written stands there."""
    aws = Aws()
    aws.after["put_item"] = [SILENT]
    aws.before["put_item"] = [None, *[SILENT] * 1000]
    assert swap(aws) == OURS
    assert aws.calls.count("get_item") == 1
    assert aws.calls[-1] == "get_item"


def test_a_swap_that_never_arrives_fails_with_what_was_tried() -> None:
    aws = Aws()
    aws.before["put_item"] = [REFUSED] * 1000
    error = swap(aws)
    assert isinstance(error, NoAnswerError)
    assert "dynamodb:PutItem of 'path' in table table: Could not connect" in str(error)
    aws.before["get_item"] = [REFUSED] * 1000
    aws.served.began.clear()
    assert "dynamodb:PutItem" in str(swap(aws))
    assert aws.calls[-1] == "get_item"
    assert aws.served.began[-1] - aws.served.began[0] <= 60, "the look has no time of its own"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_refusal_after_a_lost_answer_is_looked_into(arrived: bool) -> None:
    """Credentials may expire between two attempts; the first may have been carried out."""
    aws = Aws()
    denied = answer("AccessDeniedException")
    if arrived:
        aws.before["put_item"] = [None, denied]
        aws.after["put_item"] = [SILENT]
        assert swap(aws) == OURS
    else:
        aws.before["put_item"] = [SILENT, denied]
        assert isinstance(swap(aws), AccessError)
    assert aws.calls == ["put_item", "put_item", "get_item"]


def test_a_refusal_is_told_at_once() -> None:
    aws = Aws()
    aws.before["put_item"] = [answer("AccessDeniedException")]
    assert isinstance(swap(aws), AccessError)
    assert aws.calls == ["put_item"]


def test_a_file_whose_answer_was_lost_is_there() -> None:
    aws = Aws()
    aws.after["put_object"] = [SILENT]
    aws.before["get_object"] = [SILENT]
    create(aws, b"data")
    assert aws.objects == {KEY: b"data"}
    assert aws.calls == ["put_object", "put_object", "get_object", "put_object", "get_object"]


def test_a_file_of_other_bytes_is_told() -> None:
    aws = Aws()
    aws.objects[KEY] = b"other"
    aws.before["put_object"] = [REFUSED]
    with pytest.raises(AlreadyExistsError, match="holds other bytes"):
        create(aws, b"data")
    assert aws.objects == {KEY: b"other"}


def test_an_upload_beside_one_that_is_under_way_is_made_again() -> None:
    """S3 refuses it as a conflict, and the file is not there yet: nor is it missing."""
    aws = Aws()
    aws.before["put_object"] = [SILENT, answer("ConditionalRequestConflict", 409)]
    create(aws, b"data")
    assert aws.objects == {KEY: b"data"}
    assert aws.calls == ["put_object", "put_object", "get_object", "put_object"]


def test_parts_are_repeated_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", 4)
    aws = Aws()
    aws.before["upload_part"] = [None, SILENT, REFUSED]
    aws.after["complete_multipart_upload"] = [SILENT]
    create(aws, b"0123456789")
    assert aws.objects == {KEY: b"0123456789"}
    assert aws.calls == [
        "create_multipart_upload",
        *["upload_part"] * 5,
        *["complete_multipart_upload"] * 2,
        "get_object",
        "abort_multipart_upload",
    ]


def test_an_upload_that_fails_leaves_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", 4)
    aws = Aws()
    aws.before["upload_part"] = [None, answer("AccessDenied", 403)]
    aws.before["abort_multipart_upload"] = [SILENT]
    with pytest.raises(AccessError, match="s3:PutObject"):
        create(aws, b"0123456789")
    assert aws.objects == {}
    assert aws.calls[-2:] == ["upload_part", "abort_multipart_upload"]


def test_a_file_that_is_shorter_than_asked_is_told_at_once() -> None:
    aws = Aws()
    aws.objects[KEY] = b"0123"

    async def body() -> None:
        with pytest.raises(RemoteError, match="4 bytes came for the 5 at 0: it is cut off"):
            await aws.files.read("1" * 32, 0, 5)

    on_mock_clock(body)
    assert aws.calls == ["get_object"]
