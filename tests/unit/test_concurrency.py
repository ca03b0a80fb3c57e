"""One function over many items at once."""

import pytest
import trio
import trio.testing

from pyfs.concurrency import each_in_order


def test_items_are_begun_in_their_order_so_many_at_a_time() -> None:
    begun: list[int] = []
    running = most = 0

    async def work(item: int) -> None:
        nonlocal running, most
        begun.append(item)
        running += 1
        most = max(most, running)
        await trio.sleep(10 - item)
        running -= 1

    async def main() -> None:
        await each_in_order(work, range(10), 3)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    # The workers begin in any order; from then on each takes the next one.
    assert sorted(begun) == begun
    assert begun == list(range(10))
    assert most == 3


def test_the_first_failure_ends_the_others() -> None:
    ended: list[int] = []

    async def work(item: int) -> None:
        if item == 1:
            raise KeyError(item)
        try:
            await trio.sleep_forever()
        finally:
            ended.append(item)

    async def main() -> None:
        await each_in_order(work, range(5), 2)

    with pytest.raises(KeyError):
        trio.run(main)
    assert ended in ([], [0])
