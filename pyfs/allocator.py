"""How Python and the C library keep what was freed.

Tables go through several threads, each of which takes memory that another one frees. By default
glibc makes eight heaps a processor and returns little of them: a mount would keep twice what it
ever needed at a time. Pieces of text are of much the same length, but not quite: one fits badly
where another was, so each has pages of its own.
"""

import ctypes
import gc
from collections.abc import Callable
from typing import Final

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""glibc's numbers for the options (`malloc.h`)."""
OPTIONS: Final = {
    M_ARENA_MAX: 2,
    M_MMAP_THRESHOLD: 64 * 1024,
    M_TRIM_THRESHOLD: 4 * 1024 * 1024,
}


GC_ALLOCATIONS: Final = 50_000
"""New objects after which cycles are looked for: batches of thousands of handles have none."""
TRIM_INTERVAL_S: Final = 30.0
"""How often `trim` is worth calling: it takes a few milliseconds."""


def return_freed_memory() -> bool:
    """Has freed memory returned to the system early; whether the C library knows how.

    Called before there are other threads.
    """
    mallopt = _function("mallopt")
    return mallopt is not None and all(mallopt(name, value) for name, value in OPTIONS.items())


def trim() -> bool:
    """Returns what is free between things that are used; whether that was anything.

    The heaps of a mount that saves for days would fray: they give back what is free at their end.
    """
    malloc_trim = _function("malloc_trim")
    return malloc_trim is not None and bool(malloc_trim(0))


def collect_cycles() -> None:
    """Has Python look for cycles of garbage from now on; what is there now stays.

    A command imports hundreds of modules and makes clients; it looks for none until all that is
    done, which takes a tenth less time.
    """
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 10, 100)
    gc.enable()


def _function(name: str) -> Callable[..., int] | None:
    """glibc's function of that name; None for another C library."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function
