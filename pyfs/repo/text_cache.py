"""`TextCache`: pieces of texts, made once for all who want them meanwhile, the last ones kept."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final

import trio

from pyfs._core import Text

GROUPS_AT_ONCE: Final = 4
"""So many groups of pieces are under way at a time: while one is fetched others are rendered."""


class TextCache:
    """Pieces by the text they are of and their number, bounded in bytes. One for a whole mount."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._pieces: OrderedDict[tuple[Hashable, int], Text] = OrderedDict()
        self._bytes = 0
        self._landing: dict[tuple[Hashable, int], trio.Event] = {}
        self.groups = trio.CapacityLimiter(GROUPS_AT_ONCE)
        """To be held while many pieces are made. What is under way takes memory, for one reader as
        for a hundred."""

    async def get(
        self,
        text: Hashable,
        numbers: Sequence[int],
        make: Callable[[Sequence[int]], Awaitable[Sequence[Text]]],
    ) -> dict[int, Text]:
        """The pieces *numbers* of *text*; *make* makes those that are not at hand."""
        found: dict[int, Text] = {}
        wanted = list(numbers)
        while wanted:
            missing: list[int] = []
            landing: set[trio.Event] = set()
            for number in wanted:
                piece = self._pieces.get((text, number))
                if piece is not None:
                    self._pieces.move_to_end((text, number))
                    found[number] = piece
                elif (landed := self._landing.get((text, number))) is not None:
                    landing.add(landed)
                else:
                    missing.append(number)
            if missing:
                found.update(await self._make(text, missing, make))
            for landed in landing:
                await landed.wait()
            # What another task failed to make, or what the cache lost meanwhile.
            wanted = [number for number in wanted if number not in found]
        return found

    def _keep(self, text: Hashable, number: int, piece: Text) -> None:
        key = (text, number)
        self._bytes += len(piece) - (len(self._pieces[key]) if key in self._pieces else 0)
        self._pieces[key] = piece
        while self._bytes > self.bytes_max and len(self._pieces) > 1:
            _, dropped = self._pieces.popitem(last=False)
            self._bytes -= len(dropped)

    async def _make(
        self,
        text: Hashable,
        numbers: Sequence[int],
        make: Callable[[Sequence[int]], Awaitable[Sequence[Text]]],
    ) -> dict[int, Text]:
        landed = trio.Event()
        self._landing.update(((text, number), landed) for number in numbers)
        try:
            made = dict(zip(numbers, await make(numbers), strict=True))
            for number, piece in made.items():
                self._keep(text, number, piece)
            return made
        finally:
            # No await between these lines: nobody can see one without the other.
            for number in numbers:
                del self._landing[text, number]
            landed.set()
