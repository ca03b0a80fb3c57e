"""`Health`: how a remote does: what failed last, and what is waited for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyfs.errors import PyfsError


@dataclass(slots=True)
class Patience:
    """How long a request is tried. What begins after a change obeys it."""

    timeout_s: float = 60.0


@dataclass(slots=True, eq=False)
class Asked:
    """A request under way."""

    doing: str
    """Action and resource."""
    timeout_s: float
    """How long it is tried."""
    clock: Callable[[], float]
    began: float | None = None
    """When, by *clock*; None while it waits for its turn."""
    trouble: str = ""
    """How its last attempt failed."""

    def begin(self) -> None:
        """Its first attempt begins."""
        self.began = self.clock()

    @property
    def waited_s(self) -> float:
        """For how long it has had no answer."""
        return 0.0 if self.began is None else self.clock() - self.began


class Health:
    """What is known of how a remote does. Used by one thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.error: PyfsError | None = None
        """The last failure; its text names action and resource, and what to do."""
        self.failed_at = 0.0
        """When that was, by `time.time()`."""
        self.failing = False
        """Whether nothing was answered since."""
        self._clock = clock
        self._asked: set[Asked] = set()

    def failed(self, error: PyfsError) -> None:
        """The remote could not do what it was asked."""
        self.error, self.failed_at, self.failing = error, time.time(), True

    def answered(self) -> None:
        """The remote did what it was asked."""
        self.failing = False

    @contextmanager
    def asking(self, doing: str, timeout_s: float) -> Iterator[Asked]:
        """A request that is under way for as long as the block lasts."""
        asked = Asked(doing, timeout_s, self._clock)
        self._asked.add(asked)
        try:
            yield asked
        finally:
            self._asked.remove(asked)

    @property
    def longest(self) -> Asked | None:
        """The request under way that has waited longest for its answer."""
        return max(self._asked, key=lambda asked: asked.waited_s, default=None)
