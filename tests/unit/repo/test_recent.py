import pytest
import trio
import trio.testing

from pyfs.repo.recent import Recent


def test_a_value_is_loaded_once_for_all_who_want_it_meanwhile() -> None:
    async def main() -> None:
        loads = 0

        async def load() -> str:
            nonlocal loads
            loads += 1
            await trio.testing.wait_all_tasks_blocked()
            return "value"

        recent: Recent[int, str] = Recent(2)
        got = []

        async def want() -> None:
            got.append(await recent.get(1, load))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(want)
        assert got == ["value"] * 3
        assert loads == 1

    trio.run(main)


def test_the_least_recently_used_goes() -> None:
    recent: Recent[int, str] = Recent(2)
    recent.put(1, "a")
    recent.put(2, "b")

    async def fail() -> str:
        raise AssertionError

    assert trio.run(recent.get, 1, fail) == "a"
    recent.put(3, "c")
    assert [recent.peek(key) for key in (1, 2, 3)] == ["a", None, "c"]


def test_who_waited_for_a_load_that_failed_tries_itself() -> None:
    async def main() -> None:
        recent: Recent[int, str] = Recent(2)

        loading = trio.Event()

        async def fail() -> str:
            loading.set()
            await trio.testing.wait_all_tasks_blocked()
            raise OSError("first")

        async def succeed() -> str:
            return "second"

        async def first() -> None:
            with pytest.raises(OSError, match="first"):
                await recent.get(1, fail)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await loading.wait()
            assert await recent.get(1, succeed) == "second"

    trio.run(main)


def test_heavy_values_go_sooner_but_not_the_last() -> None:
    recent: Recent[int, str] = Recent(10, len, 5)
    for key, value in enumerate(["a", "bb", "cc", "d"]):
        recent.put(key, value)
    assert [recent.peek(key) for key in range(4)] == ["a", "bb", "cc", "d"]
    recent.put(4, "eeeeeeee")
    assert [recent.peek(key) for key in range(5)] == [None, "bb", "cc", "d", "eeeeeeee"]
    recent.put(5, "f")
    assert [recent.peek(key) for key in range(6)] == [None, None, None, None, None, "f"]
