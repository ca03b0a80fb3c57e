"""Jobs that read the flights."""

import os
import random
import shutil
import time
from pathlib import Path

import trio

from bench.mount.site import MIB, Site
from bench.mount.texts import Texts
from pyfs._core import TextLayout
from pyfs.config import MountConfig
from pyfs.remote import open_remote
from pyfs.repo.repository import open_repository
from pyfs.repo.table_version import EVERYTHING
from pyfs.store.table_set import TableSet
from tests.support.repositories import ADA, head_of

DATABASE = "flights"
REFRESH_S = 1.1
"""After this a mount looks at the remote again."""


def bench_reading(site: Site, texts: Texts) -> None:
    """Reads a database that has no table but the flights."""
    read = site.folder / "read.csv"

    def cold() -> None:
        mount = site.mount(DATABASE, "cold")
        site.run("cat", str(mount / "main/flights.csv"), out=read)

    cost = site.measure("cold mount and cat", cold)
    if read.read_bytes() != texts.flights.read_bytes():
        raise SystemExit("the flights that were read are not those that were saved")
    file = site.folder / "mnt-cold/main/flights.csv"
    with site.settings():
        stored = trio.run(_stored_len, f"{site.url}/{DATABASE}", site.folder / "stored")
    site.remarks["cold mount and cat"] = f"{cost.s3.down / stored:.2f} x the table's stored bytes"
    site.measure("warm cat", lambda: site.run("cat", str(file), out=read))
    local = site.folder / "local.csv"
    shutil.copyfile(texts.flights, local)
    site.run("cat", str(local), out=read)
    local_cost = site.measure("cat of a local file", lambda: site.run("cat", str(local), out=read))
    share = local_cost.seconds / site.results["warm cat"].seconds
    site.remarks["warm cat"] = f"{share:.2f} x the speed of a local file"
    memory = site.memory_of(site.folder / "mnt-cold") / MIB
    site.remarks["cat of a local file"] = f"the mount has had {memory:.0f} MiB so far"
    site.unmount("cold")
    bench_random(site)
    bench_head(site)


def bench_random(site: Site) -> None:
    """1 MB at a random offset, where sizes are known and bytes are not."""
    shutil.rmtree(site.folder / "cold" / "spans")
    with site.mounted(DATABASE, "cold") as mount:
        file = mount / "main/flights.csv"
        offset = random.Random(1).randrange(os.stat(file).st_size - MIB)

        def read() -> None:
            with open(file, "rb", buffering=0) as stream:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
                stream.seek(offset)
                left = MIB
                while left:
                    left -= len(stream.read(left))

        site.measure("1 MB at an offset", read)


def bench_head(site: Site) -> None:
    """The first line after a cold mount."""

    def head() -> None:
        mount = site.mount(DATABASE, "head")
        site.run("head", "-n", "1", str(mount / "main/flights.csv"))

    site.measure("cold mount and head -1", head)
    site.unmount("head")


def bench_next_version(site: Site, texts: Texts) -> None:
    """`ls -l` and `tail -1` of a version that another client made by changing one row."""
    with site.mounted(DATABASE, "cold") as reader, site.mounted(DATABASE, "other") as other:
        file = reader / "main/flights.csv"
        site.run("cat", str(file))
        shutil.copyfile(texts.changed, other / "main/flights.csv")
        time.sleep(REFRESH_S)

        def look() -> None:
            site.run("sh", "-c", f"ls -l {file}; tail -n 1 {file}", out=site.folder / "look")

        site.measure("new version: ls -l, tail -1", look)
        size = (site.folder / "look").read_text().split()[4]
        exact = int(size) == texts.changed.stat().st_size
        site.remarks["new version: ls -l, tail -1"] = f"size {'exact' if exact else 'estimated'}"


def bench_dolt_reading(site: Site) -> None:
    """The same by dolt."""
    export = str(site.folder / "dolt.csv")

    def cold() -> None:
        clone = site.clone(DATABASE, "cold")
        site.run("dolt", "table", "export", "-f", "flights", export, cwd=clone)

    def head() -> None:
        site.clone(DATABASE, "head")

    site.measure("dolt cold mount and cat", cold)
    site.measure("dolt cold mount and head -1", head)


async def _stored_len(url: str, cache: Path) -> int:
    """Bytes that the nodes of the flights take in the remote's files."""
    config = MountConfig(url=url, cache_dir=cache)
    async with open_remote(config) as remote:
        chunks = TableSet(remote, config)
        async with open_repository(remote, chunks, config, ADA) as repository:
            await repository.refresh(0)
            version = await (await head_of(repository)).table("flights")
            layout = TextLayout(version.table, version.schema)
            inner = 0
            while True:
                nodes, pieces, _ = layout.frontier(0, EVERYTHING)
                if not len(nodes):
                    break
                inner += chunks.stored_len(nodes)
                layout.expand(await chunks.get_batch(nodes))
        await chunks.aclose()
    return inner + chunks.stored_len(layout.piece_leaves(pieces))
