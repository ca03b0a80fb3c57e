"""Frozen things that are dear to load, the most recently used of them kept."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most *count_max* values by key. What they say never changes, so any may be dropped."""

    def __init__(
        self, count_max: int, weight: Callable[[V], int] | None = None, weight_max: int = 0
    ) -> None:
        """All but the last may weigh *weight_max* together; *weight* may change with time."""
        self._count_max = count_max
        self._weight = weight
        self._weight_max = weight_max
        self._values: OrderedDict[K, V] = OrderedDict()
        self._loading: dict[K, trio.Event] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The value of *key*, loaded once for all who want it meanwhile."""
        while True:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            landed = self._loading.get(key)
            if landed is None:
                break
            # Whoever loads may fail or be cancelled: then one of those who wait tries itself.
            await landed.wait()
        landed = self._loading[key] = trio.Event()
        try:
            value = await load()
            self.put(key, value)
            return value
        finally:
            # No await between these lines: nobody can see one without the other.
            del self._loading[key]
            landed.set()

    def peek(self, key: K) -> V | None:
        """The value of *key* if it is at hand."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._count_max:
            self._values.popitem(last=False)
        if self._weight is not None:
            self._lighten(self._weight)

    def _lighten(self, weight: Callable[[V], int]) -> None:
        *weights, _ = [weight(value) for value in self._values.values()]
        total = sum(weights)
        for first in weights:
            if total <= self._weight_max:
                break
            self._values.popitem(last=False)
            total -= first
