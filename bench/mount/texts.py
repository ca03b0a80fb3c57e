"""The texts that jobs save."""

import gzip
from dataclasses import dataclass
from pathlib import Path

from bench.mount.site import GOLDEN

TIMES = 3
SCATTERED_ROWS, SCATTERED_STEP = 200_000, 13
SCATTERED_SCHEMA = (
    "CREATE TABLE `scattered` (`id` int NOT NULL, `name` varchar(40), `amount` int,"
    " `at` datetime, PRIMARY KEY (`id`));\n"
)


@dataclass(frozen=True, slots=True)
class Texts:
    """Files of CSV."""

    flights: Path
    """The 336,776 flights three times, with ids from 1: 20 columns, 100 MB."""
    header: bytes
    changed: Path
    """The same with one row changed in the middle."""
    rewritten: Path
    """The same with every row changed."""
    scattered: Path
    """200,000 rows of four columns."""
    scattered_changed: Path
    """The same with 15,385 rows changed, one in thirteen."""


def write_texts(folder: Path) -> Texts:
    """Writes them into *folder*."""
    once = gzip.decompress((GOLDEN / "flights.expected/main/flights.csv.gz").read_bytes())
    header, *lines = once.splitlines(keepends=True)
    rests = [line.partition(b",")[2] for line in lines]
    rows = [b"%d,%s" % (number, rest) for number, rest in enumerate(rests * TIMES, start=1)]
    texts = Texts(
        folder / "flights.csv",
        header,
        folder / "changed.csv",
        folder / "rewritten.csv",
        folder / "scattered.csv",
        folder / "scattered-changed.csv",
    )
    texts.flights.write_bytes(header + b"".join(rows))
    middle = len(rows) // 2
    changed = [row.rpartition(b",")[0] + b",1999-12-31 23:00:00\n" for row in rows]
    texts.rewritten.write_bytes(header + b"".join(changed))
    rows[middle] = changed[middle]
    texts.changed.write_bytes(header + b"".join(rows))
    texts.scattered.write_text(_scattered(changed=False))
    texts.scattered_changed.write_text(_scattered(changed=True))
    return texts


def _scattered(*, changed: bool) -> str:
    lines = ["id,name,amount,at\n"]
    for number in range(1, SCATTERED_ROWS + 1):
        amount = number * 7919 % 100_003 + (changed and number % SCATTERED_STEP == 1)
        hour, minute = number // 60 % 24, number % 60
        at = f"2026-03-{number % 28 + 1:02} {hour:02}:{minute:02}:00"
        lines.append(f"{number},name number {number * 31 % 9973},{amount},{at}\n")
    return "".join(lines)
