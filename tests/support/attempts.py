"""Attempts at requests without threads, servers and time: on trio's mock clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import trio
import trio.testing
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from pyfs.remote.attempts import Attempts
from pyfs.store.health import Health, Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

REFUSED = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
SILENT = ReadTimeoutError(endpoint_url="http://127.0.0.1:9")
SILENCE_S = 10.0


def answer(code: str, status: int = 400) -> ClientError:
    """An answer of AWS that is an error."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"told {code}"},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        "GetObject",
    )


class Served:
    """Attempts that are made at once, in the order that *outcomes* has."""

    def __init__(self, timeout_s: float = 60.0, at_once_max: int = 32) -> None:
        self.health = Health(trio.current_time)
        self.patience = Patience(timeout_s)
        self.attempts = Attempts(
            at_once_max, self.patience, self.health, SILENCE_S + 5, self._called
        )
        self.began: list[float] = []
        """When each attempt began."""
        self.lasting: list[float] = []
        """How long each attempt lasts; what comes after them is done in no time."""

    async def _called(self, fn: Callable[[], T], /) -> T:
        self.began.append(trio.current_time())
        await trio.sleep(self.lasting.pop(0) if self.lasting else 0)
        return fn()


def failing(*failures: Exception | None) -> Callable[[], str]:
    """A request that fails so each time it is made, the last one forever; None is an answer."""
    left = list(failures)

    def request() -> str:
        failure = left.pop(0) if len(left) > 1 else left[0]
        if failure is not None:
            raise failure
        return "answer"

    return request


def on_mock_clock(body: Callable[[], Awaitable[None]]) -> None:
    """Runs *body*; where all wait, the clock is at the end of the shortest wait."""

    async def main() -> None:
        await body()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
