"""How the C library keeps what was freed.

Tables go through several threads, each of which takes memory that another one frees. By default
glibc makes eight heaps a processor and returns little of them: a mount would keep twice what it
ever needed at a time. Pieces of text are of much the same length, but not quite: one fits badly
where another was, so each has pages of its own.
"""

import ctypes
from typing import Final

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""glibc's numbers for the options (`malloc.h`)."""
OPTIONS: Final = {
    M_ARENA_MAX: 2,
    M_MMAP_THRESHOLD: 64 * 1024,
    M_TRIM_THRESHOLD: 4 * 1024 * 1024,
}


def return_freed_memory() -> bool:
    """Has freed memory returned to the system early; whether the C library knows how.

    Called before there are other threads.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(option, value) for option, value in OPTIONS.items())
