"""Several processes at one table of a mount."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.mounts import Mount

pytestmark = pytest.mark.fuse

SAVES = 30
SAVER = """
for i in $(seq $SAVES); do
  cp primes.csv $OUT/p || exit 1
  echo $((9000 + i)),1 >> $OUT/p
  cp $OUT/p primes.csv || exit 2
done
"""
READER = """
while [ ! -e $OUT/done ]; do
  cat primes.csv > $OUT/$1 || exit 3
  [ $(stat -c %s $OUT/$1) -ge $2 ] && [ -z "$(tail -c 1 $OUT/$1)" ] || exit 4
  size=$(stat -c %s primes.csv) && [ "$size" -ge $2 ] || exit 5
done
"""


def test_readers_beside_a_saver_see_whole_tables_and_cost_no_save(primes: Mount) -> None:
    size = (primes / "main/primes.csv").stat().st_size
    environment = {**os.environ, "OUT": str(primes.home), "SAVES": str(SAVES)}
    folder = primes / "main"

    def start(script: str, *words: str) -> subprocess.Popen[bytes]:
        # Each is a session of its own: what one reads is no base of another's save.
        return subprocess.Popen(
            ["bash", "-c", script, "sh", *words],
            cwd=folder,
            env=environment,
            start_new_session=True,
        )

    readers = [start(READER, f"r{number}", str(size)) for number in range(2)]
    saver = start(SAVER)
    try:
        status = saver.wait()
    finally:
        (primes.home / "done").touch()
    assert [status, *(reader.wait() for reader in readers)] == [0, 0, 0]
    text = (folder / "primes.csv").read_text()
    assert sum(line.startswith("90") for line in text.splitlines()) == SAVES


def test_rows_that_processes_append_at_once_all_come(primes: Mount) -> None:
    folder = primes / "main"
    script = "seq 9001 9012 | xargs -P 4 -I {} sh -c '/bin/echo {},5 >> primes.csv'"
    subprocess.run(["bash", "-c", script], cwd=folder, check=True)
    rows = (folder / "primes.csv").read_text().splitlines()
    assert [row for row in rows if row.startswith("90")] == [f"{n},5" for n in range(9001, 9013)]
