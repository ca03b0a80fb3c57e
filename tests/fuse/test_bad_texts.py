"""What a tool sees of a text that is no valid table, and what `status` then says."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bad_texts import BAD_TEXTS, BadText
from tests.support.mounts import Mount
from tests.support.repositories import GOLDEN

pytestmark = pytest.mark.fuse

CHOSEN = (
    "tinyint too high",
    "decimal too high",
    "no leap year",
    "no member",
    "text of umlauts too long",
    "text that is no UTF-8",
    "JSON object that breaks off",
    "nothing where text is required",
    "key twice, apart",
    "unique number twice",
    "quote without its end, later",
    "last line without its end",
    "a field too many",
    "unknown column",
    "bad behind two lines",
)
BY_NAME = {bad.name: bad for bad in BAD_TEXTS}
SAVES = {
    "cp": "cp $OUT/bad.csv {table}.csv",
    "redirection": "cat $OUT/bad.csv > {table}.csv",
    "mv": "mv $OUT/bad.csv {table}.csv",
}


@pytest.fixture
def mount(mounts: Callable[..., Mount], tmp_path: Path) -> Mount:
    shutil.copytree(GOLDEN / "import" / "remote", tmp_path / "remote")
    return mounts(url=(tmp_path / "remote").as_uri()).mount()


def attempt(mount: Mount, bad: BadText, how: str) -> str:
    """What the tool said."""
    out = mount.home / "out"
    out.mkdir(exist_ok=True)
    (out / "bad.csv").write_bytes(bad.text)
    done = mount.sh(SAVES[how].format(table=bad.table))
    assert done.returncode != 0, bad.name
    return done.stderr


@pytest.mark.parametrize("how", SAVES)
def test_the_tool_fails_and_status_tells_why(mount: Mount, how: str) -> None:
    before = mount.log()
    for bad in (BY_NAME[name] for name in CHOSEN):
        assert "Invalid argument" in attempt(mount, bad, how), bad.name
        said = mount.status().partition("last failed save:\n")[2].splitlines()
        fields = dict(line.strip().partition(": ")[::2] for line in said)
        assert fields["file"] == f"{bad.table}.csv"
        assert fields["line"] == str(bad.line)
        assert (fields.get("column", ""), fields.get("value", "")) == (bad.column, bad.value)
        assert bad.reason in fields["reason"]
    assert mount.log() == before
