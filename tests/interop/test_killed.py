"""`kill -9` at any moment of a save leaves a remote that dolt finds sound."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.support.dolt import Dolt
from tests.support.killed_save import TEXT
from tests.support.mounts import ROOT, copied
from tests.support.repositories import expected, opened_url, save_text, saved_tables

pytestmark = [pytest.mark.dolt, pytest.mark.timeout(600)]

STEPS_MAX = 100
OLD = expected("primes", "main", "primes.csv")


def test_killed_at_any_moment(tmp_path: Path, dolt: Dolt) -> None:
    outcomes = []
    for step in range(1, STEPS_MAX):
        here = tmp_path / str(step)
        here.mkdir()
        url = copied("primes", here)
        command = [sys.executable, "-m", "tests.support.killed_save", url, str(here / "cache")]
        status = subprocess.run([*command, str(step)], cwd=ROOT, check=False).returncode
        if status == 0:
            break
        assert status == -signal.SIGKILL
        clone = dolt.clone(url, str(step))
        clone.check()
        outcomes.append(clone.export("primes"))
        trio.run(_next_mount_works, url, here / "cache", outcomes[-1])
        shutil.rmtree(clone.directory)
    else:
        pytest.fail(f"the save did not end within {STEPS_MAX} steps")
    # All before the swap leave the old table, all after it the new one.
    assert set(outcomes) == {OLD, TEXT}
    assert outcomes == sorted(outcomes, key=[OLD, TEXT].index)


async def _next_mount_works(url: str, cache_dir: Path, text: bytes) -> None:
    async with opened_url(url, cache_dir) as repository:
        assert await saved_tables(repository) == {"primes": text}
        assert (await save_text(repository, "primes", text + b"99,523\n")).changed
