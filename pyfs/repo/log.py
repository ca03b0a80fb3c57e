"""The commits of a branch in dolt's order, and how they are printed.

The text is what `dolt log --decorate=no` prints into a file, less the colour codes that dolt
writes even there: a file that is read with `cat`, `grep` and `less` has none. Refs are left out
because a log file belongs to one branch and the names of a clone (`HEAD`, `origin/…`) mean
nothing on a remote.
"""

import heapq
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from pyfs._core import Address, Commit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


async def walk(
    head: Address, load: Callable[[Sequence[Address]], Awaitable[list[Commit]]]
) -> AsyncIterator[Commit]:
    """*head* and all its ancestors, the highest first; of equals the newer, then the first seen.

    Args:
        head: where to start.
        load: gives the commits at some addresses, in that order.
    """
    seen = {head}
    waiting: list[tuple[int, int, int, Commit]] = []
    serial = itertools.count()
    wanted: list[Address] = [head]
    while wanted or waiting:
        if wanted:
            for commit in await load(wanted):
                order = (-commit.height, -commit.author_timestamp_ms, next(serial))
                heapq.heappush(waiting, (*order, commit))
        _, _, _, commit = heapq.heappop(waiting)
        yield commit
        wanted = [parent for parent in commit.parents if parent not in seen]
        seen.update(wanted)


def log_text(commit: Commit) -> str:
    """A commit as `dolt log` prints it, ending in an empty line."""
    lines = [f"commit {commit.address} "]
    if len(commit.parents) > 1:
        lines.append("Merge: " + " ".join(map(str, commit.parents)))
    lines.append(f"Author: {commit.name} <{commit.email}>")
    lines.append(f"Date:  {ruby_date(commit.author_timestamp_ms)}")
    message = commit.message.replace("\n", "\n\t")
    return "\n".join(lines) + f"\n\n\t{message}\n\n"


def log_json(commit: Commit) -> str:
    """A commit as one line of JSON; times are milliseconds since 1970 UTC."""
    entry = {
        "commit_hash": str(commit.address),
        "parents": [str(parent) for parent in commit.parents],
        "author": commit.name,
        "email": commit.email,
        "author_timestamp_ms": commit.author_timestamp_ms,
        "committer": commit.committer_name,
        "committer_email": commit.committer_email,
        "timestamp_ms": commit.timestamp_ms,
        "height": commit.height,
        "message": commit.message,
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


def ruby_date(timestamp_ms: int) -> str:
    """`Tue Jan 02 03:04:05 +0000 2024`: UTC, rounded to the nearest second as dolt does."""
    seconds = (timestamp_ms + 500) // 1000
    try:
        then = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:  # a foreign commit may claim any 64-bit date
        return f"{seconds} seconds after 1970"
    day, month = _DAYS[then.weekday()], _MONTHS[then.month - 1]
    return f"{day} {month} {then.day:02} {then:%H:%M:%S} +0000 {then.year}"
