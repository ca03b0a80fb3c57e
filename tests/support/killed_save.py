"""A process that saves a table and is killed at a chosen moment.

`python -m tests.support.killed_save URL CACHE_DIR STEP`: STEP counts what the process does to
the disk; it is killed right before the operation of that number. Ends with 0 if it is done
before that.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import trio

from tests.support.repositories import expected, opened_url, save_text

P = ParamSpec("P")
R = TypeVar("R")

TEXT = b"".join(expected("primes", "main", "primes.csv").splitlines(keepends=True)[:8])
OPERATIONS = ("open", "write", "fsync", "rename", "replace", "link", "unlink")


def kill_before(step: int) -> None:
    """Kills this process before operation number *step*, from 1."""
    left = [step]

    def counted(operation: Callable[P, R]) -> Callable[P, R]:
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*args, **kwargs)

        return run

    for name in OPERATIONS:
        setattr(os, name, counted(getattr(os, name)))


async def main(url: str, cache_dir: Path, step: int) -> None:
    async with opened_url(url, cache_dir) as repository:
        kill_before(step)
        await save_text(repository, "primes", TEXT)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
