"""The errno of each error, and `@handler`."""

from __future__ import annotations

import errno
import functools
import logging
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from pyfuse3 import FUSEError

from pyfs import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Concatenate

log = logging.getLogger(__name__)

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")

ERRNO: Final[dict[type[errors.PyfsError], int]] = {
    errors.RemoteError: errno.EIO,
    errors.NoAnswerError: errno.EIO,
    errors.CorruptionError: errno.EIO,
    errors.ConfigurationError: errno.EIO,
    errors.AccessError: errno.EACCES,
    errors.ReadOnlyError: errno.EROFS,
    errors.UnsupportedError: errno.ENOTSUP,
    errors.InvalidTextError: errno.EINVAL,
    errors.DuplicateKeyError: errno.EINVAL,
    errors.InvalidNameError: errno.EINVAL,
    errors.ConflictError: errno.ESTALE,
    errors.SupersededError: errno.ESTALE,
    # No file is missing: nothing of the remote can be seen.
    errors.AbsentRemoteError: errno.EIO,
    errors.NotFoundError: errno.ENOENT,
    errors.AlreadyExistsError: errno.EEXIST,
    errors.DirectoryExpectedError: errno.ENOTDIR,
    errors.FileExpectedError: errno.EISDIR,
    errors.NotEmptyError: errno.ENOTEMPTY,
    errors.NotPermittedError: errno.EPERM,
    errors.CrossDirectoryError: errno.EXDEV,
    errors.SpaceError: errno.ENOSPC,
    errors.DiskError: errno.EIO,
}

ORDINARY: Final = (errors.NotFoundError, errors.SupersededError, errors.AlreadyExistsError)
"""Errors that are a normal answer, not worth a line in the log."""


def handler(
    method: Callable[Concatenate[S, P], Awaitable[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make *method* fail with an errno and nothing else.

    pyfuse3 answers the kernel only for `FUSEError`. Anything else ends the mount and leaves the
    caller blocked, so a bug must cost one EIO instead.
    """

    @functools.wraps(method)
    async def wrapper(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(self, *args, **kwargs)
        except FUSEError:
            raise
        except errors.PyfsError as exc:
            number = ERRNO.get(type(exc), errno.EIO)
            if number == errno.EIO or not isinstance(exc, ORDINARY):
                level = logging.WARNING if number == errno.EIO else logging.INFO
                log.log(level, "%s: %s: %s", method.__name__, errno.errorcode[number], exc)
            raise FUSEError(number) from exc
        except Exception as exc:
            log.exception("%s failed", method.__qualname__)
            raise FUSEError(errno.EIO) from exc

    return wrapper
