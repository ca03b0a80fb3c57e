"""Every table of the golden remotes through a mount: read as dolt exported it, and saved again."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.mounts import REMOTES, Mount

pytestmark = pytest.mark.fuse


def exported(remote: str) -> dict[str, bytes]:
    """The text of each table as dolt exported it."""
    directory = REMOTES / f"{remote}.expected" / "main"
    texts = {_table(path, directory): path.read_bytes() for path in directory.rglob("*.csv")}
    packed = {_table(path, directory): path for path in directory.rglob("*.csv.gz")}
    return texts | {name: gzip.decompress(path.read_bytes()) for name, path in packed.items()}


def _table(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory)).removesuffix(".gz").removesuffix(".csv")


@pytest.mark.parametrize("remote", ["types", "edge"])
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
        assert done.returncode == 0, f"{table}: {done.stderr}{mount.status()}"
        assert (mount / "main" / f"{table}.csv").read_bytes() == text, table
    assert mount.log() == before
    assert len(texts) > 12
