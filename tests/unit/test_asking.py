"""Asking something that may not answer."""

import os
import signal
import threading

import pytest

from pyfs import asking
from pyfs.asking import ask


def _never() -> None:
    pytest.fail("it answered at once")


def test_the_answer_comes_from_a_child() -> None:
    assert int(ask(lambda: str(os.getpid()), _never)) != os.getpid()
    long = "ä" * 200_000
    assert ask(lambda: long, _never) == long


def test_an_error_is_the_askers() -> None:
    with pytest.raises(FileNotFoundError):
        ask(lambda: os.readlink("/none/such"), _never)


def test_who_waits_is_told_and_can_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child hangs; Ctrl-C leaves it behind, dead."""
    monkeypatch.setattr(asking, "PATIENCE_S", 0.0)
    told = []
    children = []

    def interrupt() -> None:
        told.append("waiting")
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)

    fork = os.fork

    def noted() -> int:
        child = fork()
        children.append(child)
        return child

    monkeypatch.setattr(os, "fork", noted)
    reader, writer = os.pipe()
    with pytest.raises(KeyboardInterrupt):
        ask(lambda: os.read(reader, 1).decode(), interrupt)
    os.close(reader)
    os.close(writer)
    assert told == ["waiting"]
    assert os.WTERMSIG(os.waitpid(children[0], 0)[1]) == signal.SIGKILL
