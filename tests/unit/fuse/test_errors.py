"""What leaves a handler."""

import errno

import pytest
import trio
from pyfuse3 import FUSEError

from pyfs.errors import NoAnswerError, PyfsError, RemoteError
from pyfs.fuse.errors import ERRNO, handler


def _below(kind: type[PyfsError]) -> set[type[PyfsError]]:
    below = kind.__subclasses__()
    return set(below).union(*map(_below, below))


def test_every_error_has_an_errno() -> None:
    assert _below(PyfsError) == set(ERRNO)


class Handlers:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    @handler
    async def read(self, offset: int) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (FUSEError(errno.ENODATA), errno.ENODATA),
        (RemoteError("no answer"), errno.EIO),
        (NoAnswerError("no answer"), errno.EIO),
        (KeyError("a bug"), errno.EIO),
        *[(kind("x"), number) for kind, number in ERRNO.items()],
    ],
)
def test_only_fuse_errors_leave_a_handler(error: BaseException, number: int) -> None:
    with pytest.raises(FUSEError) as caught:
        trio.run(Handlers(error).read, 0)
    assert caught.value.errno == number


def test_a_bug_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(FUSEError):
        trio.run(Handlers(KeyError("a bug")).read, 0)
    assert caplog.records[0].exc_info
    assert "Handlers.read failed" in caplog.text


def test_cancellation_is_not_swallowed() -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await Sleeper().read()
        assert scope.cancelled_caught

    class Sleeper:
        @handler
        async def read(self) -> None:
            await trio.sleep(1)

    trio.run(main)
