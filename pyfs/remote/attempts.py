"""`Attempts`: repeats what one request asks until it is answered or its time is over.

botocore is told to repeat nothing: it gives up after a second or so, never repeats a body that
breaks off, and tells nobody that it waits.
"""

import itertools
import logging
import math
import random
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import trio
from botocore.exceptions import BotoCoreError, ClientError

from pyfs.errors import NotFoundError, PyfsError
from pyfs.remote.aws_errors import is_transient, translate
from pyfs.store.health import Health, Patience

log = logging.getLogger(__name__)

T = TypeVar("T")

BACKOFF_S: Final = 0.1
"""The shortest wait after the first failure; it doubles with each further one."""
BACKOFF_MAX_S: Final = 5.0

_threads: Final = trio.CapacityLimiter(math.inf)


class Call(Protocol):
    """Runs something that blocks."""

    async def __call__(self, fn: Callable[[], T], /) -> T:
        """What *fn* returns or raises."""


async def _in_thread(fn: Callable[[], T], /) -> T:
    return await trio.to_thread.run_sync(fn, limiter=_threads)


class Attempts:
    """Makes the requests to one service, *at_once_max* attempts at a time.

    A request that waits for its next attempt takes nobody's place. An attempt that lasts longer
    than *silence_max_s*, after which it breaks off where nothing comes, had bytes going or coming.
    """

    def __init__(
        self,
        at_once_max: int,
        patience: Patience,
        health: Health,
        silence_max_s: float,
        call: Call = _in_thread,
    ) -> None:
        self._places = trio.CapacityLimiter(at_once_max)
        self._patience = patience
        self._health = health
        self._silence_max_s = silence_max_s
        self._call = call

    @property
    def timeout_s(self) -> float:
        """How long a request that begins now is tried."""
        return self._patience.timeout_s

    async def run(self, doing: str, fn: Callable[[], T], *, until: float = math.inf) -> T:
        """What *fn* returns, called again as long as it fails with what may pass.

        Args:
            doing: action and resource, such as `s3:GetObject of s3://bucket/key`.
            fn: makes one attempt, in a thread; raises what boto3 raises.
            until: time of trio's clock after which no attempt begins, except the first.

        Raises `NoAnswerError` when the time is over, and what else `translate` makes of a failure
        at once.
        """
        began = 0.0
        with self._health.asking(doing, self._patience.timeout_s) as asked:
            for number in itertools.count(1):
                async with self._places:
                    started = trio.current_time()
                    if number == 1:
                        # Having waited for a place is no fault of the remote.
                        began = started
                        until = min(until, began + asked.timeout_s)
                        asked.begin()
                    try:
                        return await self._call(fn)
                    except (ClientError, BotoCoreError) as exc:
                        failure = exc
                now = trio.current_time()
                if number == 1 and now - started > self._silence_max_s:
                    # A slow upload that broke off may take as long once more.
                    until = now + asked.timeout_s
                wait_s = _wait_s(number)
                if not is_transient(failure):
                    raise _caused(translate(failure, doing), failure)
                if now + wait_s > until:
                    times = "once" if number == 1 else f"{number} times"
                    tried = f"tried {times} in {now - began:.0f} s"
                    raise _caused(translate(failure, doing, tried), failure)
                asked.trouble = str(failure)
                # No warning: commands have no log, and would print it beside their error.
                log.log(
                    logging.INFO if number == 1 else logging.DEBUG,
                    "%s: %s; trying again for up to %.0f s",
                    doing,
                    failure,
                    until - now,
                )
                await trio.sleep(wait_s)
        raise AssertionError("an attempt returns, or the time is over")


def _wait_s(number: int) -> float:
    """How long to wait after attempt *number*; jittered, so that many do not return at once."""
    longest: float = min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** min(number, 10))
    return random.uniform(longest / 2, longest)


def _caused(error: PyfsError, failure: Exception) -> PyfsError:
    error.__cause__ = None if isinstance(error, NotFoundError) else failure
    return error
