"""What ordinary tools do on a mount, each as one commit or none."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.mounts import REMOTES, Mount

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.fuse

OLD = (REMOTES / "primes.expected" / "main" / "primes.csv").read_text()
NEW = OLD + "37,157\n"
CHANGED = OLD.replace("\n2,3\n", "\n2,33\n")
MIDDLE = OLD[:8] + "9" + OLD[9:]

SAVES = {
    "cp": ("cp $OUT/new.csv primes.csv", NEW),
    "cp --remove-destination": ("cp --remove-destination $OUT/new.csv primes.csv", NEW),
    "cp --backup": ("cp --backup=simple $OUT/new.csv primes.csv", NEW),
    "cp -p": ("cp -p $OUT/new.csv primes.csv", NEW),
    "external >": ("sort -t, -k1n $OUT/new.csv > primes.csv", NEW),
    "builtin >": ('text=$(cat $OUT/new.csv); printf "%s\\n" "$text" > primes.csv', NEW),
    ">>": ("echo 37,157 >> primes.csv", NEW),
    "two commands >>": ("{ printf 37,; echo 157; } >> primes.csv", NEW),
    "group": ("{ true; cat $OUT/old.csv; echo 37,157; } > primes.csv", NEW),
    "subshell": ("(head -n 5 $OUT/new.csv; tail -n +6 $OUT/new.csv) > primes.csv", NEW),
    "exec": ("exec 3> primes.csv; cat $OUT/old.csv >&3; echo 37,157 >&3; exec 3>&-", NEW),
    "tee": ("cat $OUT/new.csv | tee primes.csv > /dev/null", NEW),
    "dd": ("dd if=$OUT/new.csv of=primes.csv status=none", NEW),
    "dd fsync": ("dd if=$OUT/new.csv of=primes.csv conv=fsync status=none", NEW),
    "dd notrunc": ("printf 9 | dd of=primes.csv bs=1 seek=8 conv=notrunc status=none", MIDDLE),
    "sort -o": ("sort -t, -k1n -o primes.csv $OUT/new.csv", NEW),
    "mv from outside": ("mv $OUT/new.csv primes.csv", NEW),
    "mv from inside": ("cp $OUT/new.csv .new.tmp && mv .new.tmp primes.csv", NEW),
    "install": ("install -m 644 $OUT/new.csv primes.csv", NEW),
    "tar": ("cp $OUT/new.csv $OUT/primes.csv; tar -C $OUT -c primes.csv | tar x", NEW),
    "sed -i": ("sed -i 's/^2,3$/2,33/' primes.csv", CHANGED),
    "sed -i.bak": ("sed -i.bak 's/^2,3$/2,33/' primes.csv", CHANGED),
    "perl -pi": ("perl -pi -e 's/^2,3$/2,33/' primes.csv", CHANGED),
    "rsync": ("cp $OUT/new.csv $OUT/primes.csv; rsync -a $OUT/primes.csv ./", NEW),
    "rsync --inplace": (
        "cp $OUT/new.csv $OUT/primes.csv; rsync --inplace -a $OUT/primes.csv ./", NEW),
    "rsync -b": ("cp $OUT/new.csv $OUT/primes.csv; rsync -ab $OUT/primes.csv ./", NEW),
    "rsync --delay-updates": (
        "cp $OUT/new.csv $OUT/primes.csv; rsync -a --delay-updates $OUT/primes.csv ./", NEW),
    "truncate": ("truncate -s 10 primes.csv", OLD[:10]),
}  # fmt: skip


PYTHON = {
    "w": ("open('primes.csv', 'w').write(new)", NEW),
    "r+": ("f = open('primes.csv', 'r+'); f.seek(8); f.write('9'); f.close()", MIDDLE),
    "os.replace before close": (
        """
f = open('.x', 'w')
f.write(new)
f.flush()
os.fsync(f.fileno())
os.replace('.x', 'primes.csv')
f.close()
""",
        NEW,
    ),
    "fork, the child writes last": (
        """
