"""`KernelCache`: tells the kernel what to forget."""

from __future__ import annotations

import errno
import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Final

import pyfuse3
import trio

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfs.vfs.node import Node

log = logging.getLogger(__name__)

WAIT_S: Final = 2.0
"""A notification that takes longer is left to its thread: the caller goes on without it."""
THREADS_MAX: Final = 4


class KernelCache:
    """Sends notifications from worker threads, for they block while the kernel works."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(THREADS_MAX)
        self._armed = True

    def disarm(self) -> None:
        """The mount ends: nothing is sent from now on."""
        self._armed = False

    async def forget_pages(self, node: Node, *, attributes_only: bool) -> None:
        """The attributes of *node*, and what is cached of its contents."""
        if node.inode:
            inode = pyfuse3.InodeT(node.inode)
            await self._send(partial(pyfuse3.invalidate_inode, inode, attributes_only))

    async def forget_name(self, parent: Node, name: str) -> None:
        """What *name* means in *parent*. Never called while *parent* is being changed."""
        if parent.inode:
            inode = pyfuse3.InodeT(parent.inode)
            await self._send(partial(pyfuse3.invalidate_entry, inode, os.fsencode(name)))

    async def _send(self, notify: Callable[[], None]) -> None:
        # All threads wedged: the kernel's own timeouts have to do.
        if not self._armed or self._limiter.available_tokens < 1:
            return
        with trio.move_on_after(WAIT_S) as waiting:
            await trio.to_thread.run_sync(
                _quietly, notify, abandon_on_cancel=True, limiter=self._limiter
            )
        if waiting.cancelled_caught:
            log.warning("the kernel did not take a notification within %s s", WAIT_S)


def _quietly(notify: Callable[[], None]) -> None:
    try:
        notify()
    except OSError as exc:
        # Not known to the kernel any more, which is what was wanted.
        if exc.errno != errno.ENOENT:
            log.warning("the kernel refused a notification: %s", exc)
