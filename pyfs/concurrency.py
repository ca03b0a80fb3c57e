"""One function over many items at once, without exception groups."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import trio

T = TypeVar("T")
R = TypeVar("R")


async def map_concurrently(fn: Callable[[T], Awaitable[R]], items: Iterable[T]) -> list[R]:
    """The results of *fn* for each of *items*, in their order.

    The first failure cancels the rest and is raised as it is: a nursery nobody sees would turn
    it into a group that no `except PyfsError` catches.
    """
    todo = list(items)
    results: dict[int, R] = {}
    failure: Exception | None = None

    async def run(index: int, item: T) -> None:
        nonlocal failure
        try:
            results[index] = await fn(item)
        except Exception as exc:  # raised below, when the others have stopped
            failure = failure or exc
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for index, item in enumerate(todo):
            nursery.start_soon(run, index, item)
    if failure is not None:
        raise failure
    return [results[index] for index in range(len(todo))]


async def each_in_order(
    fn: Callable[[T], Awaitable[None]], items: Iterable[T], at_once: int
) -> None:
    """Runs *fn* for each of *items*, *at_once* of them at a time, begun in their order.

    Failures are those of `map_concurrently`.
    """
    todo = iter(items)

    async def work(_: int) -> None:
        for item in todo:
            await fn(item)

    await map_concurrently(work, range(at_once))
