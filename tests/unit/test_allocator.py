"""What the C library is told about memory."""

import multiprocessing
import platform

import pytest

from pyfs.allocator import return_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries return memory")
def test_glibc_takes_the_options() -> None:
    # In a process of its own, as they last.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(return_freed_memory)
