from collections.abc import Sequence

import pytest
import trio
import trio.testing

from pyfs._core import Text
from pyfs.errors import RemoteError
from pyfs.repo.text_cache import TextCache


class Maker:
    """Makes pieces that say their number."""

    def __init__(self, bytes_max: int = 1 << 20) -> None:
        self.cache = TextCache(bytes_max)
        self.made: list[list[int]] = []
        self.fails = False

    async def make(self, numbers: Sequence[int]) -> list[Text]:
        self.made.append(list(numbers))
        await trio.testing.wait_all_tasks_blocked()
        if self.fails:
            raise RemoteError("the remote is away")
        return [Text(b"%10d" % number) for number in numbers]

    async def get(self, *numbers: int, text: str = "text") -> list[int]:
        found = await self.cache.get(text, numbers, self.make)
        return [int(bytes(found[number].view())) for number in numbers]


def test_a_piece_is_made_once_for_all_who_want_it() -> None:
    async def main() -> None:
        maker = Maker()

        async def want(*numbers: int) -> None:
            assert await maker.get(*numbers) == list(numbers)

        async with trio.open_nursery() as nursery:
            for numbers in ((1, 2), (2, 3), (3, 1)):
                nursery.start_soon(want, *numbers)
        await want(1, 2, 3)
        assert sorted(number for numbers in maker.made for number in numbers) == [1, 2, 3]

    trio.run(main)


def test_texts_are_told_apart() -> None:
    async def main() -> None:
        maker = Maker()
        await maker.get(1)
        await maker.get(1, text="other")
        assert maker.made == [[1], [1]]

    trio.run(main)


def test_a_failure_reaches_all_and_is_not_kept() -> None:
    async def main() -> None:
        maker = Maker()
        maker.fails = True
        failures = 0

        async def want() -> None:
            nonlocal failures
            with pytest.raises(RemoteError):
                await maker.get(1)
            failures += 1

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(want)
        assert failures == 3
        maker.fails = False
        assert await maker.get(1) == [1]

    trio.run(main)


def test_pieces_are_bounded_in_bytes() -> None:
    async def main() -> None:
        maker = Maker(bytes_max=30)
        await maker.get(1, 2)
        await maker.get(1)
        await maker.get(3, 4)
        assert maker.made == [[1, 2], [3, 4]]
        await maker.get(1)
        assert len(maker.made) == 2, "used after 2 was"
        await maker.get(2)
        assert maker.made[2:] == [[2]], "it had to make room and is made again"

    trio.run(main)


def test_more_than_there_is_room_for_is_found_all_the_same() -> None:
    async def main() -> None:
        maker = Maker(bytes_max=5)
        assert await maker.get(1, 2, 3) == [1, 2, 3]

    trio.run(main)