f = os.open('primes.csv', os.O_WRONLY | os.O_TRUNC)
os.write(f, new[:9].encode())
r, w = os.pipe()
if os.fork() == 0:
    os.read(r, 1)
    os.write(f, new[9:].encode())
    os._exit(0)
os.close(f)
os.write(w, b'.')
os.wait()
""",
        NEW,
    ),
    "pandas": (
        """
import pandas
table = pandas.read_csv('primes.csv')
table.loc[1, 'val'] = 33
table.to_csv('primes.csv', index=False)
""",
        CHANGED,
    ),
    "duckdb": (
        """
import duckdb
rows = "select i, case when i = 2 then 33 else val end as val from 'primes.csv' order by i"
duckdb.sql(f"copy ({rows}) to 'primes.csv' (header)")
""",
        CHANGED,
    ),
}


@pytest.mark.parametrize("how", PYTHON)
def test_python_saves_once(primes: Mount, how: str) -> None:
    script, expected = PYTHON[how]
    before = primes.log()
    prelude = f"import os\nnew = {NEW!r}\n"
    done = primes.run([sys.executable, "-c", prelude + script])
    assert done.returncode == 0, done.stderr
    assert (primes / "main/primes.csv").read_text() == expected
    assert primes.log()[1:] == before


@pytest.mark.parametrize("tool", SAVES)
def test_a_tool_saves_once(primes: Mount, tool: str) -> None:
    script, expected = SAVES[tool]
    out = primes.home / "out"
    out.mkdir()
    (out / "old.csv").write_text(OLD)
    (out / "new.csv").write_text(NEW)
    before = primes.log()
    done = primes.sh(script)
    assert done.returncode == 0, done.stderr
    assert (primes / "main/primes.csv").read_text() == expected
    assert (primes / "main/primes.csv").stat().st_size == len(expected)
    assert primes.log()[1:] == before
    assert primes.umount().returncode == 0
    assert primes.mount().sh("cat primes.csv").stdout == expected
    assert os.listdir(primes / "main") == ["primes.csv"]


@pytest.mark.parametrize(
    "script",
    [
        "cat primes.csv > $OUT/x; cp $OUT/x primes.csv",
        "touch primes.csv",
        "sed -i s/x/y/ primes.csv",
        ": >> primes.csv",
        "chmod 600 primes.csv; chown root primes.csv; touch -d yesterday primes.csv",
        "exec 3<> primes.csv; head -c 5 <&3; exec 3>&-",
        "flock primes.csv true",
    ],
)
def test_what_changes_nothing_commits_nothing(primes: Mount, script: str) -> None:
    before = primes.log()
    done = primes.sh(script)
    assert done.returncode == 0, done.stderr
    assert primes.log() == before
    assert (primes / "main/primes.csv").read_text() == OLD


REFUSALS = {
    "builtin >": 'printf "i,val\\n1,x\\n" > primes.csv',
    "builtin >>": "echo 38,x >> primes.csv",
    "group": "{ echo i,val; echo 1,x; } > primes.csv",
    "cp": "cp $OUT/bad.csv primes.csv",
    "mv from outside": "mv $OUT/bad.csv primes.csv",
    "external >": "cat $OUT/bad.csv > primes.csv",
    "tee": "tee primes.csv < $OUT/bad.csv",
    "dd": "dd if=$OUT/bad.csv of=primes.csv status=none",
    "sed -i": "sed -i s/^2,3$/2,x/ primes.csv",
    "perl -pi": "perl -pi -e s/^2,3$/2,x/ primes.csv",
    "rsync": "cp $OUT/bad.csv $OUT/primes.csv; rsync -a $OUT/primes.csv ./",
    "rsync --inplace": "cp $OUT/bad.csv $OUT/primes.csv; rsync --inplace $OUT/primes.csv ./",
    "sort -o": "sort -t, -k1n -o primes.csv $OUT/bad.csv",
    "python": '$PYTHON -c \'with open("primes.csv", "w") as f: f.write("i,val\\n1,x\\n")\'',
}


@pytest.mark.parametrize("tool", REFUSALS)
def test_a_tool_hears_that_its_save_is_refused(primes: Mount, tool: str) -> None:
    out = primes.home / "out"
    out.mkdir()
    bad = OLD.replace("\n2,3\n", "\n2,x\n")
    (out / "bad.csv").write_text(bad)
    before = primes.log()
    done = primes.sh(REFUSALS[tool])
    assert done.returncode != 0
    assert "Invalid argument" in done.stderr
    assert (primes / "main/primes.csv").read_text() == OLD
    assert primes.log() == before
    status = primes.status()
    for part in ("file: primes.csv", "line: ", "column: val", "value: x", "reason: "):
        assert part in status
    kept = primes.recovered()
    assert kept
    assert str(kept[-1]) in status
    assert ",x\n" in kept[-1].read_text()
    assert str(kept[-1]) in primes.log_file()


def test_duplicate_keys_are_refused_at_close(primes: Mount) -> None:
    out = primes.home / "out"
    out.mkdir()
    (out / "bad.csv").write_text(OLD + "1,2\n")
    done = primes.sh("cp $OUT/bad.csv primes.csv")
    assert "Invalid argument" in done.stderr
    assert (primes / "main/primes.csv").read_text() == OLD


def _in_terminal(mount: Mount, command: list[str], keys: list[bytes]) -> None:
    """Runs *command* in a terminal of its own and types *keys*, each once it has gone quiet."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(mount / "main")
        os.environ["TERM"] = "xterm"
        os.execvp(command[0], command)
    for key in keys:
        _quiet(terminal)
        os.write(terminal, key)
    end = time.monotonic() + 30
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() < end, f"{command} did not end"
        _quiet(terminal)
    os.close(terminal)


