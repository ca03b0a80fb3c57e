"""Every table of the golden remotes through a mount: read as dolt exported it, and saved again."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.aws_proxy import READER, AwsProxy
from tests.support.mounts import REMOTES, Mount

pytestmark = pytest.mark.fuse


OWN = "dolt_"
"""How names of Dolt's own tables begin: those are in the control directory."""


def exported(remote: str) -> dict[str, bytes]:
    """The text of each table as dolt exported it, by its path in a mount."""
    folder = REMOTES / f"{remote}.expected"
    texts = {_place(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}
    for path in folder.rglob("*.csv.gz"):
        place = _place(path.relative_to(folder).with_suffix(""))
        texts[place] = gzip.decompress(path.read_bytes())
    return texts


def _place(path: Path) -> str:
    own = path.name.startswith(OWN)
    return str(path.parent / ".pyfs" / "system" / path.name if own else path)


@pytest.mark.parametrize("kind", ["file", "aws"])
@pytest.mark.parametrize(
    "remote", [path.name for path in sorted(REMOTES.iterdir()) if (path / "manifest").exists()]
)
def test_each_has_the_bytes_and_the_size_of_dolts_export(
    mounts: Callable[..., Mount],
    on_aws: Callable[..., Mount],
    proxy: AwsProxy,
    remote: str,
    kind: str,
) -> None:
    # A reader's credentials are enough.
    proxy.allowed = READER
    mount = (mounts if kind == "file" else on_aws)(remote, "ro").mount()
    texts = exported(remote)
    for path, text in texts.items():
        assert (mount / path).stat().st_size >= len(text), path
        with (mount / path).open("rb") as file:
            assert os.fstat(file.fileno()).st_size == len(text), path
            assert file.read() == text, path
        assert (mount / path).stat().st_size == len(text), path
    shown = {
        os.path.relpath(os.path.join(folder, name), mount.root)
        for folder, _, names in os.walk(mount.root)
        for name in names
    }
    assert shown == {path for path in texts if "/.pyfs/" not in path}
    assert set(proxy.actions) <= {"dynamodb:GetItem", "s3:GetObject"}
    assert bool(proxy.actions) is (kind == "aws")


@pytest.mark.parametrize("remote", ["types", "edge"])
def test_each_is_read_and_saved_again_without_a_commit(
    mounts: Callable[..., Mount], remote: str
) -> None:
    mount = mounts(remote).mount()
    before, texts = mount.log(), exported(remote)
    out = mount.home / "out"
    out.mkdir()
    for path, text in texts.items():
        table = Path(path).stem
        assert (mount / path).read_bytes() == text, table
        (out / "same.csv").write_bytes(text)
        done = mount.run(["cp", str(out / "same.csv"), f"{table}.csv"])
        assert done.returncode == 0, f"{table}: {done.stderr}{mount.status()}"
        assert (mount / path).read_bytes() == text, table
    assert mount.log() == before
    assert len(texts) > 12


@pytest.mark.parametrize(("remote", "count"), [("types", 14), ("edge", 39)])
def test_each_in_every_format_is_saved_again_without_a_commit(
    mounts: Callable[..., Mount], remote: str, count: int
) -> None:
    pytest.importorskip("pyarrow")
    mount = mounts(remote, "format=csv+tsv+jsonl+parquet").mount()
    before, tables = mount.log(), [Path(path).stem for path in exported(remote)]
    out = mount.home / "same"
    for table in tables:
        for ending in ("csv", "tsv", "jsonl", "parquet"):
            file = mount / "main" / f"{table}.{ending}"
            text = file.read_bytes()
            # An empty file would save nothing, a table without rows has an empty line in JSON.
            out.write_bytes(text or b"\n")
            done = mount.run(["cp", str(out), file.name])
            assert done.returncode == 0, f"{file.name}: {done.stderr}{mount.status()}"
            assert file.read_bytes() == text, file.name
    assert mount.log() == before
    assert len(tables) == count
