"""A full local disk, in the words of `pyfs.errors`."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyfs.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def local_disk() -> Iterator[None]:
    """Turns a full disk of the spool, the scratch or the recovery folder into `SpaceError`."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise SpaceError(f"the local disk has no room: {exc}") from exc
        raise
