"""What the C library is told about memory."""

import gc
import multiprocessing
import platform

import pytest

from pyfs.allocator import collect_cycles, return_freed_memory, trim

glibc_only = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries return memory"
)


def memory_before_and_after_trimming() -> tuple[int, int]:
    """Bytes, where every 100th of many small things is still used."""

    def memory() -> int:
        with open("/proc/self/smaps_rollup") as file:
            (line,) = (line for line in file if line.startswith("Anonymous:"))
        return int(line.split()[1]) << 10

    things = [bytes(1000) for _ in range(100_000)]
    used = things[::100]
    del things
    before = memory()
    assert trim()
    assert len(used) == 1000
    return before, memory()


@glibc_only
def test_what_is_free_between_used_things_is_returned() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before, after = pool.apply(memory_before_and_after_trimming)
    # A used thing keeps one page of 25: of 100 MB, 96 are free.
    assert before - after > 50_000_000


@glibc_only
def test_glibc_takes_the_options() -> None:
    # In a process of its own, as they last.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(return_freed_memory)


def collects_after_it_did_not() -> bool:
    gc.disable()
    collect_cycles()
    return gc.isenabled()


def test_cycles_are_looked_for_once_all_is_loaded() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(collects_after_it_did_not)
