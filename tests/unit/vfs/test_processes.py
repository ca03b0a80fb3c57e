"""What /proc tells of processes, asked of real ones."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any

from pyfs.vfs.processes import LastReads, ProcessStat, process_of

SLEEP = "import sys; print(flush=True); sys.stdin.read()"


def _child(**options: Any) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", SLEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
    )
    assert child.stdout
    child.stdout.readline()
    return child


def test_a_process_is_told_apart_from_a_later_one_of_its_number() -> None:
    with _child() as child:
        stat = ProcessStat.read(child.pid)
        assert stat is not None
        assert stat.parent == os.getpid()
        assert stat.session == os.getsid(0)
        assert stat.process.started > 0
        child.communicate()
    assert ProcessStat.read(child.pid) is None


def test_a_killed_process_says_by_what() -> None:
    child = _child()
    child.send_signal(signal.SIGKILL)
    # Waits for its end but leaves it to be reaped, so that it is still there to be asked.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    stat = ProcessStat.read(child.pid)
    assert stat is not None
    assert stat.killed_by == signal.SIGKILL
    child.communicate()


def test_a_process_that_ends_by_itself_was_not_killed() -> None:
    child = _child()
    assert child.stdin
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    stat = ProcessStat.read(child.pid)
    assert stat is not None
    assert stat.killed_by == 0
    child.wait()


def test_a_command_reads_for_the_shell_that_runs_it() -> None:
    reads = LastReads()
    first, second, third = (f"commit {n}" for n in (1, 2, 3))
    with _child() as command, _child(start_new_session=True) as stranger:
        reads.note("main", "primes", command.pid, first)  # type: ignore[arg-type]
        assert reads.base("main", "primes", os.getpid()) == first
        assert reads.base("main", "primes", stranger.pid) is None
        assert reads.base("main", "other", os.getpid()) is None
        assert reads.base("other", "primes", os.getpid()) is None
        reads.note("main", "primes", stranger.pid, second)  # type: ignore[arg-type]
        assert reads.base("main", "primes", os.getpid()) == first
        reads.note("main", "primes", os.getpid(), third)  # type: ignore[arg-type]
        # Its own reading is nearer than its parent's.
        assert reads.base("main", "primes", command.pid) == first
        command.communicate()
        stranger.communicate()


def test_a_process_that_is_gone_has_read_nothing() -> None:
    with _child() as child:
        child.communicate()
    reads = LastReads()
    reads.note("main", "primes", child.pid, "commit")  # type: ignore[arg-type]
    assert reads.base("main", "primes", child.pid) is None


def test_a_thread_asks_for_its_process() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(process_of(threading.get_native_id())))
    thread.start()
    thread.join()
    assert found == [os.getpid()]
    assert process_of(os.getpid()) == os.getpid()
