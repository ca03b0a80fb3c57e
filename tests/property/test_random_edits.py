"""Ten thousand edits, saved in batches, leave the table that its rows give when built at once."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import trio

from tests.support.memory_remote import MemoryRemote
from tests.support.repositories import GOLDEN, built, head_of, opened, save_text, text_of

EDITS = 10_000
BATCHES = 40
KEYS = 6000


class Keyed:
    """`unique_ (a int primary key, b varchar(10), c int, unique (b, c), unique (c))`."""

    table = "unique_"
    header = "a,b,c\n"

    def __init__(self) -> None:
        self.rows: dict[int, tuple[str, int | None]] = {}
        self._numbers = 0

    def edit(self, rng: Random) -> None:
        key = rng.randrange(KEYS)
        if rng.random() < 0.3:
            self.rows.pop(key, None)
            return
        self._numbers += 1
        # A value that another row had before may come again, NULL may come often.
        number = None if rng.random() < 0.1 else rng.choice([self._numbers, -key - 1])
        self.rows[key] = (rng.choice(["", "x", "é", "long words"]), number)

    def lines(self) -> list[str]:
        return [
            f'{key},"{word}",{"" if number is None else number}\n'
            for key, (word, number) in sorted(self.rows.items())
        ]


class Keyless:
    """`keyless (b varchar(10), c int)`; equal rows are counted."""

    table = "keyless"
    header = "b,c\n"

    def __init__(self) -> None:
        self.rows: Counter[tuple[str, int]] = Counter()

    def edit(self, rng: Random) -> None:
        row = (rng.choice("abc"), rng.randrange(KEYS // 3))
        if rng.random() < 0.3 and self.rows:
            row = rng.choice(list(self.rows)) if rng.random() < 0.01 else row
            self.rows[row] -= min(1, self.rows[row])
        else:
            self.rows[row] += rng.choice([1, 1, 3])

    def lines(self) -> list[str]:
        return [f"{word},{number}\n" for word, number in self.rows.elements()]


class UniqueKeyless(Keyless):
    """`unique_keyless (b varchar(10), c int, unique (c))`."""

    table = "unique_keyless"

    def edit(self, rng: Random) -> None:
        number = rng.randrange(KEYS)
        row = ("abc"[number % 3], number)
        self.rows[row] = int(rng.random() < 0.7)


@pytest.mark.parametrize("kind", [Keyed, Keyless, UniqueKeyless])
@pytest.mark.parametrize("in_order", [True, False], ids=["sorted", "shuffled"])
def test_edits_in_any_order_give_one_table(
    tmp_path: Path, kind: Callable[[], Keyed | Keyless], in_order: bool
) -> None:
    rng, model = Random(f"{kind.__name__} {in_order}"), kind()
    remote = MemoryRemote.of_directory(GOLDEN / "import" / "remote")

    def text() -> bytes:
        lines = model.lines()
        if not in_order:
            rng.shuffle(lines)
        return (model.header + "".join(lines)).encode()

    async def main() -> None:
        async with opened(remote, tmp_path) as repository:
            empty = await head_of(repository)
            for _ in range(BATCHES):
                for _ in range(EDITS // BATCHES):
                    model.edit(rng)
                # Who saves has read: leaves that the new text repeats are kept.
                await text_of(await head_of(repository), model.table)
                assert (await save_text(repository, model.table, text())).changed
            head = await head_of(repository)
            at_once = await built(empty, model.table, text())
            assert head.tables[model.table] == at_once.address
            assert at_once.row_count == len(model.lines())

    trio.run(main)
