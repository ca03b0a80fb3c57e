"""Asks a mount something without being stuck where its process does not answer.

A system call into a mount whose process is stopped cannot be broken off, not even by Ctrl-C. So it
is made by a child, which can be left behind.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S: Final = 3.0
"""After that long, a line says what is being waited for."""
SIGNALS_S: Final = 0.5
"""How often it is looked whether a signal came."""


def ask(question: Callable[[], str], waiting: Callable[[], None]) -> str:
    """What *question* returns or the `OSError` that it raises, found out by a child process.

    Calls *waiting* once if that takes long.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(question, writer)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            if not select.select([pipe], [], [], PATIENCE_S)[0]:
                waiting()
            # Python looks for a Ctrl-C before a call that waits, and not while it does: one that
            # comes in between would be seen at the end only.
            while not select.select([pipe], [], [], SIGNALS_S)[0]:
                pass
            told = pipe.read()
    except BaseException:
        # Not waited for: it dies when the mount's process lets go of it.
        os.kill(child, signal.SIGKILL)
        raise
    os.waitpid(child, 0)
    if not told:
        raise OSError(errno.EIO, "the process that asked it was killed")
    number, text = json.loads(told)
    if number:
        raise OSError(number, os.strerror(number))
    return str(text)


def _answer(question: Callable[[], str], writer: int) -> None:
    """Never returns: the parent's callers must not run a second time in the child."""
    try:
        # A signal with a handler would not end a call that waits for the mount.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            answer: tuple[int, str] = (0, question())
        except OSError as exc:
            answer = (exc.errno or 0, exc.strerror or "")
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
    finally:
        os._exit(0)
