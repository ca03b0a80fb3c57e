"""What is repeated, when, and for how long."""

from __future__ import annotations

import logging
import ssl
from itertools import pairwise

import pytest
import trio
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ProxyConnectionError,
    ResponseStreamingError,
    SSLError,
)

from pyfs.errors import AccessError, ConfigurationError, NoAnswerError, NotFoundError, PyfsError
from pyfs.remote.attempts import BACKOFF_MAX_S, BACKOFF_S
from pyfs.vfs.control import _health
from tests.support.attempts import (
    REFUSED,
    SILENCE_S,
    SILENT,
    Served,
    answer,
    failing,
    on_mock_clock,
)

DOING = "s3:GetObject of s3://bucket/key"


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        SILENT,
        ConnectTimeoutError(endpoint_url="http://x"),
        ConnectionClosedError(endpoint_url="http://x"),
        ProxyConnectionError(proxy_url="http://x", error="refused"),
        SSLError(endpoint_url="https://x", error=ssl.SSLError("UNEXPECTED_EOF_WHILE_READING")),
        HTTPClientError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ResponseStreamingError(error="reset"),
        answer("InternalError", 500),
        answer("anything", 503),
        answer("anything", 429),
        answer("SlowDown", 200),
        answer("ProvisionedThroughputExceededException"),
        answer("ThrottlingException"),
        answer("RequestTimeout"),
        answer("ConditionalRequestConflict", 409),
    ],
    ids=str,
)
def test_what_passes_is_asked_again(failure: Exception) -> None:
    async def body() -> None:
        served = Served()
        assert await served.attempts.run(DOING, failing(failure, failure, None)) == "answer"
        assert len(served.began) == 3
        assert trio.current_time() - served.began[0] <= 3 * 2 * BACKOFF_S

    on_mock_clock(body)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (answer("NoSuchKey", 404), NotFoundError),
        (answer("AccessDenied", 403), AccessError),
        (answer("ExpiredToken", 400), AccessError),
        (answer("NoSuchBucket", 404), NotFoundError),
        (answer("ResourceNotFoundException"), NotFoundError),
        (answer("PreconditionFailed", 412), PyfsError),
        (answer("ValidationException"), PyfsError),
        (NoCredentialsError(), ConfigurationError),
        (
            SSLError(endpoint_url="https://x", error=ssl.SSLError("CERTIFICATE_VERIFY_FAILED")),
            PyfsError,
        ),
    ],
    ids=str,
)
def test_what_stays_is_told_at_once(failure: Exception, kind: type[PyfsError]) -> None:
    async def body() -> None:
        served = Served()
        with pytest.raises(kind) as told:
            await served.attempts.run(DOING, failing(failure))
        assert not isinstance(told.value, NoAnswerError)
        assert len(served.began) == 1
        assert trio.current_time() == served.began[0]
        # So it is after something that passed.
        with pytest.raises(kind):
            await served.attempts.run(DOING, failing(REFUSED, failure))
        assert len(served.began) == 3

    on_mock_clock(body)


def test_waits_grow_until_the_time_is_over() -> None:
    async def body() -> None:
        served = Served(60)
        with pytest.raises(NoAnswerError) as told:
            await served.attempts.run(DOING, failing(REFUSED))
        waits = [after - before for before, after in pairwise(served.began)]
        for number, wait in enumerate(waits, start=1):
            longest = min(BACKOFF_MAX_S, BACKOFF_S * 2**number)
            assert longest / 2 <= wait <= longest
        assert 60 - BACKOFF_MAX_S <= trio.current_time() - served.began[0] <= 60
        text = str(told.value)
        assert text.startswith(f"{DOING}: ")
        assert "http://127.0.0.1:9" in text
        assert f"tried {len(served.began)} times in " in text
        assert "check the network" in text

    on_mock_clock(body)


def test_a_silent_server_is_asked_several_times() -> None:
    async def body() -> None:
        served = Served(60)
        served.lasting = [SILENCE_S] * 100
        with pytest.raises(NoAnswerError):
            await served.attempts.run(DOING, failing(SILENT))
        assert 4 <= len(served.began) <= 6
        assert trio.current_time() - served.began[0] <= 60 + SILENCE_S

    on_mock_clock(body)


def test_no_attempt_begins_after_a_given_time_except_the_first() -> None:
    async def body() -> None:
        served = Served(60)
        with pytest.raises(NoAnswerError, match="tried once in 0 s"):
            await served.attempts.run(DOING, failing(REFUSED), until=trio.current_time())
        assert len(served.began) == 1

    on_mock_clock(body)


def test_a_slow_upload_that_breaks_off_gets_as_long_once_more() -> None:
    async def body() -> None:
        served = Served(60)
        served.lasting = [90.0, 90.0, 90.0]
        with pytest.raises(NoAnswerError, match="tried 2 times"):
            await served.attempts.run(DOING, failing(REFUSED))
        assert len(served.began) == 2

    on_mock_clock(body)


def test_who_waits_for_the_next_attempt_takes_no_place() -> None:
    async def body() -> None:
        served = Served(60, at_once_max=1)
        ended: list[str] = []

        async def fail() -> None:
            with pytest.raises(NoAnswerError):
                await served.attempts.run(DOING, failing(REFUSED))
            ended.append("failed")

        async def succeed() -> None:
            await served.attempts.run(DOING, failing(None))
            ended.append("succeeded")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            nursery.start_soon(succeed)
        assert ended == ["succeeded", "failed"]

    on_mock_clock(body)


def test_the_patience_of_a_mount_grows_once_it_is_usable() -> None:
    async def body() -> None:
        served = Served(10)
        for timeout_s in (10.0, 60.0):
            served.patience.timeout_s = timeout_s
            before = trio.current_time()
            with pytest.raises(NoAnswerError):
                await served.attempts.run(DOING, failing(REFUSED))
            assert timeout_s - BACKOFF_MAX_S <= trio.current_time() - before <= timeout_s

    on_mock_clock(body)


def test_the_log_tells_the_first_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def body() -> None:
        served = Served()
        await served.attempts.run(DOING, failing(REFUSED, REFUSED, None))

    on_mock_clock(body)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert DOING in record.message


def test_the_status_tells_what_is_waited_for() -> None:
    async def body() -> None:
        served = Served(60)
        served.lasting = [SILENCE_S] * 3
        ask = served.attempts.run
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, DOING, failing(SILENT, None))
            await trio.sleep(2)
            assert _health(served.health) == "none"
            nursery.start_soon(ask, "s3:GetObject of s3://bucket/other", failing(None))
            await trio.sleep(5)
            assert _health(served.health) == (
                f"no answer for 7 s to {DOING}; it is tried until 60 s are over"
            )
            await trio.sleep(6)
            text = _health(served.health)
            assert text.startswith(f"no answer for 13 s to {DOING} (Read timeout on endpoint URL")
            served.health.failed(AccessError("denied"))
            assert _health(served.health).startswith("no answer for 13 s to ")
            assert _health(served.health).endswith(" s ago): denied")
        assert _health(served.health).endswith(" s ago): denied")
        assert served.health.longest is None

    on_mock_clock(body)
