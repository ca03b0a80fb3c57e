"""Forks and detaches, before any thread, event loop or AWS client exists."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from pyfs.errors import ConfigurationError, PyfsError

if TYPE_CHECKING:
    from collections.abc import Callable

_READY: Final = b"ready\0"


def run_detached(serve: Callable[[Callable[[str], None]], None]) -> str:
    """Runs *serve* in a child that outlives this process; returns when it calls what it is given.

    Returns what that is called with. Raises `ConfigurationError` with the child's reason if it ends
    before.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _become_daemon(serve, writer)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        raise
    if not answer.startswith(_READY):
        reason = answer.decode(errors="replace")
        raise ConfigurationError(reason or "the mount ended at once; its log may say why")
    return answer.removeprefix(_READY).decode(errors="replace")


def _become_daemon(serve: Callable[[Callable[[str], None]], None], writer: int) -> None:
    """Never returns: the parent's callers must not run a second time in the child."""
    status = 1
    waiting = True

    def tell(answer: bytes) -> None:
        # Once: the number of a closed pipe soon means another file.
        nonlocal waiting
        if waiting:
            waiting = False
            os.write(writer, answer)
            os.close(writer)

    try:
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)

        def ready(note: str) -> None:
            # From here on nobody reads what libfuse or a traceback would print.
            os.dup2(null, 2)
            tell(_READY + note.encode(errors="replace"))

        serve(ready)
        status = 0
    except PyfsError as exc:
        tell(str(exc).encode())
    except BaseException as exc:
        tell(f"{type(exc).__name__}: {exc}".encode())
        raise
    finally:
        os._exit(status)
