"""Every table of the golden remotes through a mount: read as dolt exported it, and saved again."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.mounts import REMOTES, Mount

pytestmark = pytest.mark.fuse

REFUSED = {
    "types": {
        "child": "foreign key",
        "geo": "type geometry",
        "parent": "foreign key",
    },
    "edge": {
        "places": "type point",
        "shapes": "type geometry",
        "vectors": "type VECTOR",
    },
}
"""Which tables refuse writes, and part of the reason."""


def exported(remote: str) -> dict[str, bytes]:
    """The text of each table as dolt exported it."""
    directory = REMOTES / f"{remote}.expected" / "main"
    texts = {_table(path, directory): path.read_bytes() for path in directory.rglob("*.csv")}
    packed = {_table(path, directory): path for path in directory.rglob("*.csv.gz")}
    return texts | {name: gzip.decompress(path.read_bytes()) for name, path in packed.items()}


def _table(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)).removesuffix(".gz").removesuffix(".csv")


@pytest.mark.parametrize("remote", REFUSED)
def test_each_is_read_and_saved_again_without_a_commit(
    mounts: Callable[..., Mount], remote: str
) -> None:
    mount = mounts(remote).mount()
    before, texts = mount.log(), exported(remote)
    out = mount.home / "out"
    out.mkdir()
    for table, text in texts.items():
        assert (mount / "main" / f"{table}.csv").read_bytes() == text, table
        (out / "same.csv").write_bytes(text)
        done = mount.run(["cp", str(out / "same.csv"), f"{table}.csv"])
        reason = REFUSED[remote].get(table)
        if reason is None:
            assert done.returncode == 0, f"{table}: {done.stderr}{mount.status()}"
        else:
            assert "Operation not supported" in done.stderr, table
        assert (mount / "main" / f"{table}.csv").read_bytes() == text, table
    assert mount.log() == before
    assert len(texts) > 12