def _quiet(terminal: int) -> None:
    """Reads until nothing has come for a moment."""
    while select.select([terminal], [], [], 0.3)[0]:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:
            return


@pytest.mark.parametrize("backup", ["auto", "yes", "no"])
def test_vim_saves_twice_without_complaint(primes: Mount, backup: str) -> None:
    vim = shutil.which("vim")
    assert vim, "vim is missing (make setup)"
    before = primes.log()
    _in_terminal(
        primes,
        [vim, "-u", "NONE", "-c", f"set nocompatible backupcopy={backup} backup", "primes.csv"],
        [b"Go37,157\x1b", b":w\r", b"Go38,163\x1b", b":w\r", b":q\r"],
    )
    assert (primes / "main/primes.csv").read_text() == NEW + "38,163\n"
    assert primes.log()[2:] == before


def test_vim_says_that_a_save_is_refused(primes: Mount) -> None:
    before = primes.log()
    done = primes.sh(
        "vim -u NONE -es -c 'normal Gothirty,157' -c 'w' -c 'qa!' primes.csv; echo status $?"
    )
    assert "status 0" not in done.stdout
    assert (primes / "main/primes.csv").read_text() == OLD
    assert primes.log() == before


NEW_TABLES = {
    "cp": "cp $OUT/made.csv .",
    "mv from outside": "mv $OUT/made.csv .",
    "external >": "cat $OUT/made.csv > made.csv",
    "group": "{ echo a,b; echo 1,x; sort -n $OUT/made.csv | tail -n 1; } > made.csv",
    "touch, then >>": "touch made.csv; cat $OUT/made.csv >> made.csv",
    "rsync": "rsync $OUT/made.csv ./",
    "mv from inside": "cp $OUT/made.csv .made.tmp && mv .made.tmp made.csv",
    "duckdb": "$PYTHON -c \"import duckdb; duckdb.sql(\\\"copy (from '$OUT/made.csv')"
    " to 'made.csv' (header)\\\")\"",
    "pandas": "$PYTHON -c \"import pandas; pandas.read_csv('$OUT/made.csv')"
    ".to_csv('made.csv', index=False)\"",
}


@pytest.mark.parametrize("tool", NEW_TABLES)
def test_a_tool_makes_a_new_table(primes: Mount, tool: str) -> None:
    out = primes.home / "out"
    out.mkdir()
    (out / "made.csv").write_text("a,b\n1,x\n2,y\n")
    before = primes.log()
    done = primes.sh(NEW_TABLES[tool])
    assert done.returncode == 0, done.stderr
    assert primes.log()[1:] == before
    assert primes.umount().returncode == 0
    assert primes.mount().sh("cat made.csv").stdout == "a,b\n1,x\n2,y\n"
    assert sorted(os.listdir(primes / "main")) == ["made.csv", "primes.csv"]


def test_vim_makes_a_new_table_and_saves_it_again(primes: Mount) -> None:
    before = primes.log()
    _in_terminal(
        primes,
        ["vim", "-u", "NONE", "-c", "set nocompatible", "made.csv"],
        [b"ia,b\r1,x\x1b", b":w\r", b"o2,y\x1b", b":w\r", b":q\r"],
    )
    assert (primes / "main/made.csv").read_text() == "a,b\n1,x\n2,y\n"
    assert primes.log()[2:] == before


def test_a_builtin_hears_that_a_new_table_is_refused(primes: Mount) -> None:
    before = primes.log()
    done = primes.sh('printf "a,b\\n1,2,3\\n" > made.csv')
    assert done.returncode != 0
    assert "2 fields" in primes.status() or "3 fields" in primes.status()
    assert primes.recovered()[-1].read_text() == "a,b\n1,2,3\n"
    assert primes.log() == before
    assert os.listdir(primes / "main") == ["primes.csv"]


def test_rm_drops_and_a_new_file_brings_the_table_back(primes: Mount) -> None:
    before = primes.log()
    assert primes.sh("cp primes.csv $OUT/; rm primes.csv; sync .; ls -A").stdout == ""
    assert primes.log()[1:] == before
    assert primes.sh("cp $OUT/primes.csv .").returncode == 0
    assert (primes / "main/primes.csv").read_text() == OLD
    assert primes.log()[2:] == before


def test_mkdir_is_a_branch_and_rmdir_deletes_it(
    primes: Mount, mounts: Callable[..., Mount]
) -> None:
    os.mkdir(primes / "fix")
    assert primes.sh("echo 37,157 >> primes.csv", branch="fix").returncode == 0
    other = mounts("primes").mount()
    assert (other / "fix/primes.csv").read_text() == NEW
    assert (other / "main/primes.csv").read_text() == OLD
    os.rmdir(primes / "fix")
    assert sorted(os.listdir(primes.root)) == ["feature", "main", "merged"]
    with pytest.raises(PermissionError):
        os.rmdir(primes / "main")


def test_a_message_for_the_next_commit(primes: Mount) -> None:
    assert (
        primes.sh("echo 'Add the 37th' > .pyfs/message; echo 37,157 >> primes.csv").returncode == 0
    )
    assert primes.log()[0] == "Add the 37th"
    assert primes.sh("echo 38,163 >> primes.csv").returncode == 0
    assert primes.log()[0] == "Update primes: +1 -0 ~0 rows"


def test_a_killed_writer_saves_nothing(primes: Mount) -> None:
    before = primes.log()
    writer = subprocess.Popen(
        [
            "bash",
            "-c",
            "exec 3> primes.csv; printf 'i,val\\n1,2\\n' >&3; echo ready; exec sleep 60",
        ],
        cwd=primes / "main",
        stdout=subprocess.PIPE,
    )
    assert writer.stdout
    assert writer.stdout.readline() == b"ready\n"
    writer.kill()
    writer.wait()
    assert primes.log() == before
    assert "SIGKILL" in primes.status()
    assert (primes / "main/primes.csv").read_text() == OLD
